import { linkSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { RegistryError } from '../../core/errors.js';
import { identityOfProcess, isAlive, type ProcessIdentity } from '../../core/process-identity.js';

const LAYER = 'registry';
const LOCK_NAME = /^lock\.([1-9][0-9]{0,14})$/;
/**
 * Tries to take the lock while other processes take it at the same moment. There is no wait between two tries, since each
 * failure means that another process has made progress.
 */
const TRIES = 20;

/** Contents of a lock file. */
interface Holder {
  readonly pid: number;
  /** Host name. Process numbers of another machine or container mean nothing here. */
  readonly host: string;
  /** Start of the process: `<boot id>:<start>`, see `ProcessIdentity`. */
  readonly began: string;
}

/**
 * Lets only one process at a time use a folder. The embedded database has no lock of its own, and two processes on one folder
 * would destroy it.
 *
 *     lock.7    the holder's process number, host and start time; empty once the lock is released
 *
 * The file with the highest number is the lock. To take over a released or stale lock, a process creates the file with the
 * next number, which only one process can do. Only the holder of a higher number removes a file. So two processes can never
 * take over the same stale lock.
 */
export class FolderLock {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** @throws RegistryError when another process, or this one, already holds the folder; `got` is its process number. */
  static take(folder: string): FolderLock {
    const self: Holder = { pid: process.pid, host: hostname(), began: began() };
    const draft = join(folder, `lock.draft.${process.pid}.${Math.random().toString(36).slice(2)}`);
    try {
      writeFileSync(draft, JSON.stringify(self), { flag: 'wx', mode: 0o600 });
      for (let attempt = 0; attempt < TRIES; attempt++) {
        const top = Math.max(0, ...numbersIn(folder));
        if (top > 0) refuseHeld(join(folder, `lock.${top}`));
        const path = join(folder, `lock.${top + 1}`);
        if (!linked(draft, path)) continue;
        const numbers = numbersIn(folder);
        if (Math.max(...numbers) === top + 1) {
          for (const number of numbers) if (number <= top) rmSync(join(folder, `lock.${number}`), { force: true });
          return new FolderLock(path);
        }
        // The list of files was outdated: higher numbers exist, and this one was free because its file had been removed.
        unlinkSync(path);
      }
    } catch (cause) {
      if (cause instanceof RegistryError) throw cause;
      throw new RegistryError(`cannot lock ${folder}: ${(cause as Error).message}`, { layer: LAYER, cause });
    } finally {
      rmSync(draft, { force: true });
    }
    throw new RegistryError(`${folder} is being opened by other processes`, { layer: LAYER, limit: TRIES });
  }

  release(): void {
    try {
      writeFileSync(this.#path, '');
    } catch {
      // The folder was removed, so there is nothing left to release.
    }
  }
}

function numbersIn(folder: string): number[] {
  return readdirSync(folder).flatMap((name) => {
    const match = LOCK_NAME.exec(name);
    return match === null ? [] : [Number(match[1])];
  });
}

/** Creates the lock file as a link, so that it appears with its contents and only one process can create it. */
function linked(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function refuseHeld(path: string): void {
  const holder = readHolder(path);
  if (holder === undefined) return;
  if (holder.host !== hostname()) {
    throw new RegistryError(
      `the registry is open in process ${holder.pid} of ${holder.host}, which cannot be seen from here; if it is gone, remove ${path}`,
      { layer: LAYER, got: holder.pid },
    );
  }
  if (!isAlive(holder.pid, identityIn(holder))) return;
  const who = holder.pid === process.pid ? 'this process' : `process ${holder.pid}`;
  throw new RegistryError(`the registry is open in ${who} already (${path})`, { layer: LAYER, got: holder.pid });
}

/** Undefined for a lock that was released or removed, or that a crash of the machine left without contents. */
function readHolder(path: string): Holder | undefined {
  try {
    const { pid, host, began } = JSON.parse(readFileSync(path, 'utf8')) as Holder;
    return Number.isInteger(pid) && pid > 0 && typeof host === 'string' ? { pid, host, began: String(began ?? '') } : undefined;
  } catch {
    return undefined;
  }
}

function began(): string {
  const { start, boot } = identityOfProcess(process.pid) as ProcessIdentity;
  return `${boot}:${start}`;
}

function identityIn({ began }: Holder): ProcessIdentity {
  const [boot = '', start = ''] = began.split(':');
  return { start, boot };
}

import { linkSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { RegistryError } from '../../core/errors.js';
import { identityOfProcess, isAlive, type ProcessIdentity } from '../../core/process-identity.js';

const LAYER = 'registry';
const LOCK_NAME = /^lock\.([1-9][0-9]{0,14})$/;
/**
 * Takings that may fail because others take over at the same moment, before that counts as being held. There is no wait
 * between them: each failure means that another process got further.
 */
const TRIES = 20;

/** What a lock file says of its holder. */
interface Holder {
  readonly pid: number;
  /** Host name: a process number of another machine or container means nothing here. */
  readonly host: string;
  /** When the process began: `<boot id>:<start>`, see `ProcessIdentity`. */
  readonly began: string;
}

/**
 * Keeps a folder for one process at a time: the embedded database has no lock of its own, and two on one folder destroy it.
 *
 *     lock.7    the holder's process number, host and start time; empty when it has let go
 *
 * The highest number counts. Who takes over makes the next one, which only one process can; a file is never removed by
 * anybody but the holder of a higher one. So there is no moment at which two believe in a stale lock of a killed process.
 */
export class FolderLock {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** @throws RegistryError when another process holds the folder, or this one does already; `got` is its number. */
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
        // A slow look at the folder: the number was free because its holders had come and gone.
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
      // The folder is gone, and with it what was locked.
    }
  }
}

function numbersIn(folder: string): number[] {
  return readdirSync(folder).flatMap((name) => {
    const match = LOCK_NAME.exec(name);
    return match === null ? [] : [Number(match[1])];
  });
}

/** A link is made whole or not at all, and by one process only. */
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

/** Undefined for a lock that was let go, or is gone, or that a falling machine left without its contents. */
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

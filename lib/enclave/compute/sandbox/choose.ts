import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { failed } from '../compute-error.js';
import { completed, type SandboxChoice } from '../options.js';
import { ProgramProcess } from '../program-process.js';
import { RunFolder } from '../run-folder.js';
import { nodeFiles } from './node-files.js';
import { bubblewrap, type Sandbox, unconfined, unshared } from './sandbox.js';
import { seccompFilter } from './seccomp.js';

/** What is in force. */
export interface Chosen {
  readonly sandbox: Sandbox;
  /** What is missing from it, and why, in words for an operator; undefined when nothing is. */
  readonly warning: string | undefined;
}

/** Milliseconds in which a process that is tried must be up. */
const TRIAL_MS = 30_000;
const TRIAL_PAGES = 16;

/** What was found out; it is the same for all engines of the process. */
const found = new Map<SandboxChoice, Promise<Chosen>>();

/**
 * The sandbox for a choice. `auto` takes the best that works, `bwrap` that or nothing. What works is found out by starting
 * a process in it, once.
 *
 * @throws ComputeError `bwrap` was chosen and does not work
 */
export function chooseSandbox(choice: SandboxChoice): Promise<Chosen> {
  const before = found.get(choice);
  if (before !== undefined) return before;
  const choosing = choose(choice);
  found.set(choice, choosing);
  choosing.catch(() => found.delete(choice));
  return choosing;
}

async function choose(choice: SandboxChoice): Promise<Chosen> {
  if (choice === 'none')
    return { sandbox: await plainest(), warning: `programs are confined by Node alone, as it was asked for; ${LACKS.none}` };
  const first = await refusalOf(findBubblewrap);
  if (typeof first !== 'string') return { sandbox: first, warning: filterWarning() };
  if (choice === 'bwrap') throw failed(`the sandbox bwrap does not work here: ${first}`, { expected: 'bwrap' });
  const setpriv = await inPath('setpriv').catch(() => undefined);
  const second = await refusalOf(async () => unshared(await inPath('unshare'), setpriv));
  if (typeof second !== 'string') return { sandbox: second, warning: `bubblewrap does not work here (${first}); ${LACKS.unshare}` };
  return { sandbox: await plainest(), warning: `neither bubblewrap (${first}) nor unshare (${second}) works here; ${LACKS.none}` };
}

const LACKS = {
  unshare: "a program that breaks out of the engine meets the file system of this machine with the manager's rights",
  none: "a program that breaks out of the engine meets the file system and the network of this machine with the manager's rights",
};

function filterWarning(): string | undefined {
  return seccompFilter() === undefined ? `there is no filter of system calls for ${process.arch}` : undefined;
}

async function findBubblewrap(): Promise<Sandbox> {
  return bubblewrap(await inPath('bwrap'), await nodeFiles(process.execPath), seccompFilter() !== undefined);
}

/** The sandbox if a process comes up in it, else why it does not. */
async function refusalOf(find: () => Promise<Sandbox>): Promise<Sandbox | string> {
  try {
    const sandbox = await find();
    await tryOut(sandbox);
    return sandbox;
  } catch (thrown) {
    return (thrown as Error).message;
  }
}

/** No namespaces; by `setpriv` where there is one that works. */
async function plainest(): Promise<Sandbox> {
  const sandbox = await refusalOf(async () => unconfined(await inPath('setpriv')));
  return typeof sandbox === 'string' ? unconfined(undefined) : sandbox;
}

/** In a folder like that of a run, which is found and removed later should this process be killed meanwhile. */
async function tryOut(sandbox: Sandbox): Promise<void> {
  const folder = await RunFolder.make(tmpdir());
  try {
    const trial = new ProgramProcess(sandbox, folder.path, TRIAL_PAGES, 0, completed({}));
    await trial.up(TRIAL_MS).finally(() => trial.kill());
  } finally {
    await folder.remove();
  }
}

/** The path of a command. */
async function inPath(name: string): Promise<string> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (
      folder !== '' &&
      (await access(path, constants.X_OK).then(
        () => true,
        () => false,
      ))
    )
      return path;
  }
  throw failed(`there is no ${name}`);
}

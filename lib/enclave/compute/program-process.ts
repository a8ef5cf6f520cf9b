import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Job, Outcome, Report } from './child/protocol.js';
import { failed } from './compute-error.js';
import type { CompleteOptions } from './options.js';

const MAIN = fileURLToPath(new URL('./child/main.js', import.meta.url));
const CODE = dirname(MAIN);

/** The first of these that this Node knows turns its permission model on. */
const PERMISSION = ['--permission', '--experimental-permission'].find((flag) => process.allowedNodeEnvironmentFlags.has(flag));
/** The first versions that have it do not find a package.json that they may read; they must be told what modules these are. */
const MODULES = ['--experimental-default-type']
  .filter((flag) => process.allowedNodeEnvironmentFlags.has(flag))
  .map((flag) => `${flag}=module`);

/**
 * A process that runs one program. It has no environment, nothing open that is the manager's but the channel, and dies
 * with the manager. It starts at once, so that it is up when the program's world is complete.
 */
export class ProgramProcess {
  readonly #child: ChildProcess;
  /** Resolves when the process is gone, with how it ended. */
  readonly #gone: Promise<string>;
  readonly #up: Promise<void>;
  readonly #outcome: Promise<Outcome>;

  /** @param maxPages pages of 64 KiB that a memory of the program may have */
  constructor(folder: string, maxPages: number, { maxHeapMib, maxStackMib }: CompleteOptions) {
    this.#child = fork(MAIN, [folder, String(maxHeapMib), String(maxStackMib)], {
      env: {},
      cwd: '/',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: [`--wasm-max-mem-pages=${maxPages}`, ...fence(folder)],
    });
    this.#gone = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
      this.#child.on('error', (thrown: NodeJS.ErrnoException) => resolve(thrown.code ?? thrown.name));
    });
    let up = () => {};
    let end: (outcome: Outcome) => void = () => {};
    this.#up = new Promise((resolve) => {
      up = resolve;
    });
    this.#outcome = new Promise((resolve) => {
      end = resolve;
    });
    this.#child.on('message', (report: Report) => {
      if (report.kind === 'up') up();
      else end(report);
    });
  }

  /**
   * Runs the program; call it once.
   *
   * @returns its exit code
   * @throws ComputeError
   */
  async run(job: Job, timeLimitMs: number): Promise<number> {
    await this.#inTime(this.#up, timeLimitMs, 'the process of the program was not up');
    this.#child.send(job, () => {});
    const outcome = await this.#inTime(this.#outcome, timeLimitMs, 'the program was still running');
    if (outcome.kind === 'exited') return outcome.code;
    const { reason, offset, got, limit } = outcome;
    throw failed(`the program ${reason}`, { offset, got, limit });
  }

  /** Ends the process, if it is still there; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#gone;
  }

  /** What the process is to say; rejects when it ends by itself, and after `limit` milliseconds. */
  async #inTime<T>(said: Promise<T>, limit: number, what: string): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(failed(`${what} after ${limit} ms`, { limit })), limit);
    });
    try {
      return await Promise.race([said, late, this.#died()]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Rejects when the process ends by itself: V8 gives up where a heap is full, and may have the system kill it. */
  async #died(): Promise<never> {
    const got = await this.#gone;
    throw failed(`the process of the program ended before it did, by ${got}`, { got });
  }
}

/**
 * The second fence: what the process itself may do, should a program get out of WebAssembly into JavaScript. Node lets no
 * `*` into the paths of its permission model but at their end.
 */
function fence(folder: string): string[] {
  if (PERMISSION === undefined || `${folder}${CODE}`.includes('*')) return [];
  const read = [`${CODE}/*`, `${folder}/*`, ...manifests(dirname(CODE))].map((path) => `--allow-fs-read=${path}`);
  return [PERMISSION, '--allow-worker', ...read, `--allow-fs-write=${folder}/*`, ...MODULES];
}

/** Where Node looks for what kind of modules the code is, from `folder` up to where it is said. */
function manifests(folder: string): string[] {
  const path = join(folder, 'package.json');
  return existsSync(path) || dirname(folder) === folder ? [path] : [path, ...manifests(dirname(folder))];
}

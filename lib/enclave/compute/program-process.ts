import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { clock, type Timer } from '../../core/clock.js';
import type { Job, Outcome, Report } from './child/protocol.js';
import { failed } from './compute-error.js';
import type { CompleteOptions } from './options.js';
import { KEEP, systemLimits } from './sandbox/guardian.js';
import { launch } from './sandbox/launch.js';
import { nodeFence } from './sandbox/node-fence.js';
import { giveWay } from './sandbox/precedence.js';
import type { Sandbox } from './sandbox/sandbox.js';

const code = (): string => dirname(fileURLToPath(new URL('./child/main.js', import.meta.url)));
/** What a shell adds to the number of a signal that ended a process. */
const BY_SIGNAL = 128;

/**
 * A process that runs one program. It has no environment, nothing open that is the manager's but the channel, is confined
 * by a sandbox, and ends with the manager. It starts at once, so that it is up when the program's world is complete.
 */
export class ProgramProcess {
  /** The folder of the run, as the process sees it. */
  readonly folder: string;
  /** The guardian. */
  readonly #child: ChildProcess;
  /** Resolves when the process is gone, with how it ended. */
  readonly #gone: Promise<string>;
  readonly #up: Promise<void>;
  readonly #outcome: Promise<Outcome>;

  /**
   * @param folder that of the run
   * @param maxPages pages of 64 KiB that a memory of the program may have
   * @param largestFile bytes of the largest file that it may find
   * @throws ComputeError when it cannot be fenced
   */
  constructor(sandbox: Sandbox, folder: string, maxPages: number, largestFile: number, options: CompleteOptions) {
    const place = { node: process.execPath, code: code(), folder };
    const seen = sandbox.seen(place);
    this.folder = seen.folder;
    this.#child = launch(sandbox, {
      ...place,
      flags: [`--wasm-max-mem-pages=${maxPages}`, ...nodeFence(seen.code, seen.folder)],
      entry: 'main.js',
      args: [String(options.maxHeapMib), String(options.maxStackMib)],
      niceness: options.niceness,
      limits: systemLimits(options, maxPages, largestFile),
    });
    giveWay(this.#child.pid, options.niceness);
    this.#gone = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => resolve(signal ?? endOf(code ?? 0)));
      this.#child.on('error', (thrown: NodeJS.ErrnoException) => resolve(thrown.code ?? thrown.name));
    });
    // It may be gone when it is told something.
    this.#child.stdin?.on('error', () => {});
    // Its guardian still waits when it ended by itself.
    this.#child.once('disconnect', () => this.#end());
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

  /** Resolves when the process is ready for its job. */
  up(timeLimitMs: number): Promise<void> {
    return this.#inTime(this.#up, timeLimitMs, 'the process of the program was not up');
  }

  /**
   * Runs the program; call it once.
   *
   * @returns its exit code
   * @throws ComputeError
   */
  async run(job: Job, timeLimitMs: number): Promise<number> {
    await this.up(timeLimitMs);
    this.#child.send(job, () => {});
    const outcome = await this.#inTime(this.#outcome, timeLimitMs, 'the program was still running');
    if (outcome.kind === 'exited') return outcome.code;
    const { reason, offset, got, limit } = outcome;
    throw failed(`the program ${reason}`, { offset, got, limit });
  }

  /** Ends the process, if it is still there; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#end();
    await this.#gone;
  }

  /** Has the guardian end it. The channel is closed too, which ends a process that has lost its guardian. */
  #end(): void {
    (this.#child.stdin as Writable).end(KEEP);
    if (this.#child.connected) this.#child.disconnect();
  }

  /** What the process is to say; rejects when it ends by itself, and after `limit` milliseconds. */
  async #inTime<T>(said: Promise<T>, limit: number, what: string): Promise<T> {
    let timer: Timer | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = clock.setTimeout(() => reject(failed(`${what} after ${limit} ms`, { limit })), limit);
    });
    try {
      return await Promise.race([said, late, this.#died()]);
    } finally {
      clock.clear(timer);
    }
  }

  /** Rejects when the process ends by itself: V8 gives up where a heap is full, and may have the system kill it. */
  async #died(): Promise<never> {
    const got = await this.#gone;
    throw failed(`the process of the program ended before it did, by ${got}`, { got });
  }
}

/** How a process ended that ended like this for a shell. */
function endOf(code: number): string {
  const signal = Object.entries(constants.signals).find(([, number]) => number === code - BY_SIGNAL);
  return signal?.[0] ?? `exit code ${code}`;
}

import { AbortedError, BusyError, ClosedError, LimitError } from '../../core/errors.js';
import { FairSemaphore } from '../../core/fair-semaphore.js';
import type { Release } from '../../core/semaphore.js';
import { fileRightsOf } from '../policy/index.js';
import { changesIn } from './changes.js';
import type { Job } from './child/protocol.js';
import { COMPUTE_LAYER, computeError } from './compute-error.js';
import type { Computation, ComputeEngine } from './engine.js';
import { keepLastWords } from './last-words.js';
import { type CompleteOptions, completed, type WasiEngineOptions } from './options.js';
import { ProgramProcess } from './program-process.js';
import { RunFolder, removeAbandoned } from './run-folder.js';
import { type Chosen, chooseSandbox } from './sandbox/choose.js';
import { MAX_PATH_BYTES, type Staged, stage } from './stage.js';
import { writeBack } from './write-back.js';

const PAGES_A_MIB = 16;

/** What confines programs. */
export interface SandboxInForce {
  readonly sandbox: 'bwrap' | 'unshare' | 'none';
  /** What is missing from it, and why; undefined when nothing is. */
  readonly warning: string | undefined;
}

/**
 * Runs WebAssembly programs of WASI preview 1, each in a process of its own that has no environment, nothing open, limits of
 * memory, time and output, is confined by the system where it can be (`sandbox`), and ends with this one.
 *
 * **What a program sees.** A folder made for the run, as its root, in which only copies of files are that its principal
 * may read (PATH_OPEN and FD_READ), and the directories that the policy lists. Descriptor 3 is the root, as in the
 * original; from 4 on come the listed directories. Its arguments are its own name; its environment is empty; `stdin` has
 * the store's file of that name. A file whose path below `scratch` would be too long for the system (4,095 bytes on Linux)
 * is not there: to open it fails with ENAMETOOLONG.
 *
 * **What it may do.** Each call needs its right of the policy on the very path, or it is answered EACCES; a path with `..`
 * or an absolute one is ENOTCAPABLE. There are no links, sockets, signals or threads (ENOSYS), and no times of any kind
 * without `enable_clock` (EACCES, and zero as the time of a file).
 *
 * **What remains.** What the program wrote replaces files in the store, once it has exited, whatever its exit code: all
 * of it, or nothing when it trapped, was killed, passed a limit, or wrote what a pin forbids. A file that it may write but
 * not read was not there for it, and is replaced by what it wrote; `stdout` and `stderr` are replaced when it wrote to
 * them. Of a program that trapped or was ended the last words remain, if it may write the streams: the end of both, up to
 * `maxLastWordsBytes`, and why it failed at the end of `stderr`. So a file can be changed only where it could be written from outside (`may`). Empty directories, times and modes
 * of files are forgotten. `execution_strategy` and `debug` of the policy are ignored.
 *
 * @example
 * const engine = new WasiEngine({ timeLimitMs: 60_000 });
 * const code = await engine.run({ program: '/program/sum.wasm', principal, policy, store, signal });
 * await engine.close();
 */
export class WasiEngine implements ComputeEngine {
  readonly #options: CompleteOptions;
  /** A permit for each program that runs. Its parties are those who asked. */
  readonly #gate: FairSemaphore;
  /** How each run is ended, and when it is over. */
  readonly #runs = new Map<AbortController, Promise<unknown>>();
  /** What killed managers left in `scratch` is gone, and it is known what confines programs. */
  #ready: Promise<Chosen> | undefined;
  #closed: Promise<void> | undefined;

  /** @throws InvalidOptionError */
  constructor(options: WasiEngineOptions = {}) {
    this.#options = completed(options);
    const { maxConcurrent, maxConcurrentPerPrincipal, maxWaiting, maxWaitingPerPrincipal } = this.#options;
    this.#gate = new FairSemaphore(maxConcurrent, {
      permitsPerParty: maxConcurrentPerPrincipal,
      maxWaiting,
      maxWaitingPerParty: maxWaitingPerPrincipal,
      waiters: 'programs',
    });
  }

  /**
   * Removes what killed managers left in `scratch`, and finds out what confines programs here, which takes a moment. The
   * first run does the same; call it before, to know.
   *
   * @throws ComputeError the sandbox that was chosen does not work
   */
  async ready(): Promise<SandboxInForce> {
    const { sandbox, warning } = await this.#prepared();
    return { sandbox: sandbox.kind, warning };
  }

  #prepared(): Promise<Chosen> {
    const { scratch, sandbox } = this.#options;
    this.#ready ??= removeAbandoned(scratch).then(() => chooseSandbox(sandbox));
    this.#ready.catch(() => {
      this.#ready = undefined;
    });
    return this.#ready;
  }

  async run(computation: Computation): Promise<number> {
    if (this.#closed !== undefined) throw closed();
    const ending = new AbortController();
    const { signal } = computation;
    const abort = () => ending.abort(new AbortedError('the computation was aborted', { layer: COMPUTE_LAYER, cause: signal.reason }));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    const running = this.#inTurn(computation, ending.signal);
    this.#runs.set(ending, running);
    try {
      return await running;
    } finally {
      signal.removeEventListener('abort', abort);
      this.#runs.delete(ending);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** As `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    for (const ending of this.#runs.keys()) ending.abort(closed());
    await Promise.allSettled(this.#runs.values());
  }

  async #inTurn(computation: Computation, signal: AbortSignal): Promise<number> {
    const leave = await this.#turn(computation, signal);
    try {
      return await this.#run(computation, signal);
    } catch (thrown) {
      // Whatever broke when it was ended, that it was ended is why.
      throw signal.aborted ? (signal.reason as Error) : computeError('run the program', thrown);
    } finally {
      leave();
    }
  }

  /** @throws BusyError, the reason of `signal` */
  async #turn({ askedBy }: Computation, signal: AbortSignal): Promise<Release> {
    try {
      // Runs that nobody asked for have nothing to do with each other: each is a party of its own.
      return await this.#gate.acquire(askedBy ?? Symbol('nobody'), signal);
    } catch (thrown) {
      if (!(thrown instanceof LimitError)) throw thrown;
      const { got, limit } = thrown;
      throw new BusyError(`the program cannot wait for its turn: ${thrown.message}`, { layer: COMPUTE_LAYER, got, limit, cause: thrown });
    }
  }

  async #run(computation: Computation, signal: AbortSignal): Promise<number> {
    const { sandbox } = await this.#prepared();
    const folder = await RunFolder.make(this.#options.scratch);
    try {
      const { maxLastWordsBytes, maxMemoryMib, maxOutputFiles, maxProgramBytes, timeLimitMs } = this.#options;
      const maxPages = Math.min(maxMemoryMib, computation.policy.max_memory_mib) * PAGES_A_MIB;
      const child = new ProgramProcess(sandbox, folder.path, maxPages, await largestFile(computation), this.#options);
      const kill = () => void child.kill();
      signal.addEventListener('abort', kill, { once: true });
      try {
        const staged = await stage(folder, computation, maxProgramBytes, signal);
        const inside = folder.seenAt(child.folder);
        const job = this.#job(computation, folder, inside, staged, maxPages);
        const code = await child.run(job, timeLimitMs).catch(async (thrown: unknown) => {
          await child.kill();
          if (!signal.aborted) await keepLastWords(folder, computation, maxLastWordsBytes);
          throw thrown;
        });
        await child.kill();
        await writeBack(await changesIn(folder, staged, maxOutputFiles), computation, signal);
        return code;
      } finally {
        signal.removeEventListener('abort', kill);
        await child.kill();
      }
    } finally {
      await folder.remove();
    }
  }

  #job({ policy, principal, program }: Computation, folder: RunFolder, inside: RunFolder, { directories }: Staged, maxPages: number): Job {
    const { maxOutputBytes, maxOutputFiles } = this.#options;
    // A program that the policy does not list has the rights of whoever runs it, and is told nothing.
    const listed = policy.programs.find(({ program_file_name }) => program_file_name === program);
    return {
      program: inside.program,
      args: [program, ...(listed?.arguments ?? [])],
      environment: (listed?.environment ?? []).map(({ name, value }) => `${name}=${value}`),
      world: inside.world,
      maxNameBytes: MAX_PATH_BYTES - Buffer.byteLength(folder.world),
      streams: inside.streams,
      rights: fileRightsOf(policy, principal).map(({ file_name, rights }) => [file_name, rights]),
      directories,
      clock: policy.enable_clock,
      maxPages,
      maxOutputBytes,
      maxOutputFiles,
    };
  }
}

/** Bytes of the largest file that a program may find. */
async function largestFile({ store }: Computation): Promise<number> {
  let largest = 0;
  for await (const { length } of store.list()) largest = Math.max(largest, length);
  return largest;
}

function closed(): ClosedError {
  return new ClosedError('the engine is closed', { layer: COMPUTE_LAYER });
}

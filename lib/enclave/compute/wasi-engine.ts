import { AbortedError, ClosedError } from '../../core/errors.js';
import { Semaphore } from '../../core/semaphore.js';
import { fileRightsOf } from '../policy/index.js';
import { changesIn } from './changes.js';
import type { Job } from './child/protocol.js';
import { COMPUTE_LAYER, computeError } from './compute-error.js';
import type { Computation, ComputeEngine } from './engine.js';
import { type CompleteOptions, completed, type WasiEngineOptions } from './options.js';
import { ProgramProcess } from './program-process.js';
import { RunFolder, removeAbandoned } from './run-folder.js';
import { MAX_PATH_BYTES, type Staged, stage } from './stage.js';
import { writeBack } from './write-back.js';

const PAGES_A_MIB = 16;

/**
 * Runs WebAssembly programs of WASI preview 1, by Node's own `node:wasi`, each in a process of its own that has no
 * environment, nothing open, limits of memory, time and output, and dies with this one.
 *
 * **What a program sees.** A folder made for the run, as its root, in which only copies of files are that its principal
 * may read (PATH_OPEN and FD_READ), and the directories that the policy lists. Descriptor 3 is the root, as in the
 * original; from 4 on come the listed directories. Its arguments are its own name; its environment is empty; `stdin` has
 * the store's file of that name. A file whose path below `scratch` would be too long for the system (4,095 bytes on Linux)
 * is not there: to open it fails with ENAMETOOLONG.
 *
 * **What it may do.** Each call needs its right of the policy on the very path, or it is answered EACCES; a path with `..`
 * or an absolute one is ENOTCAPABLE. There are no links, sockets, signals or threads (ENOSYS), and no times of any kind
 * without `enable_clock` (EACCES, and zero as the time of a file). `node:wasi` alone would promise none of this.
 *
 * **What remains.** What the program wrote replaces files in the store, once it has exited, whatever its exit code: all
 * of it, or nothing when it trapped, was killed, passed a limit, or wrote what a pin forbids. A file that it may write but
 * not read was not there for it, and is replaced by what it wrote; `stdout` and `stderr` are replaced when it wrote to
 * them. So a file can be changed only where it could be written from outside (`may`). Empty directories, times and modes
 * of files are forgotten. `execution_strategy` and `debug` of the policy are ignored.
 *
 * @example
 * const engine = new WasiEngine({ timeLimitMs: 60_000 });
 * const code = await engine.run({ program: '/program/sum.wasm', principal, policy, store, signal });
 * await engine.close();
 */
export class WasiEngine implements ComputeEngine {
  readonly #options: CompleteOptions;
  /** A permit for each program that runs. */
  readonly #gate: Semaphore;
  /** How each run is ended, and when it is over. */
  readonly #runs = new Map<AbortController, Promise<unknown>>();
  /** What killed managers left in `scratch` is gone. */
  #cleared: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  /** @throws InvalidOptionError */
  constructor(options: WasiEngineOptions = {}) {
    this.#options = completed(options);
    this.#gate = new Semaphore(this.#options.maxConcurrent);
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

  async #close(): Promise<void> {
    for (const ending of this.#runs.keys()) ending.abort(closed());
    await Promise.allSettled(this.#runs.values());
  }

  async #inTurn(computation: Computation, signal: AbortSignal): Promise<number> {
    const leave = await this.#gate.acquire(signal);
    try {
      return await this.#run(computation, signal);
    } catch (thrown) {
      // Whatever broke when it was ended, that it was ended is why.
      throw signal.aborted ? (signal.reason as Error) : computeError('run the program', thrown);
    } finally {
      leave();
    }
  }

  async #run(computation: Computation, signal: AbortSignal): Promise<number> {
    this.#cleared ??= removeAbandoned(this.#options.scratch);
    await this.#cleared;
    const folder = await RunFolder.make(this.#options.scratch);
    try {
      const { maxMemoryMib, maxOutputFiles, maxProgramBytes, timeLimitMs } = this.#options;
      const maxPages = Math.min(maxMemoryMib, computation.policy.max_memory_mib) * PAGES_A_MIB;
      const child = new ProgramProcess(folder.path, maxPages, this.#options);
      const kill = () => void child.kill();
      signal.addEventListener('abort', kill, { once: true });
      try {
        const staged = await stage(folder, computation, maxProgramBytes, signal);
        const code = await child.run(this.#job(computation, folder, staged, maxPages), timeLimitMs);
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

  #job({ policy, principal, program }: Computation, folder: RunFolder, { directories }: Staged, maxPages: number): Job {
    const { maxOutputBytes, maxOutputFiles } = this.#options;
    return {
      program: folder.program,
      name: program,
      world: folder.world,
      maxNameBytes: MAX_PATH_BYTES - Buffer.byteLength(folder.world),
      streams: folder.streams,
      rights: fileRightsOf(policy, principal).map(({ file_name, rights }) => [file_name, rights]),
      directories,
      clock: policy.enable_clock,
      maxPages,
      maxOutputBytes,
      maxOutputFiles,
    };
  }
}

function closed(): ClosedError {
  return new ClosedError('the engine is closed', { layer: COMPUTE_LAYER });
}

import type { Policy, Principal } from '../policy/index.js';
import type { FileStore } from '../store/file-store.js';

/** One run of one program. */
export interface Computation {
  /** Name of the program in the store, normal (`normaliseName`). Whoever asks has the right to execute it. */
  readonly program: string;
  /** Whose rights the program has: its own, or those of the pipeline that runs it. */
  readonly principal: Principal;
  /**
   * Who asked for the run: programs of the same one take turns with those of others, and what they write counts as his.
   * Default: nobody that another run has to do with.
   */
  readonly askedBy?: string;
  readonly policy: Policy;
  readonly store: FileStore;
  /** Ends the run; it then rejects with AbortedError. */
  readonly signal: AbortSignal;
}

/**
 * What runs programs for a Runtime Manager. `WasiEngine` is the one that comes with the library; an embedder may plug
 * another that keeps these promises: a run never blocks the streams, sees no file and no stream that the policy does not
 * give to its principal, and leaves in the store either all that it wrote or, when it failed, nothing but the end of its
 * streams.
 */
export interface ComputeEngine {
  /**
   * Runs a program to its end.
   *
   * @returns its exit code, a u32; one other than 0 is no error (wire spec §D)
   * @throws NotReadyError the program is not in the store; ComputeError it is no WebAssembly, trapped, or passed a limit;
   * AccessDeniedError it wrote what a pin forbids; BusyError too many programs wait; AbortedError; ClosedError the engine is
   * closed
   */
  run(computation: Computation): Promise<number>;
  /** Ends what is running. */
  close(): Promise<void>;
}

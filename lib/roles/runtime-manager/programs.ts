import {
  AbortedError,
  type BusyError,
  ClosedError,
  ComputeError,
  InvalidArgumentError,
  NotReadyError,
  VeracruzError,
} from '../../core/errors.js';
import { type ComputeEngine, type Pipeline, parsePipeline, runPipeline } from '../../enclave/compute/index.js';
import type { Policy } from '../../enclave/policy/index.js';
import { normaliseName } from '../../enclave/store/file-name.js';
import type { FileStore } from '../../enclave/store/file-store.js';
import type { GuardedFiles } from './guarded-files.js';
import { type IdentityPrincipal, partyOf } from './identity-principal.js';

const LAYER = 'runtime-manager';

/** The client that sent a request. */
export interface Caller {
  readonly principal: IdentityPrincipal;
  /** Id of the TLS session. */
  readonly session: number;
  /** Fires when the session is gone. */
  readonly signal: AbortSignal;
  /** Why the session's requests are not carried out, if they are not. */
  readonly refusal?: BusyError | undefined;
}

export interface ProgramsOptions {
  readonly policy: Policy;
  readonly store: FileStore;
  readonly files: GuardedFiles;
  readonly engine: ComputeEngine;
}

/**
 * Runs programs and pipelines for principals that have the right. A run is aborted when the session that asked for it ends.
 */
export class Programs {
  readonly #options: ProgramsOptions;
  readonly #engine: ComputeEngine;
  /** The runs under way, each with the controller that aborts it. */
  readonly #running = new Map<Promise<unknown>, AbortController>();
  #ended = false;

  constructor(options: ProgramsOptions) {
    this.#options = options;
    this.#engine = guarded(options.engine);
  }

  /** Number of programs and pipelines that run now. */
  get running(): number {
    return this.#running.size;
  }

  /**
   * Runs a program. The principal needs the right to execute it; the program itself has the rights that the policy gives it.
   *
   * @returns the program's exit code, a u32
   * @throws FileNameError, AccessDeniedError, NotReadyError, BusyError, ComputeError, AbortedError
   */
  async run({ principal, signal }: Caller, name: string): Promise<number> {
    const program = normaliseName(name);
    this.#options.files.checkExecute(principal, program);
    const { policy, store } = this.#options;
    const askedBy = partyOf(principal);
    return this.#during(signal, (ends) =>
      this.#engine.run({ program, principal: { kind: 'program', path: program }, askedBy, policy, store, signal: ends }),
    );
  }

  /**
   * Runs a pipeline of the policy with the pipeline's rights (wire spec §D). The principal needs the right to execute every
   * program in it, also in branches that are not taken: the policy's list of pipelines does not say who may run them. (The
   * original lets everybody run every pipeline.)
   *
   * @param name a decimal index in the policy's list, or the pipeline's name. Either may have a `/` in front, because the
   * original's client adds one
   * @returns the pipeline's exit code, a u32
   * @throws InvalidArgumentError when there is no such pipeline; AccessDeniedError, NotReadyError, BusyError, ComputeError,
   * AbortedError
   */
  async runPipeline({ principal, signal }: Caller, name: string): Promise<number> {
    const { policy, store, files } = this.#options;
    const pipeline = pipelineOf(policy, name);
    for (const program of programsOf(parsePipeline(pipeline.pipeline))) files.checkExecute(principal, program);
    const askedBy = partyOf(principal);
    return this.#during(signal, (ends) => runPipeline({ pipeline, askedBy, policy, store, engine: this.#engine, signal: ends }));
  }

  /** Aborts all runs and waits until they have ended. */
  async end(): Promise<void> {
    this.#ended = true;
    for (const run of this.#running.values()) run.abort();
    await Promise.allSettled(this.#running.keys());
  }

  async #during<T>(session: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#ended || session.aborted) throw new AbortedError('nothing is run any more', { layer: LAYER });
    const run = new AbortController();
    const abort = () => run.abort();
    session.addEventListener('abort', abort, { once: true });
    const working = work(run.signal);
    this.#running.set(working, run);
    try {
      return await working;
    } finally {
      session.removeEventListener('abort', abort);
      this.#running.delete(working);
    }
  }
}

/** Wraps an engine so that each error it throws becomes one that fails the request only, not the session. */
function guarded(engine: ComputeEngine): ComputeEngine {
  return {
    run: async (computation) => {
      try {
        return await engine.run(computation);
      } catch (error) {
        if (error instanceof ClosedError) throw new NotReadyError('the engine is closed', { layer: LAYER, cause: error });
        if (error instanceof VeracruzError) throw error;
        throw new ComputeError('the engine failed', { layer: LAYER, cause: error });
      }
    },
    close: () => engine.close(),
  };
}

function pipelineOf({ pipelines }: Policy, name: string): Policy['pipelines'][number] {
  const [, index] = /^\/?(0|[1-9][0-9]{0,9})$/.exec(name) ?? [];
  const found =
    index === undefined
      ? (pipelines.find((one) => one.name === name) ?? pipelines.find((one) => `/${one.name}` === name))
      : pipelines[Number(index)];
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`the policy has no such pipeline among its ${pipelines.length}`, { layer: LAYER, got: pipelines.length });
}

/** Paths of all programs in a pipeline, of every branch. */
function programsOf(pipeline: Pipeline): string[] {
  switch (pipeline.kind) {
    case 'program':
      return [pipeline.path];
    case 'sequence':
      return pipeline.steps.flatMap(programsOf);
    case 'if':
      return [...programsOf(pipeline.then), ...programsOf(pipeline.else)];
  }
}

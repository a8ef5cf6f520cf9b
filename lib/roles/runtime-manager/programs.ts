import { AbortedError, ClosedError, ComputeError, InvalidArgumentError, NotReadyError, VeracruzError } from '../../core/errors.js';
import { type ComputeEngine, type Pipeline, parsePipeline, runPipeline } from '../../enclave/compute/index.js';
import type { Policy, Principal } from '../../enclave/policy/index.js';
import { normaliseName } from '../../enclave/store/file-name.js';
import type { FileStore } from '../../enclave/store/file-store.js';
import type { GuardedFiles } from './guarded-files.js';

const LAYER = 'runtime-manager';

/** A participant. */
export type IdentityPrincipal = Extract<Principal, { kind: 'identity' }>;

/** Who asks. */
export interface Caller {
  readonly principal: IdentityPrincipal;
  /** Id of the TLS session. */
  readonly session: number;
  /** Fires when the session is gone. */
  readonly signal: AbortSignal;
}

export interface ProgramsOptions {
  readonly policy: Policy;
  readonly store: FileStore;
  readonly files: GuardedFiles;
  readonly engine: ComputeEngine;
}

/** Runs programs and pipelines for principals that may. A run ends with the session that asked for it. */
export class Programs {
  readonly #options: ProgramsOptions;
  readonly #engine: ComputeEngine;
  /** What is running, and how it is ended. */
  readonly #running = new Map<Promise<unknown>, AbortController>();
  #ended = false;

  constructor(options: ProgramsOptions) {
    this.#options = options;
    this.#engine = guarded(options.engine);
  }

  /** Programs and pipelines that run now. */
  get running(): number {
    return this.#running.size;
  }

  /**
   * Runs a program with the rights that the policy gives to it, for a principal that may execute it.
   *
   * @returns its exit code, a u32
   * @throws FileNameError, AccessDeniedError, NotReadyError, ComputeError, AbortedError
   */
  async run({ principal, signal }: Caller, name: string): Promise<number> {
    const program = normaliseName(name);
    this.#options.files.checkExecute(principal, program);
    const { policy, store } = this.#options;
    return this.#during(signal, (ends) =>
      this.#engine.run({ program, principal: { kind: 'program', path: program }, policy, store, signal: ends }),
    );
  }

  /**
   * Runs a pipeline of the policy with the pipeline's rights (wire spec §D), for a principal that may execute each of its
   * programs, those of branches that are not taken too: to list a pipeline says what is run, not who may. (The original
   * lets everybody.)
   *
   * @param name a decimal index in the policy's list, before which a `/` may stand, because the original's client puts one
   * there; or else the pipeline's name, with or without it
   * @returns its exit code, a u32
   * @throws InvalidArgumentError when there is no such pipeline; AccessDeniedError, NotReadyError, ComputeError, AbortedError
   */
  async runPipeline({ principal, signal }: Caller, name: string): Promise<number> {
    const { policy, store, files } = this.#options;
    const pipeline = pipelineOf(policy, name);
    for (const program of programsOf(parsePipeline(pipeline.pipeline))) files.checkExecute(principal, program);
    return this.#during(signal, (ends) => runPipeline({ pipeline, policy, store, engine: this.#engine, signal: ends }));
  }

  /** Aborts what is running and waits until it is over. */
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

/** An engine's faults as requests know them: whatever it throws is the request's own. */
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

/** Every program that a pipeline may come to run. */
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

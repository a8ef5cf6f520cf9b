import { givenRecord } from '../../../core/check.js';
import { AccessDeniedError } from '../../../core/errors.js';
import { may, type Policy, type Principal } from '../../policy/index.js';
import type { FileStore } from '../../store/file-store.js';
import { isMissing } from '../../store/store-error.js';
import type { ComputeEngine } from '../engine.js';
import { type Pipeline, parsePipeline } from './parse.js';

/** One run of one pipeline. */
export interface PipelineRun {
  /** One of the policy's. Whoever asks may run it. */
  readonly pipeline: Policy['pipelines'][number];
  /** As in `Computation`. */
  readonly askedBy?: string;
  readonly policy: Policy;
  readonly store: FileStore;
  readonly engine: ComputeEngine;
  /** Ends the run; it then rejects with AbortedError. */
  readonly signal: AbortSignal;
}

/**
 * Runs the programs of a pipeline, one after the other, with the pipeline's rights in the place of their own.
 *
 * - A sequence ends with the first exit code that is not 0, which is then the pipeline's; an empty one gives 0.
 * - `if path` asks whether the file is there, not what a program says. No right is needed for it: the policy itself asks.
 * - A program must be one that the policy lists, or one that the pipeline may execute (PATH_OPEN and FD_EXECUTE).
 *
 * What a program wrote stays, whatever comes of those behind it.
 *
 * @returns the exit code, a u32
 * @throws PolicyError the script is none; AccessDeniedError a program is not for this pipeline; and what
 * `ComputeEngine.run` raises
 */
export async function runPipeline(options: PipelineRun): Promise<number> {
  const { pipeline, ...run } = givenRecord('options', options);
  for (const name of ['pipeline', 'policy', 'store', 'engine', 'signal'] as const) givenRecord(name, options[name]);
  const principal: Principal = { kind: 'pipeline', name: pipeline.name };
  return step(parsePipeline(pipeline.pipeline), principal, run);
}

type Surroundings = Omit<PipelineRun, 'pipeline'>;

async function step(pipeline: Pipeline, principal: Principal, run: Surroundings): Promise<number> {
  switch (pipeline.kind) {
    case 'program':
      return runProgram(pipeline.path, principal, run);
    case 'if':
      return step((await exists(run.store, pipeline.path)) ? pipeline.then : pipeline.else, principal, run);
    case 'sequence':
      for (const one of pipeline.steps) {
        const code = await step(one, principal, run);
        if (code !== 0) return code;
      }
      return 0;
  }
}

async function runProgram(program: string, principal: Principal, { engine, ...run }: Surroundings): Promise<number> {
  const listed = run.policy.programs.some(({ program_file_name }) => program_file_name === program);
  if (!listed && !may(run.policy, principal, 'execute', program, true)) {
    throw new AccessDeniedError('the policy does not let the pipeline execute the program', { layer: 'pipeline', got: program });
  }
  return engine.run({ program, principal, ...run });
}

async function exists(store: FileStore, path: string): Promise<boolean> {
  try {
    await store.stat(path);
    return true;
  } catch (thrown) {
    if (isMissing(thrown)) return false;
    throw thrown;
  }
}

/** Running programs and pipelines: the contract of an engine, and the one that comes with the library. */
export type { Computation, ComputeEngine } from './engine.js';
export { SANDBOX_CHOICES, type SandboxChoice, WASI_ENGINE_DEFAULTS, type WasiEngineOptions } from './options.js';
export { MAX_PIPELINE_BYTES, MAX_PIPELINE_DEPTH, type Pipeline, parsePipeline } from './pipeline/parse.js';
export { type PipelineRun, runPipeline } from './pipeline/run.js';
export { type SandboxInForce, WasiEngine } from './wasi-engine.js';

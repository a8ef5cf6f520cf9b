import { readFileSync } from 'node:fs';
import { memoryOf } from './module-memory.js';
import { WASI_MODULE } from './preview1.js';
import type { Job, Outcome } from './protocol.js';
import { CompileError, Module } from './webassembly.js';

const PAGES_A_MIB = 16;
/** What preview 1 was called while it was made; some of its calls are others. */
const OLD_MODULE = 'wasi_unstable';
/** Characters of a name that are told. */
const MAX_NAME = 200;

/**
 * Compiles the program; what it returns instead says why it cannot be run.
 *
 * @param calls what a program may import, by name
 */
export function compile({ program, maxPages }: Job, calls: object): Module | Outcome {
  const bytes = readFileSync(program);
  const memory = memoryOf(bytes);
  if (memory.count > 1 || !memory.plain) {
    return { kind: 'failed', reason: 'has other memories than one of 32 bits of its own', got: memory.count };
  }
  if (memory.pages > maxPages) {
    const [got, limit] = [memory.pages / PAGES_A_MIB, maxPages / PAGES_A_MIB];
    return { kind: 'failed', reason: `begins with ${got} MiB of memory, the limit is ${limit} MiB`, got, limit };
  }
  try {
    const module = new Module(bytes);
    return unfit(module, calls) ?? module;
  } catch (thrown) {
    if (!(thrown instanceof CompileError)) throw thrown;
    // The compiler quotes the bytes that it does not like: only where they are is told.
    const offset = Number(/@\+(\d+)/.exec(thrown.message)?.[1] ?? 0);
    return { kind: 'failed', reason: `is no WebAssembly: it cannot be compiled at byte ${offset}`, offset };
  }
}

/** A program takes its memory and its beginning to WASI, and nothing from elsewhere. */
function unfit(module: Module, calls: object): Outcome | undefined {
  const foreign = Module.imports(module).filter(
    ({ module: from, name, kind }) => from !== WASI_MODULE || kind !== 'function' || !Object.hasOwn(calls, name),
  );
  if (foreign.length > 0) {
    // A name may be anything, and is for the program's own client alone; this one is known to everybody.
    const old = foreign.some(({ module: from }) => from === OLD_MODULE) ? `, but of ${OLD_MODULE}, which came before it` : '';
    const names = foreign.map(({ module: from, name, kind }) => `${kind} ${JSON.stringify(`${from}.${name}`).slice(0, MAX_NAME)}`);
    const reason = `imports ${foreign.length} things that are not of WASI preview 1${old}`;
    return { kind: 'failed', reason, foreign: names, got: foreign.length };
  }
  const has = (name: string, kind: string) => Module.exports(module).some((one) => one.name === name && one.kind === kind);
  if (has('memory', 'memory') && has('_start', 'function') && !has('_initialize', 'function')) return undefined;
  return { kind: 'failed', reason: 'is no command of WASI: it must export memory and _start, and no _initialize' };
}

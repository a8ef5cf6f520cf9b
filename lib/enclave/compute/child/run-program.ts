import { openSync } from 'node:fs';
import { join } from 'node:path';
import { WASI } from 'node:wasi';
import { Budget } from './budget.js';
import { callsOf } from './calls.js';
import type { Descriptor, Descriptors } from './descriptors.js';
import { GuestMemory, type Memory } from './guest-memory.js';
import type { Host } from './host.js';
import { type Preview1, RIGHT, WASI_MODULE } from './preview1.js';
import { compile } from './program-module.js';
import type { Job, Outcome } from './protocol.js';
import { RightsTable } from './rights-table.js';
import { Instance, RuntimeError } from './webassembly.js';

/** Runs a program to its end. The thread does nothing else meanwhile. */
export function runProgram(job: Job): Outcome {
  const directories = ['/', ...job.directories];
  const wasi = new WASI({
    version: 'preview1',
    args: [job.name],
    env: {},
    preopens: Object.fromEntries(directories.map((name) => [name, join(job.world, name)])),
    stdin: openSync(job.streams.stdin, 'r'),
    stdout: openSync(job.streams.stdout, 'w'),
    stderr: openSync(job.streams.stderr, 'w'),
    returnOnExit: true,
  });
  const rights = new RightsTable(job.rights);
  const memory = new GuestMemory();
  const host: Host = {
    real: wasi.wasiImport as unknown as Preview1,
    memory,
    rights,
    descriptors: openAtStart(rights, directories),
    budget: new Budget(job.maxOutputBytes, job.maxOutputFiles),
    world: job.world,
    clock: job.clock,
  };
  const calls = callsOf(host);
  const compiled = compile(job, calls);
  if ('kind' in compiled) return compiled;
  try {
    const instance = new Instance(compiled, { [WASI_MODULE]: calls });
    memory.attach(instance.exports.memory as Memory);
    return { kind: 'exited', code: wasi.start(instance) >>> 0 };
  } catch (thrown) {
    return { kind: 'failed', reason: reasonOf(thrown) };
  }
}

/**
 * What a program finds open: the streams, then directories. Without the right standard input is empty, and to the others
 * nothing can be written.
 */
export function openAtStart(rights: RightsTable, directories: readonly string[]): Descriptors {
  const output = (kind: 'stdout' | 'stderr'): Descriptor => ({ kind, name: kind, rights: rights.of(kind) & ~RIGHT.FD_READ, append: false });
  const input = (rights.of('stdin') & ~RIGHT.FD_WRITE) | RIGHT.FD_READ;
  const open: Descriptor[] = [
    { kind: 'stdin', name: 'stdin', rights: input, append: false },
    output('stdout'),
    output('stderr'),
    ...directories.map((name): Descriptor => ({ kind: 'directory', name, rights: 0, append: false })),
  ];
  return new Map(open.entries());
}

/** V8's words for a trap are few and fixed; what else a program throws may hold anything, and is not told. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof RuntimeError) return `trapped: ${thrown.message}`;
  if (thrown instanceof RangeError && thrown.message.includes('call stack')) return 'trapped: its calls are nested too deep for its stack';
  if (thrown instanceof RangeError) return 'could not be given its memory';
  return 'ended by an exception';
}

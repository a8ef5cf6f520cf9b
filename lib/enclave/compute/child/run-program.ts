import { fstatSync, openSync, writeSync } from 'node:fs';
import { Budget } from './budget.js';
import { callsOf } from './calls.js';
import { type Descriptor, Descriptors, type OpenFile } from './descriptors.js';
import { GuestMemory, type Memory } from './guest-memory.js';
import type { Host } from './host.js';
import { ALL_RIGHTS, DIRECTORY_RIGHTS, type Preview1, RIGHT, WASI_MODULE } from './preview1.js';
import { compile } from './program-module.js';
import type { Job, Outcome } from './protocol.js';
import { RightsTable } from './rights-table.js';
import { Exit } from './system-calls.js';
import { Instance, RuntimeError } from './webassembly.js';

/** Imports that a program is told of which it cannot have. */
const MAX_FOREIGN = 20;

/** Runs a program to its end. The thread does nothing else meanwhile. */
export function runProgram(job: Job): Outcome {
  const rights = new RightsTable(job.rights);
  const memory = new GuestMemory();
  const host: Host = {
    memory,
    rights,
    descriptors: openAtStart(rights, job),
    budget: new Budget(job.maxOutputBytes, job.maxOutputFiles),
    args: job.args,
    environment: job.environment,
    world: job.world,
    maxNameBytes: job.maxNameBytes,
    clock: job.clock,
  };
  const outcome = outcomeOf(job, host);
  if (outcome.kind === 'failed') complain(host, outcome);
  return outcome;
}

function outcomeOf(job: Job, host: Host): Outcome {
  const { memory } = host;
  const calls = callsOf(host);
  const compiled = compile(job, calls);
  if ('kind' in compiled) return compiled;
  try {
    const instance = new Instance(compiled, { [WASI_MODULE]: onceThere(calls, memory) });
    memory.attach(instance.exports.memory as Memory);
    instance.exports._start?.();
    return { kind: 'exited', code: 0 };
  } catch (thrown) {
    return thrown instanceof Exit ? { kind: 'exited', code: thrown.code } : { kind: 'failed', reason: reasonOf(thrown) };
  }
}

/** The calls, none of which is carried out for a start function of the module: its memory is not known yet. */
function onceThere(calls: Preview1, memory: GuestMemory): object {
  const guarded = Object.entries(calls as unknown as Record<string, (...given: unknown[]) => unknown>).map(([name, call]) => [
    name,
    (...given: unknown[]) => {
      if (!memory.isThere) throw new Error('a call before the program is there');
      return call(...given);
    },
  ]);
  return Object.fromEntries(guarded) as object;
}

/** Adds to the program's last words why it failed, where it may write them. Its client learns no more than that it failed. */
function complain({ descriptors }: Host, { reason, foreign = [] }: Extract<Outcome, { kind: 'failed' }>): void {
  const stderr = descriptors.get(2);
  if (stderr?.kind !== 'stderr' || !(stderr.rights & RIGHT.FD_WRITE)) return;
  const lines = [`the program ${reason}`, ...foreign.slice(0, MAX_FOREIGN).map((name) => `  it imports ${name}`)];
  writeSync(stderr.fd, `${lines.join('\n')}\n`, fstatSync(stderr.fd).size);
}

/**
 * What a program finds open: the streams, the root, then directories. Without the right standard input is empty, and to the
 * others nothing can be written.
 */
export function openAtStart(rights: RightsTable, { streams, directories }: Pick<Job, 'streams' | 'directories'>): Descriptors {
  const stream = (kind: 'stdin' | 'stdout' | 'stderr', has: number): OpenFile => ({
    ...{ kind, name: kind, flags: 0, rights: has, givenUp: 0, position: 0 },
    fd: openSync(streams[kind], kind === 'stdin' ? 'r' : 'w'),
  });
  return new Descriptors([
    stream('stdin', (rights.of('stdin') & ~RIGHT.FD_WRITE) | RIGHT.FD_READ),
    stream('stdout', rights.of('stdout') & ~RIGHT.FD_READ),
    stream('stderr', rights.of('stderr') & ~RIGHT.FD_READ),
    ...['/', ...directories].map(
      (name): Descriptor => ({
        ...{ kind: 'directory', name, flags: 0, preopened: true, listing: [] },
        ...{ base: DIRECTORY_RIGHTS, inheriting: ALL_RIGHTS },
      }),
    ),
  ]);
}

/** V8's words for a trap are few and fixed; what else a program throws may hold anything, and is not told. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof RuntimeError) return `trapped: ${thrown.message}`;
  if (thrown instanceof RangeError && thrown.message.includes('call stack')) return 'trapped: its calls are nested too deep for its stack';
  if (thrown instanceof RangeError) return 'could not be given its memory';
  return 'ended by an exception';
}

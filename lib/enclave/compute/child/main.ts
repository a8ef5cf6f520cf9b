/**
 * The process that runs one program: `main <heap MiB> <stack MiB>`. The program is in a thread of its own, so that this one
 * can always hear that the Runtime Manager is gone. Then it ends, whatever the program is doing.
 */
import { Worker } from 'node:worker_threads';
import type { Job, Outcome, Report } from './protocol.js';

const [heapMib, stackMib] = process.argv.slice(2) as [string, string];

// Without a channel there is nobody to run anything for.
if (process.send === undefined) process.exit(2);

const worker = new Worker(new URL('./worker.js', import.meta.url), {
  argv: [],
  env: {},
  resourceLimits: { maxOldGenerationSizeMb: Number(heapMib), stackSizeMb: Number(stackMib) },
});

const report = (what: Report): void => {
  process.send?.(what);
};
worker.on('message', report);
worker.on('error', (thrown: NodeJS.ErrnoException) => {
  const reason =
    thrown.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'passed the limit of its heap' : `could not be run: ${thrown.code ?? thrown.name}`;
  report({ kind: 'failed', reason } satisfies Outcome);
});
process.on('message', (job: Job) => worker.postMessage(job));
process.on('disconnect', end);
// It may have come before there was anybody to hear it.
if (!process.connected) end();
// Signals of a terminal go to the whole group of processes: it is for the Runtime Manager to act on them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

function end(): void {
  process.kill(process.pid, 'SIGKILL');
  // A signal that it sends itself does not end the first process of a namespace.
  process.exit(1);
}

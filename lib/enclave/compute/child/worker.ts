/** The thread that runs a program. */
import { parentPort } from 'node:worker_threads';
import type { Job, Outcome, Report } from './protocol.js';
import { runProgram } from './run-program.js';

const port = parentPort;
if (port === null) throw new Error('this is the thread of a program');

port.once('message', (job: Job) => port.postMessage(outcomeOf(job)));
port.postMessage({ kind: 'up' } satisfies Report);

function outcomeOf(job: Job): Outcome {
  try {
    return runProgram(job);
  } catch (thrown) {
    const { code, name } = thrown as NodeJS.ErrnoException;
    return { kind: 'failed', reason: `could not be started: ${code ?? name}` };
  }
}

/**
 * A Runtime Manager's part that runs a program, to be killed: `compute-child <store> <scratch>` runs the program of the
 * store and says `running` once its process is up, and `ended <code>` when the run is over.
 */
import { WasiEngine } from '../../lib/enclave/compute/index.js';
import { DirectoryStore } from '../../lib/enclave/store/file-store.js';
import { PROGRAM, policyWith, programProcesses } from './compute-support.js';

const [root, scratch] = process.argv.slice(2) as [string, string];
const store = await DirectoryStore.open(root, { sync: 'none' });
const engine = new WasiEngine({ scratch });
// The process that is tried out before is none of a program.
await engine.ready();
const policy = policyWith({ '/in': 'r', '/out': 'w' });
const computation = { program: PROGRAM, principal: { kind: 'program', path: PROGRAM } as const, policy, store };
const ended = engine.run({ ...computation, signal: new AbortController().signal });
const watch = setInterval(() => {
  const [pid] = programProcesses();
  if (pid === undefined) return;
  clearInterval(watch);
  process.stdout.write(`running ${pid}\n`);
}, 5);
await ended.then(
  (code) => process.stdout.write(`ended ${code}\n`),
  (error: { code: string }) => process.stdout.write(`ended ${error.code}\n`),
);

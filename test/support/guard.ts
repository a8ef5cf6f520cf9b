/**
 * Loaded into every test process (`node-arg` in package.json): refuses processes and databases to a test file that is not
 * marked by an import of `processes.ts`. So the fast set of tests cannot become slow without a failing test.
 */
import childProcess, { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** The program of the embedded PostgreSQL, which is read when a database is opened. */
const DATABASE = /pglite\.wasm$/;

let allowed = false;

/** Called by `processes.ts` only. */
export function allowProcesses(): void {
  allowed = true;
}

function check(what: string): void {
  if (!allowed) throw new Error(`this test file ${what}: import test/support/processes.js in it, which takes it out of the fast set`);
}

type AnyFunction = (...parameters: any[]) => any;

/** Puts a check in front of a method. */
function guard(owner: object, method: string, before: (...parameters: any[]) => void): void {
  const methods = owner as Record<string, AnyFunction>;
  const original = methods[method] as AnyFunction;
  methods[method] = function (this: unknown, ...parameters: any[]) {
    before(...parameters);
    return original.apply(this, parameters);
  };
}

// What runs in the background goes through this one method; what is waited for has three functions.
guard(ChildProcess.prototype, 'spawn', () => check('starts a process'));
for (const method of ['spawnSync', 'execSync', 'execFileSync']) guard(childProcess, method, () => check('starts a process'));
guard(fs.promises, 'readFile', (path: unknown) => {
  if (DATABASE.test(String(path))) check('opens a database');
});
syncBuiltinESMExports();

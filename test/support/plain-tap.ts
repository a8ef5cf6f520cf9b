/**
 * Loaded into tap itself (`run.ts`): the test processes start without the module that takes down, for coverage, which modules
 * a test loads. Nobody asks for that, and it is half a second of processor time a file.
 */
import { ChildProcess } from 'node:child_process';

const LOADER = /^--import=.*@tapjs\/processinfo/;

interface SpawnOptions {
  readonly args: readonly string[];
}
type Spawn = (this: ChildProcess, options: SpawnOptions) => unknown;

const prototype = ChildProcess.prototype as unknown as { spawn: Spawn };
const { spawn } = prototype;
prototype.spawn = function (this: ChildProcess, options: SpawnOptions) {
  return spawn.call(this, { ...options, args: options.args.filter((argument) => !LOADER.test(argument)) });
};

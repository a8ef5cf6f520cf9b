import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { failed } from '../compute-error.js';

/** The first of these that this Node knows turns its permission model on. */
const PERMISSION = ['--permission', '--experimental-permission'].find((flag) => process.allowedNodeEnvironmentFlags.has(flag));
/** The first versions that have it do not find a package.json that they may read; they must be told what modules these are. */
const MODULES = ['--experimental-default-type']
  .filter((flag) => process.allowedNodeEnvironmentFlags.has(flag))
  .map((flag) => `${flag}=module`);

/**
 * Node's own fence: what JavaScript in the process may do, should a program get out of WebAssembly into it. It is no fence
 * against machine code.
 *
 * @param code folder with the code, as the process sees it
 * @param folder that of the run, as the process sees it
 * @throws ComputeError for a path with a `*`: Node takes one for a pattern, so that the fence would be another
 */
export function nodeFence(code: string, folder: string): string[] {
  if (PERMISSION === undefined) throw failed('this version of Node has no permission model to fence a program with');
  if (`${code}${folder}`.includes('*')) throw failed("a program cannot be fenced in a folder whose path has a '*'", { got: '*' });
  const read = [`${code}/*`, `${folder}/*`, ...manifests(dirname(code))].map((path) => `--allow-fs-read=${path}`);
  return [PERMISSION, '--allow-worker', ...read, `--allow-fs-write=${folder}/*`, ...MODULES];
}

/** Where Node looks for what kind of modules the code is, from `folder` up to where it is said. */
export function manifests(folder: string): string[] {
  const path = join(folder, 'package.json');
  return existsSync(path) || dirname(folder) === folder ? [path] : [path, ...manifests(dirname(folder))];
}

/** A file system that a process has to itself, in memory and small, so that it can be filled. */
import { spawnSync } from 'node:child_process';

/** Enough for a store between two rounds. */
const SIZE = '64m';

/** @returns the command within which `folder` is such a file system; undefined where that is not allowed */
export function onSmallDisk(folder: string): [string, ...string[]] | undefined {
  const mount = `mount -t tmpfs -o size=${SIZE} none '${folder}'`;
  const command: [string, ...string[]] = ['unshare', '--map-root-user', '--mount', '--', 'sh', '-c', `${mount} && exec "$@"`, 'sh'];
  const [program, ...words] = command;
  return spawnSync(program, [...words, 'true']).status === 0 ? command : undefined;
}

import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { failed } from './compute-error.js';
import type { RunFolder } from './run-folder.js';
import type { Staged, StagedFile } from './stage.js';

/** A file that a program wrote. */
export interface WrittenFile {
  /** Its name in the store. */
  readonly name: string;
  /** Where it is now. */
  readonly path: string;
  /** Bytes. */
  readonly length: number;
}

/** What a run leaves behind. */
export interface Changes {
  readonly written: readonly WrittenFile[];
  /** Names of files that were there and are gone. */
  readonly removed: readonly string[];
}

/**
 * Compares a program's world with what was put there. Whatever the program's process says of itself is not asked. Of the
 * streams those are changed that something was written to.
 *
 * @param maxFiles files below the root that may be changed, each of which the store will hold open for a while
 * @throws ComputeError
 */
export async function changesIn(folder: RunFolder, staged: Staged, maxFiles: number): Promise<Changes> {
  const written: WrittenFile[] = [];
  const gone = new Set(staged.files.keys());
  for await (const { name, path } of filesBelow(folder.world)) {
    gone.delete(name);
    const length = await changedLength(path, staged.files.get(name));
    if (length === undefined) continue;
    const got = written.push({ name, path, length });
    if (got > maxFiles) throw failed(`the program changed more than ${maxFiles} files`, { got, limit: maxFiles });
  }
  for (const name of ['stdout', 'stderr'] as const) {
    const path = folder.streams[name];
    const { size } = await lstat(path);
    if (size > 0) written.push({ name, path, length: size });
  }
  return { written, removed: [...gone] };
}

/** The length of a file that is not as it was put there. */
async function changedLength(path: string, staged: StagedFile | undefined): Promise<number | undefined> {
  const { ino, size, mtimeNs, ctimeNs } = await lstat(path, { bigint: true });
  const untouched = mtimeNs === 0n && ctimeNs === staged?.changedNs;
  return untouched && ino === staged.inode && size === staged.length ? undefined : Number(size);
}

async function* filesBelow(world: string, name = ''): AsyncGenerator<{ name: string; path: string }> {
  for await (const entry of await opendir(join(world, name))) {
    const below = `${name}/${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(world, below);
    else if (entry.isFile()) yield { name: below, path: join(world, below) };
    // No call makes anything else.
    else throw failed('the program left something that is neither a file nor a directory');
  }
}

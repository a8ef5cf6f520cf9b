import { accessSync, constants, existsSync, linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { InvalidArgumentError } from '../core/errors.js';
import { cannotWrite } from '../core/file-faults.js';

/** A file to write. */
export interface NewFile {
  readonly path: string;
  readonly content: string | Buffer;
  /** Only the owner may read it (mode 0600), from its first byte on. */
  readonly secret: boolean;
}

/**
 * Throws `InvalidArgumentError` when one of the files exists, unless `force`, or has no folder that can be written. For who makes
 * something else before he writes them.
 */
export function checkNewFiles(paths: readonly string[], force: boolean): void {
  for (const path of paths) {
    if (!force && existsSync(path)) throw exists(path);
    try {
      accessSync(dirname(path), constants.W_OK);
    } catch (cause) {
      throw cannotWrite(path, cause);
    }
  }
}

/**
 * Writes all of the files or none. Each is whole before its name exists; an existing one is replaced only with `force`, and
 * then has the mode of a new one. Throws `InvalidArgumentError` when one exists or has a path that cannot be written, and
 * `LocalFileError` when the system fails to write.
 */
export function writeNewFiles(files: readonly NewFile[], force: boolean): void {
  if (!force) for (const { path } of files) if (existsSync(path)) throw exists(path);
  const made: string[] = [];
  let at = '';
  const drafts = files.map((file) => ({ ...file, draft: `${file.path}.${process.pid}.draft` }));
  try {
    for (const { draft, path, content, secret } of drafts) {
      at = path;
      writeFileSync(draft, content, { flag: 'wx', mode: secret ? 0o600 : 0o644, flush: true });
    }
    for (const { draft, path } of drafts) {
      at = path;
      // A link, unlike a rename, fails when somebody else was faster.
      if (force) renameSync(draft, path);
      else linkSync(draft, path);
      made.push(path);
    }
  } catch (cause) {
    if (!force) for (const path of made) rmSync(path, { force: true });
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST')
      throw exists((cause as { dest?: string }).dest ?? (cause as NodeJS.ErrnoException).path ?? 'a file');
    throw cannotWrite(at, cause);
  } finally {
    for (const { draft } of drafts) rmSync(draft, { force: true });
  }
}

function exists(path: string): InvalidArgumentError {
  return new InvalidArgumentError(`${path} exists: choose another name, or say --force to replace it`);
}

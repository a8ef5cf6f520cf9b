/** A secret that is created at the first start and kept in a file. */
import { randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { InvalidOptionError, LocalFileError } from '../../core/errors.js';
import { fileFault } from '../../core/file-faults.js';

/** A secret, and whether its file is new. */
export interface KeptSecret {
  readonly secret: string;
  readonly made: boolean;
}

/**
 * Returns the text of the file `path`. If there is no such file, creates it with the text that `make` returns. The file
 * appears with all of its contents and mode 0600. If two processes create it at once, both get the text of the first. Throws
 * `InvalidOptionError` when the path is none that can be read or created, `LocalFileError` when the system fails.
 */
export async function keptSecret(path: string, make: () => Promise<string>): Promise<KeptSecret> {
  try {
    const secret = await read(path);
    return secret === undefined ? await keep(path, await make()) : { secret, made: false };
  } catch (cause) {
    const fault = fileFault(`cannot read or make the key file: ${(cause as Error).message}`, cause);
    throw fault instanceof LocalFileError ? fault : new InvalidOptionError(fault.message, { cause });
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

async function keep(path: string, secret: string): Promise<KeptSecret> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.draft`;
  try {
    await writeFile(draft, secret, { flag: 'wx', mode: 0o600, flush: true });
    // A link, unlike a rename, fails when another process has created the file first.
    await link(draft, path);
    return { secret, made: true };
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return { secret: await readFile(path, 'utf8'), made: false };
    throw thrown;
  } finally {
    await rm(draft, { force: true });
  }
}

/** A secret that is made at the first start and kept in a file. */
import { randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { InvalidOptionError } from '../../core/errors.js';

/**
 * The text of `path`; when there is no such file, what `make` gives, and the file is there from then on: whole, and its owner's
 * alone (mode 0600), from its first byte. Of two processes that make it at once both get the one that was first.
 * Throws `InvalidOptionError` when it cannot be read or made.
 */
export async function keptSecret(path: string, make: () => Promise<string>): Promise<string> {
  try {
    return (await read(path)) ?? (await keep(path, await make()));
  } catch (cause) {
    throw new InvalidOptionError(`cannot read or make the key file: ${(cause as Error).message}`, { cause });
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

async function keep(path: string, secret: string): Promise<string> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.draft`;
  try {
    await writeFile(draft, secret, { flag: 'wx', mode: 0o600, flush: true });
    // A link, unlike a rename, fails when somebody else was faster.
    await link(draft, path);
    return secret;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return await readFile(path, 'utf8');
    throw thrown;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Private keys as options carry them: PEM. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { InvalidOptionError } from '../../core/errors.js';

/**
 * Reads a private key in PEM.
 *
 * @param what names the key in errors, e.g. `key`
 * @throws InvalidOptionError for what is none; of an encrypted one it says that
 */
export function readPrivateKey(what: string, pem: string | Buffer, layer?: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new InvalidOptionError(encryptedKey(what, pem) ?? `${what} is no private key in PEM`, { ...(layer && { layer }), cause });
  }
}

/** PKCS#8, and the older form of each kind of key. */
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;

/** What to say of a PEM text whose private key is encrypted; undefined of any other. */
export function encryptedKey(what: string, pem: string | Buffer): string | undefined {
  if (!ENCRYPTED.test(pem.toString())) return undefined;
  return `${what} is encrypted, and no password is asked for here: take it off first (openssl pkey -in encrypted.key -out plain.key)`;
}

import { createCipheriv } from 'node:crypto';

const CHUNK_BYTES = 256 * 1024;
const KEY = Buffer.from('veracruz-streams');

/**
 * Yields `length` bytes that look random and are the same in every run: the AES-128-CTR key stream of a fixed key. It is fast
 * enough not to affect the measurement, and it does not repeat, so lost or repeated chunks change the hash.
 */
export function* generatedFile(length: number): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', KEY, Buffer.alloc(16));
  const zeros = Buffer.alloc(CHUNK_BYTES);
  for (let left = length; left > 0; left -= CHUNK_BYTES) yield cipher.update(left < CHUNK_BYTES ? zeros.subarray(0, left) : zeros);
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Parses a size such as `100M`, `2G` or `123456` to bytes. Undefined for a malformed size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text);
  if (match === null) return undefined;
  const bytes = Math.floor(Number(match[1]) * (UNITS[(match[2] ?? '').toUpperCase()] as number));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

import { createCipheriv } from 'node:crypto';

const CHUNK_BYTES = 256 * 1024;
const KEY = Buffer.from('veracruz-streams');

/**
 * `length` bytes that look random and are the same in every run: the AES-128-CTR key stream of a fixed key. Fast enough
 * not to be what is measured, and nothing that a layer could squeeze or repeat by accident.
 */
export function* generatedFile(length: number): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', KEY, Buffer.alloc(16));
  const zeros = Buffer.alloc(CHUNK_BYTES);
  for (let left = length; left > 0; left -= CHUNK_BYTES) yield cipher.update(left < CHUNK_BYTES ? zeros.subarray(0, left) : zeros);
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Reads `100M`, `2G`, `123456`: bytes. Undefined for what is no size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text);
  if (match === null) return undefined;
  const bytes = Math.floor(Number(match[1]) * (UNITS[(match[2] ?? '').toUpperCase()] as number));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

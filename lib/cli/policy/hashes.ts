import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { InvalidArgumentError } from '../../core/errors.js';
import { cannotRead } from '../../core/file-faults.js';
import { readText } from '../flags.js';

/** SHA-256 of a file, 64 lowercase hex digits, read piece by piece. */
export async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk);
  } catch (cause) {
    throw cannotRead(path, cause);
  }
  return hash.digest('hex');
}

/**
 * The runtime hash that a PCR file tells: the first 64 of PCR0's 96 hex digits (wire spec §E). The file holds the digits
 * and nothing else, or is the JSON that `nitro-cli build-enclave` prints.
 */
export function pcrHash(path: string): string {
  const text = readText(path).trim();
  const digits = /"PCR0"\s*:\s*"([0-9A-Fa-f]{96})"/.exec(text)?.[1] ?? /^[0-9A-Fa-f]{64}(?:[0-9A-Fa-f]{32})?$/.exec(text)?.[0];
  if (digits === undefined) throw new InvalidArgumentError(`${path} has no PCR0: 96 hex digits are expected`);
  return digits.slice(0, 64).toLowerCase();
}

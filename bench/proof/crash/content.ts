/** Contents that a name and a number decide: whoever knows both can tell whether a file is what it must be. */
import { createCipheriv, createHash } from 'node:crypto';

/** Bytes of one record of a log. */
export const RECORD_BYTES = 1000;
const MAX_FILE_BYTES = 1_500_000;

/** `length` bytes that `label` decides. */
export function bytesOf(label: string, length: number): Buffer {
  const key = createHash('sha256').update(label).digest();
  return createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16)).update(Buffer.alloc(length));
}

/** Version `i` of the file that a round writes over and over: small or large. */
export function fileOf(round: number, i: number): Buffer {
  const label = `file ${round} ${i}`;
  const draw = createHash('sha256').update(label).digest().readUInt32LE();
  return bytesOf(label, draw % (draw % 4 === 0 ? MAX_FILE_BYTES : 50_000));
}

/** Record `i` of the log of a round. */
export function recordOf(round: number, i: number): Buffer {
  return bytesOf(`record ${round} ${i}`, RECORD_BYTES);
}

/** The file that is read over and over. */
export const READ_FILE = Object.freeze({ name: '/read/file', content: bytesOf('the file that is read', 2_000_000) });

/** Two sorted lists and what they have in common, for run `i` of the program. */
export function listsOf(i: number): { first: Buffer; second: Buffer; common: Buffer } {
  const [a, b] = [2 + (i % 5), 3 + (i % 7)];
  const numbers = Array.from({ length: 2000 }, (_, n) => n);
  const lines = (list: readonly number[]) => Buffer.from(list.map((n) => `entry-${String(n).padStart(6, '0')}\n`).join(''));
  const [first, second] = [numbers.filter((n) => n % a === 0), numbers.filter((n) => n % b === 0)];
  return { first: lines(first), second: lines(second), common: lines(first.filter((n) => n % b === 0)) };
}

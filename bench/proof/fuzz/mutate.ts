/** Good inputs made wrong in the ways that decoders get wrong. */
import type { Random } from '../seed.js';

/** Numbers at which lengths and counts change their meaning. */
const NUMBERS = [
  ...[0n, 1n, 2n, 3n, 7n, 0x7fn, 0x80n, 0xffn, 0x100n, 0x3fffn, 0x4000n, 0x7fffn, 0x8000n, 0xffffn, 0x10000n, 0xfffffn, 0x100000n],
  ...[0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n],
];

type Mutation = (bytes: Buffer, random: Random, others: readonly Buffer[]) => Buffer;

/** `bytes` with the `count` bytes at `at` replaced. */
function replaced(bytes: Buffer, at: number, count: number, by: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + count)]);
}

/** A copy of which one byte is another. */
function withByte(bytes: Buffer, at: number, change: (byte: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length > 0) copy[at] = change(copy[at] as number) & 0xff;
  return copy;
}

/** A place in `bytes`, and the length of a piece there of up to `max` bytes. */
function piece(bytes: Buffer, random: Random, max = 40): [at: number, length: number] {
  const at = random.below(bytes.length + 1);
  return [at, Math.min(bytes.length - at, 1 + random.below(max))];
}

/** An interesting number, or one near to how much of the input is left. */
function number(random: Random, left: number): bigint {
  return random.oneIn(3) ? BigInt(Math.max(0, left + random.below(5) - 2)) : random.pick(NUMBERS);
}

/** A whole number of 1, 2, 4 or 8 bytes, in either order. */
function fixed(value: bigint, random: Random): Buffer {
  const width = random.pick([1, 2, 4, 8]);
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(8 * width, value));
  const big = bytes.subarray(8 - width);
  return random.oneIn(2) ? big : Buffer.from(big).reverse();
}

/** A protobuf varint, now and then longer than it need be. */
export function varint(value: bigint, random: Random): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  if (random.oneIn(8)) {
    bytes[bytes.length - 1] = (bytes.at(-1) as number) | 0x80;
    bytes.push(...Array<number>(random.below(9)).fill(0x80), random.pick([0, 1, 2, 0x7f]));
  }
  return Buffer.from(bytes);
}

/** Where the varint at `at` ends. */
function varintEnd(bytes: Buffer, at: number): number {
  let end = at;
  while (end < bytes.length && (bytes[end] as number) >= 0x80) end++;
  return Math.min(end + 1, bytes.length);
}

const MUTATIONS: readonly Mutation[] = [
  (bytes, random) => withByte(bytes, random.below(bytes.length), (byte) => byte ^ (1 << random.below(8))),
  (bytes, random) => withByte(bytes, random.below(bytes.length), () => random.u32()),
  (bytes, random) => withByte(bytes, random.below(bytes.length), (byte) => byte + random.below(3) - 1),
  // Cut at the end, at the start, in the middle.
  (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  (bytes, random) => bytes.subarray(random.below(Math.min(bytes.length + 1, 16))),
  (bytes, random) => replaced(bytes, ...piece(bytes, random), Buffer.alloc(0)),
  // Put in, doubled, from elsewhere.
  (bytes, random) => replaced(bytes, random.below(bytes.length + 1), 0, random.bytes(1 + random.below(12))),
  (bytes, random) => {
    const [at, length] = piece(bytes, random);
    return replaced(bytes, at, 0, bytes.subarray(at, at + length));
  },
  (bytes, random, others) => {
    const other = random.pick(others);
    const [at, length] = piece(other, random);
    return replaced(bytes, ...piece(bytes, random), other.subarray(at, at + length));
  },
  (bytes, random, others) => {
    const other = random.pick(others);
    return Buffer.concat([bytes.subarray(0, random.below(bytes.length + 1)), other.subarray(random.below(other.length + 1))]);
  },
  // Lengths and numbers.
  (bytes, random) => {
    const at = random.below(bytes.length + 1);
    const value = fixed(number(random, bytes.length - at), random);
    return replaced(bytes, at, value.length, value);
  },
  (bytes, random) => {
    const at = random.below(bytes.length + 1);
    return replaced(bytes, at, varintEnd(bytes, at) - at, varint(number(random, bytes.length - at), random));
  },
];

/** `bytes` with one to four things done to it; `others` is what pieces are taken from. */
export function mutated(bytes: Buffer, random: Random, others: readonly Buffer[]): Buffer {
  let result = bytes;
  for (let steps = 1 + random.below(4); steps > 0; steps--) result = random.pick(MUTATIONS)(result, random, others);
  return result;
}

/** Cuts `bytes` at up to eight random places, or, if it is short, now and then between all bytes. */
export function randomPieces(bytes: Buffer, random: Random): Buffer[] {
  if (bytes.length <= 256 && random.oneIn(4)) return Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
  const cuts = Array.from({ length: 1 + random.below(8) }, () => random.below(bytes.length + 1)).sort((a, b) => a - b);
  return [...cuts, bytes.length].map((cut, i) => bytes.subarray(i === 0 ? 0 : cuts[i - 1], cut));
}

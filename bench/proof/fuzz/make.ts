/** Inputs of a format's own parts, in an order that nobody would choose. */
import type { Random } from '../seed.js';
import { varint } from './mutate.js';

/** Parts of at most this many bytes are made. */
const PART_BYTES = 300;

/** Some of `parts`, one behind the other. */
export function ofParts(parts: readonly (string | Buffer)[], most = 24): (random: Random) => Buffer {
  const list = parts.map((part) => Buffer.from(part as Buffer));
  return (random) => Buffer.concat(Array.from({ length: random.below(most) }, () => random.pick(list)));
}

/** Fields of protobuf with the numbers of our schema and near them, nested like messages, of any wire type. */
export function protobufFields(random: Random, depth = 0): Buffer {
  const fields = Array.from({ length: random.below(6) }, () => {
    const wire = random.pick([0, 0, 2, 2, 2, 2, 1, 5, 3, 4, 6]);
    const tag = varint(BigInt(random.oneIn(10) ? random.u32() : random.below(14)) * 8n + BigInt(wire), random);
    return Buffer.concat([tag, fieldValue(wire, random, depth)]);
  });
  return Buffer.concat(fields);
}

function fieldValue(wire: number, random: Random, depth: number): Buffer {
  if (wire === 0)
    return varint(random.oneIn(3) ? random.pick([2n ** 64n - 1n, 2n ** 32n, 2n ** 31n]) : BigInt(random.length(70_000)), random);
  if (wire === 1) return random.bytes(8);
  if (wire === 5) return random.bytes(4);
  if (wire !== 2) return Buffer.alloc(0);
  const content = depth < 2 && random.oneIn(2) ? protobufFields(random, depth + 1) : textOrBytes(random);
  const length = random.oneIn(16) ? random.length(2000) : content.length;
  return Buffer.concat([varint(BigInt(length), random), content]);
}

function textOrBytes(random: Random): Buffer {
  const length = random.length(random.oneIn(50) ? 20_000 : PART_BYTES);
  return random.oneIn(2) ? Buffer.alloc(length, '/a file') : random.bytes(length);
}

/** CBOR items of every major type, in maps and arrays; heads are now and then too long or of an indefinite length. */
export function cborItem(random: Random, depth = 0): Buffer {
  const major = random.pick(depth < 5 ? [0, 1, 2, 2, 3, 4, 4, 5, 5, 6, 7] : [0, 1, 2, 3, 7]);
  if (major === 7) return Buffer.of(random.pick([0xf4, 0xf5, 0xf6, 0xf7, 0xf9, 0xff]), ...(random.oneIn(2) ? [0, 0] : []));
  if (major < 2) return cborHead(major, random.pick([0, 1, 3, 23, 24, 255, 256, 75_000, 75_008, 2 ** 32]), random);
  if (major < 4) {
    const content = major === 2 && depth < 3 && random.oneIn(3) ? cborItem(random, depth + 1) : textOrBytes(random);
    return Buffer.concat([cborHead(major, content.length, random), content]);
  }
  if (major === 6) return Buffer.concat([cborHead(6, random.pick([18, 18, 18, 1, 2, 98]), random), cborItem(random, depth + 1)]);
  const count = random.below(6);
  const children = Array.from({ length: major === 5 ? 2 * count : count }, () => cborItem(random, depth + 1));
  return Buffer.concat([cborHead(major, count, random), ...children]);
}

function cborHead(major: number, value: number, random: Random): Buffer {
  const first = major << 5;
  if (random.oneIn(40)) return Buffer.of(first | random.pick([28, 31]));
  const least = value < 24 ? 0 : value < 256 ? 1 : value < 65_536 ? 2 : value < 2 ** 32 ? 4 : 8;
  const width = random.oneIn(40) ? random.pick([1, 2, 4, 8].filter((each) => each >= least)) : least;
  if (width === 0) return Buffer.of(first | value);
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return Buffer.concat([Buffer.of(first | (24 + Math.log2(width))), bytes.subarray(8 - width)]);
}

/** DER values with the tags that certificates and requests have. */
export function derValue(random: Random, depth = 0): Buffer {
  const tag = random.pick([0x30, 0x30, 0x31, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x17, 0x18, 0xa0, 0xa3, 0x80, 0x01]);
  const constructed = (tag & 0x20) !== 0 && depth < 6;
  const content = constructed
    ? Buffer.concat(Array.from({ length: random.below(5) }, () => derValue(random, depth + 1)))
    : random.bytes(random.length(40));
  const length = random.oneIn(30) ? random.length(70_000) : content.length;
  return Buffer.concat([Buffer.of(tag), derLength(length, random), content]);
}

function derLength(length: number, random: Random): Buffer {
  if (length < 0x80 && !random.oneIn(30)) return Buffer.of(length);
  const width = random.oneIn(10) ? random.below(8) : length < 256 ? 1 : length < 65_536 ? 2 : 3;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(length));
  return Buffer.concat([Buffer.of(0x80 | width), bytes.subarray(8 - width)]);
}

/** TLS records: any type and version, any length, often all right. */
export function tlsRecords(random: Random): Buffer {
  return Buffer.concat(
    Array.from({ length: 1 + random.below(4) }, () => {
      const length = random.pick([0, 1, random.length(600), 16_384, 16_640, 16_641, 65_535]);
      const head = Buffer.of(random.pick([20, 21, 22, 22, 23, 23, 24, 0x80]), random.pick([3, 3, 3, 2]), random.pick([1, 3, 3, 4]), 0, 0);
      head.writeUInt16BE(length, 3);
      return Buffer.concat([head, Buffer.alloc(random.oneIn(4) ? random.length(length) : Math.min(length, 700), 7)]);
    }),
  );
}

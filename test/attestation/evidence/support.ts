/** What the tests of evidence share: a second writer of CBOR messages, flips, and what a call came to. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { encode, Tagged } from 'cborg';
import { VeracruzError } from '../../../lib/core/errors.js';

export const newKey = (namedCurve: 'P-256' | 'P-384' | 'P-521'): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey;
export const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
export const hex = (...pieces: string[]): Buffer => Buffer.from(pieces.join('').replace(/\s/g, ''), 'hex');

/** cborg alone, as any other program would use it: maps in the order of RFC 8949, which is not ours. */
export const cbor = (value: unknown): Buffer => Buffer.from(encode(value));

export interface Sign1 {
  /** A map, or its bytes. */
  header?: Map<unknown, unknown> | Buffer;
  unprotected?: unknown;
  payload: unknown;
  key: KeyObject;
  digest?: 'sha256' | 'sha384';
  /** −1: none. */
  tag?: number;
  signature?: Buffer;
}

/** A COSE_Sign1 message with anything in it, signed for what it is. */
export function sign1({
  header = new Map([[1, -7]]),
  unprotected = new Map(),
  payload,
  key,
  digest = 'sha256',
  tag = 18,
  signature,
}: Sign1): Buffer {
  const bytes = Buffer.isBuffer(header) ? header : cbor(header);
  const signed = cbor(['Signature1', bytes, Buffer.alloc(0), Buffer.isBuffer(payload) ? payload : Buffer.alloc(0)]);
  const message = [bytes, unprotected, payload, signature ?? sign(digest, signed, { key, dsaEncoding: 'ieee-p1363' })];
  return cbor(tag < 0 ? message : new Tagged(tag, message));
}

/** The name of the library's error that a call throws, `accepted`, or what else it threw. */
export function outcome(call: () => unknown): string {
  try {
    call();
    return 'accepted';
  } catch (thrown) {
    return thrown instanceof VeracruzError ? thrown.name : `foreign: ${String(thrown)}`;
  }
}

/** `bytes` with one bit changed. */
export function flipped(bytes: Buffer, bit: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
  return changed;
}

/** What becomes of every message with one bit changed: bits by outcome. */
export function everyFlip(bytes: Buffer, call: (changed: Buffer) => unknown): Map<string, number[]> {
  const outcomes = new Map<string, number[]>();
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const name = outcome(() => call(flipped(bytes, bit)));
    const bits = outcomes.get(name) ?? [];
    bits.push(bit);
    outcomes.set(name, bits);
  }
  return outcomes;
}

/** Bits of the bytes from `start` to `end`. */
export const isWithin = (start: number, end: number) => (bit: number) => bit >= start * 8 && bit < end * 8;

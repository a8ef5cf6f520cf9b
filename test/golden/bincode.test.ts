import fc from 'fast-check';
import t from 'tap';
import { BincodeError, TruncatedError, VeracruzError } from '../../lib/core/errors.js';
import { Announce, type BincodeChunk } from '../../lib/core/unit.js';
import { BincodeDecoder } from '../../lib/layers/bincode/index.js';
import { drive } from '../layers/bincode/drive.js';
import { decodeAs, dialectOf, encodeAs, messageOf, plain, targetOf } from '../layers/bincode/from-golden.js';
import { asWire, negativeVectors, vectors } from '../support/golden.js';
import { byteByByte, cutAt, everyCut, seeded, wholePiece } from '../support/splits.js';
import { differences } from './differences.js';

/** Vectors up to this long are cut in two everywhere. */
const EVERY_CUT_MAX_BYTES = 200;
/** Longer vectors are cut short at every offset this near to their ends, and at each `STRIDE`-th between. */
const EDGE_BYTES = 2048;
const STRIDE = 61;

const all = vectors('bincode').map((vector) => {
  const dialect = dialectOf(vector.dialect);
  const target = targetOf(vector.value);
  const message = messageOf(vector.value);
  const bytes = Buffer.concat(encodeAs(target, message, dialect));
  return { ...vector, dialect, target, message, bytes };
});

void t.test('every vector is written byte for byte', async (t) => {
  t.ok(all.length > 0);
  for (const { name, bytes, wire } of all) t.same(asWire(bytes, wire), wire, name);
});

void t.test('every vector is read, however it is cut', async (t) => {
  for (const { name, bytes, dialect, target, message } of all) {
    const expected = plain(message);
    const variants = [wholePiece(bytes), byteByByte(bytes), ...(bytes.length <= EVERY_CUT_MAX_BYTES ? everyCut(bytes) : [])];
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 8 }), (offsets) => variants.push(cutAt(bytes, offsets)) > 0),
      seeded(5),
    );
    for (const pieces of variants) {
      const alone = decodeAs(target, pieces, dialect);
      // Twice in a row through the codec, so that what is left over from the first would show in the second.
      const unit: BincodeChunk[] = [new Announce(bytes.length), ...pieces];
      const { items, error } = drive(new BincodeDecoder((slices) => decodeAs(target, slices, dialect), bytes.length), [...unit, ...unit]);
      const read = [alone, ...items].map(plain);
      if (error !== undefined || JSON.stringify(read) !== JSON.stringify([expected, expected, expected])) {
        t.same({ read, error }, { read: [expected, expected, expected], error: undefined }, `${name} in ${pieces.length} pieces`);
      }
    }
    t.same(plain(decodeAs(target, bytes, dialect)), expected, name);
  }
});

void t.test('every vector cut short is refused, at every offset', async (t) => {
  for (const { name, bytes, dialect, target } of all) {
    const wrong: number[] = [];
    for (let length = 0; length < bytes.length; length++) {
      if (length >= EDGE_BYTES && length < bytes.length - EDGE_BYTES && length % STRIDE > 0) continue;
      const head = bytes.subarray(0, length);
      const read = () => decodeAs(target, head, dialect);
      if (!refuses(read, (error) => error instanceof BincodeError && (error.offset as number) <= length)) wrong.push(length);
      const { items, error } = drive(new BincodeDecoder(read, bytes.length), [new Announce(bytes.length), head]);
      const owed = error instanceof TruncatedError && error.expected === bytes.length && error.got === length;
      if (items.length > 0 || !owed) wrong.push(length);
    }
    t.same(wrong, [], name);
  }
});

void t.test('bytes after a vector are refused, unless they are allowed', async (t) => {
  for (const { name, bytes, dialect, target, message } of all) {
    const longer = Buffer.concat([bytes, bytes]);
    t.throws(
      () => decodeAs(target, longer, dialect),
      { code: 'ERR_VC_BINCODE', offset: bytes.length, expected: 0, got: bytes.length },
      name,
    );
    t.same(plain(decodeAs(target, longer, dialect, { allowTrailing: true })), plain(message), name);
  }
});

void t.test('bad input: the outcome of the reference, or a difference that is meant', async (t) => {
  const negative = negativeVectors('bincode');
  t.ok(negative.length > 0);
  for (const vector of negative) {
    const { name, target } = vector;
    const bytes = Buffer.from(vector.wire?.hex ?? '', 'hex');
    const dialect = dialectOf(vector.dialect);
    if (vector.expect !== 'accept') {
      // A whole message that lacks bytes is no less wrong than any other.
      t.throws(() => decodeAs(target, bytes, dialect), { code: 'ERR_VC_BINCODE', layer: 'bincode' }, name);
      t.throws(() => decodeAs(target, byteByByte(bytes), dialect, { allowTrailing: true }), { code: 'ERR_VC_BINCODE' }, name);
      continue;
    }
    const lenient = decodeAs(target, bytes, dialect, { allowTrailing: true });
    t.same(plain(lenient), plain(messageOf(vector.value)), name);
    t.equal(
      Buffer.concat(encodeAs(targetOf(vector.value), lenient, dialect)).toString('hex'),
      (vector.reencoded ?? vector.wire)?.hex,
      name,
    );
    try {
      t.same(plain(decodeAs(target, bytes, dialect)), plain(lenient), name);
    } catch (error) {
      t.ok(
        error instanceof VeracruzError && differences.some((entry) => entry.layer === 'bincode' && entry.applies(vector, error)),
        `${name}: ${String(error)}`,
      );
    }
  }
});

function refuses(work: () => unknown, how: (error: VeracruzError) => boolean): boolean {
  try {
    work();
  } catch (error) {
    return error instanceof VeracruzError && how(error);
  }
  return false;
}

import fc from 'fast-check';
import t from 'tap';
import { LimitError, TruncatedError } from '../../lib/core/errors.js';
import { Announce, type BincodeChunk } from '../../lib/core/unit.js';
import { sliceBytes } from '../../lib/layers/bincode/index.js';
import { FRAME_DEFAULTS, FRAME_HEADERS, FrameDecoder, FrameEncoder, type FrameKind } from '../../lib/layers/frame/index.js';
import { drive } from '../layers/bincode/drive.js';
import { decodeAs, dialectOf, encodeAs, messageOf, plain, targetOf } from '../layers/bincode/from-golden.js';
import { asWire, goldenBytes, negativeVectors, vectors } from '../support/golden.js';
import { byteByByte, cutAt, everyCut, seeded, wholePiece } from '../support/splits.js';
import { differences } from './differences.js';

/** Vectors up to this long are cut in two everywhere. */
const EVERY_CUT_MAX_BYTES = 200;
/** Longer vectors are cut short at every offset this near to their ends, and at each `STRIDE`-th between. */
const EDGE_BYTES = 2048;
const STRIDE = 61;

const all = vectors('frame').map((vector) => {
  const dialect = dialectOf(vector.dialect);
  const values = vector.value.payloads as unknown[];
  const payloads = values.map((value) => encodeAs(targetOf(value), messageOf(value), dialect));
  const header = FRAME_HEADERS[vector.value.header as FrameKind];
  const units = payloads.flatMap((slices): BincodeChunk[] => [new Announce(sliceBytes(slices)), ...slices]);
  const limit = Math.max(FRAME_DEFAULTS.maxFrameBytes, ...payloads.map(sliceBytes));
  const bytes = Buffer.concat(drive(new FrameEncoder(header, limit), units).items);
  return { ...vector, dialect, values, payloads: payloads.map((slices) => Buffer.concat(slices)), header, limit, bytes };
});

/** The payloads in what a decoder gave, whole ones only. */
function payloadsOf(items: readonly BincodeChunk[]): Buffer[] {
  const found: Buffer[] = [];
  let owed = 0;
  let slices: Buffer[] = [];
  for (const item of items) {
    if (item instanceof Announce) owed = item.length;
    else {
      slices.push(item);
      owed -= item.length;
    }
    if (owed > 0) continue;
    found.push(Buffer.concat(slices));
    slices = [];
  }
  return found;
}

const hexes = (buffers: readonly Buffer[]) => buffers.map((bytes) => bytes.toString('hex'));

void t.test('every vector is written byte for byte', async (t) => {
  t.ok(all.length > 0);
  for (const { name, bytes, wire, payloads, header, limit } of all) {
    t.same(asWire(bytes, wire), wire, name);
    const bare = drive(new FrameEncoder(header, limit), payloads);
    t.ok(Buffer.concat(bare.items).equals(bytes), `${name}, one Buffer a frame`);
  }
});

void t.test('every vector is read, however it is cut', async (t) => {
  for (const { name, bytes, header, limit, payloads, values, dialect } of all) {
    const variants = [wholePiece(bytes), byteByByte(bytes), ...(bytes.length <= EVERY_CUT_MAX_BYTES ? everyCut(bytes) : [])];
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 8 }), (offsets) => variants.push(cutAt(bytes, offsets)) > 0),
      seeded(5),
    );
    for (const pieces of variants) {
      const { items, error } = drive(new FrameDecoder(header, limit), pieces);
      const found = payloadsOf(items);
      if (error !== undefined || JSON.stringify(hexes(found)) !== JSON.stringify(hexes(payloads))) {
        t.same({ found: hexes(found), error }, { found: hexes(payloads), error: undefined }, `${name} in ${pieces.length} pieces`);
      }
    }
    const read = payloadsOf(drive(new FrameDecoder(header, limit), [bytes]).items);
    t.same(
      read.map((payload, i) => plain(decodeAs(targetOf(values[i]), payload, dialect))),
      values.map((value) => plain(messageOf(value))),
      name,
    );
  }
});

void t.test('every vector cut short is told, at every offset but between frames', async (t) => {
  for (const { name, bytes, header, limit, payloads } of all) {
    const starts = [0];
    for (const payload of payloads) starts.push((starts.at(-1) as number) + header.bytes + payload.length);
    const wrong: number[] = [];
    for (let length = 0; length < bytes.length; length++) {
      if (length >= EDGE_BYTES && length < bytes.length - EDGE_BYTES && length % STRIDE > 0) continue;
      const { error, atEnd } = drive(new FrameDecoder(header, limit), [bytes.subarray(0, length)]);
      const start = starts.findLast((offset) => offset <= length) as number;
      const inHeader = length - start < header.bytes;
      const expected = inHeader ? header.bytes : (payloads[starts.indexOf(start)] as Buffer).length;
      const got = inHeader ? length - start : length - start - header.bytes;
      const told = error instanceof TruncatedError && atEnd && error.expected === expected && error.got === got;
      if (length === start ? error !== undefined : !told) wrong.push(length);
    }
    t.same(wrong, [], name);
  }
});

void t.test('bad input: the outcome of the reference, or a difference that is meant', async (t) => {
  const negative = negativeVectors('frame');
  t.ok(negative.length > 0);
  for (const vector of negative) {
    const { name } = vector;
    const header = FRAME_HEADERS[vector.target as FrameKind];
    const bytes = Buffer.from(vector.wire?.hex ?? '', 'hex');
    for (const pieces of [wholePiece(bytes), byteByByte(bytes)]) {
      const { items, error, atEnd } = drive(new FrameDecoder(header, FRAME_DEFAULTS.maxFrameBytes), pieces);
      if (vector.expect === 'error') {
        t.ok(error, name);
        continue;
      }
      const { raw_payloads: expected, bytes_left: left } = vector.value;
      const found = payloadsOf(items);
      t.same(hexes(found), hexes(expected.map(goldenBytes)), name);
      t.equal(bytes.length - found.reduce((sum, payload) => sum + header.bytes + payload.length, 0), left, name);
      if (vector.expect === 'accept') t.equal(error, undefined, name);
      else if (atEnd) t.type(error, TruncatedError, name);
      else {
        const meant = error !== undefined && differences.some((entry) => entry.layer === 'frame' && entry.applies(vector, error));
        t.ok(meant && error instanceof LimitError, `${name}: ${String(error)}`);
      }
    }
  }
});

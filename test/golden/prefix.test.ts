import fc from 'fast-check';
import t from 'tap';
import { LimitError, TruncatedError } from '../../lib/core/errors.js';
import { Announce, type MessageChunk } from '../../lib/core/unit.js';
import { FRAME_HEADERS, FrameDecoder, lengthPrefix, WholeFrameDecoder } from '../../lib/layers/frame/index.js';
import { drive } from '../layers/bincode/drive.js';
import { script } from '../layers/frame/script.js';
import { feed } from '../support/feed.js';
import { asWire, type NegativeVector, negativeVectors, vectors } from '../support/golden.js';
import { byteByByte, cutAt, everyCut, seeded, wholePiece } from '../support/splits.js';
import { differences } from './differences.js';
import { isWellFormed, writeEnvelope } from './envelope.js';

/** Vectors up to this long are cut in two everywhere, and up to `SINGLE_MAX_BYTES` fed byte by byte. */
const EVERY_CUT_MAX_BYTES = 200;
const SINGLE_MAX_BYTES = 20_000;
const MAX_MESSAGE_BYTES = 2 ** 40;

const all = vectors('prefix').map((vector) => ({ ...vector, body: writeEnvelope(vector.value) }));
const meant = differences.filter(({ layer }) => layer === 'prefix');

void t.test('every vector is written byte for byte', async (t) => {
  t.ok(all.length > 0);
  for (const { name, body, wire } of all) {
    const half = Math.floor(body.length / 2);
    const variants: MessageChunk[][] = [
      [body],
      [new Announce(body.length), body],
      [new Announce(body.length), body.subarray(0, half), body.subarray(half)],
    ];
    for (const chunks of variants) t.same(asWire((await feed(lengthPrefix().outbound(), chunks)).bytes, wire), wire, name);
  }
});

void t.test('every vector is read, however it is cut, and only whole', async (t) => {
  for (const { name, body, wire } of all) {
    const { bytes } = await feed(lengthPrefix().outbound(), [body]);
    t.same(asWire(bytes, wire), wire, name);
    const cuts = [wholePiece(bytes)];
    if (bytes.length <= SINGLE_MAX_BYTES) cuts.push(byteByByte(bytes));
    if (bytes.length <= EVERY_CUT_MAX_BYTES) cuts.push(...everyCut(bytes));
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 8 }), (offsets) => cuts.push(cutAt(bytes, offsets)) > 0),
      seeded(3),
    );
    const expected = script([new Announce(body.length), body].slice(0, body.length > 0 ? 2 : 1));
    const bad = cuts.filter((pieces) => {
      const streamed = drive(new FrameDecoder(FRAME_HEADERS.be64, MAX_MESSAGE_BYTES), pieces).items;
      const whole = drive(new WholeFrameDecoder(FRAME_HEADERS.be64, MAX_MESSAGE_BYTES), pieces).items;
      return script(streamed).join() !== expected.join() || whole.length !== 1 || !whole[0]?.equals(body);
    });
    t.same(bad, [], name);
    const cutsShort = Array.from({ length: Math.min(bytes.length - 1, EVERY_CUT_MAX_BYTES) }, (_, i) => i + 1);
    const survived = [...cutsShort, bytes.length - 1].filter((length) => {
      const { error } = drive(new FrameDecoder(FRAME_HEADERS.be64, MAX_MESSAGE_BYTES), [bytes.subarray(0, length)]);
      return !(error instanceof TruncatedError);
    });
    t.same(survived, [], `${name}, cut short`);
  }
});

void t.test('all vectors after each other are as many messages', async (t) => {
  const bodies = all.map(({ body }) => body).filter(({ length }) => length <= SINGLE_MAX_BYTES);
  const { bytes } = await feed(lengthPrefix().outbound(), bodies);
  const back = await feed(lengthPrefix({ deliver: 'whole' }).inbound(), cutAt(bytes, [1, 5, 17, 4000, 50_000]));
  t.same(
    back.items.map((item) => (item as Buffer).toString('hex')),
    bodies.map((body) => body.toString('hex')),
  );
});

/** Messages that are complete after the first `count` chunks, when each is cut at its length. */
function cutAtLengths(vector: NegativeVector, count: number): Buffer[] {
  const bytes = Buffer.concat((vector.chunks ?? []).slice(0, count).map(({ hex }) => Buffer.from(hex, 'hex')));
  const messages: Buffer[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const end = at + 8 + Number(bytes.readBigUInt64BE(at));
    if (end > bytes.length) break;
    messages.push(bytes.subarray(at + 8, end));
    at = end;
  }
  return messages;
}

/**
 * What we must give in a step that the reference takes, too. Where the reference glues surplus bytes to a message (a quirk), its
 * value is another than ours: ours ends at its length.
 */
function expectedAt(vector: NegativeVector, i: number): Buffer[] | undefined {
  const step = vector.steps?.[i];
  if (vector.quirk === true && meant.some((entry) => entry.lenient?.(vector))) {
    return cutAtLengths(vector, i + 1).slice(cutAtLengths(vector, i).length);
  }
  return vector.reencoded === undefined && step?.value !== undefined ? [writeEnvelope(step.value)] : undefined;
}

/** Both take it, and read another value: the reference parses all four bytes as one message (wire spec §A, 3). */
const GLUED: NegativeVector = {
  name: 'a field behind the message',
  dialect: 'veracruz-2207',
  layer: 'prefix',
  target: 'RuntimeManagerRequest',
  chunks: [{ hex: '0000000000000002420008ac02' }],
  steps: [{ result: 'accept', value: { type: 'RuntimeManagerRequest', context: 300, oneof: 'request_shutdown', fields: {} } }],
  value: undefined,
  expect: 'accept',
  quirk: true,
};

void t.test('a quirk that both take, with another value, is compared as a quirk', async (t) => {
  t.same(expectedAt(GLUED, 0), [Buffer.from('4200', 'hex')]);
  t.same(expectedAt({ ...GLUED, quirk: false }, 0), [Buffer.from('08ac024200', 'hex')]);
});

void t.test('bad input: the outcome of the reference at each step, or a difference that is meant', async (t) => {
  const negative = negativeVectors('prefix');
  t.ok(negative.length > 0);
  for (const vector of [...negative, GLUED]) {
    const decoder = new WholeFrameDecoder(FRAME_HEADERS.be64, MAX_MESSAGE_BYTES);
    for (const [i, { hex }] of (vector.chunks ?? []).entries()) {
      const what = `${vector.name}, step ${i}`;
      const step = vector.steps?.[i];
      const { items, error } = drive(decoder, [Buffer.from(hex, 'hex')], { end: false });
      const sound = items.every((message) => isWellFormed(message));
      const ours = error !== undefined || !sound ? 'error' : items.length > 0 ? 'accept' : 'incomplete';
      if (ours === step?.result) {
        const expected = ours === 'accept' ? expectedAt(vector, i) : undefined;
        if (expected !== undefined) t.same(items, expected, what);
        else t.pass(what);
        continue;
      }
      if (step?.result === 'incomplete' && error instanceof LimitError) {
        t.ok(Number(error.got) > MAX_MESSAGE_BYTES, `${what}: the announced length is over the limit`);
        break;
      }
      // A message that is cut at its length, as it must be, may be no protobuf any more: that layer refuses it then.
      const refusal = error ?? new LimitError('a message that is no protobuf');
      const applies = meant.some((entry) => (ours === 'error' ? entry.applies(vector, refusal) : entry.lenient?.(vector) === true));
      t.ok(applies, `${what}: ${ours} instead of ${step?.result}, ${String(error)}`);
      if (error !== undefined) break;
    }
  }
});

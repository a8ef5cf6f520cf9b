import fc from 'fast-check';
import t from 'tap';
import type { VeracruzError } from '../../lib/core/errors.js';
import { Announce } from '../../lib/core/unit.js';
import { decodeMessage, encodeMessage, protobuf } from '../../lib/layers/protobuf/index.js';
import { announced, dialectOf, messageOf, plain, receive, WIDE } from '../layers/protobuf/support.js';
import { feed } from '../support/feed.js';
import { asWire, negativeVectors, vectors } from '../support/golden.js';
import { byteByByte, cutAt, everyCut, seeded, wholePiece } from '../support/splits.js';
import { differences } from './differences.js';

const SMALL_BYTES = 64;
const MEDIUM_BYTES = 4096;

void t.test('every vector is written byte for byte, at once and as a stream', async (t) => {
  for (const { name, dialect: golden, value, wire } of vectors('protobuf')) {
    const dialect = dialectOf(golden);
    const { type, message } = messageOf(value);
    const bytes = encodeMessage(type, message, { dialect, ...WIDE });
    t.same(asWire(bytes, wire), wire, name);

    const layer = protobuf({ sends: type, receives: type, dialect, ...WIDE });
    const body = message.fields?.data;
    const bulk = ['write_file', 'append_file', 'result'].includes(message.oneof);
    const forms = bulk ? [message, { ...message, fields: { ...message.fields, data: sourceOf(body) } }] : [message];
    for (const form of forms) {
      const fed = await feed(layer.outbound(), [form]);
      t.equal(fed.error, undefined, name);
      t.same(fed.items[0], new Announce(bytes.length), name);
      t.ok(fed.bytes.equals(bytes), name);
    }
  }
});

function sourceOf(bytes: Buffer): { length: number; source: AsyncIterable<Buffer> } {
  const source = async function* () {
    for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
  };
  return { length: bytes.length, source: source() };
}

void t.test('every vector is read back, at once and however it is cut', async (t) => {
  for (const { name, dialect: golden, value } of vectors('protobuf')) {
    const dialect = dialectOf(golden);
    const { type, message } = messageOf(value);
    const bytes = encodeMessage(type, message, { dialect, ...WIDE });
    t.same(plain(decodeMessage(type, bytes, { dialect, ...WIDE })), plain(message), name);

    const streamed = protobuf({ sends: type, receives: type, dialect, ...WIDE });
    const whole = protobuf({ sends: type, receives: type, dialect, deliver: 'whole', ...WIDE });
    const variants = [wholePiece(bytes), cutAt(bytes, [1, 2, 3, 70_001, 1234, 40_000])];
    if (bytes.length <= MEDIUM_BYTES) variants.push(byteByByte(bytes));
    if (bytes.length <= SMALL_BYTES) variants.push(...everyCut(bytes));
    // One assertion a vector: a reporter takes longer to hear of thirty thousand than the layers take to read them.
    const outcomes: unknown[] = [];
    for (const pieces of variants) {
      for (const layer of [streamed, whole]) {
        const { messages, error } = await receive(layer.inbound(), announced(pieces));
        outcomes.push({ error, messages: plain(messages) });
      }
    }
    t.same(outcomes, Array(2 * variants.length).fill({ error: undefined, messages: [plain(message)] }), name);
  }
});

void t.test('random cuts of several messages in a row', async (t) => {
  const all = vectors('protobuf').filter(({ value, dialect }) => value.type === 'RuntimeManagerRequest' && dialect === 'veracruz-2207');
  const messages = all.map(({ value }) => messageOf(value).message);
  const wires = messages.map((message) => encodeMessage('RuntimeManagerRequest', message, WIDE));
  const layer = protobuf({ sends: 'RuntimeManagerResponse', receives: 'RuntimeManagerRequest', ...WIDE });
  const index = fc.nat({ max: all.length - 1 });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(index, fc.array(fc.nat(), { maxLength: 8 })), { minLength: 1, maxLength: 4 }), async (picks) => {
      const chunks = picks.flatMap(([i, cuts]) => announced(cutAt(wires[i] as Buffer, cuts)));
      const got = await receive(layer.inbound(), chunks);
      return got.error === undefined && t.same(plain(got.messages), plain(picks.map(([i]) => messages[i])));
    }),
    seeded(100),
  );
});

void t.test('a vector that is cut short is told as truncated, at every offset', async (t) => {
  for (const { name, dialect: golden, value } of vectors('protobuf')) {
    const dialect = dialectOf(golden);
    const { type, message } = messageOf(value);
    const bytes = encodeMessage(type, message, { dialect, ...WIDE });
    const layer = protobuf({ sends: type, receives: type, dialect, ...WIDE });
    const step = bytes.length <= SMALL_BYTES ? 1 : Math.ceil(bytes.length / 3);
    const cuts: number[] = [];
    for (let cut = 0; cut < bytes.length; cut += step) cuts.push(cut);
    const faults: unknown[] = [];
    const ended: number[] = [];
    const refusals = new Set<string>();
    for (const cut of cuts) {
      const { messages, error } = await receive(layer.inbound(), announced([bytes.subarray(0, cut)], bytes.length));
      faults.push(error);
      if (messages.some((each) => Buffer.isBuffer(each.fields?.data))) ended.push(cut);
      try {
        decodeMessage(type, bytes.subarray(0, cut), { dialect, ...WIDE });
      } catch (thrown) {
        refusals.add((thrown as VeracruzError).code);
      }
    }
    t.match(
      faults,
      cuts.map((got) => ({ code: 'ERR_VC_TRUNCATED', layer: 'protobuf', expected: bytes.length, got })),
      name,
    );
    t.same(ended, [], `${name}: no body came to its end`);
    t.same(
      [...refusals].filter((code) => code !== 'ERR_VC_PROTOBUF'),
      [],
      name,
    );
  }
});

void t.test('broken and odd input has the outcome of the reference', async (t) => {
  for (const vector of negativeVectors('protobuf')) {
    const { name, target, wire, expect, value, dialect: golden } = vector;
    const dialect = dialectOf(golden);
    const type = target as 'RuntimeManagerRequest';
    const bytes = Buffer.from(wire?.hex as string, 'hex');
    let whole: unknown;
    let error: VeracruzError | undefined;
    try {
      whole = plain(decodeMessage(type, bytes, { dialect }));
    } catch (thrown) {
      error = thrown as VeracruzError;
    }
    if (error !== undefined && expect === 'accept') {
      const raised = error;
      t.ok(
        differences.some((difference) => difference.layer === vector.layer && difference.applies(vector, raised)),
        `${name}: ${raised.message}`,
      );
    } else if (expect === 'accept') {
      t.same(whole, plain(messageOf(value).message), name);
      const again = encodeMessage(type, decodeMessage(type, bytes, { dialect }), { dialect });
      // The reference writes unknown fields back, behind all that it knows; we skip them.
      t.ok((vector.reencoded?.hex ?? again.toString('hex')).startsWith(again.toString('hex')), name);
      t.same(plain(decodeMessage(type, again, { dialect })), whole, name);
    } else {
      t.match(error, { code: 'ERR_VC_PROTOBUF' }, name);
    }
    // The layer refuses and takes the same, cut or not.
    const streamed = protobuf({ sends: type, receives: type, dialect });
    const outcomes: unknown[] = [];
    for (const layer of [streamed, protobuf({ sends: type, receives: type, dialect, deliver: 'whole' })]) {
      for (const pieces of [wholePiece(bytes), byteByByte(bytes)]) {
        const got = await receive(layer.inbound(), announced(pieces, bytes.length));
        outcomes.push([got.error?.code, got.error?.message, error === undefined ? plain(got.messages) : undefined]);
      }
    }
    t.same(outcomes, Array(4).fill([error?.code, error?.message, error === undefined ? [whole] : undefined]), name);
  }
});

import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import t from 'tap';
import { ByteQueue } from '../../../lib/core/byte-queue.js';
import { Announce } from '../../../lib/core/unit.js';
import {
  decodeMessage,
  type EnvelopeName,
  encodeMessage,
  envelopeTable,
  IncomingBody,
  MessageParser,
  type PlainMessage,
  PROTOBUF_DEFAULTS,
  protobuf,
} from '../../../lib/layers/protobuf/index.js';
import { readPlain } from '../../../lib/layers/protobuf/plain.js';
import { transport_protocol as generated } from '../../../lib/layers/protobuf/schema.generated.js';
import { feed } from '../../support/feed.js';
import { seeded } from '../../support/splits.js';
import { announced, delimited, patterned, plain, varint } from './support.js';

const REQUEST = 'RuntimeManagerRequest';
const RESPONSE = 'RuntimeManagerResponse';
const request = envelopeTable(REQUEST, '2207');
const layer = protobuf({ sends: RESPONSE, receives: REQUEST });

/** What the parser in pieces makes of bytes that are all there. */
function parsed(type: EnvelopeName, bytes: Buffer, limits = PROTOBUF_DEFAULTS): PlainMessage | undefined {
  const queue = new ByteQueue();
  queue.push(bytes);
  const parser = new MessageParser(envelopeTable(type, '2207'), bytes.length, limits);
  const message = parser.step(queue);
  if (message?.fields !== undefined && parser.bodyLeft > 0) {
    message.fields[parser.bulkName as string] = parser.takeBody(queue);
    parser.step(queue);
  }
  return message;
}

const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.string({ unit: 'grapheme-ascii', maxLength: 100 }));
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const context = fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 0xffffffff }));
const int32 = fc.oneof(fc.integer({ min: -0x80000000, max: 0x7fffffff }), fc.integer({ min: -300, max: 300 }));
const arm = (oneof: string, fields: Record<string, fc.Arbitrary<unknown>>, scalars = {}) =>
  fc.record({ context, ...scalars, oneof: fc.constant(oneof), fields: fc.record(fields) });
const status = { status: fc.constantFrom('UNSET', 'SUCCESS', 'FAILED_GENERIC') };

const messages: fc.Arbitrary<{ type: EnvelopeName; message: any }> = fc.oneof(
  arm('write_file', { file_name: text, data: bytes }).map((message) => ({ type: REQUEST, message }) as const),
  arm('psa_attestation_init', { device_id: int32, challenge: bytes }).map((message) => ({ type: REQUEST, message }) as const),
  arm('request_shutdown', {}).map((message) => ({ type: REQUEST, message }) as const),
  arm('result', { data: bytes }, status).map((message) => ({ type: RESPONSE, message }) as const),
  arm('native_psa_attestation_token', { token: bytes, device_id: int32, csr: bytes }).map(
    (message) => ({ type: 'ProxyAttestationServerRequest', message }) as const,
  ),
  fc.record({ context, ...status, oneof: fc.constant(null) }).map((message) => ({ type: RESPONSE, message }) as const),
);

void t.test('what is written is what the generated code writes, or reads, where it orders fields by number', async (t) => {
  fc.assert(
    fc.property(messages, ({ type, message }) => {
      const { oneof, fields, ...scalars } = message;
      const coder = generated[type] as unknown as {
        encode(message: object): { finish(): Uint8Array };
        decode(bytes: Uint8Array): { status?: number; context: number };
      };
      const wire = encodeMessage(type, message);
      if (type !== RESPONSE) return wire.equals(coder.encode({ ...scalars, ...(oneof !== null && { [oneof]: fields }) }).finish());
      const read = decodeMessage(type, wire);
      const again = coder.decode(wire);
      t.equal(again.context, message.context);
      return JSON.stringify(plain(read)) === JSON.stringify(plain({ ...message, fields: fields && { ...fields } }));
    }),
    seeded(1000),
  );
  const extremes = [-1, -2, -128, -129, -0x80000000, -0x7fffffff, 0x7fffffff, 127, 128, 16_383, 16_384];
  for (const device_id of extremes) {
    const wire = encodeMessage(REQUEST, { oneof: 'psa_attestation_init', fields: { challenge: Buffer.alloc(0), device_id } });
    t.same(wire, Buffer.from(generated.RuntimeManagerRequest.encode({ psa_attestation_init: { device_id } }).finish()), `${device_id}`);
  }
});

void t.test('what is read in one pass is what the parser reads', async (t) => {
  let taken = 0;
  let left = 0;
  const agree = (type: EnvelopeName, wire: Buffer, limits = PROTOBUF_DEFAULTS) => {
    const message = readPlain(envelopeTable(type, '2207'), wire, limits);
    if (message === undefined) left++;
    else taken++;
    // A refusal of the parser throws here: what it refuses must never be taken.
    return message === undefined || JSON.stringify(plain(message)) === JSON.stringify(plain(parsed(type, wire, limits)));
  };
  fc.assert(
    fc.property(messages, fc.nat(), fc.nat({ max: 255 }), ({ type, message }, at, byte) => {
      const wire = encodeMessage(type, message);
      if (!agree(type, wire)) return false;
      if (wire.length > 0) wire[at % wire.length] = byte;
      return agree(type, wire) && agree(type, wire.subarray(0, at % (wire.length + 1)));
    }),
    seeded(3000),
  );
  const part = fc.oneof(
    fc.tuple(fc.nat(20), fc.nat(300)).map(([number, value]) => Buffer.concat([varint(number * 8), varint(value)])),
    fc.tuple(fc.nat(20), fc.uint8Array({ maxLength: 5 })).map(([number, value]) => delimited(number, Buffer.from(value))),
    fc.constantFrom('', '0801', '0800', '088000', '4001', '0a0161', '1200', '120161', '12020a00').map((hex) => Buffer.from(hex, 'hex')),
  );
  const parts = fc.array(part, { maxLength: 5 }).map((all) => Buffer.concat(all));
  const limits = fc.record({
    maxMessageBytes: fc.constant(1000),
    maxBufferedMessageBytes: fc.integer({ min: 1, max: 40 }),
    maxFileNameBytes: fc.integer({ min: 1, max: 10 }),
    maxFields: fc.integer({ min: 1, max: 60 }),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(REQUEST, RESPONSE),
      parts,
      fc.nat(12),
      parts,
      parts,
      limits,
      (type, before, number, inner, after, tight) => {
        const wire = Buffer.concat([before, delimited(number + 1, inner), after]);
        return agree(type, wire) && agree(type, wire, tight);
      },
    ),
    seeded(6000),
  );
  t.ok(taken > 1000 && left > 1000, `${taken} taken, ${left} left to the parser`);
});

void t.test('what one pass leaves to the parser', async (t) => {
  const name = delimited(1, Buffer.from('in.bin'));
  const left: [string, Buffer][] = [
    ['an unknown field', Buffer.from('7801', 'hex')],
    ['an unknown field of an arm', delimited(2, delimited(3, Buffer.of(1)))],
    ['a scalar twice', Buffer.from('08010801', 'hex')],
    ['a name twice', delimited(2, name, name)],
    ['two arms', Buffer.concat([delimited(2, name), delimited(3, name)])],
    ['an overlong varint', Buffer.from('088100', 'hex')],
    ['a varint of five bytes', Buffer.from('088080808001', 'hex')],
    ['another wire type', Buffer.from('0a00', 'hex')],
    ['an arm that is cut off', Buffer.from('12020a', 'hex')],
    ['a field that reaches past its arm', Buffer.concat([Buffer.from('12020a01', 'hex'), Buffer.from('61', 'hex')])],
    ['a name that is no UTF-8', delimited(2, delimited(1, Buffer.of(0xff)))],
    ['a long name that is no UTF-8', delimited(2, delimited(1, patterned(200)))],
    ['a name over its limit', delimited(2, delimited(1, Buffer.alloc(4097, 0x61)))],
    ['a long arm whose body is not last', delimited(2, delimited(2, patterned(70_000)), name)],
    ['a long arm without a body', delimited(9, delimited(1, patterned(2 ** 20)))],
  ];
  for (const [what, wire] of left) t.equal(readPlain(request, wire, PROTOBUF_DEFAULTS), undefined, what);
  const long = delimited(2, name, delimited(2, patterned(3_000_000)));
  const { fields } = readPlain(request, long, PROTOBUF_DEFAULTS) as unknown as { fields: { data: Buffer } };
  t.equal(fields.data.buffer, long.buffer, 'a long body is a view');
});

void t.test('limits hold for a message that comes in one piece, as for one in many', async (t) => {
  const wire = Buffer.concat([Buffer.of(0x08, 5), delimited(2, delimited(1, Buffer.alloc(30, 'name')), delimited(2, patterned(100)))]);
  for (const tight of [{ maxFields: 2 }, { maxBufferedMessageBytes: 31, maxFileNameBytes: 30 }]) {
    const small = protobuf({ sends: RESPONSE, receives: REQUEST, ...tight });
    t.match((await feed(small.inbound(), announced([wire]))).error, { code: 'ERR_VC_LIMIT', limit: Object.values(tight)[0] });
    const bytes = Array.from(wire, (byte) => Buffer.of(byte));
    t.match((await feed(small.inbound(), announced(bytes))).error, { code: 'ERR_VC_LIMIT', limit: Object.values(tight)[0] });
  }
});

void t.test('a body that is all there: complete before anyone listens, read, dropped or left', async (t) => {
  for (const length of [0, 1, 64, 65_536, 300_000]) {
    const data = patterned(length);
    const wire = encodeMessage(REQUEST, { oneof: 'write_file', fields: { file_name: 'a', data } });
    const [message] = (await feed(layer.inbound(), announced([wire]))).items as any[];
    const body: IncomingBody = message.fields.data;
    t.type(body, IncomingBody);
    t.match(body, { length, received: length, complete: true, destroyed: false, readableEnded: false });
    t.ok((await buffer(body)).equals(data), `${length} bytes`);
    t.equal(body.readableEnded, true);
  }
  const dropped = IncomingBody.whole(Buffer.from('abc'));
  dropped.destroy(new Error('not wanted'));
  await new Promise((gone) => dropped.once('close', gone));
  t.equal(dropped.read(), null, 'an error that nobody listens for is not thrown');
  const silenced = IncomingBody.whole(Buffer.from('abc'));
  silenced.on('data', () => t.fail('nothing comes of a body that was destroyed'));
  silenced.destroy();
  await once(silenced, 'close');
  const kept = IncomingBody.whole(Buffer.from('abc'));
  await new Promise((go) => setImmediate(go));
  t.equal(kept.readableEnded, false, 'it waits for its reader');
  kept.pause();
  kept.on('readable', () => {});
  await once(kept, 'readable');
  t.same(kept.read(2), Buffer.from('ab'));
  t.same(kept.read(), Buffer.from('c'));
  t.equal(kept.takeWhole(), undefined, 'what was begun as a stream goes on as one');
});

void t.test('a body in one piece is taken as such, once', async (t) => {
  const bytes = Buffer.from('abc');
  const body = IncomingBody.whole(bytes);
  t.equal(body.takeWhole(), bytes, 'not a copy');
  t.equal(body.takeWhole(), undefined);
  t.equal(body.destroyed, true, 'nobody else may read it');
  t.same(IncomingBody.whole(Buffer.alloc(0)).takeWhole(), Buffer.alloc(0));
  const dropped = IncomingBody.whole(bytes);
  dropped.destroy();
  t.equal(dropped.takeWhole(), undefined);
  const arriving = new IncomingBody(
    3,
    () => {},
    () => {},
  );
  t.equal(arriving.takeWhole(), undefined, 'one that is still arriving is a stream');
  arriving.destroy();
});

void t.test('whole messages, messages in pieces and empty ones follow each other', async (t) => {
  const write = (data: Buffer) => encodeMessage(REQUEST, { oneof: 'write_file', fields: { file_name: 'a', data } });
  const one = write(Buffer.from('one'));
  const two = write(patterned(100_000));
  const chunks = [
    new Announce(one.length),
    one,
    new Announce(0),
    new Announce(two.length),
    two.subarray(0, 70_000),
    two.subarray(70_000),
    new Announce(one.length),
    Buffer.alloc(0),
    one,
    new Announce(one.length),
    ...Array.from(one, (byte) => Buffer.of(byte)),
    new Announce(one.length),
  ];
  const stream = layer.inbound();
  const sizes: (number | null)[] = [];
  stream.on('data', (message: any) => {
    sizes.push(message.fields === undefined ? null : message.fields.data.length);
    message.fields?.data.resume();
  });
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  const [error] = await once(stream, 'error');
  t.match(error, { code: 'ERR_VC_TRUNCATED', expected: one.length, got: 0 });
  t.same(sizes, [3, null, 100_000, 3, 3]);
});

import { once } from 'node:events';
import fc from 'fast-check';
import t from 'tap';
import { InvalidArgumentError, InvalidOptionError, LengthMismatchError, LimitError, TruncatedError } from '../../../lib/core/errors.js';
import { Announce, BODY_END, BOUNDARY, type MessageChunk } from '../../../lib/core/unit.js';
import { base64 } from '../../../lib/layers/base64/index.js';
import {
  encodePrefix,
  FRAME_HEADERS,
  FrameDecoder,
  FrameEncoder,
  LENGTH_PREFIX_DEFAULTS,
  lengthPrefix,
  readPrefix,
  WholeFrameDecoder,
} from '../../../lib/layers/frame/index.js';
import { feed } from '../../support/feed.js';
import { byteByByte, cutAt, everyCut, seeded, wholePiece } from '../../support/splits.js';
import { drive } from '../bincode/drive.js';
import { script } from './script.js';

const framed = (...messages: Buffer[]) => Buffer.concat(messages.flatMap((message) => [encodePrefix(message.length), message]));
const announced = (...messages: Buffer[]): MessageChunk[] => messages.flatMap((message) => [new Announce(message.length), message]);
const raw = (hex: string) => Buffer.from(hex, 'hex');
const hello = Buffer.from('hello');
const prefixOf = (length: bigint) => {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64BE(length);
  return prefix;
};

void t.test('a prefix is a big-endian u64, exact up to 2^53 - 1', async (t) => {
  const lengths = [0, 1, 255, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52 + 12345, Number.MAX_SAFE_INTEGER];
  for (const length of lengths) {
    t.equal(encodePrefix(length).readBigUInt64BE(), BigInt(length), `${length}`);
    t.equal(readPrefix(encodePrefix(length), Number.MAX_SAFE_INTEGER), length, `${length} read`);
  }
  for (const length of [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
    const { error } = drive(new FrameDecoder(FRAME_HEADERS.be64, Number.MAX_SAFE_INTEGER), [prefixOf(length)]);
    t.type(error, LimitError, `${length}`);
    t.match(error, { layer: 'length-prefix', got: length, limit: Number.MAX_SAFE_INTEGER });
  }
});

void t.test('outbound: prefix and bytes', async (t) => {
  const large = Buffer.alloc(1025, 7);
  const { items } = drive(new FrameEncoder(FRAME_HEADERS.be64, 2000), [hello, new Announce(1030), large, hello, new Announce(0)]);
  t.equal(items.length, 5);
  t.same(items[0], framed(hello), 'a bare Buffer is a message, in one Buffer with its prefix');
  t.equal(items[2], large, 'a first chunk over 1 KiB is passed as it is');
  t.equal(items[3], hello, 'so is what follows');
  t.same(items[4], raw('0000000000000000'));
  const small = drive(new FrameEncoder(FRAME_HEADERS.be64, 2000), [new Announce(1024), Buffer.alloc(1024, 1)]);
  t.equal(small.items.length, 1, '1 KiB is merged with its prefix');
});

void t.test('outbound: empty Buffers', async (t) => {
  const run = (...chunks: MessageChunk[]) => script(drive(new FrameEncoder(FRAME_HEADERS.be64, 1000), chunks).items);
  const none = Buffer.alloc(0);
  t.same(run(none), ['0000000000000000'], 'alone: an empty message');
  t.same(run(none, none), ['00000000000000000000000000000000'], 'each one');
  t.same(run(new Announce(0), none, none), ['0000000000000000'], 'after an announced message: nothing');
  t.same(run(new Announce(5), none, hello, none, none), ['000000000000000568656c6c6f'], 'inside a message: nothing');
});

void t.test('outbound: announced bytes are counted', async (t) => {
  const run = (...chunks: unknown[]) => drive(new FrameEncoder(FRAME_HEADERS.be64, 1000), chunks as MessageChunk[]).error;
  t.match(run(new Announce(6), hello), { code: 'ERR_VC_LENGTH_MISMATCH', layer: 'length-prefix', expected: 6, got: 5 });
  t.match(run(new Announce(6), hello, new Announce(1)), { code: 'ERR_VC_LENGTH_MISMATCH', expected: 6, got: 5 });
  t.match(run(new Announce(1)), { code: 'ERR_VC_LENGTH_MISMATCH', expected: 1, got: 0 });
  t.match(run(new Announce(4), hello), { code: 'ERR_VC_LENGTH_MISMATCH', expected: 4, got: 5 });
  t.match(run(new Announce(7), hello, hello), { code: 'ERR_VC_LENGTH_MISMATCH', expected: 7, got: 10 });
  t.type(run(new Announce(6), hello), LengthMismatchError);
  for (const length of [-1, 1.5, Number.NaN, 2 ** 53]) t.type(run(new Announce(length)), InvalidArgumentError, `${length}`);
  for (const chunk of ['text', BOUNDARY, 5, {}]) t.type(run(chunk), InvalidArgumentError, typeof chunk);
});

void t.test('the limit, in both directions', async (t) => {
  const at = Buffer.alloc(100, 1);
  const over = Buffer.alloc(101, 1);
  t.equal(drive(new FrameEncoder(FRAME_HEADERS.be64, 100), announced(at)).error, undefined);
  for (const chunks of [[new Announce(101)], [over]]) {
    t.match(drive(new FrameEncoder(FRAME_HEADERS.be64, 100), chunks).error, { code: 'ERR_VC_LIMIT', limit: 100, got: 101 });
  }
  for (const decoder of [() => new FrameDecoder(FRAME_HEADERS.be64, 100), () => new WholeFrameDecoder(FRAME_HEADERS.be64, 100)]) {
    t.equal(drive(decoder(), [framed(at)]).error, undefined);
    const { error, items } = drive(decoder(), [encodePrefix(101)]);
    t.match(error, { code: 'ERR_VC_LIMIT', layer: 'length-prefix', limit: 100, got: 101 }, 'refused by the prefix alone');
    t.same(items, []);
  }
  t.match(lengthPrefix().limits, { deliver: 'streamed', maxMessageBytes: 16 * 1024 ** 3 });
  t.match(lengthPrefix({ deliver: 'whole' }).limits, { deliver: 'whole', maxMessageBytes: LENGTH_PREFIX_DEFAULTS.maxWholeMessageBytes });
  const options = { maxMessageBytes: Number.MAX_SAFE_INTEGER };
  t.equal(lengthPrefix(options).limits.maxMessageBytes, Number.MAX_SAFE_INTEGER);
  for (const maxMessageBytes of [0, -1, 1.5, Number.NaN, 2 ** 53]) t.throws(() => lengthPrefix({ maxMessageBytes }), InvalidOptionError);
  t.throws(() => lengthPrefix({ deliver: 'both' as 'whole' }), InvalidOptionError);
});

void t.test('inbound: however the bytes are cut', async (t) => {
  const messages = [hello, Buffer.alloc(0), Buffer.from([0]), Buffer.alloc(30, 0xff), Buffer.alloc(0)];
  const bytes = framed(...messages);
  const streamed = script(messages.flatMap((message) => [new Announce(message.length), message].slice(0, message.length > 0 ? 2 : 1)));
  const cuts = [wholePiece(bytes), byteByByte(bytes), ...everyCut(bytes)];
  for (const pieces of cuts) {
    t.same(script(drive(new FrameDecoder(FRAME_HEADERS.be64, 1000), pieces).items), streamed, `${pieces[0]?.length}`);
    t.same(drive(new WholeFrameDecoder(FRAME_HEADERS.be64, 1000), pieces).items, messages, `${pieces[0]?.length} whole`);
  }
  for (let length = 0; length < bytes.length; length++) {
    const ends = [13, 21, 30, 68, 76, 0].includes(length);
    for (const decoder of [new FrameDecoder(FRAME_HEADERS.be64, 1000), new WholeFrameDecoder(FRAME_HEADERS.be64, 1000)]) {
      const { error, atEnd } = drive<Buffer, unknown>(decoder, [bytes.subarray(0, length)]);
      if (ends) t.equal(error, undefined, `${length} bytes are whole messages`);
      else t.ok(error instanceof TruncatedError && atEnd, `${length} bytes are not`);
    }
  }
});

void t.test('inbound: a cut-off message tells what is missing', async (t) => {
  for (const decoder of [new FrameDecoder(FRAME_HEADERS.be64, 1000), new WholeFrameDecoder(FRAME_HEADERS.be64, 1000)]) {
    const { error } = drive<Buffer, unknown>(decoder, [framed(hello), framed(hello).subarray(0, 10)]);
    t.match(error, { code: 'ERR_VC_TRUNCATED', layer: 'length-prefix', expected: 5, got: 2 });
  }
  t.match(drive(new FrameDecoder(FRAME_HEADERS.be64, 1000), [Buffer.alloc(7)]).error, { code: 'ERR_VC_TRUNCATED', expected: 8, got: 7 });
});

void t.test('inbound: bytes are passed on uncopied and at once', async (t) => {
  const chunk = Buffer.alloc(4096, 3);
  const decoder = new FrameDecoder(FRAME_HEADERS.be64, 10_000);
  const first = drive(decoder, [encodePrefix(9000), chunk], { end: false });
  t.equal(first.items.length, 2);
  t.equal((first.items[1] as Buffer).buffer, chunk.buffer);
  t.equal((first.items[1] as Buffer).byteOffset, chunk.byteOffset);
  const whole = drive(new WholeFrameDecoder(FRAME_HEADERS.be64, 10_000), [framed(chunk)]);
  t.equal(whole.items[0]?.length, 4096);
});

void t.test('inbound: marks of the layer below are passed over, anything else is refused', async (t) => {
  const whole = framed(hello, Buffer.alloc(0), hello);
  const pieces = [whole.subarray(0, 10), BOUNDARY, whole.subarray(10), BODY_END, BOUNDARY] as unknown as Buffer[];
  const { items, error } = drive(new FrameDecoder(FRAME_HEADERS.be64, 100), pieces);
  t.equal(error, undefined);
  t.same(Buffer.concat(items.filter((item) => Buffer.isBuffer(item))), Buffer.concat([hello, hello]));
  t.same(drive(new WholeFrameDecoder(FRAME_HEADERS.be64, 100), pieces).items, [hello, Buffer.alloc(0), hello]);
  t.match(drive(new FrameDecoder(FRAME_HEADERS.be64, 100), pieces.slice(0, 2)).error, { code: 'ERR_VC_TRUNCATED', expected: 5, got: 2 });
  for (const decoder of [new FrameDecoder(FRAME_HEADERS.be64, 100), new WholeFrameDecoder(FRAME_HEADERS.be64, 100)]) {
    t.match(drive(decoder, [whole.toString('latin1') as unknown as Buffer]).error, { code: 'ERR_VC_INVALID_ARGUMENT', got: 'string' });
  }
});

void t.test('messages over base64 texts, without TLS between them', async (t) => {
  const texts = await feed(base64().inbound(), [
    Buffer.from(framed(hello).toString('base64')),
    BOUNDARY,
    Buffer.from(framed(hello, hello).toString('base64')),
    BOUNDARY,
  ]);
  const messages = await feed(lengthPrefix({ deliver: 'whole' }).inbound(), texts.items);
  t.equal(messages.error, undefined);
  t.same(messages.items, [hello, hello, hello]);
});

void t.test('round trip of any messages in any cut', async (t) => {
  const anyMessages = fc.array(
    fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
    { maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(anyMessages, fc.array(fc.nat(), { maxLength: 12 }), fc.boolean(), async (messages, offsets, announce) => {
      const layer = lengthPrefix({ deliver: 'whole', maxMessageBytes: 3000 });
      const sent = await feed(layer.outbound(), announce ? announced(...messages) : messages);
      if (!sent.bytes.equals(framed(...messages))) throw new Error('not the bytes of the wire');
      const whole = await feed(layer.inbound(), cutAt(sent.bytes, offsets));
      const back = await feed(lengthPrefix().inbound(), cutAt(sent.bytes, offsets));
      const expected = messages.flatMap((message) => (message.length > 0 ? [new Announce(message.length), message] : [new Announce(0)]));
      t.same(whole.items, messages);
      t.same(script(back.items), script(expected));
    }),
    seeded(60),
  );
});

void t.test('any bytes end in messages or in an error of ours', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.array(fc.nat(), { maxLength: 4 }), (bytes, offsets) => {
      const { items, error } = drive(new FrameDecoder(FRAME_HEADERS.be64, 2 ** 20), cutAt(Buffer.from(bytes), offsets));
      const given = items.reduce((sum, item) => sum + (Buffer.isBuffer(item) ? item.length : 8), 0);
      if (error === undefined) return given === bytes.length;
      return error instanceof LimitError || error instanceof TruncatedError;
    }),
    seeded(2000),
  );
  t.pass();
});

void t.test('a flood of empty messages waits for a slow reader', async (t) => {
  for (const stream of [lengthPrefix().inbound(), lengthPrefix({ deliver: 'whole' }).inbound()]) {
    stream.write(Buffer.alloc(65_536));
    await once(stream, 'readable');
    t.ok(stream.readableLength <= stream.readableHighWaterMark, `${stream.readableLength} items wait`);
    let items = 0;
    stream.on('data', () => items++);
    stream.end();
    await once(stream, 'end');
    t.equal(items, 8192, 'and none is lost');
  }
});

void t.test('errors of the streams carry layer and figures', async (t) => {
  const { error, ended } = await feed(lengthPrefix({ maxMessageBytes: 4 }).inbound(), [framed(hello)]);
  t.match(error, { code: 'ERR_VC_LIMIT', layer: 'length-prefix', limit: 4, got: 5 });
  t.notOk(ended);
});

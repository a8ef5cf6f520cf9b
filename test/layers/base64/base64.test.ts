import { once } from 'node:events';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import t from 'tap';
import { DeferredBytes } from '../../../lib/core/deferred-bytes.js';
import { Base64Error, InvalidArgumentError } from '../../../lib/core/errors.js';
import { type Base64Chunk, BOUNDARY, type BoundedChunk } from '../../../lib/core/unit.js';
import { written } from '../../../lib/core/written.js';
import { Base64Decoder, Base64Encoder, base64, decodeBase64, encodeBase64 } from '../../../lib/layers/base64/index.js';
import { session } from '../../../lib/layers/session/index.js';
import { stack } from '../../../lib/pipeline/stack.js';
import { feed } from '../../support/feed.js';
import { byteByByte, cutAt, everyCut, seeded, wholePiece } from '../../support/splits.js';
import { drive } from '../bincode/drive.js';
import { script } from '../frame/script.js';
import { decodeSlowly, encodeSlowly } from './reference.js';

const bytesOf = (length: number) => Buffer.from(Array.from({ length }, (_, i) => (i * 89 + length * 31) % 256));
const latin1 = (text: string) => Buffer.from(text, 'latin1');
const encode = (chunks: BoundedChunk[]) => script(drive(new Base64Encoder(), chunks).items);
const decode = (chunks: Base64Chunk[]) => drive(new Base64Decoder(), chunks);
const hexOf = (...texts: string[]) => texts.map((text) => (text === 'boundary' ? text : latin1(text).toString('hex')));

void t.test('every length up to 200, in every cut, against a slow reference', async (t) => {
  for (let length = 0; length <= 200; length++) {
    const bytes = bytesOf(length);
    const text = latin1(encodeSlowly(bytes));
    const problems: string[] = [];
    for (const pieces of [wholePiece(bytes), byteByByte(bytes), ...everyCut(bytes)]) {
      const out = Buffer.concat(drive(new Base64Encoder(), pieces).items as Buffer[]);
      if (!out.equals(text)) problems.push(`encoding cut at ${pieces[0]?.length}`);
    }
    for (const pieces of [wholePiece(text), byteByByte(text), ...everyCut(text)]) {
      const { items, error } = decode(pieces);
      if (error !== undefined || !Buffer.concat(items as Buffer[]).equals(bytes)) problems.push(`decoding cut at ${pieces[0]?.length}`);
    }
    if (!encodeBase64(bytes).equals(text) || !decodeBase64(text).equals(bytes)) problems.push('whole');
    t.same(problems, [], `${length} bytes`);
  }
});

void t.test('around the sizes of a slice', async (t) => {
  for (const slice of [48 * 1024, 64 * 1024, 66 * 1024, 88 * 1024, 2 * 64 * 1024, 2 * 66 * 1024]) {
    for (const length of [slice - 1, slice, slice + 1, (slice / 4) * 3, (slice / 4) * 3 + 1]) {
      const bytes = bytesOf(length);
      const text = latin1(bytes.toString('base64'));
      for (const cut of [0, 1, 2, 3, slice - 1, slice]) {
        const made = Buffer.concat(drive(new Base64Encoder(), [bytes.subarray(0, cut), bytes.subarray(cut)]).items as Buffer[]);
        const read = Buffer.concat(decode([text.subarray(0, cut), text.subarray(cut)]).items as Buffer[]);
        t.ok(made.equals(text) && read.equals(bytes), `${length} bytes cut at ${cut}`);
      }
      t.ok(encodeBase64(bytes).equals(text));
    }
  }
});

void t.test('a BOUNDARY ends a text', async (t) => {
  const [a, b] = [latin1('a'), latin1('bcd')];
  t.same(encode([a, BOUNDARY, b, BOUNDARY, BOUNDARY, a]), hexOf('YQ==', 'boundary', 'YmNk', 'boundary', 'boundary', 'YQ=='));
  t.same(encode([]), []);
  t.same(encode([Buffer.alloc(0), BOUNDARY]), ['boundary'], 'an empty unit is its BOUNDARY alone');
  const { items } = decode([latin1('YQ'), latin1('=='), BOUNDARY, latin1('YmNk'), BOUNDARY, BOUNDARY, latin1('YQ==')]);
  t.same(script(items), hexOf('a', 'boundary', 'bcd', 'boundary', 'boundary', 'a'));
  for (const text of ['Y', 'YQ', 'YQ=', 'YmNkY', 'YmNkYQ', 'YmNkYQ=']) {
    const variants: Base64Chunk[][] = [[latin1(text), BOUNDARY], [latin1(text)], byteByByte(latin1(text))];
    for (const chunks of variants) {
      const { error, items: given } = decode(chunks);
      t.match(error, { code: 'ERR_VC_BASE64', layer: 'base64', offset: text.length, got: text.length }, text);
      t.notOk(given.includes(BOUNDARY), text);
    }
  }
});

void t.test('faults, with the offset of the first bad letter, however the text is cut', async (t) => {
  const faults: [string, number][] = [
    ['====', 0],
    ['Y===', 1],
    ['Y=Q=', 1],
    ['YQ=a', 2],
    ['YR==', 1],
    ['YWF=', 2],
    ['YQ==YQ==', 4],
    ['YQ==Y', 4],
    ['YWE=====', 4],
    ['YWFhYQ==\n', 8],
    ['YWFh YQ==', 4],
    ['YWFh\r\nYQ==', 4],
    ['-_8=', 0],
    ['YWFh-WFh', 4],
    ['YWFhYWF_', 7],
    ['YWFh\u00e1WFh', 4],
    ['YWFhYW\u0000hYWFh', 6],
    ['\u00ffWFh', 0],
    ['YWFh====YWFh', 4],
    ['YWFhYQ==YWFhYWFh', 8],
    ['YWFhYR==YWFhYWFh', 5],
  ];
  for (const [text, offset] of faults) {
    t.equal(decodeSlowly(text), undefined);
    for (const pieces of [wholePiece(latin1(text)), byteByByte(latin1(text)), ...everyCut(latin1(text))]) {
      const { error } = decode(pieces);
      t.match(error, { code: 'ERR_VC_BASE64', layer: 'base64', offset }, `${JSON.stringify(text)} cut at ${pieces[0]?.length}`);
    }
  }
  const second = decode([latin1('YQ=='), BOUNDARY, latin1('YWFhYQ=!')]);
  t.match(second.error, { offset: 6 }, 'offsets count from the start of the text');
});

void t.test('every byte in every place of a text', async (t) => {
  const text = latin1(encodeSlowly(bytesOf(32)));
  const problems: string[] = [];
  for (let at = 0; at < text.length; at++) {
    for (let byte = 0; byte < 256; byte++) {
      const changed = Buffer.from(text);
      changed[at] = byte;
      const expected = decodeSlowly(changed.toString('latin1'));
      for (const pieces of [[changed], [changed.subarray(0, at), changed.subarray(at)], [changed.subarray(0, 5), changed.subarray(5)]]) {
        const { items, error } = decode(pieces);
        const same =
          expected === undefined ? error instanceof Base64Error : error === undefined && Buffer.concat(items as Buffer[]).equals(expected);
        if (!same) problems.push(`byte ${byte} at ${at}`);
      }
    }
  }
  t.same(problems, []);
});

void t.test('one bad letter anywhere in a large text is found', async (t) => {
  const text = latin1(bytesOf(150_000).toString('base64'));
  for (const at of [0, 3, 65_535, 65_536, 131_071, 131_072, text.length - 5, text.length - 4, text.length - 1]) {
    for (const byte of [0x20, 0x2d, 0x5f, 0x3d, 0xff]) {
      const changed = Buffer.from(text);
      changed[at] = byte;
      if (decodeSlowly(changed.subarray(-8).toString('latin1')) !== undefined && at >= text.length - 8) continue;
      const { items, error } = decode([changed]);
      t.match(error, { code: 'ERR_VC_BASE64' }, `${byte} at ${at}`);
      t.ok(Math.abs((error?.offset ?? -9) - at) <= 4, `offset ${error?.offset} for ${at}`);
      t.same(items, [], 'nothing of the chunk is given');
    }
  }
});

void t.test('any text: the verdict and the bytes of the reference, in any cut', async (t) => {
  const letter = fc.oneof(
    { weight: 40, arbitrary: fc.constantFrom(...'ABCQRSYZabghwz0189+/') },
    { weight: 2, arbitrary: fc.constant('=') },
    { weight: 1, arbitrary: fc.constantFrom('-', '_', ' ', '\n', '\u0000', '\u00ff', '*', '.') },
  );
  const ending = fc.constantFrom('', '=', '==', 'A=', 'A==', 'Q==', '===');
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(letter, { maxLength: 24 }), ending, fc.array(fc.nat(), { maxLength: 5 }), (letters, end, offsets) => {
      const text = letters.join('') + end;
      const expected = decodeSlowly(text);
      const { items, error } = decode(cutAt(latin1(text), offsets));
      if (expected === undefined) return error instanceof Base64Error && error.offset === decode([latin1(text)]).error?.offset;
      accepted++;
      return error === undefined && Buffer.concat(items as Buffer[]).equals(expected);
    }),
    seeded(20_000),
  );
  t.ok(accepted > 100, `${accepted} texts were base64`);
});

void t.test('round trip of any units in any cut, through the streams', async (t) => {
  const anyUnits = fc.array(
    fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
    { maxLength: 5 },
  );
  const cuts = fc.array(fc.nat(), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(anyUnits, cuts, cuts, async (units, there, back) => {
      const layer = base64();
      const sent = await feed(
        layer.outbound(),
        units.flatMap((unit) => [...cutAt(unit, there), BOUNDARY]),
      );
      const texts = units.flatMap((unit) => [...(unit.length > 0 ? [unit.toString('base64')] : []), 'boundary']);
      t.same(script(sent.items), hexOf(...texts));
      const recut = sent.items.flatMap((item) => (Buffer.isBuffer(item) ? cutAt(item, back) : [item]));
      const received = await feed(layer.inbound(), recut);
      t.equal(received.error, undefined);
      t.same(script(received.items), script(units.flatMap((unit) => (unit.length > 0 ? [unit, BOUNDARY] : [BOUNDARY]))));
    }),
    seeded(60),
  );
});

void t.test('one Buffer out for one in, and for each 66 KiB of it', async (t) => {
  const lengths = (chunks: Buffer[]) =>
    drive(new Base64Encoder(), [...chunks, BOUNDARY]).items.map((item) => (Buffer.isBuffer(item) ? item.length : 'boundary'));
  t.same(lengths([bytesOf(3000)]), [4000, 'boundary']);
  t.same(lengths([bytesOf(67_584)]), [90_112, 'boundary']);
  t.same(lengths([bytesOf(67_587)]), [90_112, 4, 'boundary']);
  t.same(lengths([bytesOf(150_000)]), [90_112, 90_112, 200_000 - 180_224, 'boundary']);
  t.same(lengths([bytesOf(1), bytesOf(8)]), [12, 'boundary'], 'what the chunk before it left is in the first');
  t.same(lengths([bytesOf(2), bytesOf(1)]), [4, 'boundary']);
  const items = [encodeBase64(bytesOf(300_000))];
  t.same(
    decode([items[0] as Base64Chunk]).items.map((item) => (item as Buffer).length),
    [300_000],
  );
});

void t.test('deferred letters are the same letters, wherever and whenever they are written', (t) => {
  const size = fc.oneof(fc.nat(700), fc.constantFrom(67_583, 67_584, 67_585, 135_168, 150_001));
  fc.assert(
    fc.property(fc.array(size, { maxLength: 6 }), fc.nat(9), (sizes, at) => {
      const chunks = [...sizes.map(bytesOf), BOUNDARY] as BoundedChunk[];
      const plain = drive(new Base64Encoder(), chunks).items as BoundedChunk[];
      // Written when the encoder has long gone on to other chunks.
      const deferred = drive(new Base64Encoder({ deferred: true }), chunks).items.map((item) => {
        if (!(item instanceof DeferredBytes)) return item;
        const target = Buffer.alloc(at + item.length + 3, '#');
        item.copy(target, at);
        t.equal(target.toString('latin1', 0, at) + target.toString('latin1', at + item.length), '#'.repeat(at + 3), 'nothing beside them');
        return target.subarray(at, at + item.length);
      });
      t.same(script(deferred), script(plain));
    }),
    seeded(100),
  );
  const [short, long] = [192, 195].map((length) => drive(new Base64Encoder({ deferred: true }), [bytesOf(length)]).items[0]);
  t.ok(Buffer.isBuffer(short) && long instanceof DeferredBytes, 'short slices are letters at once');
  t.end();
});

void t.test('deferred letters are counted as letters', async (t) => {
  const layer = base64({ deferred: true });
  const channel = stack(layer, session<DeferredBytes>({ end: 'client', id: 7 })).over(
    new Duplex({
      objectMode: true,
      read() {},
      write: (_chunk, _encoding, done) => done(),
    }),
  );
  t.teardown(() => channel.destroy());
  await written(channel, bytesOf(3000));
  t.match(channel.traffic(), [
    { outbound: { bytesIn: 3000, bytesOut: 4000, chunks: 1 } },
    { outbound: { bytesIn: 4000, bytesOut: 4002, chunks: 2 } },
  ]);
  const stream = layer.outbound();
  stream.end(bytesOf(3000));
  const [item] = await stream.toArray();
  t.ok(item instanceof DeferredBytes);
  t.match(stream.traffic, { bytesIn: 3000, bytesOut: 4000, chunks: 1 });
});

void t.test('a slow reader stops the writer', async (t) => {
  const stream = base64().outbound();
  let written = 0;
  while (stream.write(bytesOf(30))) written++;
  t.ok(written <= 8, `${written} chunks were taken`);
  await once(stream, 'readable');
  t.ok(stream.readableLength <= stream.readableHighWaterMark);
  stream.destroy();
});

void t.test('what is no chunk', async (t) => {
  for (const direction of [base64().outbound(), base64().inbound()]) {
    const { error } = await feed(direction, [7]);
    t.type(error, InvalidArgumentError);
    t.match(error, { layer: 'base64', got: 'number' });
  }
  t.throws(() => decodeBase64(latin1('YQ')), Base64Error);
  t.same(base64().limits, {});
});

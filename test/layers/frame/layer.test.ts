import { once } from 'node:events';
import fc from 'fast-check';
import t from 'tap';
import { Announce, type BincodeChunk, type FrameChunk } from '../../../lib/core/unit.js';
import { FRAME_DEFAULTS, FRAME_HEADERS, FrameDecoder, FrameEncoder, type FrameKind, frame } from '../../../lib/layers/frame/index.js';
import { feed } from '../../support/feed.js';
import { byteByByte, cutAt, everyCut, seeded } from '../../support/splits.js';
import { countCopies, drive } from '../bincode/drive.js';

const KINDS: readonly FrameKind[] = ['tcp9', 'icecap4'];
const encoder = (kind: FrameKind, max = 1024) => new FrameEncoder(FRAME_HEADERS[kind], max);
const decoder = (kind: FrameKind, max = 1024) => new FrameDecoder(FRAME_HEADERS[kind], max);
const hex = (items: readonly BincodeChunk[]) => items.map((item) => (item instanceof Announce ? item.length : item.toString('hex')));

void t.test('headers', async (t) => {
  const head = (kind: FrameKind, length: number) => {
    const bytes = Buffer.alloc(FRAME_HEADERS[kind].bytes, 0xee);
    FRAME_HEADERS[kind].write(bytes, length);
    t.equal(FRAME_HEADERS[kind].read(bytes), length);
    return bytes.toString('hex');
  };
  t.equal(head('tcp9', 21), '150000000000000000');
  t.equal(head('tcp9', 0x1_0203_0405), '050403020100000000');
  t.equal(head('tcp9', Number.MAX_SAFE_INTEGER), 'ffffffffffff1f0000');
  t.equal(head('icecap4', 21), '15000000');
  t.equal(head('icecap4', 2 ** 32 - 1), 'ffffffff');
  t.equal(FRAME_HEADERS.tcp9.read(Buffer.from('010000000000200000', 'hex')), 2n ** 53n + 1n);
});

void t.test('out: a small first chunk shares the Buffer of the header, a large one is not copied', async (t) => {
  const [small, large, rest] = [Buffer.alloc(1024, 1), Buffer.alloc(1025, 2), Buffer.alloc(100, 3)];
  const { items } = await feed(frame('tcp9').outbound(), [new Announce(1124), small, rest, new Announce(1125), large, rest]);
  t.same(
    items.map((item) => (item as Buffer).length),
    [1033, 100, 9, 1025, 100],
  );
  t.equal(items[1], rest);
  t.equal(items[3], large);
  t.same(Buffer.concat([items[0] as Buffer]).subarray(9), small);
});

void t.test('out: bare Buffers are frames of their own, empty ones too', async (t) => {
  for (const chunks of [
    [Buffer.of(1, 2), Buffer.alloc(0), Buffer.of(3)],
    [new Announce(2), Buffer.of(1, 2), new Announce(0), new Announce(1), Buffer.of(3)],
  ]) {
    t.equal((await feed(frame('icecap4').outbound(), chunks)).bytes.toString('hex'), '020000000102' + '00000000' + '0100000003');
  }
  const empty = await feed(frame('tcp9').outbound(), [new Announce(0)], { end: false });
  t.same(empty.bytes, Buffer.alloc(9), 'an empty frame waits for nothing');
});

void t.test('out: more or fewer bytes than were announced', async (t) => {
  const cases: [BincodeChunk[], number, number][] = [
    [[new Announce(3), Buffer.alloc(4)], 3, 4],
    [[new Announce(3), Buffer.alloc(2), Buffer.alloc(2)], 3, 4],
    [[new Announce(3), Buffer.alloc(3), Buffer.alloc(1)], 3, 4],
    [[new Announce(0), Buffer.alloc(1)], 0, 1],
    [[new Announce(3), Buffer.alloc(2), new Announce(1)], 3, 2],
    [[new Announce(3), Buffer.alloc(2)], 3, 2],
    [[new Announce(3)], 3, 0],
  ];
  for (const kind of KINDS) {
    for (const [chunks, expected, got] of cases) {
      const { error } = await feed(frame(kind).outbound(), chunks);
      t.match(error, { code: 'ERR_VC_LENGTH_MISMATCH', layer: 'frame', expected, got });
    }
  }
});

void t.test('out: empty chunks are nothing', async (t) => {
  const { items, error } = drive(encoder('tcp9'), [new Announce(3), Buffer.alloc(0), Buffer.of(1, 2, 3), Buffer.alloc(0)]);
  t.equal(error, undefined);
  t.same(
    items.map((item) => item.length),
    [12],
  );
  t.same(
    drive(encoder('tcp9'), [Buffer.alloc(0)]).items.map((item) => item.length),
    [9],
    'a bare one is an empty frame',
  );
});

void t.test('the limit, in both directions, at it and one over', async (t) => {
  for (const kind of KINDS) {
    const at = Buffer.alloc(1024);
    const refusal = { code: 'ERR_VC_LIMIT', layer: 'frame', limit: 1024, got: 1025 };
    const framed = Buffer.concat(drive(encoder(kind), [at]).items);
    for (const over of [new Announce(1025), Buffer.alloc(1025)]) {
      const out = drive(encoder(kind), over instanceof Announce ? [new Announce(1024), at, over] : [at, over]);
      t.ok(Buffer.concat(out.items).equals(framed), 'nothing of the second frame');
      t.match(out.error, refusal);
      t.notOk(out.atEnd);
    }
    const second = Buffer.concat(drive(encoder(kind, 1025), [Buffer.alloc(1025)]).items);
    const back = drive(decoder(kind), [Buffer.concat([framed, second])]);
    t.same(hex(back.items), [1024, at.toString('hex')]);
    t.match(back.error, refusal);
    t.match(drive(decoder(kind), [second.subarray(0, FRAME_HEADERS[kind].bytes)]).error, refusal, 'told by the header alone');
    t.same(frame(kind).limits, { kind, maxFrameBytes: 1_048_576 + 64 });
  }
});

void t.test('lengths beyond every limit', async (t) => {
  for (const length of [2n ** 32n, 2n ** 53n - 1n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
    const header = Buffer.alloc(9);
    header.writeBigUInt64LE(length);
    const { error, items } = drive(decoder('tcp9', Number.MAX_SAFE_INTEGER), [header], { end: false });
    if (length < 2n ** 53n) t.same(items, [new Announce(Number(length))]);
    else t.match(error, { code: 'ERR_VC_LIMIT', got: length });
    for (const pieces of [[header], byteByByte(header)]) {
      const told = drive(decoder('tcp9'), pieces).error?.got;
      t.equal(BigInt(told as number), length);
    }
  }
  t.match(drive(decoder('icecap4'), [Buffer.alloc(4, 0xff)]).error, { code: 'ERR_VC_LIMIT', got: 2 ** 32 - 1 });
});

void t.test('a length that is none', async (t) => {
  for (const length of [-1, 0.5, Number.NaN, 2 ** 53]) {
    t.match(drive(encoder('tcp9'), [new Announce(length)]).error, { code: 'ERR_VC_INVALID_ARGUMENT', layer: 'frame' });
  }
});

void t.test('out: text is its bytes in UTF-8, a number is nothing', async (t) => {
  const { bytes } = await feed(frame('tcp9').outbound(), ['é'.repeat(70)]);
  t.equal(bytes.readBigUInt64LE(), 140n);
  const { error, items } = await feed(frame('tcp9').outbound(), [7]);
  t.match(error, { code: 'ERR_VC_INVALID_ARGUMENT', layer: 'frame', got: 'number' });
  t.same(items, []);
});

void t.test('in: text is not bytes', async (t) => {
  t.match(drive(decoder('tcp9'), ['text' as unknown as Buffer]).error, { code: 'ERR_VC_INVALID_ARGUMENT', layer: 'frame', got: 'string' });
});

void t.test('in: the ninth byte is never looked at', async (t) => {
  for (const ninth of [0, 1, 255]) {
    t.same(hex(drive(decoder('tcp9'), [Buffer.of(1, 0, 0, 0, 0, 0, 0, 0, ninth, 7)]).items), [1, '07']);
  }
});

void t.test('in: payloads go on as they come, surplus begins the next frame', async (t) => {
  const large = Buffer.alloc(2000, 5);
  const bytes = Buffer.concat([Buffer.from('d0070000', 'hex'), large, Buffer.from('00000000', 'hex'), Buffer.from('0100', 'hex')]);
  const { items } = await feed(frame('icecap4').inbound(), [bytes, Buffer.from('0000', 'hex'), Buffer.of(9)]);
  t.same(hex(items as BincodeChunk[]), [2000, large.toString('hex'), 0, 1, '09']);
  t.equal((items[1] as Buffer).buffer, bytes.buffer, 'a view');
  t.equal(
    countCopies(() => drive(decoder('icecap4', 4096), [bytes])),
    0,
  );
});

void t.test('in: cut in two everywhere, and at the end of the input', async (t) => {
  for (const kind of KINDS) {
    const size = FRAME_HEADERS[kind].bytes;
    const bytes = Buffer.concat(drive(encoder(kind), [Buffer.from('hello'), Buffer.alloc(0), Buffer.from('!')]).items);
    const text = '68656c6c6f021';
    for (const pieces of [[bytes], byteByByte(bytes), ...everyCut(bytes)]) {
      const { items, error } = drive(decoder(kind), pieces);
      t.equal(error, undefined);
      t.equal(hex(items.filter((item) => Buffer.isBuffer(item))).join(''), '68656c6c6f21', text);
      t.same(
        items.filter((item) => item instanceof Announce),
        [new Announce(5), new Announce(0), new Announce(1)],
      );
    }
    const ends = [0, size + 5, 2 * size + 5];
    for (let length = 0; length < bytes.length; length++) {
      const { error } = drive(decoder(kind), [bytes.subarray(0, length)]);
      const into = length - (ends.findLast((end) => end <= length) as number);
      if (into === 0) t.equal(error, undefined, `${kind} ends at ${length}`);
      else {
        const payload = length < size + 5 ? 5 : 1;
        const figures = into < size ? { expected: size, got: into } : { expected: payload, got: into - size };
        t.match(error, { code: 'ERR_VC_TRUNCATED', layer: 'frame', ...figures }, `${kind} ends at ${length}`);
      }
    }
  }
});

void t.test('in: 65,536 single bytes cost a copy of the headers alone', async (t) => {
  const bytes = Buffer.concat(drive(encoder('tcp9', 65_536), [Buffer.alloc(65_536 - 9, 3)]).items);
  let items: BincodeChunk[] = [];
  const copied = countCopies(() => {
    items = drive(decoder('tcp9', 65_536), byteByByte(bytes)).items;
  });
  t.ok(copied <= 2 * 9, `${copied} bytes copied`);
  t.equal(items.length, 1 + 65_536 - 9);
});

void t.test('in: many tiny frames in one chunk obey the brake', async (t) => {
  const count = 10_000;
  for (const kind of KINDS) {
    const stream = frame(kind).inbound();
    stream.write(Buffer.alloc(count * FRAME_HEADERS[kind].bytes));
    let seen = 0;
    let most = 0;
    while (seen < count) {
      most = Math.max(most, stream.readableLength);
      if (stream.read() === null) await once(stream, 'readable');
      else seen++;
    }
    t.ok(most > 0 && most <= stream.readableHighWaterMark, `${most} units were waiting`);
    stream.destroy();
  }
});

void t.test('any frames, cut anyhow, come back', async (t) => {
  const payloads = fc.array(
    fc.uint8Array({ maxLength: 100 }).map((data) => Buffer.from(data)),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(fc.constantFrom(...KINDS), payloads, fc.array(fc.nat(), { maxLength: 9 }), (kind, datas, offsets) => {
      const units = datas.flatMap((data): BincodeChunk[] => [new Announce(data.length), ...cutAt(data, offsets)]);
      const out = drive(encoder(kind), units);
      const wire = Buffer.concat(out.items);
      const back = drive(decoder(kind), cutAt(wire, offsets) as FrameChunk[]);
      t.equal(out.error ?? back.error, undefined);
      const again: string[] = [];
      for (const item of back.items) {
        if (item instanceof Announce) again.push('');
        else again[again.length - 1] += item.toString('hex');
      }
      t.same(
        again,
        datas.map((data) => data.toString('hex')),
      );
    }),
    seeded(300),
  );
});

void t.test('any bytes are frames, too long, or cut short', async (t) => {
  const codes = new Set<string | undefined>();
  const byte = fc.oneof(
    { weight: 5, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.nat(5) },
    { weight: 1, arbitrary: fc.nat(255) },
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...KINDS),
      fc.array(byte, { maxLength: 60 }),
      fc.array(fc.nat(), { maxLength: 4 }),
      (kind, list, offsets) => {
        const bytes = Buffer.from(list);
        const whole = drive(decoder(kind), [bytes]);
        const cut = drive(decoder(kind), cutAt(bytes, offsets));
        codes.add(whole.error?.code);
        t.equal(cut.error?.message, whole.error?.message);
        t.same(hex(cut.items).join(''), hex(whole.items).join(''));
      },
    ),
    seeded(500),
  );
  t.same([...codes].sort(), ['ERR_VC_LIMIT', 'ERR_VC_TRUNCATED', undefined]);
});

void t.test('options', async (t) => {
  for (const kind of ['tcp8', '', 'toString', undefined]) t.throws(() => frame(kind as FrameKind), { code: 'ERR_VC_INVALID_OPTION' });
  const bad: [FrameKind, number][] = [
    ['tcp9', 0],
    ['tcp9', 1.5],
    ['tcp9', 2 ** 53],
    ['icecap4', 2 ** 32],
  ];
  for (const [kind, maxFrameBytes] of bad) {
    t.throws(() => frame(kind, { maxFrameBytes }), { code: 'ERR_VC_INVALID_OPTION' }, `${kind} ${maxFrameBytes}`);
  }
  t.same(frame('icecap4', { maxFrameBytes: 2 ** 32 - 1 }).limits, { kind: 'icecap4', maxFrameBytes: 2 ** 32 - 1 });
  t.same(frame('tcp9', { maxFrameBytes: 1 }).limits, { kind: 'tcp9', maxFrameBytes: 1 });
  t.equal(FRAME_DEFAULTS.maxFrameBytes, 1_048_640);
  t.match(frame('tcp9', { maxFrameBytes: undefined } as object).limits, FRAME_DEFAULTS, 'undefined is the default');
});

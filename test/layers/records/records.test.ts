import { once } from 'node:events';
import fc from 'fast-check';
import t from 'tap';
import { InvalidOptionError, LimitError, RecordError, TruncatedError, VeracruzError } from '../../../lib/core/errors.js';
import { BOUNDARY, END_OF_MESSAGE, FLUSH } from '../../../lib/core/unit.js';
import { RecordDecoder, RecordEncoder, records } from '../../../lib/layers/records/index.js';
import { feed } from '../../support/feed.js';
import { until } from '../../support/foreign.js';
import { byteByByte, cutAt, everyCut, seeded, wholePiece } from '../../support/splits.js';
import { drive } from '../bincode/drive.js';
import { script } from '../frame/script.js';

const record = (size: number, { type = 23, version = 0x0303 } = {}) => {
  const bytes = Buffer.alloc(5 + size, size % 251);
  bytes[0] = type;
  bytes.writeUInt16BE(version, 1);
  bytes.writeUInt16BE(size, 3);
  return bytes;
};
const hex = (...records: Buffer[]) => Buffer.concat(records).toString('hex');
/** The first flights: ClientHello, then change_cipher_spec, application data, alert. */
const flight = [record(12, { type: 22, version: 0x0301 }), record(1, { type: 20 }), record(0), record(19), record(2, { type: 21 })];
const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await new Promise((go) => setImmediate(go));
};

void t.test('outbound: one record a unit, however the ciphertext is cut', async (t) => {
  const bytes = Buffer.concat(flight);
  const expected = flight.flatMap((one) => [hex(one), 'boundary']);
  for (const pieces of [wholePiece(bytes), byteByByte(bytes), ...everyCut(bytes)]) {
    t.same(script(drive(new RecordEncoder(), pieces).items), expected, `${pieces[0]?.length}`);
  }
});

void t.test('outbound: batches', async (t) => {
  const small = record(5);
  const run = (batchBytes: number, ...chunks: Buffer[]) => script(drive(new RecordEncoder(batchBytes), chunks).items);
  t.same(run(30, Buffer.concat([small, small, small])), [hex(small, small, small), 'boundary'], 'exactly full');
  t.same(run(29, Buffer.concat([small, small, small])), [hex(small, small), 'boundary', hex(small), 'boundary'], 'one byte short');
  t.same(run(4, small, small), [hex(small), 'boundary', hex(small), 'boundary'], 'always one at least');
  t.same(run(25, small, record(100), small), [hex(small), 'boundary', hex(record(100)), 'boundary', hex(small), 'boundary']);
  const early = drive(new RecordEncoder(25), [small, record(100).subarray(0, 5)], { end: false });
  t.same(script(early.items), [hex(small), 'boundary'], 'closed by the header of a record that does not fit');
  const open = drive(new RecordEncoder(25), [small, small.subarray(0, 9)], { end: false });
  t.same(script(open.items), [hex(small)], 'open while the next record may fit');
});

void t.test('outbound: nothing is copied, whole runs stay together', async (t) => {
  const chunk = Buffer.concat([record(2000), record(3000), record(16_640)]);
  const { items } = drive(new RecordEncoder(1 << 20), [chunk], { end: false });
  t.equal(items.length, 1);
  t.equal((items[0] as Buffer).buffer, chunk.buffer);
  const [left, right] = [chunk.subarray(0, 4000), chunk.subarray(4000)];
  const split = drive(new RecordEncoder(), [left, right], { end: false }).items;
  t.same(
    split.map((item) => (Buffer.isBuffer(item) ? item.length : 'boundary')),
    [2005, 'boundary', 1995, 1010, 'boundary', 16_645, 'boundary'],
    'a record that came in two chunks leaves in two',
  );
});

void t.test('headers that no record has, in both directions', async (t) => {
  const bad: [string, Buffer, number, new (message: string) => VeracruzError][] = [
    ['type 19', record(5, { type: 19 }), 0, RecordError],
    ['type 24', record(5, { type: 24 }), 0, RecordError],
    ['HTTP', Buffer.from('HTTP/1.1 200 OK'), 0, RecordError],
    ['version 0x0302', record(5, { version: 0x0302 }), 2, RecordError],
    ['version 0x0304', record(5, { version: 0x0304 }), 2, RecordError],
    ['version 0x0203', record(5, { version: 0x0203 }), 1, RecordError],
    ['length 16641', record(16_641), 3, LimitError],
    ['length 65535', record(65_535), 3, LimitError],
  ];
  const before = record(19);
  for (const [what, bytes, at, kind] of bad) {
    for (const codec of [() => new RecordEncoder(), () => new RecordDecoder()]) {
      for (const pieces of [[Buffer.concat([before, bytes])], byteByByte(Buffer.concat([before, bytes])), [before, bytes]]) {
        const { error, atEnd } = drive<Buffer, unknown>(codec(), pieces);
        t.type(error, kind, what);
        t.match(error, { layer: 'records', offset: before.length + at }, what);
        t.notOk(atEnd, what);
      }
    }
    const { error } = drive<Buffer, unknown>(new RecordDecoder(), [bytes.subarray(0, at === 3 ? 5 : at + 1)]);
    t.type(error, kind, `${what}: refused by the byte itself`);
  }
  t.match(drive<Buffer, unknown>(new RecordDecoder(), [record(16_641)]).error, { limit: 16_640, got: 16_641 });
  for (const codec of [new RecordEncoder(), new RecordDecoder()]) {
    t.equal(drive<Buffer, unknown>(codec, [record(16_640)]).error, undefined, 'the largest record');
  }
});

void t.test('an end inside a record, at every offset, in both directions', async (t) => {
  const bytes = Buffer.concat(flight);
  const ends = flight.map((_, i) => Buffer.concat(flight.slice(0, i + 1)).length).concat(0);
  for (let length = 0; length <= bytes.length; length++) {
    for (const codec of [new RecordEncoder(), new RecordDecoder()]) {
      const { error, atEnd } = drive<Buffer, unknown>(codec, [bytes.subarray(0, length)]);
      if (ends.includes(length)) t.equal(error, undefined, `${length}`);
      else t.ok(error instanceof TruncatedError && atEnd, `${length}`);
    }
  }
  for (const codec of [new RecordEncoder(), new RecordDecoder()]) {
    const { error } = drive<Buffer, unknown>(codec, [record(8), record(19).subarray(0, 20)]);
    t.match(error, { code: 'ERR_VC_TRUNCATED', layer: 'records', expected: 24, got: 20, offset: 13 });
  }
  for (const codec of [new RecordEncoder(), new RecordDecoder()]) {
    t.match(drive<Buffer, unknown>(codec, [record(8), record(19).subarray(0, 4)]).error, { expected: 5, got: 4, offset: 13 });
  }
});

void t.test('inbound: chunks pass as they are, in any units', async (t) => {
  const bytes = Buffer.concat(flight);
  for (const pieces of [wholePiece(bytes), byteByByte(bytes), ...everyCut(bytes)]) {
    const { items } = drive(
      new RecordDecoder(),
      pieces.flatMap((piece) => [piece, BOUNDARY] as const),
    );
    t.equal(items.length, pieces.length);
    t.ok(items.every((item, i) => item === pieces[i]));
  }
  const faulty = drive(new RecordDecoder(), [Buffer.concat([record(19), Buffer.from('!')])]);
  t.same(faulty.items, [], 'nothing of a chunk with a fault');
});

void t.test('round trip of any records in any cut and batch', async () => {
  const anyRecords = fc.array(fc.nat({ max: 3000 }), { minLength: 1, maxLength: 12 }).map((sizes) => sizes.map((size) => record(size)));
  await fc.assert(
    fc.asyncProperty(anyRecords, fc.array(fc.nat(), { maxLength: 9 }), fc.nat({ max: 9000 }), async (list, offsets, batchBytes) => {
      const bytes = Buffer.concat(list);
      const layer = records({ batchBytes });
      const sent = await feed(layer.outbound(), cutAt(bytes, offsets));
      const back = await feed(layer.inbound(), sent.items);
      if (!sent.bytes.equals(bytes) || !back.bytes.equals(bytes)) throw new Error('bytes lost or changed');
      if (sent.items.at(-1) !== BOUNDARY) throw new Error('a unit left open');
      let unit: Buffer[] = [];
      for (const item of sent.items) {
        if (Buffer.isBuffer(item)) {
          unit.push(item);
          continue;
        }
        const whole = Buffer.concat(unit);
        unit = [];
        const parts = script(drive(new RecordEncoder(), [whole]).items).length / 2;
        if (parts < 1 || (parts > 1 && whole.length > batchBytes)) throw new Error(`${parts} records, ${whole.length} bytes a unit`);
      }
    }),
    seeded(60),
  );
});

void t.test('any bytes pass or end in an error of ours', async (t) => {
  const byte = fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(23, 3, 0, 1));
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 40 }), fc.array(fc.nat(), { maxLength: 4 }), (bytes, offsets) => {
      const pieces = cutAt(Buffer.from([23, 3, 3, 0, 2, ...bytes]), offsets);
      const out = drive<Buffer, unknown>(new RecordEncoder(64), pieces);
      const back = drive<Buffer, unknown>(new RecordDecoder(), pieces);
      return (
        [out, back].every(({ error }) => error === undefined || error instanceof VeracruzError) &&
        (out.error === undefined) === (back.error === undefined)
      );
    }),
    seeded(2000),
  );
  t.pass();
});

for (const mark of [END_OF_MESSAGE, FLUSH]) {
  void t.test(`${String(mark)} closes the unit at once, and goes no further`, async (t) => {
    const stream = records({ batchBytes: 1000, maxDelayMs: 60_000 }).outbound();
    const items: unknown[] = [];
    stream.on('data', (item: unknown) => items.push(item));
    stream.write(record(5));
    stream.write(record(6));
    t.same(script(items), [hex(record(5), record(6))], 'records leave at once');
    await turns(20);
    t.equal(items.length, 2, 'however long nothing comes, nobody has said that it is over');
    stream.write(mark);
    t.same(script(items), [hex(record(5), record(6)), 'boundary']);
    stream.write(mark);
    t.equal(items.length, 3, 'there is nothing to close');
    stream.write(record(8).subarray(0, 9));
    stream.write(mark);
    t.equal(items.length, 3, 'nor is there while a first record is incomplete');
    stream.end(record(8).subarray(9));
    await once(stream, 'end');
    t.same(script(items).slice(2), [hex(record(8)), 'boundary'], 'the end closes the last unit');
  });
}

void t.test('a unit that is full needs no mark, and a mark behind it closes none', async (t) => {
  const { items } = await feed(records({ batchBytes: 10 }).outbound(), [record(5), END_OF_MESSAGE, record(5), record(5), END_OF_MESSAGE]);
  t.same(script(items), [hex(record(5)), 'boundary', hex(record(5)), 'boundary', hex(record(5)), 'boundary']);
});

void t.test('what a slow sender has sent does not wait for the rest: maxDelayMs', async (t) => {
  const clock = t.capture(globalThis, 'setTimeout', globalThis.setTimeout);
  const stream = records({ batchBytes: 1000, maxDelayMs: 20 }).outbound();
  const items: unknown[] = [];
  stream.on('data', (item: unknown) => items.push(item));
  stream.write(record(5));
  stream.write(record(6));
  await until('the boundary', () => items.includes(BOUNDARY));
  t.same(script(items), [hex(record(5), record(6)), 'boundary']);
  t.same(clock().filter(({ args }) => args[1] === 20).length, 1, 'counted from the first record of the unit on');
  stream.write(record(7));
  await until('the next boundary', () => items.filter((item) => item === BOUNDARY).length === 2);
  stream.destroy();
});

void t.test('a slow reader does not make the batches smaller', async (t) => {
  const stream = records({ batchBytes: 10_000, maxDelayMs: 1 }).outbound();
  const one = record(100);
  for (let i = 0; i < 12; i++) stream.write(one);
  await new Promise((go) => setTimeout(go, 20));
  t.equal(stream.readableLength, stream.readableHighWaterMark, 'the buffer is full, and no BOUNDARY went into it');
  const items: unknown[] = [];
  stream.on('data', (item: unknown) => items.push(item));
  await until('the boundary', () => items.includes(BOUNDARY));
  t.same(script(items), [hex(...Array.from({ length: 12 }, () => one)), 'boundary']);
  stream.destroy();
});

void t.test('a flood of records waits for a slow reader', async (t) => {
  const stream = records().outbound();
  const flood = Buffer.concat(Array.from({ length: 5000 }, () => record(1)));
  stream.write(flood);
  await once(stream, 'readable');
  t.ok(stream.readableLength <= stream.readableHighWaterMark, `${stream.readableLength} items wait`);
  const rest = feed(stream, []);
  const { items, bytes } = await rest;
  t.equal(items.length, 10_000);
  t.ok(bytes.equals(flood));
});

void t.test('a destroyed stream closes no unit', async (t) => {
  const stream = records({ batchBytes: 1000, maxDelayMs: 1 }).outbound();
  const items: unknown[] = [];
  stream.on('data', (item: unknown) => items.push(item));
  stream.write(record(5));
  stream.destroy();
  await new Promise((go) => setTimeout(go, 20));
  t.notOk(items.includes(BOUNDARY));
});

void t.test('options', async (t) => {
  for (const batchBytes of [-1, 0.5, 2 ** 31]) t.throws(() => records({ batchBytes }), InvalidOptionError);
  for (const maxDelayMs of [0, 0.5, 60_001]) t.throws(() => records({ maxDelayMs }), InvalidOptionError);
  t.same(records().limits, { batchBytes: 0, maxRecordBodyBytes: 16_640 });
  t.equal(records().name, 'records');
});

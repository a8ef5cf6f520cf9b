import fc from 'fast-check';
import t from 'tap';
import { RecordHeaderReader } from '../../../lib/layers/formats/tls-record.js';
import { byteByByte, cutAt, everyCut, seeded, wholePiece } from '../../support/splits.js';

const record = (type: number, length: number, minor = 3) =>
  Buffer.concat([Buffer.of(type, 3, minor, length >> 8, length & 255), Buffer.alloc(length, 0xee)]);
const seen = (headers: RecordHeaderReader) => ({
  type: headers.type,
  version: headers.version,
  length: headers.length,
  records: headers.records,
  offset: headers.offset,
  got: headers.got,
  expected: headers.expected,
});

void t.test('headers are found however the bytes are cut, empty records too', async (t) => {
  const bytes = Buffer.concat([record(22, 3, 1), record(23, 0), record(20, 1), record(23, 0), record(21, 300)]);
  for (const pieces of [wholePiece(bytes), byteByByte(bytes), ...everyCut(bytes)]) {
    const headers = new RecordHeaderReader();
    for (const piece of pieces) headers.feed(piece);
    const all = { type: 21, version: 0x303, length: 300, records: 5, offset: bytes.length, got: 0, expected: 5 };
    t.same(seen(headers), all, `cut at ${pieces[0]?.length}`);
  }
});

void t.test('what is owed of an unfinished record, at every byte of it', async (t) => {
  const bytes = record(23, 4);
  const headers = new RecordHeaderReader();
  headers.feed(record(22, 2));
  for (let at = 0; at < bytes.length; at++) {
    t.match(headers, { got: at, expected: at < 5 ? 5 : 9, records: at < 5 ? 1 : 2 }, `${at} bytes in`);
    headers.feed(bytes.subarray(at, at + 1));
  }
  t.match(headers, { got: 0, expected: 5 }, 'none between records');
});

void t.test('a check sees each byte once, with its offset, in any cut', async (t) => {
  const bytes = Buffer.concat([record(22, 2), record(23, 0), record(23, 300)]);
  const calls = (pieces: readonly Buffer[]) => {
    const list: string[] = [];
    const headers = new RecordHeaderReader({
      byte: (index, byte, offset) => list.push(`byte ${index} ${byte} at ${offset}`),
      length: (length, offset) => list.push(`length ${length} at ${offset}`),
    });
    for (const piece of pieces) headers.feed(piece);
    return list;
  };
  const expected = [0, 7, 12].flatMap((at) => [
    ...[0, 1, 2].map((i) => `byte ${i} ${bytes[at + i]} at ${at + i}`),
    `length ${bytes.readUInt16BE(at + 3)} at ${at + 3}`,
  ]);
  for (const pieces of [wholePiece(bytes), byteByByte(bytes), ...everyCut(bytes)]) t.same(calls(pieces), expected);
});

void t.test('a byte that is refused is not taken: asked again, it is refused again', async (t) => {
  const headers = new RecordHeaderReader({
    byte: (index, byte, offset) => {
      if (byte === 9) throw new RangeError(`byte ${index} at ${offset}`);
    },
    length: (length, offset) => {
      if (length > 0x100) throw new RangeError(`length ${length} at ${offset}`);
    },
  });
  headers.header(23);
  for (let i = 0; i < 2; i++) t.throws(() => headers.header(9), { message: 'byte 1 at 1' });
  for (const byte of [3, 3, 1]) headers.header(byte);
  for (let i = 0; i < 2; i++) t.throws(() => headers.header(1), { message: 'length 257 at 3' });
  t.match(headers, { got: 4, records: 0, offset: 4 });
});

void t.test('any bytes: the same in one piece and in several', async (t) => {
  const small = fc.array(fc.oneof(fc.constant(0), fc.nat(3), fc.nat(255)), { maxLength: 80 });
  fc.assert(
    fc.property(small, fc.array(fc.nat(), { maxLength: 6 }), (list, offsets) => {
      const bytes = Buffer.from(list);
      const [whole, cut] = [new RecordHeaderReader(), new RecordHeaderReader()];
      whole.feed(bytes);
      for (const piece of cutAt(bytes, offsets)) cut.feed(piece);
      const [a, b] = [seen(whole), seen(cut)];
      return JSON.stringify(a) === JSON.stringify(b) && a.offset === bytes.length;
    }),
    seeded(2000),
  );
  t.pass();
});

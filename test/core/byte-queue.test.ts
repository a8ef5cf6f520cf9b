import fc from 'fast-check';
import t from 'tap';
import { ByteQueue } from '../../lib/core/byte-queue.js';
import { seeded } from '../support/splits.js';

/** Bytes that differ from their neighbours, and from the bytes for another `start`. */
function pattern(length: number, start = 0): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (start + i * 7 + (i >>> 8)) & 0xff));
}

const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('push' as const), count: fc.oneof(fc.nat(40), fc.integer({ min: 1000, max: 9000 })) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('take', 'takeSome', 'skip', 'peek', 'at'), count: fc.nat(12_000) }) },
);

void t.test('gives the same bytes as a plain Buffer, in any order of calls', async () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
      const queue = new ByteQueue();
      let model = Buffer.alloc(0);
      for (const [i, { kind, count }] of operations.entries()) {
        const some = Math.min(count, model.length);
        if (kind === 'push') {
          const chunk = pattern(count, i);
          queue.push(chunk);
          model = Buffer.concat([model, chunk]);
        } else if (kind === 'take') {
          if (!queue.take(some).equals(model.subarray(0, some))) return false;
          model = model.subarray(some);
        } else if (kind === 'takeSome') {
          const bytes = queue.takeSome(count);
          if (!bytes.equals(model.subarray(0, bytes.length)) || bytes.length > count) return false;
          if (some > 0 && bytes.length === 0) return false;
          model = model.subarray(bytes.length);
        } else if (kind === 'skip') {
          queue.skip(some);
          model = model.subarray(some);
        } else if (kind === 'peek') {
          if (!queue.peek(some).equals(model.subarray(0, some))) return false;
        } else if (model.length > 0) {
          if (queue.at(count % model.length) !== model[count % model.length]) return false;
        }
        if (queue.length !== model.length) return false;
      }
      return queue.take(queue.length).equals(model);
    }),
    seeded(500),
  );
});

void t.test('bytes that were given do not change when more are pushed', async (t) => {
  const queue = new ByteQueue();
  const given: [Buffer, Buffer][] = [];
  for (let i = 0; i < 5000; i++) {
    queue.push(pattern(1 + (i % 5), i));
    if (i % 3 === 0) {
      const bytes = queue.takeSome(4);
      given.push([bytes, Buffer.from(bytes)]);
    }
  }
  t.ok(given.every(([bytes, then]) => bytes.equals(then)));
});

void t.test('a request inside one chunk is a view of it, never a copy', async (t) => {
  const chunk = pattern(4096);
  const queue = new ByteQueue();
  queue.push(chunk);
  queue.push(pattern(4096, 1));
  for (const bytes of [queue.peek(100), queue.take(1000), queue.takeSome(9999)]) t.equal(bytes.buffer, chunk.buffer);
  t.equal(queue.length, 4096, 'takeSome stops at the end of a chunk');
});

void t.test('a single small chunk between large ones is not copied; several in a row are copied together', async (t) => {
  const queue = new ByteQueue();
  const small = Array.from({ length: 4 }, (_, i) => pattern(20, i));
  queue.push(pattern(2000));
  queue.push(small[0] as Buffer);
  queue.push(pattern(2000));
  for (const chunk of small.slice(1)) queue.push(chunk);
  const pieces: Buffer[] = [];
  while (queue.length > 0) pieces.push(queue.takeSome(queue.length));
  t.same(
    pieces.map((piece) => piece.length),
    [2000, 20, 2000, 20, 40],
  );
  t.equal(pieces[1]?.buffer, small[0]?.buffer);
  t.equal(pieces[3]?.buffer, small[1]?.buffer, 'the first of several is alone when it comes');
  t.not(pieces[4]?.buffer, small[2]?.buffer, 'the others share a block');
  t.same(Buffer.concat(pieces.slice(3)), Buffer.concat(small.slice(1)));
});

void t.test('`readAt` reads bytes in place, and copies them only when they span chunks', async (t) => {
  const bytes = Buffer.from('00ff80010203fffffffe', 'hex');
  for (let cut = 0; cut <= bytes.length; cut++) {
    const queue = new ByteQueue();
    queue.push(Buffer.concat([Buffer.alloc(2000), bytes.subarray(0, cut)]));
    queue.push(Buffer.concat([bytes.subarray(cut), Buffer.alloc(2000)]));
    queue.skip(2000);
    for (let at = 0; at + 4 <= bytes.length; at++) {
      let copied = true;
      const read = queue.readAt(at, 4, (source, offset) => {
        copied = source.length === 4;
        return source.readUInt32BE(offset);
      });
      t.equal(read, bytes.readUInt32BE(at), `cut at ${cut}, read at ${at}`);
      t.equal(copied, at < cut && cut < at + 4, `cut at ${cut}, read at ${at}: a copy only where the cut is inside`);
    }
    t.equal(queue.length, bytes.length + 2000, 'they stay');
    t.throws(() => queue.readAt(bytes.length + 1997, 4, () => 0), RangeError, 'not all are there');
  }
});

void t.test('tiny slices do not keep the large buffers that they were cut from', async (t) => {
  const count = 20_000;
  const queue = new ByteQueue();
  const origins = new Set<ArrayBufferLike>();
  for (let i = 0; i < count; i++) {
    const large = Buffer.allocUnsafeSlow(65_536);
    large[123] = i & 0xff;
    queue.push(large.subarray(123, 124));
    origins.add(large.buffer);
    // Only the first large buffer may be kept. The test holds no reference to the others.
    if (i > 0) origins.delete(large.buffer);
  }
  t.equal(queue.length, count);
  const buffers = new Set<ArrayBufferLike>();
  const bytes: number[] = [];
  while (queue.length > 0) {
    const piece = queue.takeSome(count);
    buffers.add(piece.buffer);
    bytes.push(...piece);
  }
  t.same(
    bytes,
    Array.from({ length: count }, (_, i) => i & 0xff),
  );
  const large = [...buffers].filter((buffer) => buffer.byteLength === 65_536);
  t.ok(large.every((buffer) => origins.has(buffer)) && large.length <= 1, 'a lone first slice is taken as it is, no other');
  const kept = [...buffers].reduce((total, buffer) => total + buffer.byteLength, 0);
  t.ok(kept <= 65_536 + count + 2 * 8192, `${buffers.size} buffers of ${kept} bytes hold ${count} bytes`);
});

void t.test('work grows with the bytes, not with the calls', async (t) => {
  const moved = { bytes: 0, slots: 0 };
  const { copy } = Buffer.prototype;
  const { slice } = Array.prototype;
  t.teardown(() => {
    Buffer.prototype.copy = copy;
    Array.prototype.slice = slice;
  });
  Buffer.prototype.copy = function (...args: Parameters<typeof copy>) {
    const count = copy.apply(this, args);
    moved.bytes += count;
    return count;
  };
  Array.prototype.slice = function (from, to) {
    const part = slice.call(this, from, to);
    moved.slots += part.length;
    return part;
  };
  const length = 300_000;
  const queue = new ByteQueue();
  const one = Buffer.of(1);
  for (let i = 0; i < length; i++) queue.push(one);
  queue.take(length);
  t.ok(moved.bytes <= 2 * length, `${moved.bytes} bytes were moved for ${length} single ones`);

  moved.bytes = 0;
  const chunk = pattern(1024);
  const chunks = 50_000;
  for (let i = 0; i < chunks; i++) queue.push(chunk);
  while (queue.length > 0) queue.take(1024);
  t.equal(moved.bytes, 0, 'whole chunks are never copied');
  t.ok(moved.slots <= 2 * chunks, `${moved.slots} places were moved for ${chunks} chunks`);
});

void t.test('a request for more bytes than there are throws a RangeError', async (t) => {
  const queue = new ByteQueue();
  queue.push(Buffer.from('abc'));
  t.throws(() => queue.skip(4), RangeError);
  t.throws(() => queue.take(4), RangeError);
  t.throws(() => queue.peek(4), RangeError);
  t.throws(() => queue.at(3), RangeError);
  t.equal(queue.take(3).toString(), 'abc', 'nothing was lost by it');
  t.equal(queue.takeSome(1).length, 0);
  t.equal(queue.take(0).length, 0);
});

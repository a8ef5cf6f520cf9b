import fc from 'fast-check';
import t from 'tap';
import { DeferredBytes } from '../../lib/core/deferred-bytes.js';
import { BodyBuffer, BufferPool, type GatheredBody } from '../../lib/transports/body-buffer.js';
import { seeded } from '../support/splits.js';

class Deferred extends DeferredBytes {
  readonly #bytes: Buffer;
  constructor(bytes: Buffer) {
    super();
    this.#bytes = bytes;
  }
  get length(): number {
    return this.#bytes.length;
  }
  copy(target: Buffer, at: number): void {
    this.#bytes.copy(target, at);
  }
}

void t.test('a body is its chunks, and stays so until it is released', (t) => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 9000 }), { maxLength: 6 });
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 8 }), fc.nat(2), (bodies, keep) => {
      const buffer = new BodyBuffer(new BufferPool(keep));
      const under: { body: GatheredBody; expected: Buffer }[] = [];
      for (const chunks of bodies) {
        for (const [i, chunk] of chunks.entries()) buffer.append(i % 2 === 0 ? Buffer.from(chunk) : new Deferred(Buffer.from(chunk)));
        const expected = Buffer.concat(chunks);
        t.equal(buffer.length, expected.length);
        under.push({ body: buffer.take(), expected });
        t.equal(buffer.length, 0);
        for (const { body, expected: contents } of under) t.ok(body.bytes.equals(contents), 'nothing has written over it');
        // Two are under way, as in an exchange.
        if (under.length > 2) under.shift()?.body.release();
      }
    }),
    seeded(200),
  );
  t.end();
});

void t.test('a released Buffer is used again, and no more are kept than asked', (t) => {
  const buffer = new BodyBuffer(new BufferPool(1));
  const made = [1, 2].map((fill) => {
    buffer.append(Buffer.alloc(100_000, fill));
    return buffer.take();
  });
  const [first, second] = made as [GatheredBody, GatheredBody];
  first.release();
  second.release();
  buffer.append(Buffer.alloc(50_000, 3));
  t.equal(buffer.take().bytes.buffer, first.bytes.buffer);
  buffer.append(Buffer.alloc(50_000, 4));
  const fresh = buffer.take().bytes.buffer;
  t.not(fresh, first.bytes.buffer);
  t.not(fresh, second.bytes.buffer, 'the second was not kept');
  t.end();
});

void t.test('a Buffer that has become too small makes place for a larger one', (t) => {
  const buffer = new BodyBuffer(new BufferPool(2));
  buffer.append(Buffer.from('small'));
  buffer.take().release();
  buffer.append(Buffer.alloc(1_000_000, 5));
  buffer.append(Buffer.alloc(1, 6));
  const { bytes } = buffer.take();
  t.equal(bytes.length, 1_000_001);
  t.equal(bytes[999_999], 5);
  t.equal(bytes[1_000_000], 6);
  t.end();
});

import { once } from 'node:events';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import t from 'tap';
import type { Codec } from '../../lib/core/codec.js';
import { CodecStream } from '../../lib/core/codec-stream.js';
import { Connection } from '../../lib/core/connection.js';
import { LimitError, TransportError, type VeracruzError } from '../../lib/core/errors.js';
import { feed } from '../support/feed.js';
import { within } from '../support/foreign.js';

/** A codec with a queue of items: `push` and `end` fill the queue, `next` empties it. */
class Scripted implements Codec<Buffer, Buffer> {
  readonly items: (Buffer | Promise<Buffer | undefined> | Error)[] = [];
  asked = 0;
  destroyedWith: Error | null | undefined;
  readonly #onPush: (chunk: Buffer, codec: Scripted) => void;
  readonly #onEnd: (codec: Scripted) => void;

  constructor(onPush: (chunk: Buffer, codec: Scripted) => void, onEnd: (codec: Scripted) => void = () => {}) {
    this.#onPush = onPush;
    this.#onEnd = onEnd;
  }
  push(chunk: Buffer): void {
    this.#onPush(chunk, this);
  }
  next(): Buffer | undefined | Promise<Buffer | undefined> {
    this.asked++;
    const item = this.items.shift();
    if (item instanceof Error) throw item;
    return item;
  }
  end(): void {
    this.#onEnd(this);
  }
  destroy(error: Error | null): void {
    this.destroyedWith = error;
  }
}

/** Waits for ten turns of the event loop, in which everything happens that needs no further input. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((go) => setImmediate(go));
}

void t.test('one chunk of a thousand items does not become a thousand items at once', async (t) => {
  const codec = new Scripted((chunk, codec) => {
    for (let i = 0; i < chunk.length; i++) codec.items.push(chunk.subarray(i, i + 1));
  });
  const stream = new CodecStream('split', codec);
  const bytes = Buffer.from(Array.from({ length: 1000 }, (_, i) => i & 0xff));
  stream.write(bytes);
  await settle();
  t.equal(codec.asked, 4, 'nobody reads: no more than fit the buffer');
  t.equal(stream.readableLength, 4);
  stream.read();
  await settle();
  t.ok(codec.asked <= 8, `one was read: ${codec.asked} were asked for`);
  const rest: Buffer[] = [];
  stream.on('data', (item: Buffer) => rest.push(item));
  stream.end();
  await within('the end', once(stream, 'end'));
  t.same(Buffer.concat(rest), bytes.subarray(1), 'all of it comes, in order');
});

void t.test('the writer waits while the reader does', async (t) => {
  const codec = new Scripted((chunk, codec) => codec.items.push(chunk));
  const stream = new CodecStream('same', codec);
  let written = 0;
  while (stream.write(Buffer.of(1))) written++;
  await settle();
  while (stream.writableLength < stream.writableHighWaterMark && stream.write(Buffer.of(1))) written++;
  await settle();
  t.ok(written <= 12, `${written} chunks went in with nobody reading`);
  stream.destroy();
});

// This case once hung: an item fills the buffer up to its limit, and the codec has no further item. Transform then waits for
// a `_read`, but that call had already been used to ask the codec.
for (const count of [1, 3, 4, 5, 8]) {
  void t.test(`${count} items that fill the buffer exactly and nothing after them: input goes on`, async (t) => {
    const codec = new Scripted((chunk, codec) => {
      for (let i = 0; i < count; i++) codec.items.push(chunk);
    });
    const stream = new CodecStream('exact', codec);
    let got = 0;
    const slow = new Writable({
      objectMode: true,
      highWaterMark: 1,
      write(_item, _encoding, done) {
        got++;
        setImmediate(done);
      },
    });
    const over = pipeline(stream, slow);
    for (let i = 0; i < 20; i++) {
      if (!stream.write(Buffer.of(i))) await within('the drain', once(stream, 'drain'));
    }
    stream.end();
    await within('the end', over);
    t.equal(got, 20 * count);
  });
}

void t.test('an empty codec that gives nothing for many chunks does not stop the input', async (t) => {
  const codec = new Scripted(
    () => {},
    (codec) => codec.items.push(Buffer.from('end')),
  );
  const { bytes, ended } = await within(
    'the end',
    feed(
      new CodecStream('silent', codec),
      Array.from({ length: 100 }, () => Buffer.of(1)),
    ),
  );
  t.ok(ended);
  t.equal(bytes.toString(), 'end', 'what end() left is given');
});

void t.test('a codec may return a promise: of an item, of undefined, or one that rejects', async (t) => {
  await t.test('an item', async (t) => {
    const codec = new Scripted((chunk, codec) => codec.items.push(Promise.resolve(chunk), chunk, Promise.resolve(chunk)));
    const { bytes, ended } = await feed(new CodecStream('later', codec), [Buffer.from('ab'), Buffer.from('c')]);
    t.ok(ended);
    t.equal(bytes.toString(), 'abababccc');
  });
  await t.test('nothing: more input is wanted', async (t) => {
    const codec = new Scripted(
      (_chunk, codec) => codec.items.push(Promise.resolve(undefined)),
      (codec) => codec.items.push(Buffer.from('x')),
    );
    const { bytes, ended } = await feed(new CodecStream('later', codec), [Buffer.from('a'), Buffer.from('b')]);
    t.ok(ended);
    t.equal(bytes.toString(), 'x');
  });
  await t.test('an error', async (t) => {
    const codec = new Scripted((_chunk, codec) => {
      codec.items.push(Promise.reject(new LimitError('too much', { limit: 3 })));
    });
    const { error } = await feed(new CodecStream('later', codec, new Connection('s9')), [Buffer.from('a')]);
    t.match(error, { code: 'ERR_VC_LIMIT', layer: 'later', session: 's9', limit: 3 });
  });
  await t.test('while the neighbour has no room', async (t) => {
    const codec = new Scripted((_chunk, codec) => {
      for (let i = 0; i < 50; i++) codec.items.push(Promise.resolve(Buffer.of(i)));
    });
    const stream = new CodecStream('later', codec);
    stream.write(Buffer.of(0));
    await settle();
    t.equal(codec.asked, 4);
    const { items } = await within('the end', feed(stream, []));
    t.same(Buffer.concat(items as Buffer[]), Buffer.from(Array.from({ length: 50 }, (_, i) => i)));
  });
});

for (const outcome of ['item', 'nothing', 'error'] as const) {
  void t.test(`destroyed while a promise is pending, which then settles with ${outcome}`, async (t) => {
    const gate = withResolvers<Buffer | undefined>();
    const codec = new Scripted((_chunk, codec) => codec.items.push(gate.promise));
    const stream = new CodecStream('later', codec);
    const seen: unknown[] = [];
    const errors: unknown[] = [];
    stream.on('data', (item: unknown) => seen.push(item));
    stream.on('error', (error) => errors.push(error));
    stream.write(Buffer.of(1));
    await settle();
    const cause = new TransportError('gone');
    stream.destroy(cause);
    if (outcome === 'item') gate.resolve(Buffer.of(2));
    else if (outcome === 'nothing') gate.resolve(undefined);
    else gate.reject(new Error('too late'));
    await settle();
    t.same(seen, [], 'nothing is given any more');
    t.same(errors, [cause], 'one error, the first');
    t.equal(codec.destroyedWith, cause, 'the codec was told why');
    t.equal(codec.asked, 1);
  });
}

void t.test('destroyed while the neighbour has no room: the codec is not asked again', async (t) => {
  const codec = new Scripted((chunk, codec) => {
    for (let i = 0; i < 100; i++) codec.items.push(chunk);
  });
  const stream = new CodecStream('split', codec);
  stream.write(Buffer.of(1));
  await settle();
  const { asked } = codec;
  stream.destroy();
  stream.read();
  await settle();
  t.equal(codec.asked, asked);
  t.equal(codec.destroyedWith, null);
});

void t.test('any error of a codec ends the stream once, with the name of the layer', async (t) => {
  const throwing = {
    push: new Scripted(() => {
      throw new RangeError('in push');
    }),
    next: new Scripted((_chunk, codec) => codec.items.push(new RangeError('in next'))),
    end: new Scripted(
      () => {},
      () => {
        throw new RangeError('in end');
      },
    ),
    'next after end': new Scripted(
      () => {},
      (codec) => codec.items.push(new RangeError('in next')),
    ),
  };
  for (const [where, codec] of Object.entries(throwing)) {
    const stream = new CodecStream('faulty', codec, new Connection('s1'));
    const errors: VeracruzError[] = [];
    stream.on('error', (error: VeracruzError) => errors.push(error)).resume();
    stream.end(Buffer.of(1));
    await within(where, new Promise((resolve) => stream.once('close', resolve)));
    t.equal(errors.length, 1, where);
    t.match(errors[0], { code: 'ERR_VC_TRANSPORT', layer: 'faulty', session: 's1', cause: RangeError }, where);
    t.equal(stream.traffic.errors, 1, where);
    t.equal(codec.destroyedWith, errors[0], where);
  }
});

void t.test('an error that names a layer already keeps it', async (t) => {
  const codec = new Scripted(() => {
    throw new LimitError('inner', { layer: 'inner', session: 'other' });
  });
  const { error } = await feed(new CodecStream('outer', codec, new Connection('s1')), [Buffer.of(1)]);
  t.match(error, { layer: 'inner', session: 'other' });
});

void t.test('counts bytes and chunks, but no symbols', async (t) => {
  const mark = Symbol('mark') as unknown as Buffer;
  const codec = new Scripted((chunk, codec) => codec.items.push(chunk, chunk));
  const stream = new CodecStream('double', codec);
  await feed(stream, [Buffer.alloc(10), mark, Buffer.alloc(5)]);
  t.same(stream.traffic, { bytesIn: 15, bytesOut: 30, chunks: 4, errors: 0 });
  t.ok(stream.idle);
});

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

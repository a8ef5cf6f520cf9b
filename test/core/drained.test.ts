import { Writable } from 'node:stream';
import t from 'tap';
import { drained } from '../../lib/core/drained.js';
import { within } from '../support/foreign.js';

/** A sink that takes a chunk only when the test calls `take`. */
class Slow extends Writable {
  readonly #waiting: (() => void)[] = [];
  constructor() {
    super({ highWaterMark: 1 });
  }
  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#waiting.push(done);
  }
  take(): void {
    this.#waiting.shift()?.();
  }
}

const listeners = (stream: Writable) => stream.listenerCount('drain') + stream.listenerCount('close');

void t.test('settles at once when there is room, or when the stream is destroyed', async (t) => {
  const stream = new Slow();
  await within('room', drained(stream));
  stream.write('x');
  stream.destroy();
  await within('gone', drained(stream));
  t.equal(listeners(stream), 0);
});

for (const how of ['drain', 'close'] as const) {
  void t.test(`settles later, at ${how}, and leaves no listener`, async (t) => {
    const stream = new Slow();
    t.notOk(stream.write('x'));
    let settled = false;
    const waits = drained(stream).then(() => {
      settled = true;
    });
    await new Promise((go) => setImmediate(go));
    t.notOk(settled);
    if (how === 'drain') stream.take();
    else stream.destroy();
    await within(how, waits);
    t.equal(listeners(stream), 0);
  });
}

void t.test('a hundred callers share two listeners, and a later wait adds its own', async (t) => {
  const stream = new Slow();
  stream.write('x');
  const all = Promise.all(Array.from({ length: 100 }, () => drained(stream)));
  t.equal(listeners(stream), 2);
  stream.take();
  await within('drain', all);
  t.equal(listeners(stream), 0);
  stream.write('y');
  const again = drained(stream);
  t.equal(listeners(stream), 2);
  stream.destroy();
  await within('close', again);
});

import { once } from 'node:events';
import t from 'tap';
import { memoryPipe } from '../../lib/transports/memory.js';

void t.test('bytes in both directions, and an end each', async (t) => {
  const [left, right] = memoryPipe();
  left.write('to the right ');
  left.end('and over');
  right.end('to the left');
  const read = async (stream: AsyncIterable<Buffer>) => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
  t.same(await Promise.all([read(right), read(left)]), ['to the right and over', 'to the left']);
});

void t.test('half open: one side may end and still read', async (t) => {
  const [left, right] = memoryPipe();
  left.end();
  right.resume();
  await once(right, 'end');
  right.write('late');
  t.equal(String((await once(left, 'data'))[0]), 'late');
  t.notOk(left.destroyed || right.destroyed);
});

void t.test('a writer waits for the reader', async (t) => {
  const [left, right] = memoryPipe({ highWaterMark: 1000 });
  let taken = 0;
  const write = () => left.write(Buffer.alloc(500), () => taken++);
  while (write());
  for (let turn = 0; turn < 5; turn++) await new Promise((go) => setImmediate(go));
  const before = taken;
  t.ok(right.readableLength <= 1500, `${right.readableLength} bytes wait`);
  right.resume();
  await once(left, 'drain');
  t.ok(taken > before);
});

void t.test('objects pass as they are', async (t) => {
  const [left, right] = memoryPipe({ objectMode: true });
  const mark = Symbol('mark');
  left.write(mark);
  left.write({ a: 1 });
  t.equal(((await once(right, 'data')) as unknown[])[0], mark);
});

void t.test('destroyed: the peer sees a reset, or the end that was there', async (t) => {
  const [left, right] = memoryPipe();
  left.destroy();
  t.match((await once(right, 'error'))[0], { code: 'ECONNRESET' });
  const [one, other] = memoryPipe();
  one.end('all of it');
  await once(one, 'finish');
  one.destroy();
  other.on('error', (error) => t.fail(error.message));
  const ended = once(other, 'end');
  t.equal(String((await once(other, 'data'))[0]), 'all of it');
  await ended;
  other.write('nobody hears this');
  other.removeAllListeners('error');
  t.match((await once(other, 'error'))[0], { code: 'EPIPE' });
});

void t.test('destroyed while a writer waits: the writer is let go', async (t) => {
  const [left, right] = memoryPipe({ highWaterMark: 10 });
  left.on('error', () => {});
  const done = new Promise<void>((resolve) => left.write(Buffer.alloc(100), () => resolve()));
  const closed = new Promise((resolve) => left.once('close', resolve));
  right.destroy();
  await done;
  await closed;
  t.ok(left.destroyed);
});

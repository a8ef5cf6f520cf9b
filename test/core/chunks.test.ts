import { Readable } from 'node:stream';
import t from 'tap';
import { chunksOf } from '../../lib/core/chunks.js';

async function all(stream: Readable): Promise<unknown[]> {
  const chunks: unknown[] = [];
  for await (const chunk of chunksOf(stream)) chunks.push(chunk);
  return chunks;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

void t.test('chunks are not joined, however many wait', async (t) => {
  const chunks = [1, 2, 3, 4].map((fill) => Buffer.alloc(1000, fill));
  const gathered = new Readable({ highWaterMark: 10_000, read() {} });
  for (const chunk of chunks) gathered.push(chunk);
  gathered.push(null);
  const got = await all(gathered);
  t.equal(got.length, 4);
  t.ok(
    got.every((chunk, i) => chunk === chunks[i]),
    'the very Buffers',
  );
  t.ok(gathered.destroyed);
});

void t.test('no more chunks are read than are asked for', async (t) => {
  let made = 0;
  const endless = new Readable({
    highWaterMark: 1,
    read() {
      this.push(Buffer.of(++made & 0xff));
    },
  });
  const chunks = chunksOf(endless);
  await chunks.next();
  for (let i = 0; i < 20; i++) await turn();
  t.ok(made <= 3, `${made} were made for one that was taken`);
  await chunks.return();
  t.ok(endless.destroyed, 'let go of early');
});

void t.test('a failure comes after the chunks before it', async (t) => {
  const cause = new Error('the disk is gone');
  const failing = Readable.from(
    (async function* () {
      yield Buffer.from('some');
      await turn();
      throw cause;
    })(),
    { objectMode: false },
  );
  const chunks = chunksOf(failing);
  t.same((await chunks.next()).value, Buffer.from('some'));
  await t.rejects(chunks.next(), cause);
});

void t.test('streams that have ended or failed already', async (t) => {
  t.same(await all(Readable.from([])), [], 'empty');
  const read = Readable.from([Buffer.from('x')]);
  await read.toArray();
  t.same(await all(read), [], 'read to its end by another');
  const destroyed = new Readable({ read() {} });
  destroyed.destroy();
  await t.rejects(all(destroyed), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
  const failed = new Readable({ read() {} }).on('error', () => {});
  failed.destroy(new Error('before'));
  await t.rejects(all(failed), { message: 'before' });
  const closing = new Readable({ read() {} });
  const waiting = all(closing);
  await turn();
  closing.destroy();
  await t.rejects(waiting, { code: 'ERR_STREAM_PREMATURE_CLOSE' }, 'closed while it is waited for');
});

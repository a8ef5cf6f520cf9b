import { Readable, Writable } from 'node:stream';
import t from 'tap';
import { pipeline } from '../../lib/core/pipeline.js';
import { within } from '../support/foreign.js';

/** Keeps its chunks, answers each a turn later, and fails in `failAt`. */
class Sink extends Writable {
  readonly chunks: Buffer[] = [];
  finished = false;
  readonly #failAt: 'write' | 'final' | undefined;
  constructor(failAt?: 'write' | 'final') {
    super({ highWaterMark: 1 });
    this.#failAt = failAt;
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.chunks.push(chunk);
    setImmediate(() => done(this.#failAt === 'write' ? new Error('full') : undefined));
  }
  override _final(done: (error?: Error) => void): void {
    this.finished = this.#failAt !== 'final';
    done(this.#failAt === 'final' ? new Error('no commit') : undefined);
  }
}

const source = () => Readable.from([Buffer.from('one'), Buffer.from('two')], { objectMode: false });

void t.test('moves the whole source, then finishes the sink', async (t) => {
  const sink = new Sink();
  await within('pipeline', pipeline(source(), sink));
  t.equal(Buffer.concat(sink.chunks).toString(), 'onetwo');
  t.ok(sink.finished);
  const empty = new Sink();
  await within('nothing', pipeline(Readable.from([]), empty));
  t.ok(empty.finished);
});

void t.test('a Buffer as the source', async (t) => {
  const sink = new Sink();
  await within('pipeline', pipeline(Buffer.from('onetwo'), sink));
  t.same(sink.chunks, [Buffer.from('onetwo')]);
  t.ok(sink.finished);
  const empty = new Sink();
  await within('nothing', pipeline(Buffer.alloc(0), empty));
  t.same(empty.chunks, []);
  t.ok(empty.finished);
  for (const [failAt, message] of [
    ['write', 'full'],
    ['final', 'no commit'],
  ] as const) {
    const failing = new Sink(failAt);
    await t.rejects(within(failAt, pipeline(Buffer.from('one'), failing)), { message });
    t.ok(failing.closed, 'nothing of it is left');
  }
  const gone = new Sink();
  gone.destroy();
  await t.rejects(within('gone', pipeline(Buffer.from('one'), gone)), { code: 'ERR_VC_CLOSED' });
  const going = new Sink();
  const moved = pipeline(Buffer.from('one'), going);
  going.destroy();
  await t.rejects(within('going', moved), { code: 'ERR_VC_CLOSED' });
});

void t.test('the source is read no faster than the sink takes chunks', async (t) => {
  let pulled = 0;
  const from = Readable.from(
    (function* () {
      for (; pulled < 100; pulled++) yield Buffer.alloc(1000);
    })(),
  );
  let release = () => {};
  let taken = 0;
  const sink = new Writable({
    highWaterMark: 1,
    write: (chunk: Buffer, _encoding, done) => {
      taken += chunk.length;
      release = done;
    },
  });
  const moved = pipeline(from, sink);
  for (let turn = 0; turn < 50; turn++) await new Promise((go) => setImmediate(go));
  t.ok(pulled < 30, `${pulled} chunks are read ahead at most: what a Readable keeps`);
  t.equal(taken, 1000);
  sink._write = (chunk: Buffer, _encoding, done) => {
    taken += chunk.length;
    setImmediate(done);
  };
  release();
  await within('the rest', moved);
  t.equal(taken, 100_000);
});

void t.test('an error is thrown only after the sink has closed', async (t) => {
  for (const failing of ['sink', 'source'] as const) {
    let left = true;
    const sink = new Writable({
      write: (_chunk, _encoding, done) => done(failing === 'sink' ? new Error('full') : null),
      destroy: (error, done) => {
        setTimeout(() => {
          left = false;
          done(error);
        }, 20);
      },
    });
    const from = Readable.from(
      (function* () {
        yield Buffer.from('one');
        if (failing === 'source') throw new Error('empty');
        yield Buffer.from('two');
      })(),
    );
    await t.rejects(within('pipeline', pipeline(from, sink)), { message: failing === 'sink' ? 'full' : 'empty' });
    t.notOk(left, failing);
  }
});

void t.test('a sink that is destroyed while the source gives nothing', async (t) => {
  for (const error of [new Error('full'), undefined]) {
    for (const already of [true, false]) {
      const sink = new Sink();
      const from = new Readable({ read() {} });
      if (already) {
        const closed = new Promise<void>((resolve) => sink.once('close', () => resolve()));
        sink.on('error', () => {}).destroy(error);
        await within('the close', closed);
      } else {
        from.push('one');
        setImmediate(() => sink.destroy(error));
      }
      await t.rejects(within('pipeline', pipeline(from, sink)), error ?? { code: 'ERR_VC_CLOSED' });
      t.ok(from.destroyed);
    }
  }
});

for (const where of ['write', 'final'] as const) {
  void t.test(`a sink that fails in ${where}`, async (t) => {
    const from = source();
    const sink = new Sink(where);
    await t.rejects(within('pipeline', pipeline(from, sink)), { message: where === 'write' ? 'full' : 'no commit' });
    t.ok(from.destroyed && sink.destroyed);
  });
}

void t.test('a sink that cannot be opened, with 0, 1 and 2 chunks to move', async (t) => {
  const refused = Object.assign(new Error('no such folder'), { code: 'ENOENT' });
  for (const chunks of [[], [Buffer.from('one')], [Buffer.from('one'), Buffer.from('two')]]) {
    const sink = new Writable({ construct: (done) => setImmediate(done, refused), write: (_chunk, _encoding, done) => done() });
    // The source waits, so that the sink has failed before the source ends.
    const from = Readable.from(
      (async function* () {
        yield* chunks;
        await new Promise((resolve) => setTimeout(resolve, 10));
      })(),
    );
    await t.rejects(within('pipeline', pipeline(from, sink)), refused, `${chunks.length} chunks`);
  }
});

void t.test('a source that fails destroys the sink', async (t) => {
  const cause = new Error('cut off');
  const from = new Readable({ read() {} });
  from.push(Buffer.from('some'));
  const sink = new Sink();
  const moved = pipeline(from, sink);
  setImmediate(() => from.destroy(cause));
  await t.rejects(within('pipeline', moved), cause);
  t.ok(sink.destroyed);
  t.notOk(sink.finished);
});

void t.test('a sink that someone else destroys', async (t) => {
  const from = new Readable({ read() {} });
  const sink = new Sink();
  const moved = pipeline(from, sink);
  from.push(Buffer.from('some'));
  setImmediate(() => {
    sink.destroy();
    from.push(Buffer.from('more'));
  });
  await t.rejects(within('pipeline', moved), { code: 'ERR_VC_CLOSED' });
  t.ok(from.destroyed);
});

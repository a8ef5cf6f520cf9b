import { getEventListeners, once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import t from 'tap';
import { AbortedError, TransportError, type VeracruzError } from '../../lib/core/errors.js';
import { layerOf } from '../../lib/core/layer.js';
import type { Channel, ChannelOptions } from '../../lib/pipeline/channel.js';
import { stack } from '../../lib/pipeline/stack.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { dial, tcpServer, until, within } from '../support/foreign.js';
import { type Direction, failing, type Moment, settle, through } from './layers.js';

// An error without a listener must fail the test and not vanish.
const stray: unknown[] = [];
process.on('unhandledRejection', (error) => stray.push(error));
process.on('uncaughtExceptionMonitor', (error) => stray.push(error));
t.teardown(() => {
  if (stray.length > 0) throw new Error(`stray: ${String(stray[0])}`);
});

const closed = (channel: Channel<Buffer>) => within('the close', new Promise<void>((resolve) => channel.once('close', resolve)));

/** Everything that one end of a channel emits. */
function watch(channel: Channel<Buffer>): { errors: VeracruzError[]; closes: number; ends: number; bytes: string } {
  const seen = { errors: [] as VeracruzError[], closes: 0, ends: 0, bytes: '' };
  channel.on('error', (error: VeracruzError) => seen.errors.push(error));
  channel.on('close', () => seen.closes++);
  channel.on('end', () => seen.ends++);
  channel.on('data', (chunk: Buffer) => {
    seen.bytes += chunk.toString();
  });
  return seen;
}

/** A pipe whose far end may be reset without failing the test. */
function pipe(): [Duplex, Duplex] {
  const [left, right] = memoryPipe();
  right.on('error', () => {});
  return [left, right];
}

function pair(options: ChannelOptions = {}): [Channel<Buffer>, Channel<Buffer>] {
  const [left, right] = memoryPipe();
  return [stack(through('a'), through('b')).over(left, options), stack(through('a'), through('b')).over(right)];
}

void t.test('what one end writes the other reads, in both directions at once', async (t) => {
  const [left, right] = pair();
  const [l, r] = [watch(left), watch(right)];
  for (let i = 0; i < 100; i++) {
    left.write(Buffer.from(`<${i}`));
    right.write(Buffer.from(`${i}>`));
  }
  left.end();
  right.end();
  await Promise.all([closed(left), closed(right)]);
  t.equal(r.bytes, Array.from({ length: 100 }, (_, i) => `<${i}`).join(''));
  t.equal(l.bytes, Array.from({ length: 100 }, (_, i) => `${i}>`).join(''));
  t.match(
    [l, r],
    [
      { errors: [], closes: 1, ends: 1 },
      { errors: [], closes: 1, ends: 1 },
    ],
  );
});

void t.test('end() flushes, and leaves the inbound direction open', async (t) => {
  const [left, right] = pair();
  const [l, r] = [watch(left), watch(right)];
  left.end(Buffer.from('question'));
  await within('the end', once(right, 'end'));
  t.equal(r.bytes, 'question');
  t.notOk(left.destroyed || right.destroyed);
  right.write(Buffer.from('answer, '));
  right.end(Buffer.from('later'));
  await Promise.all([closed(left), closed(right)]);
  t.equal(l.bytes, 'answer, later');
  t.same([...l.errors, ...r.errors], []);
});

void t.test('a pipe that ends while a layer still processes its last chunk', async (t) => {
  /** Gives a chunk letter by letter, one a turn. A call in between, or after the end, throws and so fails the test. */
  const letters = () => {
    let left = '';
    let asked = false;
    let ended = false;
    return {
      push: (chunk: Buffer) => {
        if (left !== '' || ended) throw new Error('pushed to while at work');
        left = chunk.toString();
      },
      next: () => {
        if (asked) throw new Error('asked while at work');
        asked = true;
        return new Promise<Buffer | undefined>((resolve) =>
          setImmediate(() => {
            asked = false;
            const letter = left.slice(0, 1);
            left = left.slice(1);
            resolve(letter === '' ? undefined : Buffer.from(letter));
          }),
        );
      },
      end: () => {
        if (left !== '' || asked) throw new Error('ended while at work');
        ended = true;
      },
    };
  };
  const slow = layerOf<Buffer, Buffer>({ name: 'slow', encoder: letters, decoder: letters });
  const [left, right] = memoryPipe();
  const channel = stack(slow).over(left);
  const seen = watch(channel);
  right.end('question');
  right.resume();
  await within('the end', once(channel, 'end'));
  t.equal(seen.bytes, 'question');
  channel.end('answer');
  await closed(channel);
  t.same(seen.errors, []);
});

void t.test('finish comes when the pipe has all bytes', async (t) => {
  const [left, right] = memoryPipe({ highWaterMark: 4 });
  right.on('error', () => {});
  const writer = stack(through('a')).over(left);
  writer.end(Buffer.from('0123456789'));
  await settle();
  t.notOk(writer.writableFinished, 'the pipe still holds it');
  right.resume();
  await within('the finish', once(writer, 'finish'));
  t.ok(left.writableFinished);
  writer.destroy();
});

const LAYERS = ['top', 'middle', 'bottom'] as const;
for (const direction of ['outbound', 'inbound'] as Direction[]) {
  for (const moment of ['push', 'next', 'end'] as Moment[]) {
    for (const faulty of LAYERS) {
      void t.test(`an error ${direction} in ${moment} of the ${faulty} layer ends everything once, and names the layer`, async (t) => {
        const [left, right] = memoryPipe();
        const layer = (name: string) => (name === faulty ? failing(name, direction, moment) : through(name));
        const channel = stack(layer('top'), layer('middle'), layer('bottom')).over(left, { session: 's7' });
        const seen = watch(channel);
        const peer: unknown[] = [];
        right.on('error', (error) => peer.push(error)).resume();
        const ended = closed(channel);
        if (direction === 'outbound') channel.end(Buffer.from('x'));
        else right.end(Buffer.from('x'));
        await ended;
        t.equal(seen.errors.length, 1);
        t.equal(seen.closes, 1);
        t.match(seen.errors[0], { code: 'ERR_VC_PROTOBUF', layer: faulty, session: 's7', got: moment });
        t.equal(seen.ends, 0, 'a failed stream does not seem to have ended');
        t.ok(left.destroyed, 'the pipe is gone too');
        const traffic = channel.traffic();
        t.same(
          traffic.map((layer) => [layer.layer, layer[direction].errors]),
          LAYERS.map((name) => [name, name === faulty ? 1 : 0]),
        );
        channel.destroy(new Error('again'));
        await settle();
        t.equal(seen.errors.length, 1, 'what comes later is not heard of');
      });
    }
  }
}

void t.test('a fault of the pipe is a TransportError with its cause', async (t) => {
  const [left] = pipe();
  const channel = stack(through('a')).over(left, { session: 's7' });
  const seen = watch(channel);
  const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  const ended = closed(channel);
  left.destroy(cause);
  await ended;
  t.equal(seen.errors.length, 1);
  t.ok(seen.errors[0] instanceof TransportError);
  t.match(seen.errors[0], { layer: 'transport', session: 's7', cause });
});

void t.test('a pipe that fails with an error of this library keeps that error', async (t) => {
  const [left] = pipe();
  const channel = stack(through('a')).over(left);
  const seen = watch(channel);
  const ended = closed(channel);
  const cause = new AbortedError('mine', { layer: 'http' });
  left.destroy(cause);
  await ended;
  t.equal(seen.errors[0], cause);
});

void t.test('a peer that resets the pipe', async (t) => {
  const [left, right] = pair();
  const seen = watch(left);
  right.on('error', () => {}).destroy();
  await closed(left);
  t.equal(seen.errors.length, 1);
  t.match(seen.errors[0], { code: 'ERR_VC_TRANSPORT', layer: 'transport' });
});

void t.test('a pipe that closes early, with no error and no end', async (t) => {
  const [left] = pipe();
  const channel = stack(through('a')).over(left);
  const seen = watch(channel);
  const ended = closed(channel);
  left.destroy();
  await ended;
  t.match(seen.errors, [{ code: 'ERR_VC_TRANSPORT', message: 'the byte pipe closed early' }]);
});

void t.test('a pipe that closes after the peer has ended, but before the channel has', async (t) => {
  for (const ending of ['before', 'after', 'never'] as const) {
    const [left, right] = pipe();
    const channel = stack(through('a')).over(left);
    const seen = watch(channel);
    right.end();
    await within('the end', once(channel, 'end'));
    const ended = closed(channel);
    let finished = false;
    channel.on('finish', () => {
      finished = true;
    });
    if (ending === 'before') channel.end(Buffer.alloc(1 << 20));
    left.destroy();
    if (ending === 'after') channel.end(Buffer.from('lost'));
    await ended;
    t.match(seen.errors, [{ code: 'ERR_VC_TRANSPORT' }], `end() ${ending}`);
    t.notOk(finished, 'what was lost does not count as written');
  }
});

void t.test('over a pipe that is closed already', async (t) => {
  const cause = new Error('gone long ago');
  for (const error of [undefined, cause]) {
    const [left] = pipe();
    const gone = new Promise<void>((resolve) => left.once('close', resolve));
    left.on('error', () => {}).destroy(error);
    await within('the close of the pipe', gone);
    const channel = stack(through('a')).over(left, { session: 's7' });
    const seen = watch(channel);
    const written = new Promise<unknown>((resolve) => channel.write(Buffer.from('x'), resolve));
    await closed(channel);
    t.match(seen.errors, [{ code: 'ERR_VC_TRANSPORT', layer: 'transport', session: 's7', ...(error && { cause }) }]);
    t.equal(await within('the callback', written), seen.errors[0]);
  }
});

void t.test('a pipe that someone else has ended', async (t) => {
  const ended = () => {
    const [left, right] = pipe();
    const channel = stack(through('a'), through('b')).over(left);
    left.end();
    right.resume();
    return { left, right, channel, seen: watch(channel) };
  };
  await t.test('takes no more writes', async (t) => {
    const { channel, seen } = ended();
    const written = new Promise<unknown>((resolve) => channel.write(Buffer.from('x'), resolve));
    await closed(channel);
    t.match(seen.errors, [{ code: 'ERR_VC_TRANSPORT', message: 'the byte pipe is ended and takes no more' }]);
    await within('the callback', written);
  });
  await t.test('a channel without unsent bytes ends without an error, whenever end() is called, or never', async (t) => {
    for (const ending of ['before', 'after', 'never'] as const) {
      const { left, right, channel, seen } = ended();
      const over = closed(channel);
      if (ending === 'before') channel.end();
      right.end('last words');
      if (ending === 'after') left.once('close', () => channel.end());
      await over;
      t.match(seen, { errors: [], ends: 1, closes: 1, bytes: 'last words' }, ending);
      t.ok(channel.writableFinished);
    }
  });
  await t.test('a channel with unsent bytes fails', async (t) => {
    const [left, right] = memoryPipe({ highWaterMark: 4 });
    const channel = stack(through('a')).over(left);
    const seen = watch(channel);
    channel.write(Buffer.from('0123456789'));
    const written = new Promise<unknown>((resolve) => channel.write(Buffer.from('lost'), resolve));
    await settle();
    left.end();
    right.resume().end();
    await closed(channel);
    t.match(seen.errors, [{ code: 'ERR_VC_TRANSPORT', message: 'the byte pipe is closed and takes no more' }]);
    await within('the callback', written);
  });
});

void t.test('over a socket that is not half-open, whose peer has ended', async (t) => {
  const accepted = new Promise<Socket>((resolve) => {
    void tcpServer(t, resolve).then(async ({ port }) => (await dial(t, port)).end('question'));
  });
  const socket = await within('the connection', accepted);
  const channel = stack(through('a')).over(socket);
  const seen = watch(channel);
  await closed(channel);
  t.match(seen, { errors: [], ends: 1, bytes: 'question' });
  const written = new Promise<unknown>((resolve) => channel.write(Buffer.from('answer'), resolve));
  t.match(await within('the callback', written), { code: 'ERR_STREAM_WRITE_AFTER_END' });
});

void t.test('destroy without an error emits none; with an error, that is the cause', async (t) => {
  const [left, right] = pair();
  const [l, r] = [watch(left), watch(right)];
  const ended = [closed(left), closed(right)];
  left.write(Buffer.from('x'));
  left.destroy();
  left.destroy(new Error('too late'));
  await Promise.all(ended);
  t.match(l, { errors: [], closes: 1 });
  t.equal(r.errors.length, 1);

  const [third, fourth] = pair({ session: 's3' });
  const seen = watch(third);
  watch(fourth);
  const end = closed(third);
  third.destroy(new Error('mine'));
  await end;
  t.match(seen.errors, [{ code: 'ERR_VC_TRANSPORT', message: 'mine', session: 's3', cause: Error }]);
});

void t.test('a write after the end fails, and the channel emits the error once', async (t) => {
  const [left, right] = pair();
  const seen = watch(left);
  watch(right);
  left.destroy();
  const error = await new Promise<Error | null | undefined>((resolve) => left.write(Buffer.from('x'), resolve));
  t.match(error, { code: 'ERR_STREAM_DESTROYED' });
  await settle();
  t.same(seen.errors, []);
});

void t.test('a write that is cut off by an error fails with that error', async (t) => {
  const [left] = pipe();
  const channel = stack(failing('top', 'outbound', 'push')).over(left);
  watch(channel);
  const error = await new Promise<Error | null | undefined>((resolve) => channel.write(Buffer.from('x'), resolve));
  t.match(error, { code: 'ERR_VC_PROTOBUF', layer: 'top' });
});

void t.test('an error carries a session that became known on the way', async (t) => {
  const [left, right] = pipe();
  const channel = stack(failing('top', 'inbound', 'push')).over(left);
  const seen = watch(channel);
  channel.connection.session = '4711';
  right.write(Buffer.from('x'));
  await closed(channel);
  t.equal(seen.errors[0]?.session, '4711');
  right.destroy();
});

void t.test('abort', async (t) => {
  await t.test('a signal that has fired already', async (t) => {
    const reason = new Error('not wanted');
    const [left, right] = pair({ signal: AbortSignal.abort(reason), session: 's1' });
    const seen = watch(left);
    watch(right);
    await closed(left);
    t.match(seen.errors, [{ code: 'ERR_VC_ABORTED', session: 's1', cause: reason }]);
  });
  await t.test('a signal that fires later', async (t) => {
    const abort = new AbortController();
    const [left, right] = pair({ signal: abort.signal });
    const [seen, other] = [watch(left), watch(right)];
    left.write(Buffer.from('x'));
    await within('data', once(right, 'data'));
    t.equal(getEventListeners(abort.signal, 'abort').length, 1);
    abort.abort();
    await Promise.all([closed(left), other.closes === 1 || closed(right)]);
    t.match(seen.errors, [{ code: 'ERR_VC_ABORTED', cause: { name: 'AbortError' } }]);
    t.equal(getEventListeners(abort.signal, 'abort').length, 0);
  });
  await t.test('a signal that fires after the close', async (t) => {
    const abort = new AbortController();
    const [left, right] = pair({ signal: abort.signal });
    const seen = watch(left);
    watch(right);
    left.end();
    right.end();
    await closed(left);
    abort.abort();
    await settle();
    t.same(seen.errors, []);
  });
});

void t.test('a thousand connections leave no listener behind', async (t) => {
  const warnings: Error[] = [];
  const warn = (warning: Error) => warnings.push(warning);
  process.on('warning', warn);
  t.teardown(() => process.off('warning', warn));
  const abort = new AbortController();
  const { signal } = abort;
  const both = stack(through('a'), through('b'));
  const before = process.eventNames().map((name) => [name, process.listenerCount(name)]);
  for (let i = 0; i < 1000; i++) {
    const [left, right] = memoryPipe();
    const [client, server] = [both.over(left, { signal }), both.over(right)];
    // A third of them is closed by both ends, a third destroyed, a third fails.
    const ended = [closed(client), closed(server)];
    const seen = watch(client);
    watch(server);
    if (i % 3 === 0) {
      client.end(Buffer.from('x'));
      server.end();
    } else if (i % 3 === 1) client.destroy();
    else left.destroy(new Error('gone'));
    await Promise.all(ended);
    for (const pipe of [left, right]) if (pipe.listenerCount('drain') !== 0) t.fail(`a drain listener after ${i}`);
    if (i % 3 !== 2 && seen.errors.length > 0) t.fail(`connection ${i}: ${seen.errors[0]?.message}`);
  }
  t.equal(getEventListeners(signal, 'abort').length, 0);
  t.same(
    process.eventNames().map((name) => [name, process.listenerCount(name)]),
    before,
  );
  await settle();
  t.same(warnings, []);
});

void t.test('traffic, received and idle', async (t) => {
  const [left, right] = pair();
  watch(left);
  t.ok(left.idle);
  left.write(Buffer.alloc(10));
  left.write(Buffer.alloc(5));
  t.notOk(left.idle, 'it is on its way');
  await settle();
  t.ok(left.idle);
  t.notOk(right.idle, 'nobody has read it');
  t.equal(right.received, 15);
  watch(right);
  await settle();
  t.ok(right.idle);
  const one = { bytesIn: 15, bytesOut: 15, chunks: 2, errors: 0 };
  const none = { bytesIn: 0, bytesOut: 0, chunks: 0, errors: 0 };
  t.same(
    left.traffic(),
    ['a', 'b'].map((layer) => ({ layer, outbound: one, inbound: none })),
  );
  const [copy] = left.traffic();
  left.write(Buffer.alloc(1));
  await settle();
  t.equal(copy?.outbound.bytesIn, 15, 'a report does not change afterwards');
  left.destroy();
  right.on('error', () => {}).destroy();
});

void t.test('over a socket: the writes of one tick are one write, and `hold` adds later ones', async (t) => {
  const seen: string[] = [];
  const { port } = await tcpServer(t, (socket) => socket.on('data', (chunk) => seen.push(String(chunk))));
  const socket = await dial(t, port);
  const channel = stack(through('a')).over(socket);
  t.teardown(() => channel.destroy());
  const tick = () => new Promise<void>((go) => process.nextTick(go));
  channel.write(Buffer.from('abc'));
  channel.write(Buffer.from('de'));
  t.equal(socket.writableCorked, 1);
  await tick();
  t.equal(socket.writableCorked, 0, 'a tick');
  t.equal(channel.hold(), false, 'nothing waits that could be held');
  channel.write(Buffer.from('f'));
  t.equal(channel.hold(), true);
  await settle();
  t.equal(socket.writableCorked, 1, 'it is held');
  t.notOk(channel.idle);
  channel.write(Buffer.from('gg'));
  channel.release();
  channel.write(Buffer.from('h'));
  t.equal(socket.writableCorked, 1);
  await tick();
  t.equal(socket.writableCorked, 0);
  channel.end();
  await within('the end', new Promise<void>((go) => socket.once('finish', () => go())));
  await until('all of it', () => seen.join('').length >= 9);
  t.equal(seen.join(''), 'abcdefggh', 'all of it, in order');
});

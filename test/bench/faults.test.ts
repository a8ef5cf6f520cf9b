/** The faults command: that its lines do what they say, and that it runs. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { FaultyLine, type LineFault } from '../../bench/proof/faults/line.js';
import { Random } from '../../bench/proof/seed.js';
import { until, within } from '../support/foreign.js';
import { patience } from '../support/time.js';
import { runBench } from './run.js';

/** A line to a peer that says what it hears, and ends when it is told to. */
async function lineToEcho(t: Test) {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const line = await FaultyLine.open((server.address() as { port: number }).port, new Random(1));
  t.teardown(() => {
    line.close();
    server.close();
  });
  const call = async () => {
    const socket = connect({ port: line.port, host: '127.0.0.1', allowHalfOpen: true });
    t.teardown(() => socket.destroy());
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };
  return { line, call };
}

/** Settles when a socket is closed, by an error, too. */
const closed = (socket: Socket) => new Promise<void>((resolve) => void socket.once('close', () => resolve()));

async function echoed(socket: Socket, bytes: Buffer): Promise<void> {
  socket.write(bytes);
  let heard = 0;
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    heard += (chunk as Buffer).length;
    if (heard >= bytes.length) return;
  }
  throw new Error(`an end after ${heard} of ${bytes.length} bytes`);
}

for (const fault of ['latency', 'throttle'] satisfies LineFault[]) {
  void t.test(`${fault}: all of it arrives, in its order, and so does the end`, async (t) => {
    const { line, call } = await lineToEcho(t);
    const socket = await call();
    line.begin(fault);
    const sent = Buffer.from(new Random(2).bytes(20_000));
    for (let at = 0; at < sent.length; at += 1000) socket.write(sent.subarray(at, at + 1000));
    socket.end();
    t.ok((await within('what was sent', buffer(socket))).equals(sent));
  });
}

void t.test('stall: nothing arrives until it is over', async (t) => {
  const { line, call } = await lineToEcho(t);
  const [stalled, other] = [await call(), await lineToEcho(t)];
  line.begin('stall');
  let over = false;
  const arrives = echoed(stalled, Buffer.alloc(1000)).then(() => t.ok(over, 'after the end'));
  await echoed(await other.call(), Buffer.alloc(1000));
  over = true;
  line.end();
  await within('what was held', arrives);
});

void t.test('reset: connections are reset, and those that come', async (t) => {
  const { line, call } = await lineToEcho(t);
  const socket = await call();
  await echoed(socket, Buffer.alloc(10));
  line.begin('reset');
  await within('the end of the connection', closed(socket));
  const next = connect({ port: line.port, host: '127.0.0.1' }).on('error', () => {});
  await within('the end of the next', closed(next));
  line.end();
  await echoed(await call(), Buffer.alloc(10));
});

void t.test('half-close: one direction ends, the other stays', async (t) => {
  for (let i = 0; i < 8; i++) {
    const { line, call } = await lineToEcho(t);
    const socket = await call();
    await echoed(socket, Buffer.alloc(10));
    line.begin('half-close');
    // Whichever it is: the echo hears the end and ends, or it cannot be heard any more.
    socket.resume();
    await within('an end', once(socket, 'end'));
    t.ok(socket.writable, 'and no reset');
  }
});

void t.test('black-hole: a connection is lost without a word, a later one is not', async (t) => {
  const { line, call } = await lineToEcho(t);
  const lost = await call();
  await echoed(lost, Buffer.alloc(10));
  line.begin('black-hole');
  const alsoLost = await call();
  line.end();
  const heard: unknown[] = [];
  for (const socket of [lost, alsoLost]) {
    for (const event of ['data', 'end', 'close']) socket.on(event, (what) => heard.push(event, what));
    socket.write('anybody there?');
  }
  await echoed(await call(), Buffer.alloc(1000));
  await until('all of it has gone out', () => lost.writableLength === 0);
  t.same(heard, []);
});

void t.test('the command, one round of some', async (t) => {
  const kinds = ['reset', 'black-hole', 'disk-full', 'EIO', 'EMFILE', 'clock'];
  const args = [...kinds, '--rounds', '1', '--lasts-ms', '500', '--back-within-ms', String(patience(60_000)), '--seed', '1'];
  const { code, stdout, stderr } = await runBench('proof/faults/main', args);
  t.equal(code, 0, stderr);
  for (const kind of kinds) t.match(stdout, new RegExp(`\n${kind} \\S+ +[01] `));
  t.match(stdout, /\nno violation, seed 1, /);
  t.match(await runBench('proof/faults/main', ['dances']), { code: 1, stderr: /no such kind: dances; there are latency, throttle/ });
});

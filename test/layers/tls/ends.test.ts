/** Ends, cuts, floods and brakes: how a session is over, and that nothing of it stays. */
import { connect, createServer, type TLSSocket } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { Connection } from '../../../lib/core/connection.js';
import { tls } from '../../../lib/layers/tls/index.js';
import { ProgressGuard } from '../../../lib/layers/tls/progress.js';
import type { Channel } from '../../../lib/pipeline/channel.js';
import { stack } from '../../../lib/pipeline/stack.js';
import { memoryPipe } from '../../../lib/transports/memory.js';
import { HANG_MS } from '../../support/time.js';
import { alice, authority, clientOptions, serverOptions } from './pki.js';
import { open, pattern, talk, watch } from './talk.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

void t.test('close_notify: each side ends by itself, and says so', async (t) => {
  const { client, server } = talk(clientOptions(), serverOptions());
  client.channel.end(Buffer.from('question'));
  await new Promise((resolve) => server.channel.once('end', resolve));
  t.equal(server.state.peerEnd, 'close_notify');
  t.equal(server.bytes.toString(), 'question');
  t.equal(server.state.phase, 'open');
  // Half closed: the answer still goes.
  server.channel.write(Buffer.from('answer'));
  await client.heard(6);
  t.equal(client.ended, false);
  server.channel.end(Buffer.from('!'));
  await Promise.all([client.closed, server.closed]);
  t.equal(client.bytes.toString(), 'answer!');
  t.equal(client.state.peerEnd, 'close_notify');
  t.same([client.error, server.error], [undefined, undefined]);
  t.same([client.state.phase, server.state.phase], ['closed', 'closed']);
});

void t.test('an end right after the last byte loses nothing', async (t) => {
  const { client, server } = talk(clientOptions(), serverOptions());
  server.channel.end(pattern(300_000));
  client.channel.end();
  await Promise.all([client.closed, server.closed]);
  t.ok(client.bytes.equals(pattern(300_000)));
  t.same([client.error, server.error], [undefined, undefined]);
});

/** A session in which both have spoken, cut by the wire. */
async function cutAfterwards(truncation: 'error' | 'report') {
  const pair = talk(clientOptions(alice, { truncation }), serverOptions({ truncation }));
  pair.client.channel.write(Buffer.from('hello'));
  await pair.server.heard(5);
  pair.server.channel.write(Buffer.from('hello'));
  await pair.client.heard(5);
  pair.tap.left.end();
  pair.tap.right.end();
  await Promise.all([
    new Promise((resolve) => pair.client.channel.once(truncation === 'error' ? 'close' : 'end', resolve)),
    new Promise((resolve) => pair.server.channel.once(truncation === 'error' ? 'close' : 'end', resolve)),
  ]);
  return pair;
}

void t.test('a byte pipe that ends without close_notify', async (t) => {
  const strict = await cutAfterwards('error');
  for (const end of [strict.client, strict.server]) {
    t.equal(end.error?.code, 'ERR_VC_TLS_TRUNCATED');
    t.equal(end.state.peerEnd, 'truncated');
    t.equal(end.ended, false);
  }
  const lenient = await cutAfterwards('report');
  for (const end of [lenient.client, lenient.server]) {
    t.equal(end.error, undefined);
    t.equal(end.state.peerEnd, 'truncated');
    t.equal(end.ended, true);
    t.equal(end.state.phase, 'open', 'our side is still ours to end');
    end.channel.end();
    await end.closed;
    t.equal(end.error, undefined);
    t.equal(end.state.phase, 'closed');
  }
});

void t.test('the end of the byte pipe waits for plaintext that nobody has read yet', async (t) => {
  const [left, right] = memoryPipe();
  const server = stack(tls(serverOptions({ truncation: 'report' }))).over(right) as Channel<Buffer>;
  const client = open(clientOptions(), left);
  const payload = pattern(2_000_000);
  client.channel.write(payload.subarray(0, 1));
  await new Promise((resolve) => server.once('readable', resolve));
  client.channel.write(payload.subarray(1));
  // Nobody reads: the writer stops. Then the reader comes, and behind the last byte a bare end.
  const read: Buffer[] = [];
  const cut = () => {
    if (client.channel.idle) left.end();
    else setImmediate(cut);
  };
  for await (const chunk of server) {
    read.push(chunk);
    if (read.length === 3) client.channel.write(payload, cut);
  }
  t.ok(Buffer.concat(read).equals(Buffer.concat([payload, payload])));
  client.channel.destroy();
});

void t.test('an end inside the handshake is an error at once, on either side', async (t) => {
  for (const bytes of [0, 1, 100]) {
    const [left, right] = memoryPipe();
    const server = open(serverOptions(), right);
    left.on('error', () => {}).resume();
    left.end(Buffer.concat([Buffer.of(22, 3, 1, 2, 0, 1, 0, 1, 252), Buffer.alloc(100)]).subarray(0, bytes));
    await server.closed;
    t.equal(server.error?.code, 'ERR_VC_TLS_HANDSHAKE', `server, after ${bytes} bytes`);
  }
  const [left, right] = memoryPipe();
  const client = open(clientOptions(), left);
  right.on('error', () => {}).resume();
  right.end();
  await client.closed;
  t.equal(client.error?.code, 'ERR_VC_TLS_HANDSHAKE', 'client');
});

void t.test('a server that leaves before its first byte has rejected the client', async (t) => {
  for (const truncation of ['error', 'report'] as const) {
    const { client, server, tap } = talk(clientOptions(alice, { truncation }), serverOptions());
    client.channel.write(Buffer.from('hello'));
    await server.heard(5);
    tap.left.end();
    await client.closed;
    t.equal(client.error?.code, 'ERR_VC_PEER_REJECTED', truncation);
    t.equal(client.state.heard, false);
    server.channel.destroy();
  }
  const { client, server, tap } = talk(clientOptions(alice, { truncation: 'report' }), serverOptions());
  client.channel.end(Buffer.from('hello'));
  await server.heard(5);
  tap.left.end();
  await client.closed;
  t.equal(client.error, undefined, 'who has ended, and takes a bare end for one, may have no answer coming');
  t.equal(client.state.peerEnd, 'truncated');
  server.channel.destroy();
});

void t.test('no suite in common: the alert of the peer is the error, and not the reset that follows it', async (t) => {
  const server = createServer({
    key: serverOptions().key as string,
    cert: (serverOptions().certificate as string[]).join(''),
    ca: [authority.certificate],
    requestCert: true,
    minVersion: 'TLSv1.3',
  });
  server.on('tlsClientError', () => {});
  t.teardown(() => server.close());
  const [left, right] = memoryPipe();
  const client = open(clientOptions(alice, { cipherSuite: 'TLS_AES_128_CCM_SHA256' }), left);
  server.emit('connection', right);
  await client.closed;
  t.equal(client.error?.code, 'ERR_VC_TLS_HANDSHAKE');
  t.match(client.error?.got, /ALERT_HANDSHAKE_FAILURE/);
});

void t.test('what is no TLS after the handshake ends the session, and the peer learns why', async (t) => {
  let broken = false;
  const { client, server } = talk(clientOptions(), serverOptions(), (direction, chunk) => {
    if (!broken || direction === 'down') return [chunk];
    const bad = Buffer.from(chunk);
    bad[bad.length - 1] = (bad[bad.length - 1] as number) ^ 1;
    return [bad];
  });
  client.channel.write(Buffer.from('hello'));
  await server.heard(5);
  server.channel.write(Buffer.from('hello'));
  await client.heard(5);
  broken = true;
  client.channel.write(Buffer.from('again'));
  await Promise.all([client.closed, server.closed]);
  t.equal(server.error?.code, 'ERR_VC_TLS');
  t.equal(server.error?.got, 'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC');
  t.equal(server.bytes.toString(), 'hello');
  t.equal(client.error?.code, 'ERR_VC_TLS');
  t.match(client.error?.got, /ALERT_BAD_RECORD_MAC/);
  t.ok(client.error?.cause instanceof Error);
});

void t.test('no progress: records and bytes without plaintext are counted from the last plaintext', async (t) => {
  const record = (length: number) => {
    const bytes = Buffer.alloc(5 + length);
    bytes.writeUInt16BE(length, 3);
    return bytes;
  };
  for (const split of [1, 3, 7, 1000]) {
    const guard = new ProgressGuard(4, 40_000);
    const feed = (bytes: Buffer) => {
      for (let at = 0; at < bytes.length; at += split) guard.cipher(bytes.subarray(at, at + split));
    };
    for (let i = 0; i < 4; i++) feed(record(20 + i * 300));
    t.equal(guard.check(), undefined, 'at the limit');
    feed(record(0));
    t.match(guard.check(), { code: 'ERR_VC_TLS', got: 5, limit: 4 }, 'one over');
    guard.reset();
    t.equal(guard.check(), undefined);
    feed(record(16_395));
    feed(record(16_395));
    feed(record(40_000 - 2 * 16_400 - 5));
    t.equal(guard.check(), undefined, 'at the limit of bytes');
    guard.cipher(Buffer.of(23));
    t.match(guard.check(), { code: 'ERR_VC_TLS', got: 40_001, limit: 40_000 }, 'one over');
  }
});

void t.test('empty records for ever: the session ends', async (t) => {
  // A client of node:tls has no way to send KeyUpdates, but two tickets an OpenSSL server sends are such records.
  const [left, right] = memoryPipe();
  const client = open(clientOptions(alice, { maxIdleRecords: 1 }), left);
  const server = createServer({ key: serverOptions().key as string, cert: (serverOptions().certificate as string[]).join('') });
  server.emit('connection', right);
  await client.closed;
  t.equal(client.error?.code, 'ERR_VC_TLS');
  t.match(client.error?.message, /no progress/);
  t.equal(client.error?.limit, 1);
  // And the two that every server sends are no reason to end a session with the default.
  const [near, far] = memoryPipe();
  const other = open(clientOptions(), near);
  server.once('secureConnection', (socket: TLSSocket) => socket.on('error', () => {}).write('hello'));
  server.emit('connection', far);
  await other.heard(5);
  t.equal(other.error, undefined);
  other.channel.destroy();
});

void t.test('ciphertext that comes at once is decrypted no further than the reader reads', async (t) => {
  const held: Buffer[] = [];
  let holds = false;
  const { client, server, tap } = talk(clientOptions(), serverOptions(), (direction, chunk) => {
    if (direction !== 'up' || !holds) return [chunk];
    held.push(chunk);
    return [];
  });
  client.channel.write(Buffer.from('x'));
  await server.heard(1);
  server.channel.pause();
  holds = true;
  const bytes = pattern(8 * 1024 * 1024);
  await new Promise<void>((resolve) => client.channel.write(bytes, () => resolve()));
  while (!client.channel.idle) await turn();
  tap.right.write(Buffer.concat(held));
  const decrypted = () => server.channel.traffic()[0]?.inbound.bytesOut ?? 0;
  for (let quiet = 0, before = 0; quiet < 50; quiet++, await turn()) {
    if (decrypted() !== before) quiet = 0;
    before = decrypted();
  }
  // Four chunks of 256 KiB in the layer, two above it, and the one that was too many.
  t.ok(decrypted() <= 8 * 262_144, `${decrypted()} bytes`);
  server.channel.resume();
  await server.heard(1 + bytes.length);
  t.ok(server.bytes.subarray(1).equals(bytes));
  client.channel.destroy();
  server.channel.destroy();
});

void t.test('a reader that never reads stops the writer', async (t) => {
  const [left, right] = memoryPipe();
  const client = stack(tls(clientOptions())).over(left) as Channel<Buffer>;
  const server = stack(tls(serverOptions())).over(right) as Channel<Buffer>;
  const chunk = pattern(65_536);
  let accepted = 0;
  let stopped = 0;
  const fill = () => {
    while (client.write(chunk)) accepted += chunk.length;
    accepted += chunk.length;
    stopped = 0;
  };
  client.on('drain', fill);
  fill();
  // Quiet for 200 turns of the loop after the handshake: nothing moves any more.
  await new Promise((resolve) => server.once('readable', resolve));
  while (stopped++ < 200) await turn();
  t.ok(accepted <= 4 * 1024 * 1024, `${accepted} bytes accepted`);
  t.ok(accepted >= 262_144, `${accepted} bytes accepted`);
  t.equal(client.idle, false);
  // And it goes on when the reader does, whole.
  client.off('drain', fill);
  client.end();
  let read = 0;
  for await (const bytes of server) {
    const expected = pattern(65_536);
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] !== expected[(read + i) % 65_536]) {
        t.fail(`byte ${read + i} is another`);
        break;
      }
    }
    read += bytes.length;
  }
  t.equal(read, accepted);
  server.destroy();
  client.destroy();
});

void t.test('an end of ours loses nothing of what the peer sent, even in the middle of one read', async (t) => {
  // With the handshake: the client's Finished and its first bytes come at once, and the server has ended already.
  for (const sizes of [[1, 5], [1], [300, 0, 7], [20_000, 1]]) {
    const { client, server } = talk(clientOptions(), serverOptions());
    for (const size of sizes) client.channel.write(pattern(size));
    client.channel.end();
    server.channel.end();
    await Promise.all([client.closed, server.closed]);
    t.same([client.error, server.error], [undefined, undefined]);
    t.ok(server.bytes.equals(Buffer.concat(sizes.map(pattern))), sizes.join(' '));
  }
  // Later: many records in one chunk, and the server ends as soon as it has the first.
  const gathered: Buffer[] = [];
  let gathering = false;
  const { client, server } = talk(clientOptions(), serverOptions(), (direction, chunk) => {
    if (!gathering || direction === 'down') return [chunk];
    gathered.push(chunk);
    const all = Buffer.concat(gathered);
    gathering = all.length < 60_000;
    return gathering ? [] : [all];
  });
  client.channel.write(pattern(1));
  await server.heard(1);
  gathering = true;
  server.channel.once('data', () => server.channel.end());
  client.channel.end(pattern(60_000));
  await Promise.all([client.closed, server.closed]);
  t.same([client.error, server.error], [undefined, undefined]);
  t.ok(server.bytes.subarray(1).equals(pattern(60_000)), `${server.bytes.length - 1} bytes`);
});

void t.test('chunks of any size come through whole, the empty one too', async (t) => {
  const { client, server } = talk(clientOptions(), serverOptions());
  const sizes = [1, 0, 262_143, 262_144, 262_145, 5_000_000, 16_384, 3];
  const payload = pattern(sizes.reduce((sum, size) => sum + size));
  let at = 0;
  for (const size of sizes) {
    client.channel.write(payload.subarray(at, at + size));
    at += size;
  }
  client.channel.end();
  server.channel.end();
  await Promise.all([client.closed, server.closed]);
  t.same([client.error, server.error], [undefined, undefined]);
  t.ok(server.bytes.equals(payload));
});

void t.test('idle: true before and after, false while something is under way', async (t) => {
  const { client, server } = talk(clientOptions(), serverOptions());
  t.equal(server.channel.idle, true);
  client.channel.write(Buffer.from('hello'));
  t.equal(client.channel.idle, false);
  await server.heard(5);
  while (!client.channel.idle || !server.channel.idle) await turn();
  t.pass('both come to rest');
  client.channel.destroy();
  server.channel.destroy();
});

void t.test('destroying either Transform ends everything', async (t) => {
  for (const which of ['outbound', 'inbound'] as const) {
    for (const moment of ['before', 'within', 'after'] as const) {
      const layer = tls(clientOptions());
      const connection = new Connection();
      const streams = { outbound: layer.outbound(connection), inbound: layer.inbound(connection) };
      const [left, right] = memoryPipe();
      const server = open(serverOptions(), right);
      left.on('error', () => {});
      const closed = Promise.all([streams.outbound, streams.inbound].map((s) => new Promise((resolve) => s.on('close', resolve))));
      if (moment !== 'before') {
        streams.outbound.on('data', (chunk: Buffer) => left.write(chunk));
        left.on('data', (chunk: Buffer) => streams.inbound.write(chunk));
        streams.outbound.write(Buffer.from('hello'));
        if (moment === 'after') await server.heard(5);
        else await turn();
      }
      streams[which].destroy();
      await closed;
      t.ok(streams.outbound.destroyed && streams.inbound.destroyed, `${which}, ${moment} the handshake`);
      left.destroy();
      server.channel.destroy();
    }
  }
});

void t.test('what is not bytes is refused', async (t) => {
  const { client, server } = talk(clientOptions(), serverOptions());
  client.channel.write(7 as unknown as Buffer);
  await client.closed;
  t.equal(client.error?.code, 'ERR_VC_INVALID_ARGUMENT');
  server.channel.destroy();
});

void t.test('200 connections, ended in every way, leave nothing behind', async (t) => {
  const serverStack = stack(tls(serverOptions({ handshakeTimeoutMs: 60_000 })));
  const clientStack = stack(tls(clientOptions(alice, { handshakeTimeoutMs: 60_000 })));
  const once = async (i: number) => {
    const [left, right] = memoryPipe();
    const server = watch(serverStack.over(right));
    const client = watch(clientStack.over(left));
    if (i % 4 === 0) client.channel.destroy();
    else if (i % 4 === 1) {
      await turn();
      server.channel.destroy();
    } else {
      client.channel.write(Buffer.from('hello'));
      await server.heard(5);
      if (i % 4 === 2) client.channel.destroy(new Error('enough'));
      else {
        client.channel.end();
        server.channel.end();
      }
    }
    await Promise.all([client.closed, server.closed]);
  };
  const resources = () => process.getActiveResourcesInfo().sort();
  // What node:tls still has to do when its sockets are gone takes a few turns, and the timer of a wait may outlast it.
  await once(3);
  for (let i = 0; i < 50; i++) await turn();
  const before = resources();
  for (let i = 0; i < 200; i++) await once(i);
  // By turns and not by a timer, which would be one of the resources.
  for (const started = performance.now(); !isDeepStrictEqual(resources(), before) && performance.now() - started < HANG_MS; ) await turn();
  t.same(resources(), before);
});

void t.test('a connection ended by node:tls itself', async (t) => {
  const [left, right] = memoryPipe();
  const server = open(serverOptions(), right);
  const options = clientOptions();
  const socket = connect({
    socket: left,
    ca: authority.certificate,
    key: options.key as string,
    cert: options.certificate as string,
    checkServerIdentity: () => undefined,
  });
  socket.on('error', () => {});
  socket.end('bye');
  await new Promise((resolve) => server.channel.once('end', resolve));
  t.equal(server.state.peerEnd, 'close_notify');
  server.channel.end();
  await server.closed;
  t.equal(server.error, undefined);
});

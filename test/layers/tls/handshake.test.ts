/** What is negotiated, how connections are kept apart, and how many handshakes run at once. */
import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import t from 'tap';
import { CIPHER_SUITES, tls, tlsState } from '../../../lib/layers/tls/index.js';
import { stack } from '../../../lib/pipeline/stack.js';
import { memoryPipe } from '../../../lib/transports/memory.js';
import { until } from '../../support/foreign.js';
import { HANG_MS } from '../../support/time.js';
import { alice, authority, bob, clientOptions, serverOptions } from './pki.js';
import { clientHello, type End, open, pattern, talk, watch } from './talk.js';

void t.test('every suite, in each spelling, is the one that runs', async (t) => {
  for (const suite of CIPHER_SUITES) {
    for (const spelling of [suite, suite.replace('TLS_', 'TLS1_3_'), suite.replace('TLS_', 'TLS1-3-').replaceAll('_', '-')]) {
      const { client, server } = talk(clientOptions(alice, { cipherSuite: spelling }), serverOptions());
      if (suite.includes('CCM')) {
        // Not among the defaults: the client offers one suite, the server accepts others.
        await Promise.all([client.closed, server.closed]);
        t.equal(server.error?.code, 'ERR_VC_TLS_HANDSHAKE', spelling);
        t.equal(server.error?.got, 'ERR_SSL_NO_SHARED_CIPHER', spelling);
        t.ok(client.error?.code.startsWith('ERR_VC_'), spelling);
        continue;
      }
      client.channel.write(Buffer.from('hello'));
      await server.heard(5);
      t.equal(server.state.cipherSuite, suite, spelling);
      t.equal(client.state.cipherSuite, suite, spelling);
      client.channel.destroy();
      server.channel.destroy();
    }
    const both = talk(clientOptions(alice, { cipherSuite: suite }), serverOptions({ cipherSuite: suite.replace('TLS_', 'TLS1_3_') }));
    both.client.channel.end(pattern(20_000));
    both.server.channel.end();
    await Promise.all([both.server.closed, both.client.closed]);
    t.same([both.client.error, both.server.error], [undefined, undefined], suite);
    t.ok(both.server.bytes.equals(pattern(20_000)), suite);
  }
});

void t.test('the ClientHello names no server, and offers TLS 1.3 alone', async (t) => {
  const { client, server, tap } = talk(clientOptions(), serverOptions());
  client.channel.write(Buffer.from('x'));
  await server.heard(1);
  const hello = Buffer.concat(tap.up);
  const extensions = new Map<number, Buffer>();
  // record (5), handshake header (4), version (2), random (32), session id, suites, compression, extensions
  let at = 43;
  at += 1 + hello.readUInt8(at);
  at += 2 + hello.readUInt16BE(at);
  at += 1 + hello.readUInt8(at);
  const end = at + 2 + hello.readUInt16BE(at);
  for (at += 2; at < end; at += 4 + hello.readUInt16BE(at + 2)) {
    extensions.set(hello.readUInt16BE(at), hello.subarray(at + 4, at + 4 + hello.readUInt16BE(at + 2)));
  }
  t.notOk(extensions.has(0), 'server_name');
  t.notOk(extensions.has(16), 'ALPN');
  t.same(extensions.get(43), Buffer.of(2, 3, 4), 'supported_versions');
  client.channel.destroy();
  server.channel.destroy();
});

void t.test('the server computes nothing in groups that are dear; who begins with another is asked for a cheap one', async (t) => {
  const credentials = { ca: authority.certificate, checkServerIdentity: () => undefined, minVersion: 'TLSv1.3' } as const;
  for (const ecdhCurve of ['ffdhe8192', 'ffdhe2048', 'P-521', 'P-384:X448']) {
    const [left, right] = memoryPipe();
    const server = open(serverOptions(), right);
    connect({ ...credentials, socket: left, ecdhCurve }).on('error', () => {});
    await server.closed;
    t.match(server.error, { code: 'ERR_VC_TLS_HANDSHAKE', got: 'ERR_SSL_NO_SUITABLE_KEY_SHARE' }, ecdhCurve);
  }
  for (const ecdhCurve of ['X25519', 'P-256', 'P-521:P-256', 'ffdhe8192:P-384:X25519']) {
    const [left, right] = memoryPipe();
    const server = open(serverOptions(), right);
    const client = connect({ ...credentials, socket: left, ecdhCurve, key: alice.key, cert: alice.certificate });
    client.on('error', () => {}).write('hello');
    await server.heard(5);
    t.equal(server.bytes.toString(), 'hello', ecdhCurve);
    client.destroy();
    server.channel.destroy();
  }
});

void t.test('TLS 1.2 and garbage are no handshake', async (t) => {
  const [left, right] = memoryPipe();
  const old = open(serverOptions(), right);
  connect({ socket: left, ca: authority.certificate, maxVersion: 'TLSv1.2' }).on('error', () => {});
  await old.closed;
  t.equal(old.error?.code, 'ERR_VC_TLS_HANDSHAKE');
  t.equal(old.error?.got, 'ERR_SSL_UNSUPPORTED_PROTOCOL');
  for (const [garbage, got] of [
    ['GET / HTTP/1.1\r\n\r\n', 'ERR_SSL_HTTP_REQUEST'],
    ['\0'.repeat(64), 'ERR_SSL_WRONG_VERSION_NUMBER'],
  ] as const) {
    const [pipe, far] = memoryPipe();
    const end = open(serverOptions(), far);
    pipe.on('error', () => {}).write(garbage);
    await end.closed;
    t.equal(end.error?.code, 'ERR_VC_TLS_HANDSHAKE', got);
    t.equal(end.error?.got, got);
  }
});

void t.test('tickets: none that brings anybody back', async (t) => {
  const options = serverOptions();
  const layer = stack(tls(options));
  const [left, right] = memoryPipe();
  const first = watch(layer.over(right));
  const credentials = { ca: authority.certificate, minVersion: 'TLSv1.3', checkServerIdentity: () => undefined } as const;
  const sessions: Buffer[] = [];
  const socket: TLSSocket = connect({ socket: left, ...credentials, key: alice.key, cert: alice.certificate });
  socket.on('error', () => {});
  socket.on('session', (session: Buffer) => sessions.push(session));
  socket.write('hello');
  await first.heard(5);
  first.channel.write(Buffer.from('hello'));
  await new Promise((resolve) => socket.once('data', resolve));
  socket.destroy();
  first.channel.destroy();
  // OpenSSL announces two sessions all the same; they are ids of a cache that is off.
  for (const session of sessions) {
    const [again, far] = memoryPipe();
    const second = watch(layer.over(far));
    const resumed = connect({ socket: again, ...credentials, session });
    resumed.on('error', () => {});
    resumed.on('secureConnect', () => resumed.write('hello'));
    await second.closed;
    t.equal(second.error?.code, 'ERR_VC_CERTIFICATE', 'without a certificate it is refused');
    t.equal(second.bytes.length, 0);
    const [third, end] = memoryPipe();
    const server = watch(layer.over(end));
    const full = connect({ socket: third, ...credentials, session, key: alice.key, cert: alice.certificate });
    full.on('error', () => {});
    full.write('hello');
    await server.heard(5);
    t.equal(full.isSessionReused(), false, 'with one it is a full handshake');
    full.destroy();
    server.channel.destroy();
  }
});

void t.test('50 handshakes at once: each connection has its own plaintext and its own principal', async (t) => {
  const serverStack = stack(tls(serverOptions()));
  const clients = [stack(tls(clientOptions(alice))), stack(tls(clientOptions(bob)))] as const;
  const refused = stack(tls(clientOptions(authority)));
  await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      const [left, right] = memoryPipe();
      const server = watch(serverStack.over(right));
      const stranger = i % 10 === 9;
      const client = watch((stranger ? refused : (clients[i % 2] as (typeof clients)[0])).over(left));
      const line = Buffer.from(`connection ${i} says so`);
      server.channel.on('end', () => server.channel.end(Buffer.concat([Buffer.from('echo '), server.bytes])));
      client.channel.end(line);
      await Promise.all([client.closed, server.closed]);
      if (stranger) {
        t.equal(server.error?.code, 'ERR_VC_CERTIFICATE');
        t.equal(server.bytes.length + client.bytes.length, 0);
        return;
      }
      t.equal(server.bytes.toString(), line.toString());
      t.equal(client.bytes.toString(), `echo ${line.toString()}`);
      t.equal(server.state.principal, i % 2);
      t.equal(tlsState(server.channel.connection), server.state);
    }),
  );
});

void t.test('300 connections at a gate of 8: all come through, never more than 8 at once', async (t) => {
  const serverStack = stack(
    tls(serverOptions({ maxHandshakes: 8, maxQueuedHandshakes: 292, handshakeStallMs: HANG_MS, handshakeTimeoutMs: HANG_MS })),
  );
  const clientStack = stack(tls(clientOptions(alice, { maxHandshakes: 300, handshakeTimeoutMs: HANG_MS })));
  let most = 0;
  const servers = Array.from({ length: 300 }, () => {
    const [left, right] = memoryPipe();
    const server = watch(serverStack.over(right));
    const client = watch(clientStack.over(left));
    server.channel.on('end', () => server.channel.end());
    client.channel.end(pattern(1000));
    return { client, server };
  });
  const timer = setInterval(() => {
    most = Math.max(most, servers.filter(({ server }) => server.state.phase === 'handshake').length);
  }, 1);
  await Promise.all(servers.flatMap(({ client, server }) => [client.closed, server.closed]));
  clearInterval(timer);
  t.equal(servers.filter(({ server }) => server.bytes.equals(pattern(1000)) && server.error === undefined).length, 300);
  t.ok(most >= 1 && most <= 8, `${most} at once`);
});

void t.test('silent clients at every place of the gate keep nobody out', async (t) => {
  const serverStack = stack(tls(serverOptions({ maxHandshakes: 4, handshakeStallMs: 20 })));
  const hello = await clientHello(clientOptions());
  const silent = Array.from({ length: 12 }, () => {
    const [left, right] = memoryPipe();
    left.on('error', () => {}).write(hello);
    return watch(serverStack.over(right));
  });
  const [left, right] = memoryPipe();
  const server = watch(serverStack.over(right));
  const client = open(clientOptions(), left);
  client.channel.write(Buffer.from('here I am'));
  await server.heard(9);
  t.equal(server.bytes.toString(), 'here I am');
  t.equal(silent.filter(({ state }) => state.phase === 'handshake').length, 12, 'they have their deadline all the same');
  for (const end of [...silent, server, client]) end.channel.destroy();
});

void t.test('what comes before the first record is whole has no place, and what is no hello never gets one', async (t) => {
  const serverStack = stack(tls(serverOptions({ maxHandshakes: 1, maxQueuedHandshakes: 0 })));
  const hello = await clientHello(clientOptions());
  const [slow, slowEnd] = memoryPipe();
  const byByte = watch(serverStack.over(slowEnd));
  slow.on('error', () => {});
  for (const byte of hello.subarray(0, -1)) slow.write(Buffer.of(byte));
  const ends: (readonly [Duplex, End])[] = [];
  for (const start of ['47', '16', '160301', '1603014000', 'ff', '8000010304']) {
    const [left, right] = memoryPipe();
    left.on('error', () => {}).write(Buffer.from(start, 'hex'));
    ends.push([left, watch(serverStack.over(right))]);
  }
  const [left, right] = memoryPipe();
  const server = watch(serverStack.over(right));
  const client = open(clientOptions(), left);
  client.channel.write(Buffer.from('x'));
  await server.heard(1);
  t.same([byByte.state.phase, ...ends.slice(0, 5).map(([, { state }]) => state.phase)], Array(6).fill('waiting'));
  t.match(ends[5]?.[1].error, { code: 'ERR_VC_TLS_HANDSHAKE', expected: 22, got: 0x80 });
  slow.write(hello.subarray(-1));
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(byByte.state.phase, 'handshake');
  for (const [header, got] of [
    ['1703030010', 23],
    ['1403030001', 20],
    ['1603030000', 22],
    ['1603034001', 22],
  ] as const) {
    const [pipe, far] = memoryPipe();
    const end = watch(serverStack.over(far));
    pipe.on('error', () => {}).write(Buffer.from(header, 'hex'));
    await end.closed;
    t.match(end.error, { code: 'ERR_VC_TLS_HANDSHAKE', got }, header);
  }
  for (const end of [byByte, server, client, ...ends.map(([, one]) => one)]) end.channel.destroy();
});

void t.test('a client that is gone leaves the queue', async (t) => {
  const serverStack = stack(tls(serverOptions({ maxHandshakes: 1, maxQueuedHandshakes: 1, handshakeStallMs: HANG_MS })));
  const hello = await clientHello(clientOptions());
  const [[first, firstEnd], [second, secondEnd]] = [memoryPipe(), memoryPipe()];
  const [running, queued] = [watch(serverStack.over(firstEnd)), watch(serverStack.over(secondEnd))];
  first.on('error', () => {}).write(hello);
  second.on('error', () => {}).end(hello);
  await queued.closed;
  t.match(queued.error, { code: 'ERR_VC_TLS_HANDSHAKE' });
  t.equal(running.state.phase, 'handshake');
  running.channel.destroy();
});

void t.test('one connection more than the gate holds', async (t) => {
  const serverStack = stack(tls(serverOptions({ maxHandshakes: 1, maxQueuedHandshakes: 1, handshakeStallMs: HANG_MS })));
  const hello = await clientHello(clientOptions());
  const ends = [0, 1, 2].map(() => {
    const [left, right] = memoryPipe();
    const end = watch(serverStack.over(right));
    // A handshake that never gets on.
    left.on('error', () => {}).write(hello);
    return end;
  });
  await ends[2]?.closed;
  t.equal(ends[2]?.error?.code, 'ERR_VC_LIMIT');
  t.equal(ends[2]?.error?.limit, 1);
  t.same([ends[0]?.state.phase, ends[1]?.state.phase], ['handshake', 'queued']);
  ends[0]?.channel.destroy();
  await ends[0]?.closed;
  await until('the next moves up', () => ends[1]?.state.phase === 'handshake');
  ends[1]?.channel.destroy();
});

void t.test('the deadline: from the first byte on a server, from the start on a client', async (t) => {
  const handshakeTimeoutMs = 30;
  const [silent, far] = memoryPipe();
  const client = open(clientOptions(alice, { handshakeTimeoutMs }), silent);
  far.resume().on('error', () => {});
  await client.closed;
  t.equal(client.error?.code, 'ERR_VC_TLS_HANDSHAKE_TIMEOUT');
  t.equal(client.error?.limit, handshakeTimeoutMs);

  const [quiet, idleEnd] = memoryPipe();
  const [half, halfEnd] = memoryPipe();
  const idle = open(serverOptions({ handshakeTimeoutMs }), idleEnd);
  const begun = open(serverOptions({ handshakeTimeoutMs }), halfEnd);
  quiet.on('error', () => {});
  half.on('error', () => {}).write(Buffer.of(0x16, 3, 1, 2, 0, 1));
  await begun.closed;
  t.equal(begun.error?.code, 'ERR_VC_TLS_HANDSHAKE_TIMEOUT');
  t.equal(idle.state.phase, 'waiting', 'nobody has spoken to it: no deadline');
  t.equal(idle.error, undefined);
  idle.channel.destroy();
});

/** What a client may send until it is admitted: bounded before OpenSSL sees it. */
import { connect } from 'node:tls';
import t from 'tap';
import { Flight } from '../../../lib/layers/tls/flight.js';
import { memoryPipe } from '../../../lib/transports/memory.js';
import { madeUpIdentity } from './made-up.js';
import { alice, authority, clientOptions, serverOptions } from './pki.js';
import { open, pattern, talk } from './talk.js';

function record(type: number, length: number): Buffer {
  const header = Buffer.of(type, 3, 3, length >> 8, length & 0xff);
  return Buffer.concat([header, Buffer.alloc(length)]);
}

void t.test('records are counted when their headers are whole, however the bytes are cut', (t) => {
  const hello = record(22, 500);
  const bytes = Buffer.concat([hello, record(20, 1), record(23, 300), record(23, 100), record(23, 9)]);
  // 305 and 105: the third encrypted record is the first that is over.
  const within = bytes.length - 14;
  for (let cut = 0; cut <= bytes.length; cut++) {
    const flight = new Flight(410);
    const first = flight.fits(bytes.subarray(0, cut));
    // Bytes of a header that is not whole are given: OpenSSL waits for the rest.
    const whole = cut < within + 5;
    t.equal(first, whole ? cut : within, `cut at ${cut}`);
    if (whole) t.equal(cut + flight.fits(bytes.subarray(cut)), Math.max(cut, within), `the rest at ${cut}`);
    t.match(flight.fault(), { code: 'ERR_VC_LIMIT', layer: 'tls', got: 424, limit: 410 });
  }
  t.equal(new Flight(424).fits(bytes), bytes.length, 'at the limit');
  t.end();
});

void t.test('what is not encrypted has a bound of its own', (t) => {
  const flight = new Flight(512);
  t.equal(flight.fits(Buffer.concat([record(22, 16_384), record(22, 16_384)])), 32_778);
  const rest = Buffer.concat([record(20, 1), record(22, 300)]);
  t.equal(flight.fits(rest), 6);
  t.match(flight.fault(), { code: 'ERR_VC_LIMIT', got: 33_089, limit: 33_034 });
  t.end();
});

void t.test('a chain of made-up certificates is refused by its length, and verified only where the limit lets it', async (t) => {
  const stranger = madeUpIdentity(16);
  for (const [maxHandshakeBytes, error] of [
    [undefined, { code: 'ERR_VC_LIMIT', limit: 65_536 }],
    [2048, { code: 'ERR_VC_LIMIT', limit: 2048 }],
    [2 ** 20, { code: 'ERR_VC_CERTIFICATE', got: 'CERT_SIGNATURE_FAILURE' }],
  ] as const) {
    const [left, right] = memoryPipe();
    const server = open(serverOptions(maxHandshakeBytes === undefined ? {} : { maxHandshakeBytes }), right);
    const credentials = { ca: authority.certificate, checkServerIdentity: () => undefined, minVersion: 'TLSv1.3' } as const;
    const client = connect({ ...credentials, socket: left, key: stranger.key, cert: stranger.certificate });
    client.on('error', () => {});
    await server.closed;
    t.match(server.error, error, `${maxHandshakeBytes}`);
    client.destroy();
  }
});

void t.test('plaintext right behind the handshake is not counted', async (t) => {
  const data = pattern(300_000);
  const { client, server } = talk(clientOptions(alice), serverOptions({ maxHandshakeBytes: 800 }));
  client.channel.end(data);
  server.channel.end();
  await Promise.all([client.closed, server.closed]);
  t.same([client.error, server.error], [undefined, undefined]);
  t.ok(server.bytes.equals(data));
  const less = talk(clientOptions(alice), serverOptions({ maxHandshakeBytes: 600 }));
  less.client.channel.end(data);
  await less.server.closed;
  t.match(less.server.error, { code: 'ERR_VC_LIMIT', limit: 600 });
  t.equal(less.server.bytes.length, 0);
});

void t.test('the same, byte by byte and all in one', async (t) => {
  const data = pattern(20_000);
  for (const bytewise of [true, false]) {
    const waiting: Buffer[] = [];
    const { client, server, tap } = talk(clientOptions(alice), serverOptions({ maxHandshakeBytes: 800 }), (direction, chunk, offset) => {
      if (direction === 'down' || offset === 0) return [chunk];
      if (bytewise) return Array.from(chunk, (byte) => Buffer.of(byte));
      // Flight and plaintext come as one chunk.
      waiting.push(chunk);
      const all = Buffer.concat(waiting);
      if (all.length < 20_600) return [];
      waiting.length = 0;
      return [all];
    });
    client.channel.write(data);
    await server.heard(data.length);
    t.ok(server.bytes.equals(data), bytewise ? 'bytes' : 'one chunk');
    t.ok(tap.up.length > 0);
    client.channel.destroy();
    server.channel.destroy();
  }
});

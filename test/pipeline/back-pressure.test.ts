import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import t from 'tap';
import { issue, makeAuthority } from '../../lib/attestation/authority.js';
import { makeKey, pemOf } from '../../lib/attestation/certificate.js';
import { makeIdentity } from '../../lib/attestation/identity.js';
import { Announce } from '../../lib/core/unit.js';
import { lengthPrefix } from '../../lib/layers/frame/index.js';
import { tls } from '../../lib/layers/tls/index.js';
import { stack } from '../../lib/pipeline/stack.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { within } from '../support/foreign.js';
import { settle, through } from './layers.js';

const KIB = 1024;

/** Writes chunks until the stream must drain and nothing moves any more. Returns the number of bytes written. */
async function fill(stream: Duplex, chunk: Buffer, enough: number): Promise<number> {
  let written = 0;
  let still = 0;
  while (still < 50 && written < enough) {
    still++;
    while (!stream.writableNeedDrain && written < enough) {
      stream.write(chunk);
      written += chunk.length;
      still = 0;
    }
    await settle(2);
  }
  return written;
}

void t.test('if the reader never reads, the writer can write only a limited amount', async (t) => {
  const [left, right] = memoryPipe();
  const layers = () => stack(through('a'), through('b'), through('c'));
  const writer = layers().over(left);
  const reader = layers().over(right);
  const chunk = Buffer.alloc(16 * KIB, 7);
  const written = await fill(writer, chunk, 64 * 1024 * KIB);
  // Two pipes of 64 KiB; at each end three layers, with two buffers of four chunks each; the buffers of the channels.
  t.ok(written < 2 * 1024 * KIB, `${written} bytes went in`);
  const waiting = reader.readableLength;
  t.ok(waiting <= 2, `${waiting} items wait in the reader's channel`);
  t.notOk(writer.idle);

  let got = 0;
  reader.on('data', (bytes: Buffer) => {
    got += bytes.length;
  });
  writer.end();
  await within('the end', once(reader, 'end'));
  t.equal(got, written, 'and all of it arrives when somebody reads');
  reader.end();
  await within('the close', once(reader, 'close'));
});

void t.test('the same through length prefix and TLS', async (t) => {
  const authority = makeAuthority();
  const key = makeKey('ec');
  const certificate = pemOf(issue(authority, { subject: 'ComputeEnclave', publicKey: createPublicKey(key) })) + authority.certificate;
  const identity = makeIdentity({ commonName: 'client' });
  const [left, right] = memoryPipe();
  const client = stack(
    lengthPrefix(),
    tls({ role: 'client', certificate: identity.certificate, key: identity.key, authority: authority.certificate }),
  ).over(left);
  const server = stack(lengthPrefix(), tls({ role: 'server', certificate, key, identities: [identity.certificate] })).over(right);
  const total = 64 * 1024 * KIB;
  client.write(new Announce(total));
  const written = await fill(client, Buffer.alloc(64 * KIB, 7), total);
  t.ok(written < 8 * 1024 * KIB, `${written} of ${total} bytes went in`);
  t.ok(server.readableLength <= 2, `${server.readableLength} items wait`);

  // The rest arrives when someone reads.
  let got = 0;
  server.on('data', (item: unknown) => {
    if (Buffer.isBuffer(item)) got += item.length;
    if (got === total) server.end();
  });
  client.resume();
  for (let at = written; at < total; at += 64 * KIB) {
    if (!client.write(Buffer.alloc(64 * KIB, 7))) await within('the drain', once(client, 'drain'));
  }
  client.end();
  await within('the end', once(server, 'end'));
  t.equal(got, total);
});

void t.test('a socket is given half a megabyte before the layers wait, and all of it arrives', async (t) => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [peer] = await accepted;
  const writer = stack(through('a'), through('b')).over(socket);
  const written = await fill(writer, Buffer.alloc(16 * KIB, 7), 256 * 1024 * KIB);
  t.ok(written < 64 * 1024 * KIB, `the kernel and the socket took ${written} bytes`);
  t.ok(socket.writableLength > 0);
  t.ok(socket.writableLength <= 512 * KIB + 16 * KIB, `${socket.writableLength} bytes wait at the socket`);
  let got = 0;
  peer.on('data', (bytes: Buffer) => {
    got += bytes.length;
  });
  writer.end();
  await within('the end', once(peer, 'end'));
  t.equal(got, written);
  peer.end();
  writer.resume();
  await within('the close', once(writer, 'close'));
});

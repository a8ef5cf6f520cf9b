/** How plaintext gets to OpenSSL: small chunks together, large ones as they are, in order, and never without a brake. */
import { Writable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import fc from 'fast-check';
import t from 'tap';
import { PlaintextWriter } from '../../../lib/layers/tls/plaintext-writer.js';
import { clientOptions, serverOptions } from './pki.js';
import { pattern, talk } from './talk.js';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A socket that takes writes when it is told to. */
function slowSocket() {
  const writes: Buffer[][] = [];
  const open: (() => void)[] = [];
  const socket = new Writable({
    highWaterMark: 16_384,
    write: (chunk: Buffer, _encoding, done) => {
      writes.push([chunk]);
      open.push(done);
    },
    writev: (chunks, done) => {
      writes.push(chunks.map(({ chunk }) => chunk as Buffer));
      open.push(done);
    },
  });
  const take = async () => {
    for (const done of open.splice(0)) done();
    await turn();
  };
  const named = Object.assign(socket, { getCipher: () => ({ standardName: 'TLS_AES_256_GCM_SHA384' }) });
  return { socket: named as unknown as TLSSocket, writes, take };
}

void t.test('the small chunks of a tick are one write, copied together; a lone one is not copied', async (t) => {
  const { socket, writes, take } = slowSocket();
  const writer = new PlaintextWriter(socket, () => 0);
  let done = 0;
  const chunks = Array.from({ length: 100 }, (_, i) => Buffer.alloc(50, i));
  for (const chunk of chunks) writer.write(chunk, () => done++);
  t.equal(done, 100, 'there is room for more');
  t.equal(writer.pending, 5000, 'and nothing is idle yet');
  t.equal(writes.length, 0);
  await turn();
  t.same(
    writes.map((write) => write.length),
    [1],
  );
  t.ok(writes[0]?.[0]?.equals(Buffer.concat(chunks)));
  await take();
  t.equal(writer.pending, 0);
  const lone = Buffer.from('lone');
  writer.write(lone, () => {});
  await turn();
  t.equal(writes[1]?.[0], lone);
});

void t.test('large chunks go as they are, behind the small ones before them', async (t) => {
  const { socket, writes } = slowSocket();
  const writer = new PlaintextWriter(socket, () => 0);
  const [prefix, large, tail] = [Buffer.alloc(8, 1), pattern(2049), Buffer.alloc(2048, 2)];
  for (const chunk of [prefix, large, tail]) writer.write(chunk, () => {});
  await turn();
  t.same(writes, [[prefix, large, tail]]);
  t.equal(writes[0]?.[1], large, 'uncopied');
});

void t.test('beyond 256 KiB the neighbour waits, whatever the chunks are', async (t) => {
  for (const size of [1, 64, 2048, 2049, 100_000, 262_144, 1_000_000]) {
    const { socket, writes, take } = slowSocket();
    const writer = new PlaintextWriter(socket, () => 0);
    let [given, waits] = [0, false];
    const more = () => {
      waits = false;
      while (given < 3_000_000 && !waits) {
        waits = true;
        given += size;
        writer.write(Buffer.alloc(size), () => {
          waits = false;
        });
      }
    };
    more();
    await turn();
    t.ok(waits, `${size}: it waits`);
    t.ok(given <= 262_144 + Math.max(size, 16_384), `${size}: after ${given} bytes`);
    for (let round = 0; round < 100 && writer.pending > 0; round++) await take();
    t.equal(
      writes.flat().reduce((sum, { length }) => sum + length, 0),
      given,
    );
    t.equal(waits, false, `${size}: and goes on`);
  }
});

void t.test('a session that is over forgets what it gathered', async (t) => {
  const { socket, writes } = slowSocket();
  const writer = new PlaintextWriter(socket, () => 0);
  writer.write(Buffer.from('gone'), () => {});
  writer.forget();
  await turn();
  t.same([writes, writer.pending], [[], 0]);
});

void t.test('chunks of any size, in any turns: what arrives is what was written', async () => {
  const size = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 2040, max: 2056 }), fc.integer({ min: 0, max: 300_000 }));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(size, fc.boolean()), { minLength: 1, maxLength: 60 }), async (plan) => {
      const { client, server } = talk(clientOptions(), serverOptions());
      const all = pattern(plan.reduce((sum, [length]) => sum + length, 0));
      let at = 0;
      for (const [length, pause] of plan) {
        if (length === 0) continue;
        if (!client.channel.write(all.subarray(at, at + length))) await new Promise((go) => client.channel.once('drain', go));
        at += length;
        if (pause) await turn();
      }
      client.channel.end();
      server.channel.end();
      await Promise.all([client.closed, server.closed]);
      const fault = client.error ?? server.error;
      if (fault !== undefined) throw fault as Error;
      if (!server.bytes.equals(all)) throw new Error(`${server.bytes.length} bytes of ${all.length}, or others`);
    }),
    { numRuns: 40 },
  );
});

void t.test('a tick of small messages is as few records as can be', async (t) => {
  const { client, server, tap } = talk(clientOptions(), serverOptions());
  client.channel.write(Buffer.from('ready'));
  await server.heard(5);
  const before = tap.up.length;
  for (let i = 0; i < 4; i++) client.channel.write(Buffer.alloc(100, i));
  await server.heard(405);
  const bytes = Buffer.concat(tap.up.slice(before));
  t.equal(bytes.length, 400 + 22, 'one record');
  client.channel.end();
  server.channel.end();
  await Promise.all([client.closed, server.closed]);
  t.same([client.error, server.error], [undefined, undefined]);
});

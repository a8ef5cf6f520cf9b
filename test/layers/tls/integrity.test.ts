/** Ciphertext cut anywhere is the same; ciphertext changed anywhere is never believed. */
import fc from 'fast-check';
import t from 'tap';
import '../../support/long.js';
import { seeded } from '../../support/splits.js';
import { alice, clientOptions, serverOptions } from './pki.js';
import { type Direction, type Edit, pattern, talk } from './talk.js';

const UP = pattern(20_000);
const DOWN = pattern(30_000).reverse();

/** Both say their bytes and end; the server waits for the client's. */
async function converse(edit?: Edit, handshakeTimeoutMs = 10_000) {
  const pair = talk(clientOptions(alice, { handshakeTimeoutMs }), serverOptions({ handshakeTimeoutMs }), edit);
  const { client, server } = pair;
  server.channel.on('end', () => server.channel.end(DOWN));
  client.channel.end(UP);
  await Promise.all([client.closed, server.closed]);
  return pair;
}

/** Cuts what crosses `offset` there. */
const cut =
  (where: Direction, offset: number): Edit =>
  (direction, chunk, start) => {
    const at = offset - start;
    return direction !== where || at <= 0 || at >= chunk.length ? [chunk] : [chunk.subarray(0, at), chunk.subarray(at)];
  };

const honest = await converse();
const LENGTHS: Record<Direction, number> = { up: Buffer.concat(honest.tap.up).length, down: Buffer.concat(honest.tap.down).length };

void t.test('cut in two at every offset of the ClientHello', async (t) => {
  const hello = (honest.tap.up[0] as Buffer).length;
  t.ok(hello > 100);
  let whole = 0;
  for (let start = 1; start < hello; start += 16) {
    const offsets = Array.from({ length: Math.min(16, hello - start) }, (_, i) => start + i);
    const pairs = await Promise.all(offsets.map((offset) => converse(cut('up', offset))));
    whole += pairs.filter(({ client, server }) => server.bytes.equals(UP) && client.bytes.equals(DOWN)).length;
    for (const { client, server } of pairs) {
      if (client.error ?? server.error) t.same([client.error, server.error], [undefined, undefined]);
    }
  }
  t.equal(whole, hello - 1);
});

void t.test('cut at random offsets, in either direction; and byte by byte', async (t) => {
  const direction = fc.constantFrom<Direction>('up', 'down');
  await fc.assert(
    fc.asyncProperty(direction, fc.nat(), async (where, draw) => {
      const { client, server } = await converse(cut(where, 1 + (draw % (LENGTHS[where] - 1))));
      return server.bytes.equals(UP) && client.bytes.equals(DOWN) && client.error === undefined && server.error === undefined;
    }),
    seeded(60),
  );
  const { client, server } = await converse((_direction, chunk) => Array.from(chunk, (_, i) => chunk.subarray(i, i + 1)));
  t.ok(server.bytes.equals(UP));
  t.ok(client.bytes.equals(DOWN));
  t.same([client.error, server.error], [undefined, undefined]);
});

type Fault = 'flip' | 'delete' | 'double' | 'insert' | 'end';

/** Does harm to the byte at `offset`. */
const harm =
  (where: Direction, offset: number, fault: Fault, bit: number): Edit =>
  (direction, chunk, start) => {
    const at = offset - start;
    if (direction !== where || at < 0 || at >= chunk.length) return [chunk];
    const [before, byte, after] = [chunk.subarray(0, at), chunk.subarray(at, at + 1), chunk.subarray(at + 1)];
    if (fault === 'flip') return [before, Buffer.of((byte[0] as number) ^ (1 << bit)), after];
    if (fault === 'delete') return [before, after];
    if (fault === 'double') return [before, byte, byte, after];
    if (fault === 'insert') return [before, Buffer.of(bit), byte, after];
    return [before, null];
  };

void t.test('a byte changed, lost, doubled or made up, or the end: never a wrong byte, never an end that looks whole', async (t) => {
  const faults = fc.constantFrom<Fault>('flip', 'delete', 'double', 'insert', 'end');
  let cases = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom<Direction>('up', 'down'), fc.nat(), faults, fc.nat(7), async (where, draw, fault, bit) => {
      // Half of them in the first 3,000 bytes, where the handshake is.
      const offset = draw % (draw % 2 === 0 ? Math.min(3000, LENGTHS[where]) : LENGTHS[where]);
      const { client, server } = await converse(harm(where, offset, fault, bit), 60);
      cases++;
      for (const [end, sent] of [
        [server, UP],
        [client, DOWN],
      ] as const) {
        if (!end.bytes.equals(sent.subarray(0, end.bytes.length))) throw new Error(`a wrong byte was delivered after ${end.bytes.length}`);
        if (end.error === undefined && !end.bytes.equals(sent)) throw new Error(`a clean end after ${end.bytes.length} bytes`);
        if (end.error !== undefined && !end.error.code.startsWith('ERR_VC_')) throw end.error;
      }
      const victim = where === 'up' ? server : client;
      // Two exceptions: a version field that RFC 8446 wants ignored, and what comes after the close_notify. (The length
      // of a run differs by a few bytes: ECDSA signatures do.)
      if (victim.error === undefined && fault !== 'flip' && offset < LENGTHS[where] - 16) throw new Error('the fault went unnoticed');
    }),
    { ...seeded(250), endOnFailure: true },
  );
  t.equal(cases, 250);
});

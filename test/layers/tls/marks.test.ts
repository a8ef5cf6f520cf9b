/** Marks through TLS: each comes out behind all that came before it, and before all that came after, in both directions. */
import fc from 'fast-check';
import t from 'tap';
import { Connection } from '../../../lib/core/connection.js';
import { END_OF_MESSAGE, FLUSH, isMark } from '../../../lib/core/unit.js';
import { type TlsOptions, tls, tlsState } from '../../../lib/layers/tls/index.js';
import { until } from '../../support/foreign.js';
import { cutAt, seeded } from '../../support/splits.js';
import { clientOptions, serverOptions } from './pki.js';
import { pattern } from './talk.js';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** One end of TLS as two bare Transforms, and what came out of each: bytes, and the marks with the bytes before them. */
function endOf(options: TlsOptions) {
  const connection = new Connection();
  connection.inStack = true;
  const layer = tls(options);
  const outbound = layer.outbound(connection);
  const inbound = layer.inbound(connection);
  const plain: Buffer[] = [];
  const marks: { readonly mark: unknown; readonly at: number; readonly cipherOut: number }[] = [];
  let [plainBytes, cipherBytes] = [0, 0];
  const cipher: unknown[] = [];
  const fault: unknown[] = [];
  outbound.on('data', (item: unknown) => {
    cipher.push(item);
    if (Buffer.isBuffer(item)) cipherBytes += item.length;
  });
  inbound.on('data', (item: unknown) => {
    if (isMark(item)) marks.push({ mark: item, at: plainBytes, cipherOut: cipherBytes });
    else {
      plain.push(item as Buffer);
      plainBytes += (item as Buffer).length;
    }
  });
  for (const stream of [outbound, inbound]) stream.on('error', (error) => fault.push(error));
  return { outbound, inbound, plain, marks, cipher, fault, state: tlsState(connection), bytes: () => Buffer.concat(plain) };
}

type End = ReturnType<typeof endOf>;

/** Hands ciphertext over, with a FLUSH behind it, cut as told. Gives how many marks went along. */
function carry(from: End, to: End, cuts: readonly number[] = []): number {
  const items = from.cipher.splice(0);
  const bytes = Buffer.concat(items.filter((item): item is Buffer => Buffer.isBuffer(item)));
  if (bytes.length === 0) return 0;
  for (const piece of cutAt(bytes, cuts)) to.inbound.write(piece);
  to.inbound.write(FLUSH);
  return 1;
}

/** Client and server behind their handshake; `early` is written before it. */
async function opened(early?: Buffer): Promise<[client: End, server: End]> {
  const [client, server] = [endOf(clientOptions()), endOf(serverOptions())];
  t.teardown(() => {
    for (const end of [client, server]) {
      end.outbound.destroy();
      end.inbound.destroy();
    }
  });
  if (early !== undefined) {
    client.outbound.write(early);
    client.outbound.write(END_OF_MESSAGE);
  }
  await until('the handshake', () => {
    carry(client, server);
    carry(server, client);
    return client.state?.phase === 'open' && server.state?.phase === 'open' && server.bytes().length === (early?.length ?? 0);
  });
  for (let i = 0; i < 4; i++) {
    await turn();
    carry(client, server);
    carry(server, client);
  }
  return [client, server];
}

void t.test('END_OF_MESSAGE follows the last byte of the ciphertext, within the call as a rule', async (t) => {
  const [client, server] = await opened();
  for (const size of [1, 100, 2048, 2049, 16_384, 16_385, 300_000]) {
    const message = pattern(size);
    client.outbound.write(message);
    client.outbound.write(END_OF_MESSAGE);
    await until('the mark', () => client.cipher.includes(END_OF_MESSAGE));
    t.equal(client.cipher.filter(isMark).length, 1, `${size}: no mark but that of the message`);
    t.equal(client.cipher.at(-1), END_OF_MESSAGE, `${size}: and nothing behind it`);
    const before = server.bytes().length;
    carry(client, server);
    await until('the message', () => server.bytes().length === before + size);
    await turn();
    t.equal(client.cipher.length, 0, 'all of it was in front of the mark');
  }
});

void t.test('a small message is out, mark and all, before the write returns', async (t) => {
  const [client] = await opened();
  client.outbound.write(Buffer.from('message'));
  t.equal(client.cipher.length, 0, 'it may have more');
  client.outbound.write(END_OF_MESSAGE);
  t.same(
    client.cipher.map((item) => (Buffer.isBuffer(item) ? item.length : item)),
    [7 + 22, END_OF_MESSAGE],
  );
  client.outbound.write(Buffer.from('at once another'));
  client.outbound.write(END_OF_MESSAGE);
  t.equal(client.cipher.length, 2, 'node:tls is still busy with the first');
  await until('the other', () => client.cipher.length === 4);
  t.equal(client.cipher[3], END_OF_MESSAGE);
});

void t.test('a message from before the handshake follows its end, with one mark for both', async (t) => {
  const client = endOf(clientOptions());
  client.outbound.write(Buffer.from('early'));
  client.outbound.write(END_OF_MESSAGE);
  const server = endOf(serverOptions());
  await until('the ClientHello', () => client.cipher.length > 0);
  t.same(client.cipher.filter(isMark), [FLUSH], 'the ClientHello waits for no message');
  carry(client, server);
  await until('the answer', () => server.cipher.length > 0);
  carry(server, client);
  await until('the message', () => client.cipher.includes(END_OF_MESSAGE));
  t.same(client.cipher.filter(isMark), [END_OF_MESSAGE]);
  t.equal(client.cipher.at(-1), END_OF_MESSAGE);
  carry(client, server);
  await until('it is heard', () => server.bytes().toString() === 'early');
  for (const end of [client, server]) {
    end.outbound.destroy();
    end.inbound.destroy();
  }
});

void t.test('alone, a layer gives no mark that it was not given', async (t) => {
  const connection = new Connection();
  const layer = tls(clientOptions());
  const [outbound, inbound] = [layer.outbound(connection), layer.inbound(connection)];
  const items: unknown[] = [];
  outbound.on('data', (item) => items.push(item));
  await until('the ClientHello', () => items.length > 0);
  await turn();
  t.ok(items.every((item) => Buffer.isBuffer(item)));
  outbound.destroy();
  inbound.destroy();
});

void t.test('a FLUSH from below comes out behind the plaintext, and behind what TLS has to answer', async (t) => {
  const [client, server] = [endOf(clientOptions()), endOf(serverOptions())];
  await until('the ClientHello', () => client.cipher.length > 0);
  server.inbound.write(client.cipher[0]);
  server.inbound.write(FLUSH);
  await until('the mark', () => server.marks.length === 1);
  t.ok((server.marks[0]?.cipherOut as number) > 500, 'the flight that answers the ClientHello was out');
  for (const end of [client, server]) {
    end.outbound.destroy();
    end.inbound.destroy();
  }
});

void t.test('a FLUSH behind a close_notify does not come out before the end', async (t) => {
  const [client, server] = await opened();
  let ended = false;
  server.inbound.on('end', () => {
    ended = true;
  });
  const before = server.marks.length;
  client.outbound.end();
  await until('close_notify', () => client.cipher.length > 0);
  carry(client, server);
  await until('the end', () => ended);
  t.equal(server.marks.length, before, 'nothing comes behind an end');
  t.same([client.fault, server.fault], [[], []]);
});

void t.test('a FLUSH waits for a reader that does not read', async (t) => {
  const [client, server] = await opened();
  server.inbound.pause();
  const message = pattern(3_000_000);
  const write = async () => {
    for (let at = 0; at < message.length; at += 100_000) {
      if (!client.outbound.write(message.subarray(at, at + 100_000))) await new Promise((go) => client.outbound.once('drain', go));
    }
    client.outbound.write(END_OF_MESSAGE);
  };
  void write();
  await until('all of it', () => client.cipher.includes(END_OF_MESSAGE));
  const before = server.marks.length;
  carry(client, server);
  for (let i = 0; i < 20; i++) await turn();
  t.equal(server.marks.length, before);
  server.inbound.resume();
  await until('the mark', () => server.marks.length === before + 1);
  t.equal(server.marks.at(-1)?.at, message.length);
});

void t.test('any messages, in any pieces and turns, both directions at once: every mark is where it belongs', async (t) => {
  const size = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 2040, max: 2056 }), fc.integer({ min: 1, max: 90_000 }));
  const step = fc.record({
    by: fc.constantFrom('client' as const, 'server' as const),
    chunks: fc.array(size, { minLength: 1, maxLength: 4 }),
    turns: fc.nat({ max: 2 }),
    carry: fc.boolean(),
    cuts: fc.array(fc.nat({ max: 50_000 }), { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const [client, server] = await opened();
      const ends = { client, server };
      const sent = { client: [] as Buffer[], server: [] as Buffer[] };
      /** Where the messages of each end are over, in bytes. */
      const bounds = { client: [] as number[], server: [] as number[] };
      const start = { client: client.marks.length, server: server.marks.length };
      const carried = { client: 0, server: 0 };
      const hand = (cuts: readonly number[]) => {
        carried.server += carry(client, server, cuts);
        carried.client += carry(server, client, cuts);
      };
      for (const { by, chunks, turns, carry: now, cuts } of steps) {
        for (const bytes of chunks) {
          const chunk = pattern(bytes);
          sent[by].push(chunk);
          ends[by].outbound.write(chunk);
        }
        ends[by].outbound.write(END_OF_MESSAGE);
        bounds[by].push(sent[by].reduce((sum, { length }) => sum + length, 0));
        for (let i = 0; i < turns; i++) await turn();
        if (now) hand(cuts);
      }
      const total = { client: bounds.client.at(-1) ?? 0, server: bounds.server.at(-1) ?? 0 };
      await until('all of it', () => {
        hand([]);
        return server.bytes().length === total.client && client.bytes().length === total.server;
      });
      await until(
        'all marks',
        () => client.marks.length - start.client === carried.client && server.marks.length - start.server === carried.server,
      );
      for (const [from, to] of [
        ['client', server],
        ['server', client],
      ] as const) {
        if (!to.bytes().equals(Buffer.concat(sent[from]))) throw new Error('other bytes');
        // In order, and none later than the bytes that came after it.
        for (let i = 1; i < to.marks.length; i++) {
          if ((to.marks[i]?.at as number) < (to.marks[i - 1]?.at as number)) throw new Error('marks out of order');
        }
        if (ends[from].fault.length > 0) throw ends[from].fault[0] as Error;
      }
    }),
    { ...seeded(40), numRuns: 40 },
  );
  t.pass();
});

void t.test('every END_OF_MESSAGE stands where its message ends in the ciphertext', async (t) => {
  const [client, server] = await opened();
  const sizes = [10, 70_000, 1, 16_384, 33];
  for (const size of sizes) {
    client.outbound.write(pattern(size));
    client.outbound.write(END_OF_MESSAGE);
  }
  await until('all marks', () => client.cipher.filter((item) => item === END_OF_MESSAGE).length === sizes.length);
  const start = server.bytes().length;
  let sum = 0;
  for (const item of client.cipher.splice(0)) {
    if (Buffer.isBuffer(item)) {
      server.inbound.write(item);
      continue;
    }
    server.inbound.write(FLUSH);
    sum += sizes.shift() as number;
    const expected = sum;
    await until('the message', () => server.marks.at(-1)?.at === start + expected);
  }
  t.equal(server.bytes().length, start + sum);
});

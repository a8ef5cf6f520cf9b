/** Order under load: what breaks it shows with slow consumers and many repetitions only (PERFORMANCE, rule 11). */
import { join } from 'node:path';
import t from 'tap';
import { DirectoryStore, type FileSink, type FileStore } from '../../lib/enclave/store/file-store.js';
import { within } from '../support/foreign.js';
import '../support/long.js';
import { bob, content, freshFolder, slices, startRoles, stored } from '../support/roles.js';

const SIZE = 2 * 2 ** 20 + 17;
const ROUNDS = 50;
const CLIENTS = 4;

/** Reads with a pause between the pieces, so that everything below fills up. */
async function slowly(body: AsyncIterable<Buffer>, every: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of body) {
    pieces.push(piece);
    if (pieces.length % every === 0) await new Promise((go) => setImmediate(go));
  }
  return Buffer.concat(pieces);
}

void t.test(`${CLIENTS} clients, ${ROUNDS} rounds each`, async (t) => {
  const { connect } = await startRoles(t);
  let good = 0;
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, who) => {
      const client = await connect(who % 2 === 0 ? {} : { identity: bob });
      for (let round = 0; round < ROUNDS; round++) {
        const bytes = content(SIZE - round, who * ROUNDS + round + 1);
        const name = `/${who}`;
        const source = round % 2 === 0 ? bytes : slices(bytes, 1000 + round * 5003);
        await within(`upload ${round} of client ${who}`, client.writeFile(name, source, { size: bytes.length }));
        const body = await within(`download ${round} of client ${who}`, client.readFile(name));
        const back = await within(`the body of download ${round} of client ${who}`, slowly(body, 1 + (round % 3)));
        if (back.equals(bytes)) good++;
        else t.fail(`client ${who}, round ${round}: ${back.length} bytes of ${bytes.length}`);
      }
      await client.close();
    }),
  );
  t.equal(good, CLIENTS * ROUNDS);
});

/** Makes every second write to `sink` wait some turns of the event loop, so that an upload fills all there is to be filled. */
function slowed(sink: FileSink): FileSink {
  const write = sink._write.bind(sink);
  const writev = sink._writev?.bind(sink);
  let count = 0;
  const slowly = (go: () => void) => (count++ % 2 === 0 ? setTimeout(go, 1) : go());
  sink._write = (...args) => void slowly(() => write(...args));
  if (writev) sink._writev = (...args) => void slowly(() => writev(...args));
  return sink;
}

void t.test(`a store that takes its time, ${ROUNDS} uploads of two clients each`, async (t) => {
  const folder = await DirectoryStore.open(join(freshFolder(t), 'store'), { sync: 'none' });
  t.teardown(() => folder.close());
  const store = new Proxy(folder, {
    get(target, key) {
      if (key === 'write') return (...args: Parameters<FileStore['write']>) => slowed(target.write(...args));
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  const { connect } = await startRoles(t, { manager: { store } });
  await Promise.all(
    [undefined, bob].map(async (identity, who) => {
      const client = await connect(identity ? { identity } : {});
      for (let round = 0; round < ROUNDS; round++) {
        const bytes = content(SIZE + round, 100 + who * ROUNDS + round);
        await within(`upload ${round} of client ${who}`, client.writeFile(`/${who}`, bytes));
        if (!(await stored(folder, `/${who}`))?.equals(bytes)) t.fail(`client ${who}, round ${round}`);
      }
      await client.close();
    }),
  );
});

void t.test('16 sessions at once', async (t) => {
  const { connect, store, server } = await startRoles(t);
  const clients = await Promise.all(Array.from({ length: 16 }, () => connect()));
  t.equal(server.sessions, 16);
  t.equal(new Set(clients.map(({ session }) => session)).size, 16);
  await Promise.all(
    clients.map(async (client, who) => {
      for (let round = 0; round < 5; round++) {
        const bytes = content(100_000 + who * 1000 + round, who * 5 + round + 1);
        await client.writeFile(`/${who}`, bytes);
        await client.appendFile(`/${who}`, Buffer.from('tail'));
        const back = await slowly(await client.readFile(`/${who}`), 1);
        if (!back.equals(Buffer.concat([bytes, Buffer.from('tail')]))) t.fail(`session ${who}, round ${round}`);
      }
      await client.close();
    }),
  );
  t.equal((await stored(store, '/15'))?.length, 100_000 + 15_000 + 4 + 4);
});

void t.test('one log, many writers: every record is there once and whole', async (t) => {
  const { connect, store } = await startRoles(t);
  const clients = await Promise.all(Array.from({ length: 8 }, () => connect()));
  await Promise.all(
    clients.map(async (client, who) => {
      for (let i = 0; i < 10; i++) await client.appendFile('/log', Buffer.alloc(1000, who * 10 + i));
    }),
  );
  const log = (await stored(store, '/log')) as Buffer;
  const records = Array.from({ length: log.length / 1000 }, (_, i) => log.subarray(i * 1000, i * 1000 + 1000));
  t.ok(records.every((record) => record.every((byte) => byte === record[0])));
  t.same(
    records.map((record) => record[0]).sort((a, b) => Number(a) - Number(b)),
    Array.from({ length: 80 }, (_, i) => i),
  );
});

/** A session over plain TCP, between a pipe and a Runtime Manager that does what the test says. */
import type { Duplex } from 'node:stream';
import t from 'tap';
import { DirectSession } from '../../lib/roles/server/direct-session.js';
import type { SessionGate } from '../../lib/roles/server/session-gate.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { until } from '../support/foreign.js';

const CHUNK = Buffer.alloc(65_536);

interface Played {
  readonly client: Duplex;
  /** Bytes that the manager was fed. */
  readonly fed: () => number;
  /** Bytes that were fetched of it. */
  readonly fetched: () => number;
  /** Lets the manager say that there is no more. */
  readonly tell: () => void;
}

/** A manager that takes everything, has `chunks` for the client, and says that there is no more when it is let. */
function start(chunks = 0): Played {
  let fed = 0;
  let left = chunks;
  let told = false;
  const manager = {
    bytes: { up: 0, down: 0 },
    feed: (slices: Buffer[]) => {
      for (const slice of slices) fed += slice.length;
    },
    async *fetch() {
      while (left-- > 0) yield { data: [CHUNK], active: true };
      left = 0;
      await until('the word of the manager', () => told);
    },
    takeRefusal: () => undefined,
    close: () => {},
  };
  const [client, socket] = memoryPipe();
  client.on('error', () => {});
  new DirectSession(socket, manager as unknown as SessionGate, { onEnd: () => {}, onInactive: () => {} });
  return {
    client,
    fed: () => fed,
    fetched: () => (chunks - left) * CHUNK.length,
    tell: () => {
      told = true;
    },
  };
}

void t.test('no more than 4 MiB go to a manager that has not said that it digested them', async (t) => {
  const { client, fed, tell } = start();
  t.teardown(() => client.destroy());
  for (let chunk = 0; chunk < 96; chunk++) client.write(CHUNK);
  await until('4 MiB', () => fed() >= 4 * 2 ** 20);
  for (let turn = 0; turn < 20; turn++) await new Promise((go) => setImmediate(go));
  t.ok(fed() <= 5 * 2 ** 20, `${fed()} bytes`);
  tell();
  await until('all of it', () => fed() === 96 * CHUNK.length);
});

void t.test('a client that does not read its answer: no more is fetched than its connection takes', async (t) => {
  const { client, fetched, tell } = start(96);
  t.teardown(() => client.destroy());
  client.write('a question');
  await until('a first piece', () => fetched() > 0);
  for (let turn = 0; turn < 200; turn++) await new Promise((go) => setImmediate(go));
  t.ok(fetched() <= 8 * CHUNK.length, `${fetched()} bytes`);
  let read = 0;
  client.on('data', (chunk: Buffer) => {
    read += chunk.length;
  });
  await until('all of it', () => read === 96 * CHUNK.length);
  tell();
});

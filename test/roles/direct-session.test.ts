/** A session over plain TCP, between a pipe and a Runtime Manager that does what the test says. */
import type { Duplex } from 'node:stream';
import t from 'tap';
import { DirectSession } from '../../lib/roles/server/direct-session.js';
import type { ManagerSession } from '../../lib/roles/server/manager-session.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { until } from '../support/foreign.js';

const CHUNK = Buffer.alloc(65_536);

/** A manager that takes everything, and tells what it has for the client when it is let. */
function start(): { client: Duplex; fed: () => number; tell: () => void } {
  let fed = 0;
  let told = false;
  const manager = {
    bytes: { up: 0, down: 0 },
    feed: (slices: Buffer[]) => {
      for (const slice of slices) fed += slice.length;
    },
    async *fetch() {
      await until('the word of the manager', () => told);
    },
    takeRefusal: () => undefined,
    close: () => {},
  };
  const [client, socket] = memoryPipe();
  client.on('error', () => {});
  new DirectSession(socket, manager as unknown as ManagerSession, { onEnd: () => {}, onInactive: () => {} });
  return {
    client,
    fed: () => fed,
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

/** AbortSignals at every moment of a transfer. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { FileStore } from '../../lib/enclave/store/file-store.js';
import { until, within } from '../support/foreign.js';
import { collect, content, freshFolder, pending, slices, startRoles, stored } from '../support/roles.js';

/** An error that a later line looks at is not unhandled until then. */
const quiet = <P extends Promise<unknown>>(promise: P): P => {
  promise.catch(() => {});
  return promise;
};

const ABORTED = { code: 'ERR_VC_ABORTED' };

void t.test('before anything', async (t) => {
  const { connect, server } = await startRoles(t);
  const client = await connect();
  const signal = AbortSignal.abort(new Error('no more'));
  await t.rejects(client.writeFile('/f', content(10), { signal }), ABORTED);
  await t.rejects(client.appendFile('/f', content(10), { signal }), ABORTED);
  await t.rejects(client.readFile('/f', { signal }), ABORTED);
  await t.rejects(connect({ signal }), ABORTED);
  t.equal(server.sessions, 1, 'no session was opened for it');
  await client.writeFile('/f', content(10));
  t.ok((await collect(await client.readFile('/f'))).equals(content(10)), 'the session was never touched');
});

void t.test('a path as the source: what refuses the request while the path is looked at is told once, to the caller', async (t) => {
  const { connect, server } = await startRoles(t);
  const path = join(freshFolder(t), 'source');
  writeFileSync(path, content(10));
  const unhandled: unknown[] = [];
  const listener = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', listener);
  t.teardown(() => process.off('unhandledRejection', listener));
  const client = await connect();
  await t.rejects(client.writeFile('/f', { path }, { signal: AbortSignal.abort() }), ABORTED);
  await t.rejects(client.writeFile('/f', { path: '/no/such/file' }, { signal: AbortSignal.abort() }), {
    code: /^ERR_VC_(ABORTED|INVALID_ARGUMENT)$/,
  });
  await client.writeFile('/f', { path });
  await server.close();
  await t.rejects(client.readFile('/f'), { code: /^ERR_VC_/ });
  await t.rejects(client.appendFile('/f', { path }), { code: /^ERR_VC_/ }, 'a session that has failed');
  t.same(unhandled, []);
});

void t.test('in the middle of an upload: nothing is stored, the session is over', async (t) => {
  const { connect, store, folder, manager } = await startRoles(t);
  for (const after of [0, 1, 500_000, 2_000_000]) {
    const client = await connect();
    const end = new AbortController();
    const write = client.writeFile('/f', slices(content(3_000_000), 50_000), {
      size: 3_000_000,
      signal: end.signal,
      onProgress: ({ bytes }) => {
        if (bytes >= after) end.abort();
      },
    });
    await t.rejects(within('an aborted upload', write), ABORTED, `after ${after} bytes`);
    await t.rejects(client.readFile('/f'), ABORTED);
    await client.close();
  }
  await until('the manager drops what was aborted', () => pending(folder).length === 0 || manager.sessions === 0);
  t.equal(await stored(store, '/f'), undefined);
});

void t.test('while the source says nothing', async (t) => {
  const { connect, store } = await startRoles(t);
  const client = await connect();
  const end = new AbortController();
  let returned = false;
  async function* silent() {
    try {
      yield content(1000);
      setImmediate(() => end.abort());
      await new Promise((go) => end.signal.addEventListener('abort', go));
      yield content(1000);
    } finally {
      returned = true;
    }
  }
  await t.rejects(
    within('an upload whose source is silent', client.writeFile('/f', silent(), { size: 2000, signal: end.signal })),
    ABORTED,
  );
  await until('the source is let go', () => returned);
  t.equal(await stored(store, '/f'), undefined);
});

void t.test('in the middle of a download', async (t) => {
  const { connect } = await startRoles(t);
  const bytes = content(3_000_000);
  const first = await connect();
  await first.writeFile('/f', bytes);
  const client = await connect();
  const end = new AbortController();
  const body = await client.readFile('/f', { signal: end.signal });
  let seen = 0;
  await t.rejects(
    within(
      'an aborted download',
      (async () => {
        for await (const chunk of body) {
          seen += (chunk as Buffer).length;
          end.abort();
        }
      })(),
    ),
    ABORTED,
  );
  t.ok(seen < bytes.length);
  await t.rejects(
    client.policyHash().then(() => client.readFile('/f')),
    ABORTED,
  );
  t.ok((await collect(await first.readFile('/f'))).equals(bytes), 'other sessions go on');
});

void t.test('while the answer to a read is awaited', async (t) => {
  let asked: () => void = () => {};
  const reading = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const read = () => {
    asked();
    return new Promise<never>(() => {});
  };
  const store = { read, bind: async () => {}, close: async () => {} } as unknown as FileStore;
  const { connect } = await startRoles(t, { manager: { store } });
  const client = await connect();
  const end = new AbortController();
  const reply = client.readFile('/f', { signal: end.signal });
  await within('the read reaches the store', reading);
  end.abort();
  await t.rejects(within('a read that is aborted before its answer', reply), ABORTED);
});

void t.test('while queued behind another request: at once, and the other is not touched', async (t) => {
  const { connect, store } = await startRoles(t);
  const client = await connect();
  const end = new AbortController();
  let go: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  async function* source() {
    yield content(1000);
    await held;
    yield content(1000);
  }
  const first = quiet(client.writeFile('/first', source(), { size: 2000 }));
  const queued = [
    quiet(client.writeFile('/second', content(10), { signal: end.signal })),
    quiet(client.readFile('/second', { signal: end.signal })),
    quiet(client.appendFile('/third', content(10))),
  ] as const;
  setImmediate(() => end.abort());
  await t.rejects(within('a queued write that is aborted', queued[0]), ABORTED);
  await t.rejects(within('a queued read that is aborted', queued[1]), ABORTED);
  go();
  await first;
  await queued[2];
  t.equal((await stored(store, '/first'))?.length, 2000);
  t.equal((await stored(store, '/third'))?.length, 10);
  t.equal(await stored(store, '/second'), undefined);
});

void t.test('at every turn between two requests', async (t) => {
  const { connect, store } = await startRoles(t);
  // Calls in calls: a microtask later each, from before the second request begins until it is under way.
  for (let turns = 0; turns < 8; turns++) {
    const client = await connect();
    const end = new AbortController();
    const first = (async () => {
      await client.writeFile('/first', content(10));
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      end.abort();
    })();
    const second = quiet(client.readFile('/none/of/it', { signal: end.signal }));
    await within('the first request', first);
    await t.rejects(within('the second request', second), ABORTED, `after ${turns} turns`);
    await client.close();
  }
  t.equal((await stored(store, '/first'))?.length, 10);
});

void t.test('the signal of the whole session, and a signal that comes too late', async (t) => {
  const { connect, store } = await startRoles(t);
  const end = new AbortController();
  const client = await connect({ signal: end.signal });
  const late = new AbortController();
  await client.writeFile('/f', content(10), { signal: late.signal });
  await collect(await client.readFile('/f', { signal: late.signal }));
  late.abort();
  await client.writeFile('/g', content(10));
  end.abort();
  await t.rejects(client.readFile('/g'), ABORTED);
  await t.rejects(client.writeFile('/h', content(10)), ABORTED);
  t.equal((await stored(store, '/g'))?.length, 10);
});

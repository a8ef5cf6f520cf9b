/** Files through the whole stack, over HTTP, all roles in this process. */
import { once } from 'node:events';
import fs, { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import type { Progress } from '../../lib/roles/client/client.js';
import { tapProxy, until, within } from '../support/foreign.js';
import '../support/long.js';
import {
  bob,
  collect,
  connectClient,
  content,
  freshFolder,
  managerIdentity,
  POLICY_HASH,
  pending,
  policyOf,
  portOf,
  slices,
  startRoles,
  stored,
} from '../support/roles.js';

const SIZES = [0, 1, 16_383, 16_384, 16_385, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1];

void t.test('every size, up and down', async (t) => {
  const { connect, store } = await startRoles(t);
  const client = await connect();
  for (const size of SIZES) {
    const bytes = content(size);
    const name = `/sizes/${size}`;
    await client.writeFile(name, bytes);
    t.ok((await stored(store, name))?.equals(bytes), `${size} bytes are stored`);
    const body = await client.readFile(name);
    t.equal(body.length, size);
    t.ok((await collect(body)).equals(bytes), `${size} bytes come back`);
  }
  await client.close();
});

void t.test('every kind of source', async (t) => {
  const { connect, store } = await startRoles(t);
  const client = await connect();
  const bytes = content(300_001);
  const path = join(freshFolder(t), 'source');
  writeFileSync(path, bytes);
  const sources = {
    path: () => client.writeFile('f', { path }),
    URL: () => client.writeFile('f', pathToFileURL(path)),
    'path and size': () => client.writeFile('f', { path }, { size: bytes.length }),
    Buffer: () => client.writeFile('f', bytes),
    Uint8Array: () => client.writeFile('f', new Uint8Array(bytes)),
    'Readable with size': () => client.writeFile('f', Readable.from(slices(bytes, 7001)), { size: bytes.length }),
    'Readable of one byte each': () => client.writeFile('f', Readable.from(slices(bytes.subarray(0, 3000), 1)), { size: 3000 }),
    'AsyncIterable without size': () => client.writeFile('f', slices(bytes, 7001)),
    'empty AsyncIterable without size': () => client.writeFile('f', slices(Buffer.alloc(0), 1)),
  };
  for (const [kind, write] of Object.entries(sources)) {
    await write();
    const due = kind.startsWith('empty') ? bytes.subarray(0, 0) : kind.includes('one byte') ? bytes.subarray(0, 3000) : bytes;
    t.ok((await stored(store, '/f'))?.equals(due), kind);
  }
});

void t.test('append: to nothing, to a file, of nothing', async (t) => {
  const { connect, store } = await startRoles(t);
  const client = await connect();
  await client.appendFile('/log', Buffer.from('one '));
  await client.appendFile('/log', Readable.from([Buffer.from('two')]), { size: 3 });
  await client.appendFile('/log', Buffer.alloc(0));
  t.equal(String(await stored(store, '/log')), 'one two');
});

void t.test('read to a path: there when it is complete, and nothing else', async (t) => {
  const { connect } = await startRoles(t);
  const client = await connect();
  const folder = freshFolder(t);
  for (const size of [0, 1, 700_000]) {
    await client.writeFile('/f', content(size));
    t.same(await client.readFile('/f', { to: { path: join(folder, 'out') } }), { bytes: size });
    t.ok(readFileSync(join(folder, 'out')).equals(content(size)));
  }
  await t.rejects(client.readFile('/f', { to: { path: join(folder, 'no', 'such', 'folder') } }), {
    code: 'ERR_VC_INVALID_ARGUMENT',
    message: /no such folder$/,
  });
  await t.rejects(client.readFile('/missing', { to: { path: join(folder, 'missing') } }), { code: 'ERR_VC_REQUEST_FAILED' });
  t.same(await readdir(folder), ['out'], 'neither a partial file nor an empty one');
  t.equal((await client.readFile('/f', { to: { path: join(folder, 'out') } })).bytes, 700_000, 'and the session goes on');
});

void t.test('read to a path: the disk has the file before it has its name, and the name before success is told', async (t) => {
  const { connect } = await startRoles(t);
  const client = await connect();
  const folder = freshFolder(t);
  await client.writeFile('/f', content(700_000));
  const handle = await open(join(folder, 'handle'), 'w');
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  rmSync(join(folder, 'handle'));
  const sync = Object.getOwnPropertyDescriptor(prototype, 'sync') as PropertyDescriptor & { value: (this: FileHandle) => Promise<void> };
  t.teardown(() => Object.defineProperty(prototype, 'sync', sync));
  const seen: string[] = [];
  let faults: (string | undefined)[] = [];
  Object.assign(prototype, {
    async sync(this: FileHandle) {
      const found = await this.stat();
      const { mode, size } = found;
      seen.push(
        found.isDirectory()
          ? `folder of ${readdirSync(folder).join()}`
          : `${(mode & 0o777).toString(8)} ${size}: ${readdirSync(folder).length}`,
      );
      const code = faults.shift();
      if (code !== undefined) throw Object.assign(new Error(code), { code, syscall: 'fsync' });
      return sync.value.call(this);
    },
  });
  const to = { path: join(folder, 'out') };
  await client.readFile('/f', { to, mode: 0o640 });
  t.same(seen, ['640 700000: 1', 'folder of out']);
  for (const code of ['EINVAL', 'EACCES']) {
    faults = [undefined, code];
    t.same(await client.readFile('/f', { to }), { bytes: 700_000 }, `a folder that cannot be synchronised: ${code}`);
  }
  faults = [undefined, 'EIO'];
  await t.rejects(client.readFile('/f', { to }), { code: 'ERR_VC_LOCAL_FILE', got: 'EIO', message: /cannot write .*EIO/ });
  rmSync(to.path);
  faults = ['EIO'];
  await t.rejects(client.readFile('/f', { to }), { code: 'ERR_VC_LOCAL_FILE', got: 'EIO', message: /cannot write .*EIO/ });
  t.same(readdirSync(folder), [], 'nothing is left of a file that the disk has not taken');
});

void t.test('a source that is shorter or longer than it says: the caller hears it, nothing is stored', async (t) => {
  const { connect, store, folder } = await startRoles(t);
  const bytes = content(200_000);
  const cases: [string, number][] = [
    ['one byte short', bytes.length + 1],
    ['much shorter', 10_000_000],
    ['nothing at all', 5],
    ['one byte long', bytes.length - 1],
    ['a chunk long', bytes.length - 20_000],
    ['something where nothing was said', 0],
  ];
  for (const operation of ['writeFile', 'appendFile'] as const) {
    for (const [what, size] of cases) {
      const client = await connect();
      const source = what === 'nothing at all' ? slices(bytes.subarray(0, 0), 1) : slices(bytes, 20_000);
      await t.rejects(
        within(what, client[operation]('/new', source, { size })),
        { code: 'ERR_VC_LENGTH_MISMATCH' },
        `${operation}: ${what}`,
      );
      await t.rejects(
        client.policyHash().then(() => client.readFile('/new')),
        { name: /Error/ },
        'the session is over',
      );
      const after = await connect();
      await t.rejects(after.readFile('/new'), { code: 'ERR_VC_REQUEST_FAILED' });
      await after.close();
      t.same(pending(folder), []);
    }
  }
  const client = await connect();
  await t.rejects(client.writeFile('/new', bytes, { size: 7 }), { code: 'ERR_VC_LENGTH_MISMATCH' }, 'bytes know their size');
  await t.rejects(client.writeFile('/new', bytes, { size: -1 }), { code: 'ERR_VC_INVALID_OPTION' });
  await t.rejects(client.writeFile('/new', { path: '/no/such/file' }), { code: 'ERR_VC_INVALID_ARGUMENT' });
  await t.rejects(client.writeFile('/new', { path: '/' }), { code: 'ERR_VC_INVALID_ARGUMENT' });
  t.equal(await stored(store, '/new'), undefined);
  await client.writeFile('/new', bytes);
  t.ok((await stored(store, '/new'))?.equals(bytes), 'what fails before the first byte costs nothing');
});

void t.test('a source that fails in the middle', async (t) => {
  const { connect, store, folder } = await startRoles(t);
  const client = await connect();
  await client.writeFile('/f', Buffer.from('old'));
  async function* broken() {
    yield content(100_000);
    throw new Error('the disk is gone');
  }
  await t.rejects(client.writeFile('/f', broken(), { size: 200_000 }), /the disk is gone/);
  const after = await connect();
  t.equal(String(await collect(await after.readFile('/f'))), 'old');
  t.same(pending(folder), []);
  t.equal(String(await stored(store, '/f')), 'old');
});

void t.test('the session ends while a piece of unknown length is gathered, whether the source says more or not', async (t) => {
  const { connect, store } = await startRoles(t);
  for (const silent of [true, false]) {
    const end = new AbortController();
    const client = await connect({ signal: end.signal });
    let go = () => {};
    const told = new Promise<void>((resolve) => {
      go = resolve;
    });
    let returned = false;
    async function* source() {
      try {
        yield content(1000);
        const over = once(client, 'close');
        setImmediate(() => end.abort());
        await over;
        if (silent) await told;
        yield content(1000);
      } finally {
        returned = true;
        // biome-ignore lint/correctness/noUnsafeFinally: nobody must stumble over that
        if (silent) throw new Error('the source has trouble with its end');
      }
    }
    await t.rejects(within('the write', client.writeFile('/f', source())), { code: 'ERR_VC_ABORTED' }, silent ? 'silent' : 'with more');
    go();
    await until('the source is let go', () => returned);
  }
  t.equal(await stored(store, '/f'), undefined);
});

void t.test('a path that cannot be opened, behind another request: the caller hears it in its turn', async (t) => {
  const { connect, store } = await startRoles(t);
  const client = await connect();
  const path = join(freshFolder(t), 'source');
  writeFileSync(path, content(10));
  const { open } = fs;
  const refused = new Promise<void>((resolve) => {
    fs.open = ((...parameters: Parameters<typeof open>) => {
      if (parameters[0] !== path) return open(...parameters);
      const answer = parameters.at(-1) as (error: Error) => void;
      setImmediate(() => {
        answer(new Error('no permission'));
        setImmediate(resolve);
      });
    }) as typeof open;
  });
  t.teardown(() => {
    fs.open = open;
  });
  async function* slow() {
    yield content(10);
    await refused;
    yield content(10);
  }
  const first = client.writeFile('/first', slow(), { size: 20 });
  const second = client.writeFile('/second', { path });
  second.catch(() => {});
  await within('the request before it', first);
  await t.rejects(within('the request of the path', second), /no permission/);
  t.equal((await stored(store, '/first'))?.length, 20);
});

void t.test('pieces: a write and appends', async (t) => {
  const seen: unknown[] = [];
  const { connect, store } = await startRoles(t, {
    manager: {
      log: (_level, event, figures) => {
        if (event === 'request') seen.push(figures?.request);
      },
    },
  });
  for (const [size, pieces] of [
    [0, 1],
    [1000, 1],
    [1001, 2],
    [3000, 3],
    [3001, 4],
  ] as const) {
    const bytes = content(size);
    for (const source of [bytes, slices(bytes, 777), Readable.from(slices(bytes, 999))]) {
      const client = await connect({ maxPieceBytes: 1000 });
      seen.length = 0;
      await client.writeFile('/f', source, source instanceof Readable ? { size } : {});
      t.same(seen, ['write_file', ...Array<string>(pieces - 1).fill('append_file')], `${size} bytes`);
      t.ok((await stored(store, '/f'))?.equals(bytes));
      seen.length = 0;
      await client.appendFile('/f', bytes);
      t.same(seen, Array<string>(pieces).fill('append_file'));
      await client.close();
    }
  }
});

void t.test('progress: by callback and by event, growing, and complete at the end', async (t) => {
  const { connect } = await startRoles(t);
  const client = await connect();
  const bytes = content(1_500_000);
  const events: Progress[] = [];
  client.on('progress', (progress) => events.push(progress));
  for (const [operation, total, run] of [
    [
      'write',
      bytes.length,
      (onProgress: (p: Progress) => void) => client.writeFile('/f', slices(bytes, 100_000), { size: bytes.length, onProgress }),
    ],
    ['append', undefined, (onProgress: (p: Progress) => void) => client.appendFile('/g', slices(bytes, 100_000), { onProgress })],
    ['read', bytes.length, async (onProgress: (p: Progress) => void) => collect(await client.readFile('/f', { onProgress }))],
  ] as const) {
    const calls: Progress[] = [];
    events.length = 0;
    await run((progress) => calls.push(progress));
    t.same(events, calls, 'the same in both directions');
    t.ok(calls.length > 0);
    t.ok(calls.every((call, i) => call.bytes >= (calls[i - 1]?.bytes ?? 0) && call.operation === operation && call.total === total));
    t.equal(calls.at(-1)?.bytes, bytes.length);
  }
});

void t.test('requests carry on in the order of the calls', async (t) => {
  const { connect } = await startRoles(t);
  const client = await connect();
  const bytes = content(900_000);
  const results = await Promise.all([
    client.writeFile('/f', slices(bytes, 5000), { size: bytes.length }),
    client.appendFile('/f', Buffer.from('tail')),
    client.readFile('/f').then(collect),
    client.writeFile('/f', Buffer.from('new')),
    client.readFile('/f').then(collect),
    client.policyHash(),
  ]);
  t.ok(results[2].equals(Buffer.concat([bytes, Buffer.from('tail')])));
  t.equal(String(results[4]), 'new');
  t.equal(results[5], POLICY_HASH);
});

void t.test('a body that nobody reads holds up the next request, until it is destroyed', async (t) => {
  const { connect } = await startRoles(t);
  const client = await connect();
  const bytes = content(5_000_000);
  await client.writeFile('/big', bytes);
  for (const read of [0, 1, 3]) {
    const body = await client.readFile('/big');
    const chunks = body[Symbol.asyncIterator]();
    for (let i = 0; i < read; i++) await chunks.next();
    let over = false;
    const next = client.writeFile('/next', Buffer.from(`after ${read}`)).then(() => {
      over = true;
    });
    for (let turn = 0; turn < 20; turn++) await new Promise((go) => setImmediate(go));
    t.notOk(over, 'it waits');
    body.destroy();
    await within('the request behind a destroyed body', next);
    t.equal(String(await collect(await client.readFile('/next'))), `after ${read}`);
  }
  t.ok((await collect(await client.readFile('/big'))).equals(bytes));
  const unread = await client.readFile('/big');
  unread.destroy();
  await within('close() behind a destroyed body', client.close());
});

void t.test('what the manager refuses is an answer, and the session goes on', async (t) => {
  const { connect } = await startRoles(t);
  const client = await connect();
  await client.writeFile('/kept', Buffer.from('kept'));
  const refusals: [string, string, () => Promise<unknown>][] = [
    ['a missing file', 'FAILED_GENERIC', () => client.readFile('/missing')],
    ['..', 'FAILED_INVALID_REQUEST', () => client.readFile('/a/../b')],
    ['.. at the start', 'FAILED_INVALID_REQUEST', () => client.writeFile('../../etc/passwd', content(10))],
    ['.. before a large body', 'FAILED_INVALID_REQUEST', () => client.writeFile('/../f', content(3_000_000))],
    ['NUL', 'FAILED_INVALID_REQUEST', () => client.appendFile('/a\0b', content(10))],
    ['no name', 'FAILED_INVALID_REQUEST', () => client.writeFile('', content(10))],
    ['a segment that is too long', 'FAILED_INVALID_REQUEST', () => client.writeFile('x'.repeat(256), content(10))],
  ];
  for (const [what, status, request] of refusals) {
    await t.rejects(within(what, request()), { code: 'ERR_VC_REQUEST_FAILED', got: status }, what);
    t.equal(String(await collect(await client.readFile('/kept'))), 'kept', `after ${what}`);
  }
});

void t.test('what cannot be a source, a name or a place to save is refused by its own error, and the session goes on', async (t) => {
  const { connect, store } = await startRoles(t);
  const client = await connect();
  await client.writeFile('/kept', Buffer.from('kept'));
  const none = join(freshFolder(t), 'none', 'f');
  const wrong: [string, RegExp, () => Promise<unknown>][] = [
    ['a number', /not number/, () => client.writeFile('/f', 5 as unknown as Buffer)],
    ['nothing', /not undefined/, () => client.appendFile('/f', undefined as unknown as Buffer)],
    ['a list of numbers', /gives bytes, not number/, () => client.writeFile('/f', [1, 2] as unknown as Buffer)],
    ['an object', /not object/, () => client.writeFile('/f', {} as unknown as Buffer)],
    ['a stream of text', /gives bytes, not string/, () => client.writeFile('/f', Readable.from(['text']))],
    ['a name', /name of a file is a text, not number/, () => client.readFile(5 as unknown as string)],
    ['a folder that is not there', /^cannot write .*\/none\/f: no such folder$/, () => client.readFile('/kept', { to: { path: none } })],
    ['a folder', /^cannot write .*: it is a folder$/, () => client.readFile('/kept', { to: { path: freshFolder(t) } })],
  ];
  for (const [what, message, request] of wrong) {
    await t.rejects(within(what, request()), { code: 'ERR_VC_INVALID_ARGUMENT', message }, what);
    t.equal(String(await collect(await client.readFile('/kept'))), 'kept', `after ${what}`);
  }
  t.equal(await stored(store, '/f'), undefined);
});

void t.test('connect: the policy, the identity, the close', async (t) => {
  const { connect, manager, server } = await startRoles(t);
  const client = await connect({ expectedPolicyHash: POLICY_HASH.toUpperCase(), identity: bob });
  t.equal(await client.policyHash(), POLICY_HASH);
  t.match(client.session, /^[1-9][0-9]*$/);
  let closes = 0;
  client.on('close', (error) => {
    closes++;
    t.equal(error, undefined);
  });
  await Promise.all([client.close(), client.close()]);
  await client.close();
  t.equal(closes, 1);
  await t.rejects(client.readFile('/f'), { code: 'ERR_VC_CLOSED' });
  await t.rejects(client.writeFile('/f', content(1)), { code: 'ERR_VC_CLOSED' });
  await t.rejects(client.shutdown(), { code: 'ERR_VC_CLOSED' });
  await t.rejects(connect({ expectedPolicyHash: '00'.repeat(32) }), { code: 'ERR_VC_CERTIFICATE', got: POLICY_HASH });
  await t.rejects(connect({ maxPieceBytes: 0 }), { code: 'ERR_VC_INVALID_OPTION' });
  t.ok(manager.sessions <= server.sessions + 1);
});

void t.test('connect takes two POSTs: the end of the handshake and the first request are one', async (t) => {
  const { server } = await startRoles(t);
  const http = await tapProxy(t, portOf(server));
  for (let session = 1; session <= 3; session++) {
    const client = await connectClient(t, http.url);
    const bodies = [
      ...http
        .up()
        .toString('latin1')
        .matchAll(/\r\n\r\n(\d+) ([A-Za-z0-9+/=]*)/g),
    ].map(([, , text]) => text as string);
    // Polls, of which there may be some on a slow machine, have no text. Each session before this one has said goodbye.
    t.equal(bodies.filter((text) => text !== '').length, 2 * session + (session - 1));
    await client.close();
  }
});

void t.test('a manager with an RSA key, and one suite of three', async (t) => {
  for (const cipherSuite of ['TLS1_3_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256', 'TLS1-3-AES-256-GCM-SHA384']) {
    const { connect } = await startRoles(t, { manager: { ...managerIdentity(undefined, 'rsa'), policy: policyOf({ cipherSuite }) } });
    const client = await connect({ identity: bob, cipherSuite });
    await client.writeFile('/f', content(40_000));
    t.ok((await collect(await client.readFile('/f'))).equals(content(40_000)), cipherSuite);
    await client.close();
  }
});

void t.test('shutdown: answered, then everything ends by itself', async (t) => {
  const told: string[] = [];
  const log = (level: string, event: string) => {
    if (level !== 'debug' && level !== 'info') told.push(event);
  };
  const { connect, manager, server } = await startRoles(t, { manager: { log }, server: { log } });
  const client = await connect();
  const other = await connect({ identity: bob });
  await client.shutdown();
  await within('the manager after a shutdown', manager.closed);
  await within('the Server after a shutdown', server.closed);
  await t.rejects(within('a request after the end', other.readFile('/f')), {
    code: /^ERR_VC_(OUTCOME_UNKNOWN|HTTP_STATUS|TRANSPORT|SESSION_UNKNOWN)$/,
  });
  await t.rejects(connect(), { code: 'ERR_VC_TRANSPORT' });
  t.same(told, [], 'nothing to warn of');
});

void t.test('progress of a small file, each figure once', async (t) => {
  const { connect } = await startRoles(t);
  const client = await connect();
  const file = content(2197);
  await client.writeFile('/small', file);
  const figures: number[] = [];
  await collect((await client.readFile('/small', { onProgress: ({ bytes }) => figures.push(bytes) })) as AsyncIterable<Buffer>);
  t.equal(figures.at(-1), file.length);
  t.equal(new Set(figures).size, figures.length);
});

void t.test('progress that throws ends the read alone, of a file of any size', async (t) => {
  const { connect } = await startRoles(t);
  const client = await connect();
  const onProgress = () => {
    throw new Error('mine');
  };
  const to = { path: join(freshFolder(t), 'out') };
  for (const size of [100, 3_000_000]) {
    await client.writeFile('/f', content(size));
    const read = () => client.readFile('/f', { onProgress }).then(collect);
    await t.rejects(within('a read whose progress throws', read()), /mine/);
    await t.rejects(within('a read to a path, likewise', client.readFile('/f', { to, onProgress })), /mine/);
    client.once('progress', onProgress);
    await t.rejects(within('a read whose event throws', client.readFile('/f').then(collect)), /mine/);
    t.equal((await within('the next request', client.readFile('/f').then(collect))).length, size, 'the session goes on');
  }
  await within('close() after it', client.close());
});

/** Who may do what, from end to end: client, Server, manager and a store on disk (wire spec §D, "VFS semantics"). */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { NotReadyError } from '../../lib/core/errors.js';
import type { ComputeEngine } from '../../lib/enclave/compute/engine.js';
import { type FileRights, RIGHTS } from '../../lib/enclave/policy/index.js';
import { DirectoryStore, type FileStore } from '../../lib/enclave/store/file-store.js';
import { entryOf } from '../../lib/enclave/store/store-entry.js';
import { lengthPrefix } from '../../lib/layers/frame/index.js';
import { protobuf, type Received } from '../../lib/layers/protobuf/index.js';
import { tls } from '../../lib/layers/tls/index.js';
import { stack } from '../../lib/pipeline/stack.js';
import type { VeracruzClient } from '../../lib/roles/client/client.js';
import { connectSocket } from '../../lib/transports/socket.js';
import { within } from '../support/foreign.js';
import '../support/long.js';
import {
  alice,
  authority,
  bob,
  collect,
  content,
  freshFolder,
  pending,
  policyOf,
  type Roles,
  startRoles,
  stored,
} from '../support/roles.js';

type Capabilities = string | readonly FileRights[];

/** A program is there or not, and its exit code is 7. */
const engine: ComputeEngine = {
  run: async ({ store, program }) => {
    await store.stat(program).catch(() => {
      throw new NotReadyError('no such program');
    });
    return 7;
  },
  close: async () => {},
};

/** The roles, under a policy in which alice (0) and bob (1) have these rights. */
function under(
  t: Test,
  [ofAlice, ofBob]: readonly [Capabilities, Capabilities?],
  more: Parameters<typeof policyOf>[0] = {},
): Promise<Roles> {
  const identities = [
    { certificate: alice.certificate, capabilities: ofAlice },
    { certificate: bob.certificate, capabilities: ofBob ?? '' },
  ];
  return startRoles(t, { manager: { policy: policyOf({ identities, ...more }), compute: engine } });
}

/** What became of a request: `SUCCESS`, or the status that it was refused with. */
async function statusOf(request: Promise<unknown>): Promise<unknown> {
  return within('a request', request).then(
    () => 'SUCCESS',
    (error: { code?: string; got?: unknown }) => (error.code === 'ERR_VC_REQUEST_FAILED' ? error.got : error),
  );
}

async function put(store: FileStore, name: string, bytes: Buffer | string): Promise<void> {
  const sink = store.write(name);
  sink.end(bytes);
  await sink.commit();
}

const text = async (client: VeracruzClient, name: string) => String(await collect(await client.readFile(name)));

// ── The matrix ────────────────────────────────────────────────────────────────────────────────────────────────────────

const { PATH_OPEN, PATH_CREATE_FILE, PATH_FILESTAT_SET_SIZE, FD_WRITE, FD_SEEK, FD_READ, FD_EXECUTE } = RIGHTS;
const BITS = [PATH_OPEN, PATH_CREATE_FILE, PATH_FILESTAT_SET_SIZE, FD_WRITE, FD_SEEK, FD_READ, FD_EXECUTE];
const COMBINATIONS = Array.from({ length: 2 ** BITS.length }, (_, i) => BITS.reduce((sum, bit, at) => sum + (i & (1 << at) ? bit : 0), 0));

interface Operation {
  readonly needs: readonly number[];
  readonly creates?: true;
  /** What a missing file comes to, for who may. */
  readonly missing?: string;
  readonly ask: (client: VeracruzClient, name: string) => Promise<unknown>;
}

const OPERATIONS: Record<string, Operation> = {
  write: {
    needs: [PATH_OPEN, PATH_FILESTAT_SET_SIZE, FD_WRITE, FD_SEEK],
    creates: true,
    ask: (client, name) => client.writeFile(name, Buffer.from('new')),
  },
  append: { needs: [PATH_OPEN, FD_WRITE, FD_SEEK], creates: true, ask: (client, name) => client.appendFile(name, Buffer.from('new')) },
  read: {
    needs: [PATH_OPEN, FD_READ, FD_SEEK],
    missing: 'FAILED_GENERIC',
    ask: async (client, name) => collect(await client.readFile(name)),
  },
  execute: { needs: [PATH_OPEN, FD_EXECUTE], missing: 'FAILED_NOT_READY', ask: (client, name) => client.compute(name) },
};

void t.test(`${Object.keys(OPERATIONS).length} operations × ${COMBINATIONS.length} sets of rights × there or not`, async (t) => {
  // A folder for each set of rights.
  const { connect, store } = await under(t, [COMBINATIONS.map((rights, i) => ({ file_name: `/${i}/`, rights }))]);
  const client = await connect();
  const wrong: string[] = [];
  let denied = 0;
  for (const [i, rights] of COMBINATIONS.entries()) {
    for (const [operation, { needs, creates, missing, ask }] of Object.entries(OPERATIONS)) {
      for (const exists of [true, false]) {
        const name = `/${i}/${operation}`;
        if (exists) await put(store, name, 'old');
        else await store.remove(name).catch(() => {});
        const all = creates === true && !exists ? [...needs, PATH_CREATE_FILE] : needs;
        const allowed = all.every((bit) => (rights & bit) !== 0);
        const expected = !allowed ? 'FAILED_INVALID_ROLE' : exists ? 'SUCCESS' : (missing ?? 'SUCCESS');
        const got = await statusOf(ask(client, name));
        if (got !== expected) wrong.push(`${operation} with ${rights}, ${exists ? 'there' : 'missing'}: ${String(got)}, not ${expected}`);
        const after = await stored(store, name);
        if (allowed) continue;
        denied++;
        if (String(after) !== (exists ? 'old' : 'undefined'))
          wrong.push(`${operation} with ${rights} was denied and left ${String(after)}`);
      }
    }
  }
  t.same(wrong, []);
  t.ok(denied > COMBINATIONS.length, `${denied} were denied`);
});

void t.test('without any right the answer is the same whether the file is there or not', async (t) => {
  const { connect, store } = await under(t, ['/mine/:rwx', '/mine/:rwx']);
  for (const name of ['/secret/there', 'stdin', 'stdout']) await put(store, name, 'x');
  const client = await connect();
  for (const name of ['/secret/there', '/secret/missing', 'stdin', 'stdout', 'stderr', '/stdin']) {
    for (const [operation, { ask }] of Object.entries(OPERATIONS)) {
      t.equal(await statusOf(ask(client, name)), 'FAILED_INVALID_ROLE', `${operation} ${name}`);
    }
  }
  t.equal(await statusOf(client.readFile('/mine/missing')), 'FAILED_GENERIC', 'where there is a right, the truth');
});

void t.test('what is denied is not looked for, and its body is not stored', async (t) => {
  const touched: string[] = [];
  const store = new Proxy({ bind: async () => {}, close: async () => {} } as unknown as FileStore, {
    get: (target, name): unknown => Reflect.get(target, name) ?? (() => touched.push(String(name))),
  });
  const { connect } = await startRoles(t, {
    manager: { store, policy: policyOf({ identities: [{ certificate: alice.certificate, capabilities: '/input/:r' }] }) },
  });
  const client = await connect();
  for (const size of [0, 10, 100_000, 5_000_000]) {
    t.equal(await statusOf(client.writeFile('/input/f', content(size))), 'FAILED_INVALID_ROLE', `${size} bytes`);
    t.equal(await statusOf(client.appendFile('/input/f', content(size))), 'FAILED_INVALID_ROLE');
  }
  t.equal(await client.policyHash().then((hash) => hash.length), 64, 'the session goes on');
  t.same(touched, []);
});

void t.test('two principals at the same time, each with its own rights', async (t) => {
  const { connect, store } = await under(t, ['/program/:wx,/input/:w', '/input/:w,/output/:r']);
  await put(store, '/output/result', content(300_000));
  const clients = await Promise.all([connect(), connect({ identity: bob }), connect(), connect({ identity: bob })]);
  const rounds = clients.map(async (client, who) => {
    const isAlice = who % 2 === 0;
    for (let round = 0; round < 10; round++) {
      const bytes = content(50_000 + round, who + 1);
      t.equal(await statusOf(client.writeFile(`/input/${who}`, bytes)), 'SUCCESS');
      t.ok((await stored(store, `/input/${who}`))?.equals(bytes));
      t.equal(await statusOf(client.writeFile(`/program/${who}`, bytes)), isAlice ? 'SUCCESS' : 'FAILED_INVALID_ROLE');
      t.equal(
        await statusOf(OPERATIONS.read?.ask(client, '/output/result') as Promise<unknown>),
        isAlice ? 'FAILED_INVALID_ROLE' : 'SUCCESS',
      );
      t.equal(await statusOf(OPERATIONS.read?.ask(client, `/input/${who}`) as Promise<unknown>), 'FAILED_INVALID_ROLE');
    }
  });
  await within('all of them', Promise.all(rounds));
});

void t.test('the id of an identity is not its place in the list', async (t) => {
  const text = policyOf({
    identities: [
      { certificate: alice.certificate, capabilities: '/alice/:rw' },
      { certificate: bob.certificate, capabilities: '/bob/:rw' },
    ],
  });
  const document = JSON.parse(text) as { identities: { id: number }[] };
  for (const [i, id] of [1, 0].entries()) (document.identities[i] as { id: number }).id = id;
  const { connect } = await startRoles(t, { manager: { policy: JSON.stringify(document) } });
  const client = await connect();
  t.equal(await statusOf(client.writeFile('/alice/f', Buffer.from('x'))), 'SUCCESS');
  t.equal(await statusOf(client.writeFile('/bob/f', Buffer.from('x'))), 'FAILED_INVALID_ROLE');
});

// ── Names ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

void t.test('tricks with names', async (t) => {
  const { connect, store } = await under(t, ['/input/:rw', '']);
  await put(store, '/program/x', 'secret');
  await put(store, '/input', 'a file where others have a folder');
  const client = await connect();
  await client.writeFile('/input/a', Buffer.from('a'));
  const refused = {
    'up and away': '/input/../program/x',
    'up, twice': '/input/../../etc/passwd',
    'up at the start': '../program/x',
    'up at the end': '/input/..',
    nowhere: '/input/./a',
    'a dot': '.',
    NUL: '/input/a\0',
    'NUL and a way up': '/input/\0/../program/x',
    'the root': '/',
    slashes: '////',
    'a long segment': `/input/${'x'.repeat(256)}`,
  };
  for (const [what, name] of Object.entries(refused)) {
    for (const [operation, { ask }] of Object.entries(OPERATIONS)) {
      t.equal(await statusOf(ask(client, name)), 'FAILED_INVALID_REQUEST', `${operation} ${what}`);
    }
  }
  const denied = [
    '/program/x',
    '//program//x',
    'program/x',
    '/program/x/',
    '/inputs/a',
    '/INPUT/a',
    '/ınput/a',
    '/input\u200b/a',
    '/%69nput/a',
    '/input\\a',
  ];
  for (const name of denied) t.equal(await statusOf(client.readFile(name)), 'FAILED_INVALID_ROLE', JSON.stringify(name));
  const same = ['/input/a', '//input///a', 'input/a', '/input/a/'];
  for (const name of same) t.equal(await text(client, name), 'a', name);
  t.equal(String(await stored(store, '/program/x')), 'secret');
});

void t.test('Unicode: names that look alike are different files, under the same rights', async (t) => {
  const { connect, store } = await under(t, ['/input/:rw,/\u00e9/:r', '']);
  const client = await connect();
  const names = ['/input/\u00e9', '/input/e\u0301', '/input/E\u0301', '/input/\u{1f4a9}', '/input/..\u2024', '/input/\u202e'];
  for (const [i, name] of names.entries()) await client.writeFile(name, Buffer.from(String(i)));
  for (const [i, name] of names.entries()) t.equal(await text(client, name), String(i), JSON.stringify(name));
  await put(store, '/\u00e9/f', 'composed');
  t.equal(await text(client, '/\u00e9/f'), 'composed');
  t.equal(await statusOf(client.readFile('/e\u0301/f')), 'FAILED_INVALID_ROLE', 'rights do not fold either');
});

/** A name of so many bytes, in a folder that alice has. */
function longName(bytes: number): string {
  const name = `/input/${Array.from({ length: 20 }, () => 'n'.repeat(250)).join('/')}`.slice(0, bytes);
  return name.endsWith('/') ? `${name.slice(0, -1)}n` : name;
}

void t.test('names of 4,096 bytes, and of one more', async (t) => {
  const roles = await startRoles(t, { server: { direct: 'tcp://127.0.0.1:0' } });
  const client = await roles.connect();
  await client.writeFile(longName(4096), Buffer.from('long'));
  t.equal(await text(client, longName(4096)), 'long');
  // Our own client would not send it.
  const messages = { sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerResponse', maxFileNameBytes: 10_000 } as const;
  const trust = { role: 'client', certificate: alice.certificate, key: alice.key, authority: authority.certificate } as const;
  const socket = await connectSocket({ kind: 'tcp', host: '127.0.0.1', port: (roles.server.directAddress as { port: number }).port });
  const channel = stack(protobuf(messages), lengthPrefix(), tls(trust)).over(socket);
  t.teardown(() => channel.destroy());
  const answers = channel.iterator({ destroyOnReturn: false }) as AsyncIterator<Received<'RuntimeManagerResponse'>>;
  for (const [bytes, status] of [
    [4097, 'FAILED_INVALID_REQUEST'],
    [9999, 'FAILED_INVALID_REQUEST'],
    [4096, 'SUCCESS'],
  ] as const) {
    channel.write({ oneof: 'write_file', fields: { file_name: longName(bytes), data: Buffer.from('x') } });
    t.equal((await within('an answer', answers.next())).value?.status, status, `${bytes} bytes`);
  }
});

void t.test('a symbolic link in the folder of the store is not followed', async (t) => {
  const outside = join(freshFolder(t), 'outside');
  writeFileSync(outside, 'not ours');
  const { connect, folder } = await startRoles(t);
  symlinkSync(outside, join(folder, 'files', entryOf('/input/link')));
  symlinkSync('/no/such/file', join(folder, 'files', entryOf('/input/dangling')));
  const client = await connect();
  for (const name of ['/input/link', '/input/dangling']) {
    for (const operation of ['write', 'append', 'read']) {
      t.equal(await statusOf(OPERATIONS[operation]?.ask(client, name) as Promise<unknown>), 'FAILED_GENERIC', `${operation} ${name}`);
    }
  }
  t.equal(readFileSync(outside, 'utf8'), 'not ours');
  t.notOk(existsSync('/no/such/file'));
  t.same(pending(folder), []);
});

// ── Pins ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

void t.test('pins: the right contents or none', async (t) => {
  const program = content(400_000, 5);
  const sha256 = createHash('sha256').update(program).digest('hex');
  const { connect, store, folder } = await under(t, ['/program/:rwx'], {
    programs: [{ name: '/program/p.wasm', sha256, capabilities: '' }],
    hashes: [{ name: 'stdin', sha256: createHash('sha256').update('in').digest('hex') }],
  });
  const client = await connect();
  const wrong = Buffer.from(program);
  wrong[399_999] = (wrong[399_999] as number) ^ 1;
  for (const name of ['/program/p.wasm', 'program//p.wasm', '/program/p.wasm/']) {
    for (const bytes of [wrong, program.subarray(1), Buffer.concat([program, Buffer.of(0)]), Buffer.alloc(0)]) {
      t.equal(await statusOf(client.writeFile(name, bytes)), 'FAILED_INVALID_ROLE', `${name}, ${bytes.length} bytes`);
      t.equal(await stored(store, '/program/p.wasm'), undefined, 'nothing of it is there');
      t.same(pending(folder), []);
    }
    t.equal(await statusOf(client.appendFile(name, program)), 'FAILED_INVALID_ROLE', 'append to a pinned file that is missing');
  }
  await client.writeFile('program//p.wasm', program);
  t.equal(await statusOf(client.writeFile('/program/p.wasm', wrong)), 'FAILED_INVALID_ROLE');
  t.equal(await statusOf(client.appendFile('/program/p.wasm', Buffer.alloc(0))), 'FAILED_INVALID_ROLE', 'not even nothing');
  t.ok((await stored(store, '/program/p.wasm'))?.equals(program), 'what was there is still there');
  await client.writeFile('/program/p.wasm', program);
  await client.writeFile('/program/p.wasm2', wrong);

  const inPieces = await connect({ maxPieceBytes: 100_000 });
  t.equal(await statusOf(inPieces.writeFile('/program/p.wasm', program)), 'FAILED_INVALID_ROLE', 'a pinned file comes in one message');
  t.equal(await statusOf(client.writeFile('stdin', Buffer.from('in'))), 'FAILED_INVALID_ROLE', 'a pin gives no right');
});

// ── Streams ───────────────────────────────────────────────────────────────────────────────────────────────────────────

void t.test('stdin, stdout, stderr', async (t) => {
  const { connect, store } = await startRoles(t);
  const client = await connect();
  for (const stream of ['stdin', 'stdout', 'stderr']) t.equal(await text(client, stream), '', `${stream} is there, and empty`);
  t.equal(await statusOf(client.readFile('/stdout')), 'FAILED_GENERIC', '/stdout is a file');
  for (const [written, after] of [
    ['hello world', 'hello world'],
    ['HELLO', 'HELLO world'],
    ['', 'HELLO world'],
    ['and something that is longer', 'and something that is longer'],
  ] as const) {
    await client.writeFile('stdin', Buffer.from(written));
    t.equal(await text(client, 'stdin'), after, 'written over, not truncated');
  }
  const large = content(700_000, 1);
  await client.writeFile('stdin', large);
  await client.writeFile('stdin', large.subarray(0, 300_000).fill(7));
  t.ok((await stored(store, 'stdin'))?.equals(large), 'across many chunks');
  t.equal(await statusOf(client.appendFile('stdin', Buffer.from('x'))), 'FAILED_INVALID_ROLE');
  await put(store, 'stdout', 'said');
  t.equal(await text(client, 'stdout'), 'said');
});

void t.test('a pin on stdin is on all that it then is', async (t) => {
  const sha256 = createHash('sha256').update('HELLO').digest('hex');
  const { connect, store } = await under(t, ['stdin:rw'], { hashes: [{ name: 'stdin', sha256 }] });
  const client = await connect();
  await put(store, 'stdin', 'hello world');
  t.equal(await statusOf(client.writeFile('stdin', Buffer.from('HELLO'))), 'FAILED_INVALID_ROLE');
  t.equal(await text(client, 'stdin'), 'hello world');
  await store.remove('stdin');
  t.equal(await statusOf(client.writeFile('stdin', Buffer.from('HELLO'))), 'SUCCESS');
});

void t.test('an empty file is an answer with an empty result; a missing one is a failure', async (t) => {
  const { connect, store } = await startRoles(t);
  await put(store, '/input/empty', '');
  const client = await connect();
  const body = await client.readFile('/input/empty');
  t.equal(body.length, 0);
  t.equal((await collect(body)).length, 0);
});

void t.test('whoever is an identity may shut the manager down', async (t) => {
  const { connect, manager } = await under(t, ['', '/:rwx']);
  const client = await connect();
  t.equal(await statusOf(client.readFile('/f')), 'FAILED_INVALID_ROLE');
  await client.shutdown();
  await within('the end of the manager', manager.closed);
});

void t.test('a store of one’s own is bound too', async (t) => {
  const bound: string[] = [];
  const store = await DirectoryStore.open(join(freshFolder(t), 'store'), { sync: 'none' });
  t.teardown(() => store.close());
  const watched = new Proxy(store, {
    get: (target, name): unknown => {
      if (name === 'bind') return (hash: string) => Promise.resolve(void bound.push(hash));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const { manager } = await startRoles(t, { manager: { store: watched } });
  t.same(bound, [manager.policyHash]);
});

/** Three real processes: a large file, and what is left when one of them is killed. */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { generatedFile } from '../../lib/cli/demo/generated.js';
import { DirectoryStore } from '../../lib/enclave/store/file-store.js';
import { VeracruzClient } from '../../lib/roles/client/client.js';
import { tapProxy, until, within } from '../support/foreign.js';
import {
  alice,
  authority,
  collect,
  content,
  POLICY_HASH,
  type ProcessRoles,
  pending,
  sha256,
  startClient,
  startProcesses,
} from '../support/roles.js';
import '../support/processes.js';
import { patience } from '../support/time.js';

const LARGE = 100_000_000;

void t.test('every size, and 100 MB, with the client a process too', async (t) => {
  const roles = await startProcesses(t);
  for (const size of [0, 1, 16_383, 16_384, 16_385, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, LARGE]) {
    const due = await sha256(generatedFile(size));
    const child = startClient(t, { url: roles.url, name: `/sizes/${size}`, size });
    t.equal(await child.line(), 'connected');
    t.equal(await child.line(), `wrote ${due}`, `${size} bytes up`);
    t.equal(await child.line(), `read ${due}`, `${size} bytes down`);
    await within('the end of the client', child.exited);
  }
  t.same(pending(roles.store), []);
});

void t.test('every request, against processes', async (t) => {
  const roles = await startProcesses(t);
  const client = await roles.connect({ expectedPolicyHash: POLICY_HASH });
  await client.writeFile('/f', content(100_000));
  await client.appendFile('/f', Buffer.from('tail'));
  t.ok((await collect(await client.readFile('/f'))).equals(Buffer.concat([content(100_000), Buffer.from('tail')])));
  await t.rejects(client.readFile('/../f'), { code: 'ERR_VC_REQUEST_FAILED' });
  await client.shutdown();
  await within('the manager after a shutdown', roles.manager.exited);
  await within('the Server after a shutdown', roles.server.exited);
  t.same([roles.manager.process.exitCode, roles.server.process.exitCode], [0, 0]);
});

/** Puts a file there that must not suffer. */
async function withOld(roles: ProcessRoles): Promise<void> {
  const client = await roles.connect();
  await client.writeFile('/f', Buffer.from('old'));
  await client.close();
}

/** The old file, and nothing else. */
async function untouched(t: Pick<typeof import('tap').default, 'equal' | 'same'>, roles: ProcessRoles): Promise<void> {
  await roles.server.kill();
  await roles.manager.kill();
  const store = await DirectoryStore.open(roles.store);
  t.same(pending(roles.store), [], 'no temporary file');
  t.same(store.usage, { bytes: 3, files: 1 });
  const { stream } = await store.read('/f');
  t.equal(String(await collect(stream as AsyncIterable<Buffer>)), 'old');
  await store.close();
}

void t.test('the client is killed in the middle of an upload', async (t) => {
  const roles = await startProcesses(t, ['--idle-timeout-ms', String(patience(2000))]);
  await withOld(roles);
  const child = startClient(t, { url: roles.url, name: '/f', size: LARGE, stallAfter: 5_000_000 });
  t.equal(await child.line(), 'connected');
  t.equal(await child.line(), 'stalled');
  await until('the upload is being written', () => pending(roles.store).length > 0);
  await child.kill('SIGKILL');
  await until('the manager has forgotten it', () => pending(roles.store).length === 0);
  const client = await roles.connect();
  t.equal(String(await collect(await client.readFile('/f'))), 'old', 'the others go on');
  await client.close();
  await untouched(t, roles);
});

for (const victim of ['server', 'manager'] as const) {
  void t.test(`the ${victim} is killed in the middle of an upload`, async (t) => {
    const roles = await startProcesses(t);
    await withOld(roles);
    const http = await tapProxy(t, Number(new URL(roles.url).port));
    const client = await VeracruzClient.connect({ url: http.url, identity: alice, authority: authority.certificate });
    let killed = false;
    async function* source() {
      for (const chunk of generatedFile(LARGE)) {
        yield chunk;
        if (!killed && http.posts() > 5) {
          killed = true;
          roles[victim].process.kill('SIGKILL');
        }
      }
    }
    const error = await within(
      'an upload whose peer is killed',
      client.writeFile('/f', source(), { size: LARGE }).then(
        () => undefined,
        (raised: Error & { code?: string }) => raised,
      ),
    );
    t.match(error?.code, /^ERR_VC_(OUTCOME_UNKNOWN|TRANSPORT|HTTP_STATUS|SESSION_UNKNOWN)$/);
    const posts = http.posts();
    const bodies = (
      http
        .up()
        .toString('latin1')
        .match(/\r\n\r\n[0-9]+ .{60}/g) ?? []
    ).map((body) => body.slice(4));
    t.equal(new Set(bodies).size, bodies.length, 'no POST was sent twice');
    await t.rejects(client.readFile('/f'));
    t.equal(http.posts(), posts, 'and none is sent after the end');
    await untouched(t, roles);
  });
}

void t.test('the connection is lost while the answer to a small write is awaited: unknown, and never sent again', async (t) => {
  const roles = await startProcesses(t);
  const http = await tapProxy(t, Number(new URL(roles.url).port));
  const client = await VeracruzClient.connect({ url: http.url, identity: alice, authority: authority.certificate });
  // An answer to this is the last that comes: of the handshake's own POSTs one may still be due when `connect` resolves.
  await client.appendFile('/log', Buffer.from('first, then '));
  const before = http.posts();
  http.onDown = () => {
    http.cut();
    return false;
  };
  await t.rejects(within('a write whose answer is lost', client.appendFile('/log', Buffer.from('once'))), {
    code: 'ERR_VC_OUTCOME_UNKNOWN',
  });
  t.equal(http.posts(), before + 1);
  t.equal(http.connections, 1, 'nobody tried again');
  http.onDown = undefined;
  const after = await roles.connect();
  t.equal(String(await collect(await after.readFile('/log'))), 'first, then once', 'which it was: once');
});

void t.test("nothing in the processes' folder but the store: no key, no log", async (t) => {
  const roles = await startProcesses(t);
  const client = await roles.connect();
  await client.writeFile('/f', Buffer.from('x'));
  await client.close();
  const names = readdirSync(roles.store, { recursive: true }) as string[];
  for (const name of names) {
    const text = await readFile(join(roles.store, name), 'utf8').catch(() => '');
    t.notOk(text.includes('PRIVATE KEY'), name);
  }
  t.equal(roles.manager.stderr + roles.server.stderr, '', 'and nothing to warn of');
});

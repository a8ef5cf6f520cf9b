/** The upstreams of a Server, each with a file that goes up and comes back. */
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { encodeMessage } from '../../lib/layers/protobuf/index.js';
import { ARRANGEMENTS, type ArrangementName } from '../../lib/roles/arrangements.js';
import type { VeracruzClient } from '../../lib/roles/client/client.js';
import { type ServerOptions, VeracruzServer } from '../../lib/roles/server/server.js';
import { formatAddress } from '../../lib/transports/address.js';
import { until, within } from '../support/foreign.js';
import { alice, authority, collect, connectClient, content, freshFolder, POLICY_HASH, portOf, startManager } from '../support/roles.js';
import '../support/processes.js';

const FILE = content(300_000, 3);

async function start(t: Test, options: ServerOptions): Promise<VeracruzServer> {
  const server = await VeracruzServer.start({ listen: 'tcp://127.0.0.1:0', ...options });
  t.teardown(() => server.close());
  return server;
}

async function roundTrip(t: Test, client: VeracruzClient, name = '/input/file'): Promise<void> {
  await within('an upload', client.writeFile(name, FILE));
  const back = await within(
    'a download',
    client.readFile(name).then((body) => collect(body as AsyncIterable<Buffer>)),
  );
  t.ok(back.equals(FILE), 'the bytes that came back are those that went');
}

for (const name of Object.keys(ARRANGEMENTS) as ArrangementName[]) {
  const { dialect, frame, retry } = ARRANGEMENTS[name];
  for (const scheme of ['tcp', 'unix', 'memory'] as const) {
    void t.test(`the ${name} arrangement over ${scheme}`, async (t) => {
      const places = {
        tcp: 'tcp://127.0.0.1:0',
        unix: `unix://${join(freshFolder(t), 'manager.sock')}`,
        memory: `memory://manager-${name}`,
      };
      const listen = places[scheme];
      const manager = await startManager(t, { listen, dialect, frame });
      const address = scheme === 'tcp' ? `tcp://127.0.0.1:${portOf(manager)}` : listen;
      const server = await start(t, { runtime: { address, dialect, frame, retry } });
      await roundTrip(t, await connectClient(t, server.url, { dialect: '2207' }));
    });
  }
}

void t.test('a Server may be started before its manager, where the arrangement retries', async (t) => {
  const address = `unix://${join(freshFolder(t), 'console0')}`;
  const server = start(t, { runtime: { address, frame: 'icecap4', retry: { tries: 1000, intervalMs: 5, backoff: 1 } } });
  await startManager(t, { listen: address, frame: 'icecap4' });
  await roundTrip(t, await connectClient(t, (await within('the server', server)).url));
});

for (const scheme of ['unix', 'memory'] as const) {
  void t.test(`the manager may be the one that connects, over ${scheme}`, (t) => managerConnects(t, scheme));
}

async function managerConnects(t: Test, scheme: 'unix' | 'memory'): Promise<void> {
  const listen = scheme === 'unix' ? `unix-listen://${join(freshFolder(t), 'server.sock')}` : 'memory-listen://server';
  const server = await start(t, { runtime: { address: listen, dialect: 'head' } });
  await t.rejects(connectClient(t, server.url), { code: 'ERR_VC_HTTP_STATUS', got: 503 }, 'nobody is there yet');
  const manager = await startManager(t, { connect: listen.replace('-listen', ''), dialect: 'head' });
  await until('the link', () => server.managers.some(({ up }) => up));
  await roundTrip(t, await connectClient(t, server.url, { dialect: 'head' }));
  await server.close();
  await within('the manager, which has nobody left', manager.closed);
}

void t.test('TLS straight over TCP, in both dialects', async (t) => {
  for (const dialect of ['2207', 'head'] as const) {
    const manager = await startManager(t, { dialect });
    const server = await start(t, { dialect, runtime: `tcp://127.0.0.1:${portOf(manager)}`, direct: 'tcp://127.0.0.1:0' });
    const url = formatAddress(server.directAddress as Parameters<typeof formatAddress>[0]).replace('tcp-listen', 'tcp');
    const client = await connectClient(t, url, { dialect });
    await roundTrip(t, client);
    await t.rejects(client.readFile('/missing'), { code: 'ERR_VC_REQUEST_FAILED' });
    t.equal(await client.policyHash(), POLICY_HASH);
    await client.close();
    await until('the end of the session', () => server.sessions === 0 && manager.sessions === 0);
  }
});

void t.test('a Server that closes finishes what is being answered, with HTTP and without', async (t) => {
  const bytes = content(20_000_000);
  for (const by of ['http', 'direct']) {
    const manager = await startManager(t, { dialect: 'head' });
    const server = await start(t, { dialect: 'head', runtime: `tcp://127.0.0.1:${portOf(manager)}`, direct: 'tcp://127.0.0.1:0' });
    const client = await connectClient(
      t,
      by === 'http' ? server.url : `tcp://127.0.0.1:${(server.directAddress as { port: number }).port}`,
      {
        dialect: 'head',
      },
    );
    await client.writeFile('/f', bytes);
    const body = await client.readFile('/f');
    let closing: Promise<void> | undefined;
    const pieces: Buffer[] = [];
    for await (const piece of body as AsyncIterable<Buffer>) {
      pieces.push(piece);
      closing ??= server.close();
    }
    t.ok(Buffer.concat(pieces).equals(bytes), by);
    await within('the end', closing as Promise<void>);
  }
});

const OPENSSL = ['/usr/bin/openssl', '/usr/local/bin/openssl'].find((path) => existsSync(path));

void t.test('openssl s_client speaks through the Server', { skip: OPENSSL === undefined && 'openssl is not installed' }, async (t) => {
  const manager = await startManager(t, { dialect: 'head' });
  const server = await start(t, { dialect: 'head', runtime: `tcp://127.0.0.1:${portOf(manager)}`, direct: 'tcp://127.0.0.1:0' });
  const folder = freshFolder(t);
  const put = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const port = (server.directAddress as { port: number }).port;
  const openssl = spawn(OPENSSL as string, [
    ...['s_client', '-quiet', '-tls1_3', '-connect', `127.0.0.1:${port}`, '-verify_return_error'],
    ...['-CAfile', put('ca.pem', authority.certificate), '-cert', put('c.pem', alice.certificate), '-key', put('c.key', alice.key)],
  ]);
  t.teardown(() => openssl.kill('SIGKILL'));
  const request = encodeMessage('RuntimeManagerRequest', { oneof: 'request_policy_hash', fields: {} }, { dialect: 'head' });
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64BE(BigInt(request.length));
  const expected = encodeMessage(
    'RuntimeManagerResponse',
    { status: 'SUCCESS', oneof: 'policy_hash', fields: { data: Buffer.from(POLICY_HASH) } },
    { dialect: 'head' },
  );
  let answer = Buffer.alloc(0);
  openssl.stdout.on('data', (chunk: Buffer) => {
    answer = Buffer.concat([answer, chunk]);
  });
  openssl.stdin.write(Buffer.concat([prefix, request]));
  await until('the whole answer', () => answer.length >= 8 + expected.length);
  t.equal(answer.readBigUInt64BE(0), BigInt(expected.length));
  t.same(answer.subarray(8), expected);
});

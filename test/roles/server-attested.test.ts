/** All roles, as they are: a manager that the attestation server vouches for, and clients that look at what it says. */
import { randomBytes, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Attester, InsecureNitroAttester, InsecureSoftwareAttester } from '../../lib/attestation/evidence/index.js';
import { RUNTIME_HASH_OID } from '../../lib/attestation/index.js';
import { DeviceRegistry } from '../../lib/attestation/registry/index.js';
import { policyHash } from '../../lib/enclave/policy/index.js';
import { runtimeHashOf } from '../../lib/layers/tls/index.js';
import { AttestationServer, type AttestationServerOptions } from '../../lib/roles/attestation-server/server.js';
import { VeracruzClient } from '../../lib/roles/client/client.js';
import type { ServerOptions, VeracruzServer } from '../../lib/roles/server/server.js';
import { databaseFolder } from '../support/databases.js';
import { tapProxy, until, within } from '../support/foreign.js';
import { alice, authority, bob, collect, content, freshFolder, policyOf, portOf, startManager, startServer } from '../support/roles.js';
import type { LogLine } from './attestation-handshake-support.js';

/** One for all tests: each has keys and hashes of its own in it. */
const registry = await DeviceRegistry.open({ folder: await databaseFolder() });
t.teardown(() => registry.close());

async function attestationServer(t: Test, options: Partial<AttestationServerOptions> = {}): Promise<AttestationServer> {
  const server = await AttestationServer.start({ listen: 'tcp://127.0.0.1:0', authority, registry, ...options });
  t.teardown(() => server.close());
  return server;
}

/** A device, with a key that nobody knows yet. */
async function device(t: Test, runtimeHash: Buffer, shape?: 'head'): Promise<InsecureSoftwareAttester> {
  return InsecureSoftwareAttester.open({ keyFile: join(freshFolder(t), 'device.key'), runtimeHash, shape });
}

interface World {
  /** What its manager is measured as. */
  readonly hash: Buffer;
  readonly pas: AttestationServer;
  readonly attester: InsecureSoftwareAttester;
  /** Names the attestation server, and by default the hash that the manager has. */
  readonly policy: string;
  readonly logs: LogLine[];
  readonly serve: (runtime: readonly string[], options?: ServerOptions) => Promise<VeracruzServer>;
}

/** An attestation server that knows one device and lets its hash pass; the policy promises that hash, or another. */
async function world(t: Test, { promised, allowed }: { promised?: Buffer; allowed?: Buffer } = {}): Promise<World> {
  const hash = randomBytes(32);
  const attester = await device(t, hash);
  await registry.enrollKey(attester.publicKey);
  await registry.allowRuntime('linux', allowed ?? hash);
  const pas = await attestationServer(t);
  const policy = policyOf({ attestationUrl: `127.0.0.1:${portOf(pas)}`, runtimeHashes: { linux: (promised ?? hash).toString('hex') } });
  const logs: LogLine[] = [];
  const log: NonNullable<ServerOptions['log']> = (level, event, figures = {}) => logs.push({ level, event, figures });
  const serve = (runtime: readonly string[], options: ServerOptions = {}) =>
    startServer(t, '', { listen: 'tcp://127.0.0.1:0', runtime, policy, log, ...options });
  return { hash, pas, attester, policy, logs, serve };
}

const at = (manager: { address: unknown }) => `tcp://127.0.0.1:${portOf(manager)}`;

/** A client that goes by the policy, and by nothing else but where the Server is. */
async function connect(t: Test, server: VeracruzServer, policy: string, who = alice): Promise<VeracruzClient> {
  const end = new AbortController();
  t.teardown(() => end.abort());
  return VeracruzClient.connect({ policy, url: server.url, identity: who, signal: end.signal });
}

async function moves(t: Test, client: VeracruzClient): Promise<void> {
  const file = content(300_000);
  await client.writeFile('/input/a', file);
  t.ok((await collect((await client.readFile('/input/a')) as AsyncIterable<Buffer>)).equals(file), 'a file up and down');
}

void t.test('attested, initialised, and the client finds what the policy says', async (t) => {
  const { hash, attester, policy, serve, pas } = await world(t);
  const manager = await startManager(t, { attester });
  const server = await serve([at(manager)]);
  const client = await connect(t, server, policy);
  t.equal(await client.policyHash(), policyHash(policy));
  await moves(t, client);
  await moves(t, await connect(t, server, policy, bob));
  const [attested] = await registry.listDevices(1);
  t.match(attested, { deviceId: server.managers[0]?.deviceId, runtimeHash: hash.toString('hex'), platform: 'linux' });
  t.equal(pas.challenges, 0, 'the challenge is used up');
});

void t.test('the certificate that a client sees is the one that was issued', async (t) => {
  const { hash, attester, policy, serve } = await world(t);
  const manager = await startManager(t, { attester });
  const server = await serve([at(manager)]);
  let seen: X509Certificate | undefined;
  const verifyPeer = (certificate: X509Certificate) => {
    seen = certificate;
  };
  const client = await VeracruzClient.connect({ policy, url: server.url, identity: alice, verifyPeer });
  await client.close();
  t.ok(seen?.verify(new X509Certificate(authority.certificate).publicKey));
  t.ok(seen !== undefined && runtimeHashOf(seen)?.equals(hash), RUNTIME_HASH_OID);
});

void t.test('a manager that is not the one that the policy promises: no client says a word to it', async (t) => {
  // The attestation server certifies it, and the Server is content; the client is not.
  const { hash, attester, policy, serve } = await world(t, { promised: randomBytes(32) });
  const events: string[] = [];
  const manager = await startManager(t, { attester, log: (_level, event) => events.push(event) });
  const server = await serve([at(manager)]);
  await t.rejects(within('the refusal', connect(t, server, policy)), { code: 'ERR_VC_CERTIFICATE' });
  t.notOk(events.includes('request'));
  await connect(t, server, policyOf({ runtimeHashes: { linux: hash.toString('hex') } })).catch(() => {});
  t.ok(events.includes('request'), 'which it would have heard of');
});

void t.test('a manager of another policy', async (t) => {
  const { attester, policy, serve } = await world(t);
  const manager = await startManager(t, { attester });
  const server = await serve([at(manager)]);
  await t.rejects(connect(t, server, `${policy}\n`), { code: 'ERR_VC_CERTIFICATE' });
});

void t.test('what the attestation server does not vouch for does not serve', async (t) => {
  const refused = {
    code: 'ERR_VC_HTTP_STATUS',
    got: 403,
    message: /\/PSA\/AttestationToken: the server answered 403: attestation failed$/,
  };
  const unlisted = await world(t, { allowed: randomBytes(32) });
  const manager = await startManager(t, { attester: unlisted.attester });
  await t.rejects(unlisted.serve([at(manager)]), refused, 'a runtime hash that is not allowed');
  await registry.allowRuntime('linux', unlisted.hash);
  const server = await unlisted.serve([at(manager)]);
  await connect(t, server, unlisted.policy);

  const { serve, hash } = await world(t);
  const unknown = await startManager(t, { attester: await device(t, hash) });
  await t.rejects(serve([at(unknown)]), refused, 'a device key that nobody enrolled');
  t.equal(unknown.sessions, 0);
});

void t.test('a challenge that is answered too late', async (t) => {
  const { attester, serve } = await world(t);
  let now = 0;
  const pas = await attestationServer(t, { clock: () => now });
  const slow: Attester = {
    protocol: 'psa',
    attest: (...question) => {
      now += 60_001;
      return attester.attest(...question);
    },
  };
  const manager = await startManager(t, { attester: slow });
  await t.rejects(serve([at(manager)], { attestation: pas.url }), { code: 'ERR_VC_HTTP_STATUS', got: 403 });
});

void t.test('a link that is restored, over an attestation server that was restarted', async (t) => {
  const { attester, policy, serve, pas, logs } = await world(t);
  const manager = await startManager(t, { attester });
  const tap = await tapProxy(t, portOf(manager));
  const server = await serve([`tcp://127.0.0.1:${tap.port}`]);
  await moves(t, await connect(t, server, policy));
  const before = server.managers[0]?.deviceId;
  await pas.close();
  tap.cut();
  await until('it is tried in vain', () => logs.some(({ event }) => event === 'attestation failed'));
  await t.rejects(connect(t, server, policy), { code: 'ERR_VC_HTTP_STATUS', got: 503 });
  await attestationServer(t, { listen: `tcp://127.0.0.1:${portOf(pas)}` });
  await until('the link restored', () => server.managers[0]?.up === true);
  t.not(server.managers[0]?.deviceId, before);
  const client = await connect(t, server, policy);
  t.equal((await collect((await client.readFile('/input/a')) as AsyncIterable<Buffer>)).length, 300_000, 'and it has kept its files');
});

void t.test('two managers, one of them tampered with: clients only ever get the other', async (t) => {
  const { attester, policy, serve } = await world(t);
  const good = await startManager(t, { attester });
  const tampered = await device(t, randomBytes(32));
  await registry.enrollKey(tampered.publicKey);
  const bad = await startManager(t, { attester: tampered });
  const server = await serve([at(good), at(bad)]);
  for (let i = 0; i < 4; i++) await moves(t, await connect(t, server, policy));
  t.same([good.sessions, bad.sessions], [4, 0]);
  t.same(
    server.managers.map(({ up }) => up),
    [true, false],
  );
});

void t.test('on Nitro', async (t) => {
  const { hash, serve } = await world(t);
  const attester = await InsecureNitroAttester.open({ keyFile: join(freshFolder(t), 'root.pem'), runtimeHash: hash });
  await registry.allowRuntime('nitro', hash);
  const pas = await attestationServer(t, { nitroRoot: attester.root });
  const policy = policyOf({ runtimeHashes: { nitro: hash.toString('hex') } });
  const manager = await startManager(t, { attester, dialect: '2207-nitro' });
  const server = await serve([at(manager)], { dialect: '2207-nitro', policy, attestation: pas.url });
  await moves(t, await connect(t, server, policy));
  t.match((await registry.listDevices(1))[0], { platform: 'nitro', runtimeHash: hash.toString('hex') });
});

void t.test('head: the manager connects, and so do clients, without HTTP', async (t) => {
  const { hash, serve, policy } = await world(t);
  const attester = await device(t, hash, 'head');
  await registry.enrollKey(attester.publicKey);
  const path = join(freshFolder(t), 'rm');
  const server = await serve([`unix-listen://${path}`], { dialect: 'head', direct: 'tcp://127.0.0.1:0' });
  await startManager(t, { attester, dialect: 'head', connect: `unix://${path}` });
  await until('the manager in service', () => server.managers[0]?.up === true);
  const url = `tcp://127.0.0.1:${(server.directAddress as { port: number }).port}`;
  const client = await VeracruzClient.connect({ policy, url, identity: alice, dialect: 'head' });
  await moves(t, client);
  await client.close();
});

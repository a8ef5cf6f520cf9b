/** Certificates of a few seconds: they are renewed under load, and nobody notices. */
import { randomBytes, type X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { makeAuthority } from '../../lib/attestation/authority.js';
import { type Attester, InsecureSoftwareAttester } from '../../lib/attestation/evidence/index.js';
import { DeviceRegistry } from '../../lib/attestation/registry/index.js';
import { systemClock, useClock } from '../../lib/core/clock.js';
import { AttestationServer, type AttestationServerOptions } from '../../lib/roles/attestation-server/server.js';
import type { VeracruzClient } from '../../lib/roles/client/client.js';
import type { ServerOptions } from '../../lib/roles/server/server.js';
import { databaseFolder } from '../support/databases.js';
import { until, within } from '../support/foreign.js';
import { authority, collect, connectClient, freshFolder, policyOf, portOf, startManager, startServer } from '../support/roles.js';
import { patience } from '../support/time.js';
import type { LogLine } from './attestation-handshake-support.js';

/** Long enough that a machine under load renews before the end: it has a third of it for that. */
const LIFETIME_MS = patience(9000);
const RENEWALS = 3;

const registry = await DeviceRegistry.open({ folder: await databaseFolder() });
t.teardown(() => registry.close());

/** @param onAttest called when the manager has made its evidence */
async function world(t: Test, options: Partial<AttestationServerOptions> = {}, onAttest = () => {}) {
  const hash = randomBytes(32);
  const attester = await InsecureSoftwareAttester.open({ keyFile: join(freshFolder(t), 'device.key'), runtimeHash: hash });
  await registry.enrollKey(attester.publicKey);
  await registry.allowRuntime('linux', hash);
  const attest = async (listen = 'tcp://127.0.0.1:0') => {
    const server = await AttestationServer.start({ listen, authority, registry, maxRequestsPerSecond: 0, ...options });
    t.teardown(() => server.close());
    return server;
  };
  const pas = await attest();
  const policy = policyOf({ attestationUrl: `127.0.0.1:${portOf(pas)}`, runtimeHashes: { linux: hash.toString('hex') } });
  const logs: (LogLine & { readonly role: string })[] = [];
  const log =
    (role: string): NonNullable<ServerOptions['log']> =>
    (level, event, figures = {}) =>
      logs.push({ role, level, event, figures });
  const attesting: Attester = {
    protocol: 'psa',
    attest: (...question) => attester.attest(...question).finally(onAttest),
  };
  const manager = await startManager(t, { attester: attesting, log: log('manager') });
  const count = (event: string, role = 'server') => logs.filter((line) => line.event === event && line.role === role).length;
  const serve = () => startServer(t, `tcp://127.0.0.1:${portOf(manager)}`, { policy, log: log('server') });
  return { attest, pas, policy, logs, count, manager, serve };
}

void t.test(`${RENEWALS} renewals under load: no request is lost`, async (t) => {
  const { policy, count, logs, serve } = await world(t, { certificateLifetimeMs: LIFETIME_MS });
  const server = await serve();
  const serials = new Set<string>();
  let [requests, sessions] = [0, 0];
  const over = () => count('certificate renewed') >= RENEWALS;
  const verifyPeer = (certificate: X509Certificate) => void serials.add(certificate.serialNumber);
  const connect = () => connectClient(t, server.url, { policy, verifyPeer });
  const works = async (client: VeracruzClient) => {
    const bytes = randomBytes(5000);
    await client.writeFile(`/input/${client.session}`, bytes);
    if (!(await collect(await client.readFile(`/input/${client.session}`))).equals(bytes)) throw new Error('other bytes');
    requests += 2;
  };
  const devices = new Set<unknown>();
  const old = async () => {
    const client = await connect();
    while (!over()) await works(client);
    await works(client);
    await client.close();
  };
  const young = async () => {
    while (!over()) {
      const client = await connect();
      await works(client);
      await client.close();
      sessions++;
      devices.add(server.managers[0]?.deviceId);
    }
  };
  await within('the renewals', Promise.all([old(), old(), young(), young()]));
  await (await connect()).close();
  t.comment(`${requests} requests, ${sessions} new sessions, ${serials.size} certificates`);
  t.equal(serials.size, RENEWALS + 1, 'each new certificate was seen, by new sessions only');
  t.ok(devices.size > 1, 'the attestation server has numbered the manager anew');
  t.equal(count('link closed'), 0, 'it was one link all the time');
  // On a slow machine the warning, at two thirds, may be a little faster than the renewal that is under way.
  const warned = logs.filter(({ level, event }) => level === 'error' || (level === 'warn' && event !== 'certificate about to expire'));
  t.same(warned, [], 'and nothing to be warned of');
});

void t.test('an attestation server that is away when it is needed', async (t) => {
  const { attest, pas, policy, count, logs, serve } = await world(t, { certificateLifetimeMs: LIFETIME_MS });
  const server = await serve();
  const client = await connectClient(t, server.url, { policy });
  await pas.close();
  await until('it is tried in vain', () => count('certificate not renewed') > 1);
  t.match(logs.find(({ event }) => event === 'certificate not renewed')?.figures, { reason: /ECONNREFUSED/ });
  t.equal((await client.policyHash()).length, 64, 'the old certificate serves');
  await attest(`tcp://127.0.0.1:${portOf(pas)}`);
  await until('it is renewed', () => count('certificate renewed') > 0);
  t.equal((await client.policyHash()).length, 64, 'and nobody was cut off');
  await (await connectClient(t, server.url, { policy })).close();
});

void t.test('without renewal, the manager says what is coming', async (t) => {
  const { policy, count, manager } = await world(t, { certificateLifetimeMs: LIFETIME_MS });
  const at = `tcp://127.0.0.1:${portOf(manager)}`;
  const server = await startServer(t, at, { policy, renewCertificates: false });
  await until('the warning', () => count('certificate about to expire', 'manager') === 1);
  await until('the end', () => count('certificate expired', 'manager') === 1);
  await t.rejects(connectClient(t, server.url, { policy }), { code: 'ERR_VC_CERTIFICATE', message: /expired/i });
});

void t.test('a certificate that has expired when it is issued is refused, by the Server and by the manager', async (t) => {
  // All roles are in this process: the clock is an hour behind while the attestation server issues, and only then.
  let behindMs = 0;
  const log = (_level: string, event: string) => {
    if (event === 'device attested') behindMs = 0;
  };
  const onAttest = () => {
    behindMs = 3_600_000;
  };
  const { policy, count, manager, serve } = await world(t, { certificateLifetimeMs: 60_000, log }, onAttest);
  t.teardown(useClock({ ...systemClock, now: () => systemClock.now() - behindMs }));
  await t.rejects(within('the start', serve()), { code: 'ERR_VC_CERTIFICATE', message: /expired at/ });
  const lax = startServer(t, `tcp://127.0.0.1:${portOf(manager)}`, { policy, maxClockSkewMs: 2 ** 31 - 1 });
  await t.rejects(within('the start', lax), { code: 'ERR_VC_REQUEST_FAILED', message: /refused Initialize/ });
  t.equal(count('not initialised', 'manager'), 1);
});

void t.test('the authority of an attestation server', async (t) => {
  const lines: string[] = [];
  const soon = makeAuthority({ notBefore: new Date(Date.now() - 86_400_000), notAfter: new Date(Date.now() + 3_600_000) });
  const log = (level: string, event: string) => lines.push(`${level} ${event}`);
  const pas = await AttestationServer.start({ listen: 'tcp://127.0.0.1:0', authority: soon, registry, log });
  await pas.close();
  t.ok(lines.includes('warn certificate about to expire'), lines.join());
});

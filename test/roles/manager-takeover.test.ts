/** A stranger who reaches the manager's port: he changes nothing for others, whether he comes first or later. */
import { createPublicKey, type X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Authority, issue, makeAuthority } from '../../lib/attestation/authority.js';
import { makeCertificate, makeKey, pemOf, privateKeyOf } from '../../lib/attestation/certificate.js';
import { policyHash } from '../../lib/enclave/policy/index.js';
import { Presented } from '../../lib/roles/runtime-manager/presented.js';
import type { RuntimeManagerOptions } from '../../lib/roles/runtime-manager/runtime-manager.js';
import { certify, Leader, plainAttester } from '../support/enrol.js';
import { until } from '../support/foreign.js';
import '../support/long.js';
import {
  authority,
  collect,
  connectClient,
  freshFolder,
  POLICY,
  POLICY_HASH,
  policyOf,
  portOf,
  startManager,
  startServer,
} from '../support/roles.js';

const evil = makeAuthority({ commonName: 'evil' });

/** A manager that waits for its Server, and the codes of what it refuses. */
async function begin(t: Test, options: Partial<RuntimeManagerOptions> = {}) {
  const codes: unknown[] = [];
  const events: string[] = [];
  const manager = await startManager(t, {
    attester: plainAttester(),
    log: (_level, event, figures) => {
      events.push(event);
      if (event === 'not initialised') codes.push(figures?.code);
    },
    ...options,
  });
  return { manager, codes, events, link: () => Leader.connect(t, manager), at: `tcp://127.0.0.1:${portOf(manager)}` };
}

/** All of the attestation, with a certificate of `by`, or any other chain for the request. */
async function lead(leader: Leader, by: Authority | ((csr: Buffer) => readonly Buffer[]), policy = POLICY): Promise<string> {
  const { csr } = await leader.attest();
  return leader.initialize(policy, typeof by === 'function' ? by(csr) : certify(csr, by));
}

/** The serial number of the certificate that a client of this Server is shown. It writes a file, so that all of it works. */
async function shown(t: Test, url: string, policy = POLICY): Promise<string> {
  let serial = '';
  const verifyPeer = (certificate: X509Certificate) => {
    serial = certificate.serialNumber;
  };
  const client = await connectClient(t, url, { policy, verifyPeer });
  await client.writeFile('/input/a', Buffer.from('kept'));
  t.equal(String(await collect(await client.readFile('/input/a'))), 'kept');
  await client.close();
  return serial;
}

void t.test("a stranger's chain: Fail, and nobody notices", async (t) => {
  const { manager, codes, link, at } = await begin(t);
  t.equal(await (await link()).lead(), 'Success');
  const server = await startServer(t, at);
  const before = await shown(t, server.url);
  const stranger = await link();
  t.equal(await lead(stranger, evil), 'Fail');
  t.same(codes, ['ERR_VC_CERTIFICATE']);
  t.equal(await shown(t, server.url), before, 'while he is there');
  stranger.channel.destroy();
  t.equal(await shown(t, server.url), before, 'and when he has gone');
  t.equal(manager.policyHash, POLICY_HASH);
});

void t.test('a stranger who comes first binds nothing', async (t) => {
  const store = join(freshFolder(t), 'store');
  const { manager, codes, link } = await begin(t, { store });
  const stranger = await link();
  // Another policy, and the right one; neither has his authority.
  t.equal(await lead(stranger, evil, `${POLICY}\n`), 'Fail');
  t.equal(await lead(stranger, evil), 'Fail');
  t.same(codes, ['ERR_VC_CERTIFICATE', 'ERR_VC_CERTIFICATE']);
  t.equal(manager.policyHash, undefined);
  t.notOk(existsSync(join(store, 'policy')), 'the store belongs to no policy');
  t.equal(await (await link()).lead(), 'Success');
  await manager.close();
  t.equal(await (await (await begin(t, { store })).link()).lead(), 'Success', 'after a restart, too');
});

void t.test('where the policy is said at the start, no other is taken, whoever signs', async (t) => {
  const theirs = policyOf({ authority: evil.certificate });
  const { manager, codes, link } = await begin(t, { expectedPolicyHash: POLICY_HASH.toUpperCase() });
  t.equal(await lead(await link(), evil, theirs), 'Fail');
  t.same(codes, ['ERR_VC_POLICY']);
  t.equal(await (await link()).lead(), 'Success');
  t.equal(manager.policyHash, POLICY_HASH);
  // Without it, a policy that has its own authority is as good as any other: the first one stays.
  const open = await begin(t);
  t.equal(await lead(await open.link(), evil, theirs), 'Success');
  t.equal(open.manager.policyHash, policyHash(theirs));
  const given = startManager(t, { expectedPolicyHash: policyHash(theirs) });
  await t.rejects(given, { code: 'ERR_VC_POLICY', expected: policyHash(theirs), got: POLICY_HASH }, 'of a policy of its own, too');
  for (const expectedPolicyHash of ['', 'x'.repeat(64), POLICY_HASH.slice(1)]) {
    await t.rejects(startManager(t, { expectedPolicyHash }), { code: 'ERR_VC_INVALID_OPTION' });
  }
});

void t.test('a chain leads to a certificate of the policy by its exact bytes', async (t) => {
  const key = makeKey('ec');
  const middle = issue(authority, { subject: 'between', publicKey: createPublicKey(key), isCa: true });
  const between = { key: key.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate: pemOf(middle), certificateDer: middle };
  const name = { organization: 'Veracruz', commonName: 'role tests' };
  const again = (by: Authority) =>
    makeCertificate({ subject: name, issuer: name, publicKey: createPublicKey(by.key), isCa: true }, privateKeyOf(by.key));
  const two = policyOf({ authority: evil.certificate + authority.certificate });
  const ofMiddle = policyOf({ authority: between.certificate });
  const cases: readonly (readonly [outcome: string, what: string, chain: (csr: Buffer) => Buffer[], policy?: string])[] = [
    ['Success', 'the root behind the leaf', (csr) => certify(csr)],
    ['Success', 'the leaf alone, which the root has issued', (csr) => certify(csr).slice(0, 1)],
    ['Success', 'a certificate between', (csr) => [certify(csr, between)[0], middle, authority.certificateDer]],
    ['Success', 'the same without the root', (csr) => [certify(csr, between)[0], middle]],
    ['Success', 'the second certificate of the policy', (csr) => certify(csr), two],
    ['Success', 'the first one', (csr) => certify(csr, evil), two],
    ['Success', 'a policy that trusts what is between', (csr) => [certify(csr, between)[0], middle], ofMiddle],
    ['Success', 'and what stands above that', (csr) => [certify(csr, between)[0], middle, authority.certificateDer], ofMiddle],
    ['Fail', 'but not what else the root has issued', (csr) => certify(csr), ofMiddle],
    ['Fail', 'the certificate between is missing', (csr) => certify(csr, between).slice(0, 1)],
    ['Fail', 'another root', (csr) => certify(csr, evil)],
    ['Fail', 'another leaf, alone', (csr) => certify(csr, evil).slice(0, 1)],
    ['Fail', "another root, and the policy's behind it", (csr) => [...certify(csr, evil), authority.certificateDer]],
    [
      'Success',
      'a second root of the same key and name above the leaf',
      (csr) => [certify(csr)[0], again(authority), authority.certificateDer],
    ],
    ['Fail', 'which the policy does not name', (csr) => [certify(csr)[0], again(authority)], policyOf({ authority: pemOf(again(evil)) })],
    ['Fail', 'a namesake of the root', (csr) => certify(csr, namesake)],
  ];
  const namesake = makeAuthority({ commonName: 'role tests' });
  for (const [outcome, what, chain, policy] of cases) {
    const { link } = await begin(t);
    t.equal(await lead(await link(), chain, policy), outcome, what);
  }
});

void t.test('a certificate is for the sessions of the link that brought it', async (t) => {
  const { link, at } = await begin(t);
  t.equal(await (await link()).lead(), 'Success');
  const server = await startServer(t, at);
  const serving = await shown(t, server.url);
  const other = await link();
  t.equal(await other.lead(), 'Success', 'two Servers may lead one manager');
  t.equal(await shown(t, server.url), serving, 'what serves stays');
  other.channel.destroy();
  t.equal(await shown(t, server.url), serving);
});

void t.test('the link that initialised it may do so again, with another certificate', async (t) => {
  const { link, at, events } = await begin(t);
  const own = await link();
  t.equal(await own.lead(), 'Success');
  const server = await startServer(t, at);
  const before = await shown(t, server.url);
  const old = await connectClient(t, server.url, { policy: POLICY });
  t.equal(await lead(own, authority), 'Success');
  t.not(await shown(t, server.url), before, 'new sessions are shown the new one');
  t.equal(await old.policyHash(), POLICY_HASH, 'and sessions under way go on');
  t.equal(await lead(own, evil), 'Fail');
  const serving = await shown(t, server.url);
  t.equal(await lead(own, authority, `${POLICY}\n`), 'Fail', 'never with another policy');
  t.equal(await shown(t, server.url), serving);
  t.notOk(events.includes('link closed'));
});

void t.test('a certificate out of its time is refused, but for the skew of the clocks', async (t) => {
  const { link, codes } = await begin(t);
  const minutes = (n: number) => new Date(Date.now() + n * 60_000);
  const chain = (from: number, to: number) => (csr: Buffer) => certify(csr, authority, { notBefore: minutes(from), notAfter: minutes(to) });
  const own = await link();
  for (const [from, to] of [
    [-60, -6],
    [6, 60],
  ] as const) {
    t.equal(await lead(own, chain(from, to)), 'Fail');
  }
  t.same(codes, ['ERR_VC_CERTIFICATE', 'ERR_VC_CERTIFICATE']);
  t.equal(await lead(own, chain(-60, -4)), 'Success');
  t.equal(await lead(own, chain(4, 60)), 'Success');
  const strict = await begin(t, { maxClockSkewMs: 0 });
  t.equal(await lead(await strict.link(), chain(4, 60)), 'Fail');
});

void t.test('a Server that comes back, over a new link, shows its new certificate', async (t) => {
  const { link, events, at } = await begin(t);
  const first = await link();
  t.equal(await first.lead(), 'Success');
  const bystander = await startServer(t, at);
  const before = await shown(t, bystander.url);
  first.channel.destroy();
  await until('the manager has seen it', () => events.includes('link closed'));
  t.equal(await shown(t, bystander.url), before, 'what serves goes on to serve');
  t.equal(await (await link()).lead(), 'Success');
  t.not(await shown(t, bystander.url), before, 'until another link brings one');
});

void t.test('whom each link is shown: the rule', async (t) => {
  const [a, b, c] = [{}, {}, {}];
  const presented = new Presented('a1', a);
  const all = () => [a, b, c, undefined].map((link) => presented.to(link));
  t.same(all(), ['a1', 'a1', 'a1', 'a1']);
  presented.bring('b1', b);
  t.same(all(), ['a1', 'b1', 'a1', 'a1'], 'another link: for itself');
  presented.bring('a2', a);
  t.same(all(), ['a2', 'b1', 'a2', 'a2'], 'the link itself: for all that have none');
  presented.left(a);
  t.same(all(), ['a2', 'b1', 'a2', 'a2'], 'gone: it goes on to serve');
  presented.left(c);
  presented.bring('b2', b);
  t.same(all(), ['b2', 'b2', 'b2', 'b2'], 'then the next one serves');
  presented.bring('c1', c);
  t.same(all(), ['b2', 'b2', 'c1', 'b2']);
  presented.left(c);
  t.same(all(), ['b2', 'b2', 'b2', 'b2'], 'what is gone is forgotten');

  const started = new Presented('given', undefined);
  t.same([started.to(undefined), started.to(a)], ['given', 'given']);
  started.bring('a1', a);
  t.same([started.to(undefined), started.to(a)], ['given', 'a1']);
});

/** The manager from nothing to an enclave: Attestation, Initialize, and all that can be wrong with them (wire spec §D). */
import { spawnSync } from 'node:child_process';
import { createHash, createPrivateKey, createPublicKey, randomBytes, type X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { issue, makeAuthority } from '../../lib/attestation/authority.js';
import { makeCertificate, makeKey, pemOf } from '../../lib/attestation/certificate.js';
import {
  type Attester,
  InsecureNitroAttester,
  InsecureSoftwareAttester,
  verifyNitroDocument,
  verifyPsaToken,
} from '../../lib/attestation/evidence/index.js';
import { readRequest } from '../../lib/attestation/request.js';
import { EvidenceError } from '../../lib/core/errors.js';
import type { FileStore } from '../../lib/enclave/store/file-store.js';
import { joined } from '../../lib/layers/bincode/index.js';
import { DIALECTS, type Dialect } from '../../lib/layers/formats/dialect.js';
import type { Log } from '../../lib/roles/options.js';
import { Enrolment } from '../../lib/roles/runtime-manager/enrolment.js';
import { Initialisation } from '../../lib/roles/runtime-manager/initialisation.js';
import { RuntimeManager, type RuntimeManagerOptions } from '../../lib/roles/runtime-manager/runtime-manager.js';
import { certify, Leader, outcomeOf, plainAttester } from '../support/enrol.js';
import { ask, ForeignServer, tell, until, within } from '../support/foreign.js';
import {
  alice,
  authority,
  collect,
  connectClient,
  content,
  freshFolder,
  managerIdentity,
  POLICY,
  POLICY_HASH,
  policyOf,
  portOf,
  startManager,
  startServer,
} from '../support/roles.js';
import '../support/processes.js';

/** Another policy: it says the same in other words, which is enough. */
const OTHER = `${POLICY}\n`;

/** A manager that waits for somebody to lead it, and what it logs. */
async function begin(t: Test, options: Partial<RuntimeManagerOptions> = {}) {
  const lines: { level: string; event: string; code: unknown }[] = [];
  const log: Log = (level, event, figures) => lines.push({ level, event, code: figures?.code });
  const manager = await startManager(t, { attester: plainAttester(), log, ...options });
  const link = { dialect: options.dialect ?? '2207', frame: options.frame ?? 'tcp9' } as const;
  const codes = (event: string) => lines.filter((line) => line.event === event).map(({ code }) => code);
  return { manager, lines, codes, leader: await Leader.connect(t, manager, link), another: () => Leader.connect(t, manager, link) };
}

const OPENSSL = ['/usr/bin/openssl', '/usr/local/bin/openssl'].find((path) => existsSync(path));

void t.test('from nothing to an enclave, byte by byte', async (t) => {
  const attester = plainAttester();
  const manager = await startManager(t, { attester });
  t.equal(manager.policyHash, undefined);
  const server = await ForeignServer.connect(t, portOf(manager));
  t.same(await server.call(ask.open()), tell.fail, 'no session before it');
  t.same(await server.call(ask.send(1, Buffer.from('x'))), tell.fail);
  t.same(await server.call(ask.get(1)), tell.fail);

  // Attestation: 0, challenge, device id.
  const challenge = randomBytes(32);
  const attestation = Buffer.concat([Buffer.from('00000000' + '2000000000000000', 'hex'), challenge, Buffer.from('07000000', 'hex')]);
  const data = await server.call(attestation);
  t.equal(data.readUInt32LE(0), 0, 'AttestationData');
  const tokenBytes = Number(data.readBigUInt64LE(4));
  const token = data.subarray(12, 12 + tokenBytes);
  const csr = data.subarray(20 + tokenBytes);
  t.equal(Number(data.readBigUInt64LE(12 + tokenBytes)), csr.length);
  t.same(
    token,
    Buffer.concat([createHash('sha256').update(challenge).digest(), csr]),
    "the attester's token, over the challenge and the CSR",
  );
  t.equal(readRequest(csr).publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
  t.same(await server.call(ask.open()), tell.fail, 'nor before Initialize');

  // Initialize: 4, policy, two certificates.
  const u64 = (value: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    return bytes;
  };
  const vector = (bytes: Buffer) => Buffer.concat([u64(bytes.length), bytes]);
  const initialize = Buffer.concat([Buffer.from('04000000', 'hex'), vector(Buffer.from(POLICY)), u64(2), ...certify(csr).map(vector)]);
  t.same(await server.call(initialize), tell.success);
  t.equal(manager.policyHash, POLICY_HASH);
  t.equal(await server.open(), 1, 'now there is a session');
  t.equal(attester.asked, 1);

  const relay = await startServer(t, `tcp://127.0.0.1:${portOf(manager)}`);
  const client = await connectClient(t, relay.url, { policy: POLICY });
  await client.writeFile('/input/a', content(1000));
  t.ok((await collect(await client.readFile('/input/a'))).equals(content(1000)), 'and a client that checks everything');
});

void t.test('the request is what openssl takes for one', { skip: OPENSSL === undefined && 'openssl is not installed' }, async (t) => {
  const { leader } = await begin(t);
  const file = join(freshFolder(t), 'csr.der');
  writeFileSync(file, (await leader.attest()).csr);
  const { stdout, stderr, status } = spawnSync(OPENSSL as string, ['req', '-inform', 'DER', '-in', file, '-verify', '-noout', '-subject']);
  t.equal(status, 0);
  t.match(String(stderr), /verify OK/);
  t.match(String(stdout), /C ?= ?US, ST ?= ?Texas, L ?= ?Austin, O ?= ?Veracruz, OU ?= ?Compute Enclave, CN ?= ?VeracruzCompute/);
});

for (const dialect of DIALECTS) {
  void t.test(`the dialect ${dialect}`, async (t) => {
    const protocol = dialect === '2207-nitro' ? 'nitro' : 'psa';
    const { leader, manager } = await begin(t, { dialect, attester: plainAttester(protocol) });
    t.equal(await leader.outcome({ kind: 'NewTlsSession' }), 'Fail');
    const answer = await leader.call({ kind: 'Attestation', challenge: [Buffer.alloc(32)], deviceId: dialect === 'head' ? UUID : 1 });
    t.equal(answer.kind === 'AttestationData' && answer.csr === undefined, dialect === '2207-nitro', 'a Nitro document comes alone');
    t.equal(await leader.lead(), 'Success');
    t.equal(manager.policyHash, POLICY_HASH);
    t.equal(await leader.outcome({ kind: 'NewTlsSession' }), 'TlsSession');
  });
}
const UUID = '00000000-0000-0000-0000-000000000001';

void t.test('with the attesters that come with the library', async (t) => {
  const folder = freshFolder(t);
  const [challenge, runtimeHash] = [randomBytes(32), randomBytes(32)];
  const psa = await InsecureSoftwareAttester.open({ keyFile: join(folder, 'device.key'), runtimeHash });
  const device = await begin(t, { attester: psa });
  const { token, csr } = await device.leader.attest(challenge);
  const claims = verifyPsaToken(token, { publicKey: psa.publicKey, challenge, request: csr });
  t.ok(claims.runtimeHash.equals(runtimeHash));
  t.equal(await device.leader.initialize(POLICY, certify(csr)), 'Success');

  const nitro = await InsecureNitroAttester.open({ keyFile: join(folder, 'root.pem'), runtimeHash });
  const enclave = await begin(t, { attester: nitro, dialect: '2207-nitro' });
  const answer = await enclave.leader.call({ kind: 'Attestation', challenge: [challenge], deviceId: 1 });
  if (answer.kind !== 'AttestationData') throw new Error(`no AttestationData: ${outcomeOf(answer)}`);
  t.equal(answer.csr, undefined);
  // The request is in the document: a certificate for it makes the manager somebody.
  const request = userDataOf(joined(answer.token));
  verifyNitroDocument(joined(answer.token), { root: nitro.root, challenge, request });
  t.equal(await enclave.leader.initialize(POLICY, certify(request)), 'Success');
});

/** What a Nitro document says under `user_data`: a byte string with a length of two bytes. */
function userDataOf(document: Buffer): Buffer {
  const key = Buffer.from('user_data');
  const at = document.indexOf(key) + key.length;
  if (document[at] !== 0x59) throw new Error('no byte string of that size');
  return document.subarray(at + 3, at + 3 + document.readUInt16BE(at + 1));
}

void t.test('every form of a chain that holds together', async (t) => {
  const key = makeKey('ec');
  const middle = issue(authority, { subject: 'between', publicKey: createPublicKey(key), isCa: true });
  const between = { key: key.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate: pemOf(middle), certificateDer: middle };
  const forms: Record<string, (csr: Buffer) => Buffer[]> = {
    'leaf and root': (csr) => certify(csr),
    'one blob of DER': (csr) => [Buffer.concat(certify(csr))],
    'one blob of PEM': (csr) => [Buffer.from(certify(csr).map(pemOf).join(''))],
    'PEM with text before it': (csr) => [Buffer.from(`leaf and root\n${certify(csr).map(pemOf).join('\n')}`)],
    'PEM and DER': (csr) => [Buffer.from(pemOf(certify(csr)[0])), authority.certificateDer],
    'three of them': (csr) => [certify(csr, between)[0], middle, authority.certificateDer],
    'the leaf alone': (csr) => certify(csr).slice(0, 1),
  };
  for (const [what, form] of Object.entries(forms)) {
    const { leader } = await begin(t);
    t.equal(await leader.initialize(POLICY, form((await leader.attest()).csr)), 'Success', what);
  }
  const { leader } = await begin(t, { dialect: 'head' });
  t.equal(
    await leader.initialize(POLICY, [
      Buffer.from(
        certify((await leader.attest()).csr)
          .map(pemOf)
          .join(''),
      ),
    ]),
    'Success',
    'PEM at head',
  );
});

void t.test('a chain that is not ours, or does not hold together: Fail, and another try may be better', async (t) => {
  const { leader, manager, codes } = await begin(t);
  const stranger = makeAuthority({ commonName: 'role tests' });
  const other = managerIdentity();
  const wrong: Record<string, (csr: Buffer) => readonly Buffer[]> = {
    'no certificate': () => [],
    'an empty one': () => [Buffer.alloc(0)],
    garbage: () => [randomBytes(500), authority.certificateDer],
    'PEM that is none': () => [Buffer.from('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')],
    'a leaf cut short': (csr) => [certify(csr)[0].subarray(0, -1), authority.certificateDer],
    'a leaf with a byte behind it': (csr) => [Buffer.concat([certify(csr)[0], Buffer.of(0)]), authority.certificateDer],
    'a leaf of another key': () => [Buffer.from(other.certificate)],
    'the CSR of an attestation before': (csr) => certify(earlier ?? csr),
    'root before leaf': (csr) => certify(csr).reverse(),
    'a root of the same name and another key': (csr) => [certify(csr)[0], stranger.certificateDer],
    'a root of the same key and another name': (csr) => [certify(csr)[0], namesake],
    'a root that is no CA': (csr) => certify(csr, alice),
    'a leaf whose signature was changed': (csr) => [spoilt(certify(csr)[0]), authority.certificateDer],
    'leaf and leaf': (csr) => [certify(csr)[0], certify(csr)[0]],
  };
  const key = createPublicKey(authority.key);
  const name = { commonName: 'another name' };
  const namesake = makeCertificate({ subject: name, issuer: name, publicKey: key, isCa: true }, createPrivateKey(authority.key));
  const spoilt = (der: Buffer) => Buffer.concat([der.subarray(0, -1), Buffer.of((der.at(-1) as number) ^ 1)]);
  let earlier: Buffer | undefined;
  for (const [what, chain] of Object.entries(wrong)) {
    const { csr } = await leader.attest();
    t.equal(await leader.initialize(POLICY, chain(csr)), 'Fail', what);
    earlier = csr;
  }
  t.same(new Set(codes('not initialised')), new Set(['ERR_VC_CERTIFICATE']));
  t.equal(manager.policyHash, undefined);
  t.equal(await leader.outcome({ kind: 'NewTlsSession' }), 'Fail');
  t.equal(await leader.lead(), 'Success');
});

void t.test('limits of what Initialize and Attestation bring: at them, and one over', async (t) => {
  const { csr } = await (await begin(t)).leader.attest();
  const chainBytes = certify(csr).reduce((sum, { length }) => sum + length, 0);
  // ECDSA signatures differ in length from one to the next; PEM leaves room for text that makes it exact.
  const exactly = (bytes: number, from: Buffer) => {
    const pem = Buffer.from(certify(from).map(pemOf).join(''));
    return [Buffer.concat([Buffer.alloc(bytes - pem.length, '\n'), pem])];
  };
  const maxChainBytes = 2 * chainBytes;
  const chains = await begin(t, { maxChainBytes });
  t.equal(await chains.leader.initialize(POLICY, exactly(maxChainBytes + 1, (await chains.leader.attest()).csr)), 'Fail');
  t.equal(await chains.leader.initialize(POLICY, exactly(maxChainBytes, (await chains.leader.attest()).csr)), 'Success');
  t.same(chains.codes('not initialised'), ['ERR_VC_LIMIT']);

  const maxPolicyBytes = Buffer.byteLength(POLICY);
  const policies = await begin(t, { maxPolicyBytes });
  t.equal(await policies.leader.lead(OTHER), 'Fail');
  t.equal(await policies.leader.lead(POLICY), 'Success');
  t.same(policies.codes('not initialised'), ['ERR_VC_LIMIT']);

  const { leader, codes } = await begin(t);
  const attest = (bytes: number) => leader.outcome({ kind: 'Attestation', challenge: [Buffer.alloc(bytes)], deviceId: 1 });
  t.same([await attest(0), await attest(65)], ['Fail', 'Fail']);
  t.same(codes('not attested'), ['ERR_VC_LIMIT', 'ERR_VC_LIMIT']);
  t.same([await attest(1), await attest(64)], ['AttestationData', 'AttestationData']);
  const small = await begin(t, { maxChallengeBytes: 31 });
  t.equal(await small.leader.outcome({ kind: 'Attestation', challenge: [Buffer.alloc(32)], deviceId: 1 }), 'Fail');
});

void t.test('a policy that is none: Fail, and nothing is begun', async (t) => {
  const { leader, manager, codes } = await begin(t);
  for (const policy of ['', '{', '{}', POLICY.replace('TLS1_3_', 'TLS1_2_'), policyOf({ identities: [] })]) {
    t.equal(await leader.lead(policy), 'Fail');
  }
  t.same(codes('not initialised'), [...Array<string>(4).fill('ERR_VC_POLICY'), 'ERR_VC_INVALID_OPTION']);
  t.equal(manager.policyHash, undefined);
  t.equal(await leader.lead(), 'Success', 'the store was not bound to any of them');
});

void t.test('Initialize needs an attestation of its own, over the same link', async (t) => {
  const { leader, another, codes } = await begin(t);
  t.equal(await leader.initialize(POLICY, []), 'Fail', 'none');
  const chain = certify((await leader.attest()).csr);
  t.equal(await (await another()).initialize(POLICY, chain), 'Fail', 'that of another link');
  t.equal(await leader.initialize(POLICY, chain), 'Success');
  t.equal(await leader.initialize(POLICY, chain), 'Fail', 'one that is used up');
  t.same(codes('not initialised'), Array(3).fill('ERR_VC_NOT_READY'));
});

void t.test('an attester that fails, hangs, or throws what is no error of ours: Fail, and the manager stays', async (t) => {
  let behave: () => Promise<Buffer> = () => Promise.reject(new EvidenceError('no evidence today'));
  const attester: Attester = { protocol: 'psa', attest: () => behave() };
  const { leader, another, manager, codes } = await begin(t, { attester });
  const attestation = { kind: 'Attestation', challenge: [Buffer.alloc(32)], deviceId: 1 } as const;
  t.equal(await leader.outcome(attestation), 'Fail');
  behave = () => {
    throw new TypeError('thrown at once');
  };
  t.equal(await leader.outcome(attestation), 'Fail');
  let go: (token: Buffer) => void = () => {};
  behave = () =>
    new Promise((resolve) => {
      go = resolve;
    });
  leader.send(attestation);
  leader.send(attestation);
  await until('the second one is refused', () => codes('not attested').length === 3);
  t.equal(await (await another()).outcome({ kind: 'NewTlsSession' }), 'Fail', 'other links are answered meanwhile');
  go(Buffer.from('token'));
  t.same([outcomeOf(await leader.answer()), outcomeOf(await leader.answer())], ['AttestationData', 'Fail'], 'answers keep their order');
  t.same(codes('not attested'), ['ERR_VC_EVIDENCE', 'ERR_VC_TRANSPORT', 'ERR_VC_NOT_READY']);
  leader.send(attestation);
  await within('close() with an attestation that never ends', manager.close());
});

void t.test('a second Initialize: another certificate, never another policy', async (t) => {
  const { manager, leader, codes } = await begin(t);
  t.equal(await leader.lead(), 'Success');
  const server = await startServer(t, `tcp://127.0.0.1:${portOf(manager)}`);
  const serials: string[] = [];
  const verifyPeer = (certificate: X509Certificate) => void serials.push(certificate.serialNumber);
  const before = await connectClient(t, server.url, { policy: POLICY, verifyPeer });
  await before.writeFile('/input/a', Buffer.from('kept'));
  t.equal(await leader.lead(OTHER), 'Fail');
  t.same(codes('not initialised'), ['ERR_VC_POLICY']);
  t.equal(manager.policyHash, POLICY_HASH);
  const between = await connectClient(t, server.url, { policy: POLICY, verifyPeer });
  t.equal(await leader.lead(POLICY), 'Success');
  const after = await connectClient(t, server.url, { policy: POLICY, verifyPeer });
  for (const client of [before, between, after]) t.equal(String(await collect(await client.readFile('/input/a'))), 'kept');
  t.equal(serials[0], serials[1], 'what fails changes nothing');
  t.not(serials[1], serials[2], 'new sessions see the new certificate');
});

void t.test('two Servers at once with two policies: one of them wins, the other is told', async (t) => {
  // Such a store keeps nothing between two processes, and need not care.
  const careless = { bind: () => new Promise((go) => setImmediate(go)), close: async () => {} } as unknown as FileStore;
  for (const store of [careless, join(freshFolder(t), 'store')]) {
    const { leader, another, manager } = await begin(t, { store });
    const second = await another();
    const [one, two] = [certify((await leader.attest()).csr), certify((await second.attest()).csr)];
    const outcomes = await Promise.all([leader.initialize(POLICY, one), second.initialize(OTHER, two)]);
    t.same([...outcomes].sort(), ['Fail', 'Success']);
    t.equal(manager.policyHash === POLICY_HASH, outcomes[0] === 'Success');
  }
});

void t.test('a store belongs to its first policy, across restarts', async (t) => {
  const store = join(freshFolder(t), 'store');
  const first = await begin(t, { store });
  t.equal(await first.leader.lead(), 'Success');
  const server = await startServer(t, `tcp://127.0.0.1:${portOf(first.manager)}`);
  await (await connectClient(t, server.url, { policy: POLICY })).writeFile('/input/a', Buffer.from('kept'));
  await first.manager.close();
  t.equal(readFileSync(join(store, 'policy'), 'latin1'), `${POLICY_HASH}\n`);

  const second = await begin(t, { store });
  t.equal(await second.leader.lead(OTHER), 'Fail');
  t.same(second.codes('not initialised'), ['ERR_VC_FILE_STORE']);
  t.equal(second.manager.policyHash, undefined);
  t.equal(await second.leader.outcome({ kind: 'NewTlsSession' }), 'Fail');
  t.equal(await second.leader.lead(POLICY), 'Success');
  const again = await startServer(t, `tcp://127.0.0.1:${portOf(second.manager)}`);
  const client = await connectClient(t, again.url, { policy: POLICY });
  t.equal(String(await collect(await client.readFile('/input/a'))), 'kept');
  await second.manager.close();

  await t.rejects(startManager(t, { store, policy: OTHER }), { code: 'ERR_VC_FILE_STORE', expected: POLICY_HASH });
  await (await startManager(t, { store, policy: POLICY })).close();
});

void t.test('ResetEnclave: as the original has it', async (t) => {
  for (const dialect of ['2207', '2207-nitro'] as const satisfies Dialect[]) {
    const { leader } = await begin(t, { dialect, attester: plainAttester(dialect === '2207' ? 'psa' : 'nitro') });
    t.equal(await leader.outcome({ kind: 'ResetEnclave' }), 'Unimplemented', dialect);
  }
  const { leader, another, manager } = await begin(t, { frame: 'icecap4' });
  t.equal(await leader.outcome({ kind: 'ResetEnclave' }), 'Success', 'IceCap');
  t.equal(await leader.lead(), 'Success');
  const second = await another();
  for (const one of [leader, leader, second]) t.equal(await one.outcome({ kind: 'NewTlsSession' }), 'TlsSession');
  t.equal(await leader.outcome({ kind: 'ResetEnclave' }), 'Success');
  t.equal(manager.sessions, 1, "the link's own sessions end");
  t.equal(await leader.outcome({ kind: 'NewTlsSession' }), 'TlsSession', 'and the manager is what it was');
});

void t.test('initialised from the start: nobody attests it, nobody changes it', async (t) => {
  const manager = await startManager(t);
  t.equal(manager.policyHash, POLICY_HASH);
  const leader = await Leader.connect(t, manager);
  t.equal(await leader.outcome({ kind: 'Attestation', challenge: [Buffer.alloc(32)], deviceId: 1 }), 'Unimplemented');
  t.equal(await leader.initialize(POLICY, []), 'Unimplemented');
  await t.rejects(startManager(t, { policy: '{}' }), { code: 'ERR_VC_POLICY' });
  const nobody = policyOf({ identities: [] });
  await t.rejects(startManager(t, { policy: nobody }), { code: 'ERR_VC_INVALID_OPTION' });
});

void t.test('neither attester nor certificate, or both: no manager', async (t) => {
  const { certificate, key } = managerIdentity();
  const store = join(freshFolder(t), 'store');
  const attester = plainAttester();
  const wrong: Record<string, Partial<RuntimeManagerOptions>> = {
    neither: {},
    'a policy alone': { policy: POLICY },
    'no policy': { certificate, key },
    'no key': { certificate, policy: POLICY },
    both: { attester, certificate, key, policy: POLICY },
    'an attester and a policy': { attester, policy: POLICY },
    'evidence that the dialect cannot carry': { attester: plainAttester('nitro') },
    'the same the other way round': { attester, dialect: '2207-nitro' },
    'no chain at all': { attester, maxChainBytes: 0 },
    'no policy at all': { attester, maxPolicyBytes: 0 },
    'no challenge at all': { attester, maxChallengeBytes: 0 },
    'no skew of clocks that is a number': { attester, maxClockSkewMs: -1 },
  };
  for (const [what, options] of Object.entries(wrong)) {
    await t.rejects(RuntimeManager.start({ listen: 'tcp://127.0.0.1:0', store, ...options }), { code: 'ERR_VC_INVALID_OPTION' }, what);
  }
  t.notOk(existsSync(store), 'before anything is touched');
});

void t.test('after a shutdown there is no new life', async (t) => {
  const attester = plainAttester();
  const enrolment = new Enrolment({ attester, dialect: '2207', maxChainBytes: 65_536, maxChallengeBytes: 64, maxClockSkewMs: 300_000 });
  const codes: unknown[] = [];
  const log: Log = (_level, _event, figures) => codes.push(figures?.code);
  const limits = { maxMessageBytes: 2 ** 20, maxPolicyBytes: 2 ** 20, minAppendBytesPerSecond: 0 };
  const store = { bind: async () => {} } as unknown as FileStore;
  const over = new Initialisation({ dialect: '2207', ...limits, store, log, shutdown: () => {} }, () => false);
  t.equal(outcomeOf(await over.attest(enrolment, Buffer.alloc(32), 1).response), 'Fail');
  t.equal(outcomeOf(await over.initialize(enrolment, POLICY, []).response), 'Fail');
  t.same(codes, ['ERR_VC_CLOSED', 'ERR_VC_CLOSED']);
  t.equal(attester.asked, 0);
});

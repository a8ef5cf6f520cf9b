/** The attestation handshake of wire spec §D at the Server's start: its order, its bytes, who gets what. */
import { join } from 'node:path';
import t from 'tap';
import { joined, type Response } from '../../lib/layers/bincode/index.js';
import { HELLO as BEGUN, foreignManager, post, RawHttp, until, within } from '../support/foreign.js';
import { freshFolder, portOf } from '../support/roles.js';
import {
  attestation,
  bytesField,
  CHALLENGE,
  CSR,
  chainBody,
  challengeBody,
  comingManager,
  ENCLAVE,
  evidence,
  gate,
  goodManager,
  goodPas,
  initialize,
  intField,
  messageOf,
  policyText,
  ROOT,
  scriptedPas,
  stage,
  stageOf,
  stepsOf,
  TOKEN,
} from './attestation-handshake-support.js';

const HELLO = `0 ${BEGUN.toString('base64')}`;

void t.test('the steps, in their order, byte for byte', async (t) => {
  const events: string[] = [];
  const pas = await scriptedPas(t, goodPas(), events);
  const manager = await foreignManager(t, goodManager({}, events));
  const { start, policy } = stageOf(t, pas, [manager]);
  const server = await start();
  t.same(events, ['POST /Start', 'Attestation', 'POST /PSA/AttestationToken', 'Initialize']);
  t.same(
    pas.posts.map(({ type }) => type),
    ['application/octet-stream', 'application/octet-stream'],
  );
  const [first, second] = pas.posts.map(({ text }) => messageOf(text).toString('hex'));
  // start_msg=2 {protocol=1, firmware_version=2}; native_psa_attestation_token=3 {token=1, device_id=2, csr=3}
  t.equal(first, bytesField(2, Buffer.concat([bytesField(1, Buffer.from('psa')), bytesField(2, Buffer.from('0.0'))])).toString('hex'));
  t.equal(second, bytesField(3, Buffer.concat([bytesField(1, TOKEN), intField(2, 7), bytesField(3, CSR)])).toString('hex'));
  const [attest, init] = manager.requests.map(({ payload }) => payload.toString('hex'));
  t.equal(attest, attestation(CHALLENGE, 7).toString('hex'));
  t.equal(init, initialize(policy, [ENCLAVE, ROOT]).toString('hex'), 'the policy as it was given');

  const answer = await (await RawHttp.connect(t, portOf(server))).send(post(HELLO));
  t.equal(answer.status, 200);
  t.equal(events.at(-1), 'NewTlsSession', 'and only then a session');
  t.match(server.managers, [{ up: true, deviceId: 7, address: manager.address }]);
});

void t.test('on Nitro it is a document, without a CSR beside it', async (t) => {
  const { start, pas, managers, policy } = await stage(t, goodPas(), goodManager({ attest: () => evidence(TOKEN) }));
  await start({ dialect: '2207-nitro' });
  t.same(
    pas.posts.map(({ path }) => path),
    ['/Start', '/Nitro/AttestationToken'],
  );
  const [first, second] = pas.posts.map(({ text }) => messageOf(text));
  t.ok(first?.includes('nitro'));
  t.same(second, bytesField(7, Buffer.concat([bytesField(1, TOKEN), intField(2, 7)])));
  t.same(managers[0]?.requests[1]?.payload, initialize(policy, [ENCLAVE, ROOT]));
});

for (const [what, link, firmware] of [
  ['IceCap', { dialect: '2207', frame: 'icecap4' }, '0.3.0'],
  ['head', { dialect: 'head', frame: 'tcp9' }, '0.0'],
] as const) {
  void t.test(`${what}: its frame, its device id, its chain`, async (t) => {
    const path = join(freshFolder(t), 'rm');
    const pas = await scriptedPas(t, goodPas());
    const { start, policy } = stageOf(t, pas, []);
    // The manager connects, as it does at HEAD; over IceCap it would not, but its bytes are the same.
    const server = await start({ runtime: `unix-listen://${path}`, ...link });
    const { requests } = await comingManager(t, path, link, (request) =>
      request.kind === 'Attestation' ? { kind: 'AttestationData', token: [TOKEN], csr: [CSR] } : { kind: 'Status', status: 'Success' },
    );
    await until('the manager in service', () => server.managers[0]?.up === true);
    t.ok(messageOf(pas.posts[0]?.text as string).includes(firmware));
    const [attest, init] = requests;
    t.match(attest, { kind: 'Attestation', deviceId: link.dialect === 'head' ? '00000000-0000-0000-0000-000000000007' : 7 });
    t.match(init, { kind: 'Initialize', policy });
    const chain = (init as unknown as { chain: Buffer[][] }).chain.map((item) => joined(item).toString());
    const [leaf, root] = [ENCLAVE.toString(), ROOT.toString()];
    t.same(chain, link.dialect === 'head' ? [leaf + root] : [leaf, root]);
  });
}

void t.test('a device id is an int32, below zero too', async (t) => {
  const { start, pas, managers } = await stage(t, goodPas({ start: () => challengeBody(CHALLENGE, -2) }), goodManager());
  const server = await start();
  t.equal(server.managers[0]?.deviceId, -2);
  t.same(managers[0]?.requests[0]?.payload, attestation(CHALLENGE, -2));
  t.ok(messageOf(pas.posts[1]?.text as string).includes(intField(2, -2)));
});

void t.test('where it listens and whom it asks: as the policy says, unless it is told otherwise', async (t) => {
  const pas = await scriptedPas(t, goodPas());
  const manager = await foreignManager(t, goodManager());
  // A port that was free a moment ago, for the policy to name.
  const probe = await scriptedPas(t, goodPas());
  await probe.close();
  const { start } = stageOf(t, pas, [manager]);
  const policy = policyText({ serverUrl: probe.place, attestationUrl: pas.place });
  const server = await start({ policy, listen: undefined as unknown as string });
  t.equal(server.url, `http://${probe.place}`);
  await server.close();
  const other = await scriptedPas(t, goodPas());
  const before = pas.posts.length;
  for (const attestation of [other.place, `http://${other.place}`, `http://${other.place}/`]) {
    const told = await start({ policy, attestation, listen: 'tcp://127.0.0.1:0' });
    t.not(told.url, `http://${probe.place}`);
    await told.close();
  }
  t.equal(other.posts.length, 6);
  t.equal(pas.posts.length, before);
});

void t.test('with a policy and no attestation, the managers are ready as they are', async (t) => {
  const { start, pas, managers } = await stage(t, goodPas(), goodManager());
  const server = await start({ attestation: false });
  t.same([pas.posts, managers[0]?.requests], [[], []]);
  t.equal((await (await RawHttp.connect(t, portOf(server))).send(post(HELLO))).status, 200);
  t.match(server.managers, [{ up: true, deviceId: undefined }]);
});

void t.test('several managers at once, each with its own device id', async (t) => {
  // Nobody gets a challenge before all have asked: they must ask in parallel.
  const all = gate();
  let asked = 0;
  const start = async () => {
    const device = 100 + asked++;
    if (asked === 3) all.open();
    await all.opened;
    return challengeBody(CHALLENGE, device);
  };
  const { start: run, managers, pas } = await stage(t, goodPas({ start }), goodManager(), goodManager(), goodManager());
  const server = await run();
  t.same(server.managers.map(({ deviceId }) => deviceId).sort(), [100, 101, 102]);
  for (const [i, manager] of managers.entries()) {
    t.same(stepsOf(manager), ['Attestation', 'Initialize']);
    t.same(manager.requests[0]?.payload, attestation(CHALLENGE, server.managers[i]?.deviceId as number));
  }
  const handedIn = pas.posts.filter(({ path }) => path !== '/Start').map(({ text }) => messageOf(text));
  t.ok([100, 101, 102].every((device) => handedIn.some((message) => message.includes(intField(2, device)))));
});

void t.test('no session before Initialize: 503 meanwhile', async (t) => {
  const path = join(freshFolder(t), 'rm');
  const doors = { Start: gate(), Attestation: gate(), Token: gate(), Initialize: gate() };
  const events: string[] = [];
  const held = async <V>(step: keyof typeof doors, value: V): Promise<V> => {
    events.push(step);
    await doors[step].opened;
    return value;
  };
  const pas = await scriptedPas(
    t,
    goodPas({ start: () => held('Start', challengeBody(CHALLENGE, 7)), token: () => held('Token', chainBody(ROOT, ENCLAVE)) }),
  );
  const server = await stageOf(t, pas, []).start({ runtime: `unix-listen://${path}` });
  const status = async () => (await (await RawHttp.connect(t, portOf(server))).send(post(HELLO))).status;
  t.equal(await status(), 503, 'nobody there');

  await comingManager(t, path, { dialect: '2207', frame: 'tcp9' }, (request): Response | Promise<Response> => {
    if (request.kind === 'Attestation') return held('Attestation', { kind: 'AttestationData', token: [TOKEN], csr: [CSR] });
    if (request.kind === 'Initialize') return held('Initialize', { kind: 'Status', status: 'Success' });
    events.push(request.kind);
    if (request.kind === 'NewTlsSession') return { kind: 'TlsSession', session: 1 };
    return request.kind === 'GetTlsDataNeeded' ? { kind: 'TlsDataNeeded', needed: false } : { kind: 'Status', status: 'Success' };
  });
  for (const step of ['Start', 'Attestation', 'Token', 'Initialize'] as const) {
    await until(step, () => events.includes(step));
    t.equal(await status(), 503, `at ${step}`);
    t.match(server.managers, [{ up: false, sessions: 0 }]);
    doors[step].open();
  }
  await until('the manager in service', () => server.managers[0]?.up === true);
  t.same(events, ['Start', 'Attestation', 'Token', 'Initialize'], 'nobody opened a session');
  t.equal(await status(), 200);
  t.equal(events[4], 'NewTlsSession');
});

void t.test('the log has each step, and nothing that must not be in it', async (t) => {
  const { start, logs, managers, policy } = await stage(t, goodPas(), goodManager());
  await start();
  const steps = logs.filter(({ event }) => event === 'attestation step');
  t.same(
    steps.map(({ figures }) => figures.step),
    ['Start', 'Attestation', 'AttestationToken', 'Initialize'],
  );
  for (const { level, figures } of steps) {
    t.match(figures, { manager: managers[0]?.address, device: 7 });
    t.ok(Number.isInteger(figures.milliseconds));
    t.equal(level, 'info');
  }
  t.match(steps[1]?.figures, { tokenBytes: TOKEN.length, csrBytes: CSR.length });
  t.match(steps[2]?.figures, { certificateBytes: ENCLAVE.length, rootBytes: ROOT.length });
  const text = JSON.stringify(logs);
  for (const secret of [CHALLENGE, TOKEN, CSR, Buffer.from(policy)]) {
    for (const form of ['latin1', 'hex', 'base64'] as const) t.notOk(text.includes(secret.toString(form)));
  }
});

void t.test('a policy that is none, and a policy at its limit', async (t) => {
  const { start, pas, policy, managers } = await stage(t, goodPas(), goodManager());
  await t.rejects(start({ policy: '{}' }), { code: 'ERR_VC_POLICY' });
  const bytes = Buffer.byteLength(policy);
  await t.rejects(start({ maxPolicyBytes: bytes - 1 }), { code: 'ERR_VC_LIMIT', limit: bytes - 1, got: bytes });
  t.same([pas.posts, managers[0]?.links.size], [[], 0], 'nobody was asked');
  await start({ maxPolicyBytes: bytes });
  const long = policy + ' '.repeat(960 * 1024 - bytes);
  await start({ policy: long });
  t.same(managers[0]?.requests.at(-1)?.payload, initialize(long, [ENCLAVE, ROOT]), 'the longest one that is taken by default');
  await t.rejects(start({ policy: `${long} ` }), { code: 'ERR_VC_LIMIT', limit: 960 * 1024 });
});

void t.test('options', async (t) => {
  const { start } = await stage(t, goodPas(), goodManager());
  for (const attestation of ['https://127.0.0.1:1', 'http://', ':', '', 'http://me:secret@127.0.0.1', 'http://127.0.0.1/?a']) {
    const error = await start({ attestation }).catch((raised: Error) => raised);
    t.match(error, { code: 'ERR_VC_INVALID_OPTION' }, attestation);
    t.notMatch(JSON.stringify([error, (error as Error).message]), 'secret');
  }
  await t.rejects(start({ policy: undefined as unknown as string, attestation: 'http://127.0.0.1:1' }), {
    code: 'ERR_VC_INVALID_OPTION',
    message: /needs a policy/,
  });
  for (const attestationTimeoutMs of [0, 1.5, 2 ** 31]) await t.rejects(start({ attestationTimeoutMs }), { code: 'ERR_VC_INVALID_OPTION' });
  for (const maxClockSkewMs of [-1, 1.5, 2 ** 31]) await t.rejects(start({ maxClockSkewMs }), { code: 'ERR_VC_INVALID_OPTION' });
  for (const maxPolicyBytes of [0, 2 ** 20 + 1]) await t.rejects(start({ maxPolicyBytes }), { code: 'ERR_VC_INVALID_OPTION' });
});

void t.test('/veracruz_server is no service here, and says so', async (t) => {
  const { start } = await stage(t, goodPas(), goodManager());
  const server = await start();
  const answer = await within('the answer', (await RawHttp.connect(t, portOf(server))).send(post('AAAA', { path: '/veracruz_server' })));
  t.match(answer, { status: 404, body: 'no such service: POST /runtime_manager\n' });
});

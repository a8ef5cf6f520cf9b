/** Faults in the attestation handshake: every step failing in every way, links lost, drained and closed in the middle. */
import type { Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { VeracruzError } from '../../lib/core/errors.js';
import type { ServerOptions, VeracruzServer } from '../../lib/roles/server/server.js';
import { HELLO as BEGUN, type Behaviour, post, RawHttp, tell, until, within } from '../support/foreign.js';
import '../support/long.js';
import { freshFolder, portOf } from '../support/roles.js';
import { HANG_MS } from '../support/time.js';
import {
  body,
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
  type PasAnswer,
  type PasScript,
  ROOT,
  type Stage,
  stage,
  stepsOf,
  TOKEN,
} from './attestation-handshake-support.js';

const HELLO = `0 ${BEGUN.toString('base64')}`;

async function statusAt(t: Test, server: VeracruzServer): Promise<number> {
  return (await (await RawHttp.connect(t, portOf(server))).send(post(HELLO))).status;
}

/** The error that `start` fails with; nothing must be left then. */
async function failure(t: Test, { start, managers, pas, logs }: Stage, options: ServerOptions = {}): Promise<VeracruzError> {
  const error = await within('the failure of start()', start(options)).then(
    () => t.fail('it started') as never,
    (raised: VeracruzError) => raised,
  );
  await until('no connection is left', () => managers.every(({ links }) => links.size === 0) && pas.sockets.size === 0);
  t.notOk(
    managers.some((manager) => manager.requests.some(({ kind }) => kind === 'open')),
    'nobody opened a session',
  );
  const line = logs.find(({ event }) => event === 'attestation failed');
  t.match(line, { level: 'warn', figures: { code: error.code, reason: error.message, manager: managers[0]?.address } }, 'it is logged');
  return error;
}

// ── The attestation server ────────────────────────────────────────────────────────────────────────────────────────────

const status =
  (code: number, text = ''): PasScript =>
  () => ({ status: code, text });
const answers =
  (text: PasAnswer): PasScript =>
  () =>
    text;
const raw =
  (write: (socket: Socket) => void): PasScript =>
  (_path, _text, request) =>
    void write(request.socket);

/** What every question may be answered with, and what comes of it. */
const PAS_FAULTS: readonly (readonly [string, PasScript, Record<string, unknown>])[] = [
  [
    '403',
    status(403, 'attestation failed\n'),
    { code: 'ERR_VC_HTTP_STATUS', got: 403, message: /: the server answered 403: attestation failed$/ },
  ],
  ['500', status(500, 'MutexError'), { code: 'ERR_VC_HTTP_STATUS', got: 500 }],
  ['501', status(501), { code: 'ERR_VC_HTTP_STATUS', got: 501 }],
  ['201', status(201, challengeBody(CHALLENGE, 1)), { code: 'ERR_VC_HTTP_STATUS', got: 201 }],
  ['no body', answers(''), { code: 'ERR_VC_TRUNCATED' }],
  ['no base64', answers('<html>hello</html>'), { code: 'ERR_VC_BASE64' }],
  ['base64 with a line end', answers(`${challengeBody(CHALLENGE, 1)}\n`), { code: 'ERR_VC_BASE64' }],
  ['half a prefix', answers(Buffer.alloc(5).toString('base64')), { code: 'ERR_VC_TRUNCATED' }],
  ['half a message', answers(Buffer.from([0, 0, 0, 0, 0, 0, 0, 9, 0x12]).toString('base64')), { code: 'ERR_VC_TRUNCATED' }],
  ['no protobuf', answers(body(Buffer.from('ffffffff', 'hex'))), { code: 'ERR_VC_PROTOBUF' }],
  ['an empty message', answers(body(Buffer.alloc(0))), { code: 'ERR_VC_PROTOBUF', got: 'nothing' }],
  ['two messages', answers(Buffer.concat([Buffer.alloc(8), Buffer.alloc(8)]).toString('base64')), { code: 'ERR_VC_PROTOBUF', got: 2 }],
  ['bytes behind the message', answers(Buffer.concat([Buffer.alloc(8), Buffer.of(1)]).toString('base64')), { code: 'ERR_VC_TRUNCATED' }],
  ['a message of 2^60 bytes', answers(Buffer.from('1000000000000000', 'hex').toString('base64')), { code: 'ERR_VC_LIMIT' }],
  [
    'an announced gigabyte',
    raw((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n')),
    { code: 'ERR_VC_LIMIT', limit: 262_144, got: 1_000_000_000 },
  ],
  [
    'an endless answer',
    (_path, _text, _request, response) => {
      const more = () => {
        if (!response.destroyed) response.write('A'.repeat(65_536), more);
      };
      more();
      return null;
    },
    { code: 'ERR_VC_LIMIT' },
  ],
  ['a closed connection', raw((socket) => socket.destroy()), { code: 'ERR_VC_TRANSPORT' }],
  ['half an answer', raw((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nAAAA')), { code: 'ERR_VC_TRANSPORT' }],
  ['silence', () => null, { code: 'ERR_VC_TIMEOUT', limit: 150 }],
];

for (const [what, script, expected] of PAS_FAULTS) {
  void t.test(`the attestation server: ${what}`, async (t) => {
    const quick = { attestationTimeoutMs: what === 'silence' ? 150 : HANG_MS };
    const first = await stage(t, goodPas({ start: script }), goodManager());
    t.match(await failure(t, first, quick), expected);
    t.same(stepsOf(first.managers[0] as never), [], 'at /Start: the manager was asked nothing');
    const second = await stage(t, goodPas({ token: script }), goodManager());
    const error = await failure(t, second, quick);
    t.match(error, expected);
    t.ok(error.message.startsWith(`http://${second.pas.place}/PSA/AttestationToken: `));
    t.same(stepsOf(second.managers[0] as never), ['Attestation'], 'at the token: it was not initialised');
    t.match(second.logs.find(({ event }) => event === 'attestation failed')?.figures, { step: 'AttestationToken', device: 7 });
  });
}

void t.test('the attestation server answers the other question', async (t) => {
  const first = await stage(t, goodPas({ start: () => chainBody(ROOT, ENCLAVE) }), goodManager());
  const figures = { code: 'ERR_VC_PROTOBUF', expected: 'psa_attestation_init', got: 'cert_chain' };
  t.match(await failure(t, first), figures);
  const second = await stage(t, goodPas({ token: () => challengeBody(CHALLENGE, 7) }), goodManager());
  t.match(await failure(t, second), { code: 'ERR_VC_PROTOBUF', expected: 'cert_chain', got: 'psa_attestation_init' });
});

void t.test('the attestation server is not there', async (t) => {
  const staged = await stage(t, goodPas(), goodManager());
  await staged.pas.close();
  t.match(await failure(t, staged), { code: 'ERR_VC_TRANSPORT', message: /\/Start: the POST failed: .*ECONNREFUSED/ });
});

void t.test('an answer as long as it may be, and longer', async (t) => {
  // 8 + 1 + 3 + 1 + 3 bytes are prefix and tags: base64 of 196,608 bytes is 262,144 letters.
  const long = (bytes: number) => body(bytesField(5, bytesField(2, Buffer.alloc(bytes - 16, 1))));
  const good = await stage(t, goodPas({ token: () => long(196_608) }), goodManager());
  await good.start();
  const [, init] = good.managers[0]?.requests ?? [];
  t.ok(init?.payload.includes(Buffer.alloc(196_592, 1)));
  const bad = await stage(t, goodPas({ token: () => long(196_609) }), goodManager());
  t.match(await failure(t, bad), { code: 'ERR_VC_LIMIT', limit: 262_144, got: 262_148 });
});

// ── The manager ───────────────────────────────────────────────────────────────────────────────────────────────────────

const kill =
  (how: 'destroy' | 'resetAndDestroy' | 'end'): Behaviour =>
  (_request, socket) =>
    void socket[how]();

/** What a manager may do at either step. */
const MANAGER_FAULTS: readonly (readonly [string, Behaviour, Record<string, unknown>])[] = [
  ['Fail', () => tell.fail, { code: 'ERR_VC_REQUEST_FAILED', got: 'Status(Fail)' }],
  ['Unimplemented', () => tell.unimplemented, { code: 'ERR_VC_REQUEST_FAILED', got: 'Status(Unimplemented)' }],
  ['TlsSession', () => tell.session(1), { code: 'ERR_VC_LINK', got: 'TlsSession' }],
  ['TlsData', () => tell.data(Buffer.from('x')), { code: 'ERR_VC_LINK', got: 'TlsData' }],
  ['no message at all', () => Buffer.from('63000000', 'hex'), { code: 'ERR_VC_LINK' }],
  ['an answer too many', () => [tell.needed(true), tell.needed(true)], { code: 'ERR_VC_LINK' }],
  ['a closed link', kill('end'), { code: 'ERR_VC_LINK' }],
  ['a lost link', kill('destroy'), { code: 'ERR_VC_LINK' }],
  ['a reset link', kill('resetAndDestroy'), { code: 'ERR_VC_LINK' }],
  ['silence', () => undefined, { code: 'ERR_VC_LINK', limit: 150 }],
];

for (const [what, behave, expected] of MANAGER_FAULTS) {
  void t.test(`the manager: ${what}`, async (t) => {
    const quick = { attestationTimeoutMs: what === 'silence' ? 150 : HANG_MS, maxSilenceMs: 0 };
    const first = await stage(t, goodPas(), goodManager({ attest: behave }));
    t.match(await failure(t, first, quick), expected);
    t.equal(first.pas.posts.length, 1, 'at Attestation: no token was handed in');
    t.match(first.logs.find(({ event }) => event === 'attestation failed')?.figures, { step: 'Attestation', device: 7 });
    const second = await stage(t, goodPas(), goodManager({ initialize: behave }));
    t.match(await failure(t, second, quick), expected);
    t.match(second.logs.find(({ event }) => event === 'attestation failed')?.figures, { step: 'Initialize', device: 7 });
  });
}

void t.test('Success where evidence is due, evidence where Success is', async (t) => {
  const first = await stage(t, goodPas(), goodManager({ attest: () => tell.success }));
  t.match(await failure(t, first), { code: 'ERR_VC_LINK', expected: 'AttestationData', got: 'Status(Success)' });
  const second = await stage(t, goodPas(), goodManager({ initialize: () => evidence(TOKEN, CSR) }));
  t.match(await failure(t, second), { code: 'ERR_VC_LINK', got: 'AttestationData' });
});

void t.test('evidence that is too long to be handed in', async (t) => {
  const staged = await stage(t, goodPas(), goodManager({ attest: () => evidence(Buffer.alloc(300_000), CSR) }));
  t.match(await failure(t, staged), { code: 'ERR_VC_LIMIT', limit: 262_144 });
  t.equal(staged.pas.posts.length, 1);
});

void t.test('a link that is lost while the attestation server thinks is not waited for', async (t) => {
  for (const [at, step] of [
    ['start', 'Start'],
    ['token', 'AttestationToken'],
  ] as const) {
    const staged = await stage(t, goodPas({ [at]: () => new Promise<never>(() => {}) }), goodManager());
    const failed = failure(t, staged);
    await until('it thinks', () => staged.pas.posts.length === (at === 'start' ? 1 : 2));
    for (const link of staged.managers[0]?.links ?? []) link.destroy();
    t.match(await failed, { code: 'ERR_VC_LINK' });
    t.match(staged.logs.find(({ event }) => event === 'attestation failed')?.figures, { step });
  }
});

// ── Again ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

void t.test('a link that is restored is attested again, and again until it works', async (t) => {
  const refusals = [403, 500];
  let lost = false;
  const start: PasScript = () => {
    const code = lost ? refusals.shift() : undefined;
    return code === undefined ? undefined : { status: code, text: 'no' };
  };
  const { start: run, managers, pas, logs } = await stage(t, goodPas({ start }), goodManager());
  const [manager] = managers;
  const server = await run();
  t.equal(await statusAt(t, server), 200);
  lost = true;
  for (const link of manager?.links ?? []) link.destroy();
  await until('the link down', () => server.managers[0]?.up === false);
  t.equal(await statusAt(t, server), 503);
  await until('the link restored', () => server.managers[0]?.up === true);
  t.equal(await statusAt(t, server), 200);
  t.equal(server.managers[0]?.deviceId, 10, 'a device id for each time');
  t.same(
    stepsOf(manager as never).filter((step) => step !== 'other'),
    ['Attestation', 'Initialize', 'NewTlsSession', 'Attestation', 'Initialize', 'NewTlsSession'],
  );
  t.equal(pas.posts.filter(({ path }) => path === '/Start').length, 4);
  t.equal(logs.filter(({ event }) => event === 'attestation failed').length, 2);
  t.equal(logs.filter(({ event }) => event === 'link restored').length, 1);
});

void t.test('one manager of two fails: the other serves, and it is tried until it does not', async (t) => {
  let bad = true;
  const second = goodManager({ initialize: () => (bad ? tell.fail : tell.success) });
  const { start, managers } = await stage(t, goodPas(), goodManager(), second);
  const server = await start();
  const up = () => server.managers.map((manager) => manager.up);
  t.same(up(), [true, false]);
  for (let i = 0; i < 4; i++) t.equal(await statusAt(t, server), 200);
  await until('it is tried again', () => stepsOf(managers[1] as never).filter((step) => step === 'Initialize').length >= 3);
  t.notOk(stepsOf(managers[1] as never).includes('NewTlsSession'), 'it is never used');
  t.same(up(), [true, false]);
  bad = false;
  await until('it is in service', () => up()[1] === true);
  for (let i = 0; i < 4; i++) t.equal(await statusAt(t, server), 200);
  t.ok(stepsOf(managers[1] as never).includes('NewTlsSession'));
});

void t.test('managers that connect to the Server: one that fails is dropped, the next one is taken', async (t) => {
  const path = join(freshFolder(t), 'rm');
  const { start, logs } = await stage(t, goodPas());
  const server = await start({ runtime: `unix-listen://${path}` });
  const link = { dialect: '2207', frame: 'tcp9' } as const;
  const refusing = await comingManager(t, path, link, () => ({ kind: 'Status', status: 'Fail' }));
  await until('it is dropped', () => refusing.channel.destroyed);
  t.match(server.managers, [{ up: false, draining: false }]);
  t.match(logs.find(({ event }) => event === 'attestation failed')?.figures, {
    code: 'ERR_VC_REQUEST_FAILED',
    step: 'Attestation',
    device: 7,
  });
  const come = () =>
    comingManager(t, path, link, ({ kind }) =>
      kind === 'Attestation' ? { kind: 'AttestationData', token: [TOKEN], csr: [CSR] } : { kind: 'Status', status: 'Success' },
    );
  await Promise.all([come(), come()]);
  await until('two in service', () => server.managers.filter(({ up }) => up).length === 2);
  t.same(server.managers.map(({ deviceId }) => deviceId).sort(), [8, 9]);
});

void t.test('all managers fail: the error is that of the first', async (t) => {
  const staged = await stage(t, goodPas(), goodManager({ attest: () => tell.fail }), goodManager({ attest: kill('end') }));
  t.match(await failure(t, staged), { code: 'ERR_VC_REQUEST_FAILED' });
});

// ── In the middle ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** A Server whose one link was lost and is being led through the steps again, up to `at`, where it waits for ever. */
async function midway(t: Test, at: 'start' | 'attest' | 'token' | 'initialize'): Promise<Stage & { server: VeracruzServer }> {
  let lost = false;
  const never = () => (lost ? new Promise<never>(() => {}) : undefined);
  const pasScript = goodPas(at === 'start' || at === 'token' ? { [at]: never } : {});
  const good = { attest: evidence(TOKEN, CSR), initialize: tell.success };
  const behave = goodManager(at === 'attest' || at === 'initialize' ? { [at]: () => never() ?? good[at] } : {});
  const staged = await stage(t, pasScript, behave);
  const server = await staged.start();
  const { pas, managers } = staged;
  const before = { posts: pas.posts.length, requests: managers[0]?.requests.length ?? 0 };
  lost = true;
  for (const link of managers[0]?.links ?? []) link.destroy();
  const posts = { start: 1, attest: 1, token: 2, initialize: 2 }[at];
  const requests = { start: 0, attest: 1, token: 1, initialize: 2 }[at];
  await until(`it waits at ${at}`, () => {
    return pas.posts.length === before.posts + posts && managers[0]?.requests.length === before.requests + requests;
  });
  return { ...staged, server };
}

const noConnection = ({ pas, managers }: Stage) =>
  until('no connection is left', () => pas.sockets.size === 0 && managers.every(({ links }) => links.size === 0));

for (const at of ['start', 'attest', 'token', 'initialize'] as const) {
  for (const how of ['close', 'drain', 'reset'] as const) {
    void t.test(`${how} in the middle, at ${at}`, async (t) => {
      const middle = await midway(t, at);
      const { server, managers, logs } = middle;
      t.equal(await statusAt(t, server), 503);
      const before = managers[0]?.requests.length;
      await within(how, how === 'close' ? server.close() : server[how](managers[0]?.address as string));
      await within('the Server without managers', server.closed);
      await noConnection(middle);
      t.equal(managers[0]?.requests.length, before, 'the manager hears no more');
      t.equal(logs.filter(({ event }) => event === 'attestation failed').length, 0, 'which is no failure');
      t.same(server.managers, [{ address: managers[0]?.address, up: false, deviceId: undefined, draining: true, sessions: 0, pending: 0 }]);
    });
  }
}

void t.test('one of two is taken out of service in the middle: the other serves on', async (t) => {
  const door = gate();
  t.teardown(() => door.open());
  const { start, managers } = await stage(
    t,
    goodPas(),
    goodManager(),
    goodManager({ attest: () => door.opened.then(() => evidence(TOKEN, CSR)) }),
  );
  const server = await start();
  t.same(
    server.managers.map(({ up }) => up),
    [true, false],
  );
  await within('the drain', server.drain(managers[1]?.address as string));
  await until('its link is closed', () => managers[1]?.links.size === 0);
  t.match(server.managers[1], { up: false, draining: true });
  t.equal(await statusAt(t, server), 200);
  t.same(stepsOf(managers[1] as never), ['Attestation']);
});

for (const at of ['start', 'token', 'attest', 'initialize'] as const) {
  void t.test(`a start that is aborted at ${at}`, async (t) => {
    const never = () => new Promise<never>(() => {});
    const atPas = at === 'start' || at === 'token';
    const staged = await stage(t, goodPas(atPas ? { [at]: never } : {}), goodManager(atPas ? {} : { [at]: never }));
    const abort = new AbortController();
    const started = staged.start({ signal: abort.signal });
    const { pas, managers } = staged;
    const posts = { start: 1, attest: 1, token: 2, initialize: 2 }[at];
    const requests = { start: 0, attest: 1, token: 1, initialize: 2 }[at];
    await until('it waits', () => pas.posts.length === posts && managers[0]?.requests.length === requests);
    abort.abort(new Error('enough'));
    await t.rejects(within('the rejection', started), { code: 'ERR_VC_ABORTED' });
    await noConnection(staged);
  });
}

void t.test('a start that is aborted beforehand', async (t) => {
  const staged = await stage(t, goodPas(), goodManager());
  await t.rejects(staged.start({ signal: AbortSignal.abort() }), { code: 'ERR_VC_ABORTED' });
  t.same([staged.pas.posts, staged.managers[0]?.requests], [[], []]);
});

/** What a client looks at before a byte of data leaves: itself, the manager's certificate, the manager's policy. */
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import t, { type Test } from 'tap';
import { issue, makeAuthority } from '../../lib/attestation/authority.js';
import { makeKey, pemOf } from '../../lib/attestation/certificate.js';
import { makeIdentity } from '../../lib/attestation/identity.js';
import type { Dialect } from '../../lib/layers/formats/dialect.js';
import type { Received, Sent } from '../../lib/layers/protobuf/index.js';
import { type ClientOptions, VeracruzClient } from '../../lib/roles/client/client.js';
import { checkIdentity } from '../../lib/roles/client/trust.js';
import { managerClientStack } from '../../lib/roles/stacks.js';
import { listenSocket } from '../../lib/transports/socket.js';
import { within } from '../support/foreign.js';
import {
  alice,
  authority,
  bob,
  collect,
  managerIdentity,
  POLICY,
  POLICY_HASH,
  policyOf,
  RUNTIME_HASH,
  startRoles,
} from '../support/roles.js';

const HASH = RUNTIME_HASH.toString('hex');
const NO_HASH = policyOf({ runtimeHashes: {} });

/** The roles, and the requests that came to the manager. */
async function start(t: Test, options: NonNullable<Parameters<typeof startRoles>[1]>['manager'] = {}) {
  const requests: unknown[] = [];
  const log = (_level: string, event: string, figures?: Readonly<Record<string, unknown>>) => {
    if (event.startsWith('request')) requests.push(figures?.request);
  };
  const roles = await startRoles(t, { manager: { log, ...options } });
  const connect = async (more: Partial<ClientOptions> = {}) => {
    const client = await VeracruzClient.connect({ url: roles.server.url, identity: alice, ...more });
    t.teardown(() => client.close());
    return client;
  };
  return { ...roles, connect, requests };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

void t.test('a policy is all that a client needs', async (t) => {
  for (const dialect of ['2207', 'head'] as const satisfies Dialect[]) {
    const port = await freePort();
    const policy = policyOf({ serverUrl: `127.0.0.1:${port}` });
    // At head the policy's address is of TLS straight over TCP.
    const at = `tcp://127.0.0.1:${port}`;
    const { server } = await startRoles(t, {
      manager: { policy, dialect },
      server: { dialect, ...(dialect === 'head' ? { direct: at } : { listen: at }) },
    });
    const client = await VeracruzClient.connect({ policy, identity: alice, dialect });
    await client.writeFile('/input/f', Buffer.from('sent'));
    t.equal(String(await collect(await client.readFile('/input/f'))), 'sent', dialect);
    t.equal(client.session === undefined, dialect === 'head', 'over HTTP there is an id');
    await client.close();
    t.ok(server.url);
  }
});

void t.test('what the options say comes before what the policy says', async (t) => {
  const { connect, requests } = await start(t);
  await (await connect({ policy: POLICY })).policyHash();
  const other = policyOf({
    runtimeHashes: { linux: '00'.repeat(32) },
    authority: makeAuthority().certificate,
    cipherSuite: 'TLS1_3_AES_128_GCM_SHA256',
  });
  const right = {
    authority: authority.certificate,
    cipherSuite: 'TLS1_3_AES_256_GCM_SHA384',
    expectedRuntimeHashes: ['11'.repeat(32), HASH.toUpperCase()],
    expectedPolicyHash: POLICY_HASH,
  };
  await connect({ policy: other, ...right });
  for (const [left, code] of [
    ['authority', 'ERR_VC_CERTIFICATE'],
    ['cipherSuite', 'ERR_VC_TLS_HANDSHAKE'],
    ['expectedRuntimeHashes', 'ERR_VC_CERTIFICATE'],
    ['expectedPolicyHash', 'ERR_VC_CERTIFICATE'],
  ] as const) {
    const { [left]: _, ...rest } = right;
    await t.rejects(within(`a client without ${left}`, connect({ policy: other, ...rest })), { code }, left);
  }
  t.same(new Set(requests), new Set(['request_policy_hash']));
});

void t.test('a manager of other code: not one byte of a request leaves', async (t) => {
  const { connect, requests, server } = await start(t);
  const cases: Partial<ClientOptions>[] = [
    { policy: policyOf({ runtimeHashes: { linux: '00'.repeat(32), nitro: `${HASH.slice(0, 62)}00` } }) },
    { policy: POLICY, expectedRuntimeHashes: ['00'.repeat(32)] },
    { authority: authority.certificate, expectedRuntimeHashes: ['00'.repeat(32)] },
    { policy: policyOf({ runtimeHashes: { linux: '00'.repeat(32) } }), skipPolicyHash: true },
  ];
  for (const options of cases) {
    await t.rejects(within('a client that is warned', connect(options)), { code: 'ERR_VC_CERTIFICATE', layer: 'tls' });
  }
  t.same(requests, []);
  await t.rejects(connect({ policy: NO_HASH }), { code: 'ERR_VC_INVALID_OPTION', expected: 'a runtime hash' });
  await t.rejects(connect({ policy: POLICY, expectedRuntimeHashes: [] }), { code: 'ERR_VC_INVALID_OPTION' });
  await t.rejects(connect({ policy: POLICY, expectedRuntimeHashes: ['abc'] }), { code: 'ERR_VC_INVALID_OPTION' });
  t.same(requests, []);
  t.ok(server.sessions <= cases.length);

  const hashes = { linux: '00'.repeat(32), nitro: '11'.repeat(32), icecap: '22'.repeat(32), sevsnp: HASH };
  await connect({ policy: policyOf({ runtimeHashes: hashes }), skipPolicyHash: true });
  await connect({ policy: NO_HASH, skipRuntimeHash: true, skipPolicyHash: true });
});

void t.test('a manager whose certificate says nothing of its code', async (t) => {
  const key = makeKey('ec');
  const leaf = pemOf(issue(authority, { subject: 'manager', publicKey: createPublicKey(key) }));
  const { connect, requests } = await start(t, {
    certificate: leaf + authority.certificate,
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  });
  await t.rejects(within('the client', connect({ policy: POLICY })), { code: 'ERR_VC_CERTIFICATE', expected: '2.5.30.1' });
  t.same(requests, []);
  await connect({ policy: POLICY, skipRuntimeHash: true });
  t.same(requests, ['request_policy_hash']);
});

void t.test('a manager of another policy: nothing leaves but the question', async (t) => {
  const { connect, requests } = await start(t);
  const other = `${POLICY}\n`;
  await t.rejects(connect({ policy: other }), { code: 'ERR_VC_CERTIFICATE', layer: 'client', got: POLICY_HASH });
  await t.rejects(connect({ policy: other, skipPolicyHash: true, expectedPolicyHash: '00'.repeat(32) }), { code: 'ERR_VC_CERTIFICATE' });
  t.same(requests, ['request_policy_hash', 'request_policy_hash']);
  const client = await connect({ policy: other, skipPolicyHash: true });
  await client.writeFile('/input/f', Buffer.from('x'));
});

void t.test('the hook is asked as well as the policy', async (t) => {
  const { connect, requests } = await start(t);
  let asked = 0;
  await connect({ policy: POLICY, verifyPeer: () => void asked++ });
  t.equal(asked, 1);
  const verifyPeer = () => {
    throw new Error('not this one');
  };
  requests.length = 0;
  await t.rejects(connect({ policy: POLICY, verifyPeer }), { code: 'ERR_VC_CERTIFICATE' });
  t.same(requests, []);
});

void t.test('options that name nobody, and policies that are none: before anything is connected', async (t) => {
  const { server } = await start(t);
  const connect = (options: Partial<ClientOptions>) => VeracruzClient.connect({ identity: alice, ...options });
  const url = server.url;
  await t.rejects(connect({}), { code: 'ERR_VC_INVALID_OPTION' });
  await t.rejects(connect({ url }), { code: 'ERR_VC_INVALID_OPTION' });
  await t.rejects(connect({ authority: authority.certificate }), { code: 'ERR_VC_INVALID_OPTION' });
  await t.rejects(connect({ url, policy: '{}' }), { code: 'ERR_VC_POLICY' });
  await t.rejects(connect({ url, policy: '' }), { code: 'ERR_VC_POLICY' });
  for (const bad of ['https://127.0.0.1:1', 'http://', 'nonsense', 'http://me:secret@127.0.0.1:1', 'tcp://127.0.0.1', 'serial:///dev/x']) {
    await t.rejects(connect({ url: bad, authority: authority.certificate }), { code: 'ERR_VC_INVALID_OPTION' }, bad);
  }
  t.equal(server.sessions, 0);
});

void t.test('an identity that nobody would accept is told so at once', async (t) => {
  const { server } = await start(t);
  const DAY_MS = 86_400_000;
  const days = (n: number) => new Date(Date.now() + n * DAY_MS);
  const expired = makeIdentity({ commonName: 'alice', notBefore: days(-2), notAfter: days(-1) });
  const notYet = makeIdentity({ commonName: 'alice', notBefore: days(1), notAfter: days(2) });
  const chain = managerIdentity();
  const wrong: Record<string, [ClientOptions['identity'], RegExp]> = {
    expired: [expired, /^our certificate expired at /],
    'not yet valid': [notYet, /^our certificate is not valid before /],
    'two certificates': [{ certificate: alice.certificate + bob.certificate, key: alice.key }, /exactly one certificate, got 2/],
    'a chain': [chain, /exactly one certificate, got 2/],
    none: [{ certificate: '', key: alice.key }, /has no certificate/],
    'no certificate but text': [{ certificate: 'alice', key: alice.key }, /has no certificate/],
    'a certificate that cannot be read': [
      { certificate: alice.certificate.replace(/\n.{20}/, '\nAAAA'), key: alice.key },
      /cannot be read/,
    ],
    "another's key": [{ certificate: alice.certificate, key: bob.key }, /^identity.key is not the key of identity.certificate/],
    'a key that is none': [{ certificate: alice.certificate, key: alice.certificate }, /^identity.key is no private key/],
  };
  for (const [what, [identity, message]] of Object.entries(wrong)) {
    const refused = VeracruzClient.connect({ url: server.url, policy: POLICY, identity });
    await t.rejects(refused, { code: 'ERR_VC_INVALID_OPTION', message }, what);
    await refused.catch((error: Error) => t.notMatch(error.message, 'PRIVATE'));
  }
  t.equal(server.sessions, 0);
});

void t.test('options that are of another kind, or missing, are named', async (t) => {
  const good: ClientOptions = { url: 'http://127.0.0.1:1', policy: POLICY, identity: alice };
  const wrong: [unknown, string | RegExp][] = [
    [undefined, 'options is missing'],
    [{}, 'identity is missing'],
    [{ ...good, identity: {} }, 'identity.certificate must be a text, got undefined'],
    [{ ...good, identity: { certificate: alice.certificate } }, 'identity.key must be a text, got undefined'],
    [{ ...good, policy: JSON.parse(POLICY) as object }, 'policy must be a text, got object'],
    [{ ...good, url: 5 }, /^url is an address, .* got number$/],
    [{ ...good, url: 'http://' }, 'url is none: "http://"'],
    [{ ...good, expectedPolicyHash: 5 }, 'expectedPolicyHash is 64 hex digits, or 32 bytes; got number'],
  ];
  for (const [options, message] of wrong) {
    await t.rejects(VeracruzClient.connect(options as ClientOptions), { code: 'ERR_VC_INVALID_OPTION', message });
  }
});

void t.test('an identity that is used again is the one that it is now', async (t) => {
  const { connect, server } = await start(t);
  const identity = { certificate: alice.certificate, key: alice.key };
  for (let session = 0; session < 2; session++) await connect({ policy: POLICY, identity });
  identity.key = bob.key;
  await t.rejects(connect({ policy: POLICY, identity }), { code: 'ERR_VC_INVALID_OPTION', message: /^identity.key is not the key of/ });
  identity.certificate = bob.certificate;
  await connect({ policy: POLICY, identity });
  t.equal(server.sessions, 3);
  t.throws(() => checkIdentity(identity, new Date(0)), { message: /not valid before/ }, 'its time is looked at each time');
});

void t.test('a URL of somebody else: that is what is said, not that we were refused', async (t) => {
  for (const status of [404, 405, 501]) {
    const http = createHttpServer((request, response) => {
      request.resume().once('end', () => response.writeHead(status).end('<html>\nno such page'));
    }).listen(0, '127.0.0.1');
    t.teardown(() => http.close());
    await once(http, 'listening');
    const url = `http://127.0.0.1:${(http.address() as { port: number }).port}`;
    await t.rejects(within('the client', VeracruzClient.connect({ url, policy: POLICY, identity: alice })), {
      code: 'ERR_VC_HTTP_STATUS',
      layer: 'http',
      got: status,
      message: `the server answered ${status} to POST /runtime_manager: is there a Veracruz Server at that URL?`,
    });
  }
});

// ── Managers of another make ──────────────────────────────────────────────────────────────────────────────────────────

type Request = Received<'RuntimeManagerRequest'>;
type Response = Sent<'RuntimeManagerResponse'>;

/** A manager without a Server before it, which answers as the test says. */
async function otherMake(t: Test, dialect: Dialect, answer: (request: Request) => Response): Promise<string> {
  const tls = { role: 'server', ...managerIdentity(), identities: [alice.certificate] } as const;
  const make = managerClientStack({ dialect, maxMessageBytes: 2 ** 20, tls });
  const listener = await listenSocket({ kind: 'tcp', host: '127.0.0.1', port: 0 }, (socket) => {
    const channel = make.over(socket);
    channel.on('error', () => {});
    channel.on('data', (request) => channel.write(answer(request as Request)));
    channel.on('end', () => channel.end());
  });
  t.teardown(() => listener.close());
  return `tcp://127.0.0.1:${(listener.address as { port: number }).port}`;
}

const hashAnswer: Response = { status: 'SUCCESS', oneof: 'policy_hash', fields: { data: Buffer.from(POLICY_HASH) } };
const result = (data: Buffer): Response => ({ status: 'SUCCESS', oneof: 'result', fields: { data } });

void t.test('the original says SUCCESS and nothing more of an empty file', async (t) => {
  const url = await otherMake(t, '2207', ({ oneof }) =>
    oneof === 'request_policy_hash' ? hashAnswer : { status: 'SUCCESS', oneof: null },
  );
  const client = await VeracruzClient.connect({ url, policy: POLICY, identity: alice });
  for (let round = 0; round < 3; round++) {
    const body = await within('the answer', client.readFile('/input/empty'));
    t.equal(body.length, 0);
    t.equal((await within('its end', collect(body))).length, 0);
  }
  await t.rejects(client.compute('/program/p'), { code: 'ERR_VC_REQUEST_FAILED' }, 'a computation has a result, though');
  await client.close();
});

void t.test('pipelines: at head, by index or name', async (t) => {
  const asked: unknown[] = [];
  const url = await otherMake(t, 'head', (request) => {
    if (request.oneof === 'request_policy_hash') return hashAnswer;
    asked.push([request.oneof, (request.fields as { file_name?: string }).file_name]);
    return result(Buffer.from('2a000080', 'hex'));
  });
  const client = await VeracruzClient.connect({ url, policy: POLICY, identity: alice, dialect: 'head' });
  t.equal(await client.runPipeline(0), 0x8000002a);
  await client.runPipeline('17');
  await client.runPipeline('the sum');
  t.same(asked, [
    ['request_pipeline', '0'],
    ['request_pipeline', '17'],
    ['request_pipeline', 'the sum'],
  ]);
  await client.close();
  const { connect } = await start(t);
  const old = await connect({ policy: POLICY });
  await t.rejects(old.runPipeline(0), { code: 'ERR_VC_INVALID_ARGUMENT', got: '2207' });
  t.equal(await old.policyHash(), POLICY_HASH, 'which costs nothing');
});

void t.test('exit codes that are none', async (t) => {
  let code = Buffer.alloc(0);
  const url = await otherMake(t, '2207', ({ oneof }) => (oneof === 'request_policy_hash' ? hashAnswer : result(code)));
  const client = await VeracruzClient.connect({ url, policy: POLICY, identity: alice });
  for (const bytes of [0, 3, 5, 100_000]) {
    code = Buffer.alloc(bytes, 1);
    await t.rejects(
      within('the answer', client.compute('/p')),
      { code: 'ERR_VC_REQUEST_FAILED', expected: 4, got: bytes },
      `${bytes} bytes`,
    );
  }
  code = Buffer.from('ffffffff', 'hex');
  t.equal(await client.compute('/p'), 0xffffffff);
  await client.close();
});

/** Calls without arguments, or with wrong ones, from JavaScript: an error that says which option of what is wrong. */
import { join } from 'node:path';
import t from 'tap';
import * as attestation from '../lib/attestation/index.js';
import * as core from '../lib/core/index.js';
import * as policies from '../lib/enclave/policy/index.js';
import * as store from '../lib/enclave/store/index.js';
import * as layers from '../lib/layers/index.js';
import * as pipelines from '../lib/pipeline/index.js';
import * as roles from '../lib/roles/index.js';
import * as transports from '../lib/transports/index.js';
import { within } from './support/foreign.js';

/** Everything that the subpaths export. */
const library = { ...attestation, ...core, ...layers, ...pipelines, ...policies, ...roles, ...store, ...transports };
const { VeracruzError } = library;
type Call = () => unknown;

/** What a call throws, or rejects with. */
async function errorOf(call: Call): Promise<unknown> {
  try {
    await within('the call', Promise.resolve(call()));
    return undefined;
  } catch (error) {
    return error;
  }
}

/** The calls that have at least one argument which must be there, each made without any. */
const WITHOUT = [
  'bincode',
  'cipherSuite',
  'clientStack',
  'connectSocket',
  'createPolicy',
  'decodeProtobuf',
  'directClientStack',
  'encodeProtobuf',
  'expectRuntimeHash',
  'formatAddress',
  'frame',
  'issueCertificate',
  'issueEnclaveCertificate',
  'layerOf',
  'listenPipe',
  'listenSocket',
  'makeIdentity',
  'makeNitroDocument',
  'makePsaToken',
  'makeRequest',
  'makeServerIdentity',
  'managerClientStack',
  'managerServerStack',
  'openPipe',
  'parseAddress',
  'parseCapabilities',
  'policyFaults',
  'policyHash',
  'protobuf',
  'readAuthority',
  'readPolicy',
  'serverManagerStack',
  'session',
  'stack',
  'tls',
  'verifyNitroDocument',
  'verifyPsaToken',
] as const;

void t.test('without any argument', async (t) => {
  const functions = library as unknown as Record<string, Call>;
  const classes: Record<string, Call> = {
    AttestationServer: () => library.AttestationServer.start(undefined as never),
    DeviceRegistry: () => library.DeviceRegistry.open(undefined as never),
    DirectoryStore: () => library.DirectoryStore.open(undefined as never),
    HttpExchange: () => new library.HttpExchange(undefined as never),
    HttpPost: () => new library.HttpPost(undefined as never),
    InsecureNitroAttester: () => library.InsecureNitroAttester.open(undefined as never),
    InsecureSoftwareAttester: () => library.InsecureSoftwareAttester.open(undefined as never),
    RuntimeManager: () => library.RuntimeManager.start(undefined as never),
    VeracruzClient: () => library.VeracruzClient.connect(undefined as never),
    VirtioConsole: () => library.VirtioConsole.open(undefined as never, () => {}),
  };
  const calls = { ...Object.fromEntries(WITHOUT.map((name) => [name, () => (functions[name] as Call)()])), ...classes };
  for (const [name, call] of Object.entries(calls)) {
    const error = await errorOf(call);
    t.ok(error instanceof VeracruzError && error.code === 'ERR_VC_INVALID_OPTION', `${name}: ${String(error)}`);
  }
});

void t.test('an option out of range names itself and its layer or role', async (t) => {
  const { base64: _none, ...l } = library;
  const identity = library.makeIdentity({ commonName: 'alice' });
  const policy = { certificate: 'x', key: 'x', policy: 'x' };
  const wrong: [string, RegExp, Call][] = [
    [
      'protobuf',
      /^maxMessageBytes /,
      () => l.protobuf({ sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerResponse', maxMessageBytes: 0 }),
    ],
    ['protobuf', /^sends /, () => l.protobuf({ sends: 'Nothing' as never, receives: 'RuntimeManagerResponse' })],
    ['length-prefix', /^maxMessageBytes /, () => l.lengthPrefix({ maxMessageBytes: -1 })],
    ['frame', /^kind /, () => l.frame('tcp10' as never)],
    ['frame', /^maxFrameBytes /, () => l.frame('tcp9', { maxFrameBytes: 0 })],
    ['records', /^maxDelayMs /, () => l.records({ maxDelayMs: 0 })],
    ['records', /^batchBytes /, () => l.records({ batchBytes: 'all' as never })],
    ['session', /^end /, () => l.session({ end: 'middle' as never })],
    ['bincode', /^sends /, () => l.bincode({ dialect: '2207', sends: 'all' as never, receives: 'request' })],
    ['tls', /^role /, () => l.tls({ role: 'both' as never, ...identity, authority: identity.certificate })],
    ['tls', /^handshakeTimeoutMs /, () => l.tls({ role: 'client', ...identity, authority: identity.certificate, handshakeTimeoutMs: 0 })],
    ['server', /^maxSessions /, () => l.VeracruzServer.start({ maxSessions: 0 })],
    ['transport', /^listen: no address/, () => l.VeracruzServer.start({ listen: '127.0.0.1:80' })],
    ['transport', /^runtime: no address/, () => l.VeracruzServer.start({ runtime: 'localhost' })],
    ['transport', /^listen is an address/, () => l.VeracruzServer.start({ listen: 80 as never })],
    ['runtime-manager', /^maxLinks /, () => l.RuntimeManager.start({ store: 'none', ...policy, maxLinks: 0 })],
    [
      'runtime-manager',
      /^expectedPolicyHash is 64 hex digits, or 32 bytes; got 3 bytes/,
      () => l.RuntimeManager.start({ store: 'none', ...policy, expectedPolicyHash: Buffer.alloc(3) }),
    ],
    ['attestation-server', /^authority /, () => l.AttestationServer.start({ registry: { memory: true } } as never)],
    ['registry', /^maxKeys /, () => l.DeviceRegistry.open({ memory: true, maxKeys: 0 })],
    ['client', /^maxPieceBytes /, () => l.VeracruzClient.connect({ identity, maxPieceBytes: 0 })],
    [
      'client',
      /^identity.key is not the key of identity.certificate/,
      () => l.VeracruzClient.connect({ identity: { ...identity, key: l.makeIdentity({ commonName: 'b' }).key } }),
    ],
    [
      'client',
      /^expectedPolicyHash /,
      () => l.VeracruzClient.connect({ identity, url: 'http://127.0.0.1:1', authority: identity.certificate, expectedPolicyHash: 'abc' }),
    ],
  ];
  for (const [layer, message, call] of wrong) {
    const error = (await errorOf(call)) as { code: string; layer: string; message: string };
    t.match(error, { code: 'ERR_VC_INVALID_OPTION', layer, message }, `${layer} ${message}: ${error?.message}`);
  }
});

void t.test('addresses and hashes are taken as they are given out', async (t) => {
  const identity = library.makeIdentity({ commonName: 'alice' });
  const hash = Buffer.alloc(32, 0xab);
  const base = {
    identities: [{ certificate: identity.certificate, capabilities: '/a:r' }],
    authority: library.makeAuthority().certificate,
    certificateExpiry: new Date(Date.UTC(2040, 0, 1)),
  };
  const of = (serverUrl: string | URL | transports.Address) =>
    library.readPolicy(library.createPolicy({ ...base, serverUrl, attestationUrl: serverUrl }));
  for (const [place, text] of [
    ['127.0.0.1:3011', '127.0.0.1:3011'],
    ['http://127.0.0.1:3011', '127.0.0.1:3011'],
    [new URL('http://example.org:3011/'), 'example.org:3011'],
    [library.parseAddress('tcp://127.0.0.1:3011'), '127.0.0.1:3011'],
    [library.parseAddress('tcp://[::1]:3011'), '[::1]:3011'],
  ] as const) {
    t.match(of(place), { veracruz_server_url: text, proxy_attestation_server_url: text });
  }
  t.throws(() => of(library.parseAddress('unix:///a')), { code: 'ERR_VC_INVALID_ARGUMENT', message: /^serverUrl is host:port/ });
  const pinned = library.createPolicy({
    ...base,
    serverUrl: 'a:1',
    attestationUrl: 'a:2',
    runtimeHashes: { linux: hash, nitro: hash.toString('hex') },
    hashes: [{ name: '/a', sha256: new Uint8Array(hash) }],
  });
  t.match(library.readPolicy(pinned), {
    runtime_manager_hash_linux: hash.toString('hex'),
    runtime_manager_hash_nitro: hash.toString('hex'),
    file_hashes: [{ file_path: '/a', hash: hash.toString('hex') }],
  });
  const keyFile = join(t.testdir({}), 'device.key');
  const attester = await library.InsecureSoftwareAttester.open({ keyFile, runtimeHash: hash.toString('hex') });
  t.same(attester.runtimeHash, hash);
});

void t.test('what is written after an error fails with that error, and so does an abort that is named as in Node', async (t) => {
  const [left, right] = library.memoryPipe();
  right.on('error', () => {});
  const abort = new AbortController();
  const channel = library.stack(library.lengthPrefix({ maxMessageBytes: 3 })).over(left, { signal: abort.signal });
  const seen = new Promise<Error>((resolve) => channel.once('error', resolve));
  channel.write('too long');
  const first = await within('the error', seen);
  t.match(first, { code: 'ERR_VC_LIMIT', layer: 'length-prefix' });
  t.equal(await within('a write', new Promise((resolve) => channel.write('abc', resolve))), first);
  t.equal(channel.write('abc'), false, 'and does not throw');

  const [one, other] = library.memoryPipe();
  other.on('error', () => {});
  const aborted = library.stack(library.lengthPrefix()).over(one, { signal: abort.signal });
  const failed = new Promise<Error>((resolve) => aborted.once('error', resolve));
  abort.abort('enough');
  t.match(await within('the abort', failed), { name: 'AbortError', code: 'ERR_VC_ABORTED', cause: 'enough' });
  t.ok((await failed) instanceof library.AbortedError);
});

void t.test('a channel that is disposed is gone, without an error', async (t) => {
  const [left, right] = library.memoryPipe();
  right.on('error', () => {});
  const errors: Error[] = [];
  {
    await using channel = library.stack(library.lengthPrefix()).over(left);
    channel.on('error', (error) => errors.push(error));
    channel.write(Buffer.from('a'));
  }
  t.ok(left.destroyed);
  t.same(errors, []);
});

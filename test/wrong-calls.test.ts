/** Calls without arguments, or with wrong ones, from JavaScript: an error that says which option of what is wrong. */
import { join } from 'node:path';
import t from 'tap';
import * as attestation from '../lib/attestation/index.js';
import * as core from '../lib/core/index.js';
import * as policies from '../lib/enclave/policy/index.js';
import * as store from '../lib/enclave/store/index.js';
import * as layers from '../lib/layers/index.js';
import { wholeBody } from '../lib/layers/protobuf/index.js';
import * as pipelines from '../lib/pipeline/index.js';
import * as roles from '../lib/roles/index.js';
import * as transports from '../lib/transports/index.js';
import * as vectors from '../lib/wire/index.js';
import { within } from './support/foreign.js';
import { PROJECT_ROOT } from './support/golden.js';
import { projectText } from './support/markdown.js';

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

// ── Every function of every entry point ───────────────────────────────────────────────────────────────────────────────

type Callable = ((...parameters: unknown[]) => unknown) & { readonly prototype?: unknown };

/** What JavaScript may give in the place of each argument. */
const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  nothing: [],
  undefined: [undefined, undefined, undefined],
  null: [null, null, null],
  'a number': [5, 5, 5],
  'a text': ['text', 'text', 'text'],
  'an object': [{}, {}, {}],
  'a list': [[], [], []],
  'a function': [() => {}, () => {}, () => {}],
};
/** Functions that make an instance in the place of the constructor, which is private. */
const FACTORIES = ['open', 'start', 'connect'] as const;
/** Classes that only the library makes. */
const MADE_HERE = new Set(['Channel']);
/** What is not called with these values, because it is right to, and does something: where it would begin to listen, or takes seconds. */
const RIGHT: Readonly<Record<string, readonly string[]>> = {
  'VeracruzServer.start': ['nothing', 'undefined', 'an object', 'a list'],
  measureRuntime: ['nothing', 'undefined'],
};

/** All that is exported by the subpaths of the package, by name: a function, a constructor, or what stands for one that is private. */
async function entryPoints(): Promise<Map<string, Callable>> {
  const { exports } = JSON.parse(projectText('package.json')) as { exports: Readonly<Record<string, string>> };
  const found = new Map<string, Callable>();
  for (const file of Object.values(exports).filter((file) => file.endsWith('.js'))) {
    const module = (await import(join(PROJECT_ROOT, file))) as Readonly<Record<string, unknown>>;
    for (const [name, value] of Object.entries(module))
      if (typeof value === 'function') for (const [as, call] of callsOf(name, value)) found.set(as, call);
  }
  return found;
}

function callsOf(name: string, value: unknown): [string, Callable][] {
  const one = value as Callable & Readonly<Record<string, unknown>>;
  if (!/^class\b/.test(Function.prototype.toString.call(one))) return [[name, one]];
  if (MADE_HERE.has(name) || one.prototype instanceof Error) return [];
  const factories = FACTORIES.filter((factory) => typeof one[factory] === 'function');
  if (factories.length === 0) return [[name, (...parameters) => Reflect.construct(one, parameters)]];
  return factories.map((factory) => [`${name}.${factory}`, (...parameters) => (one[factory] as Callable).apply(one, parameters)]);
}

/** The vectors know nothing of the library: they throw TypeErrors, but with words of their own. */
const OF_VECTORS = /^(?:bytes|dialect|folder|layer|value|wire) (?:is|has) /;

void t.test('every function of every entry point, with what it does not take: an error that says so, in our words', async (t) => {
  const calls = await entryPoints();
  t.ok(calls.size > 120, `${calls.size} functions`);
  const ofVectors = new Set(Object.keys(vectors));
  const here = process.cwd();
  // Some take a text for a file, and make it.
  process.chdir(t.testdir({}));
  t.teardown(() => process.chdir(here));
  for (const [name, call] of calls) {
    const raw: string[] = [];
    for (const [what, values] of Object.entries(VALUES)) {
      if (RIGHT[name]?.includes(what) === true) continue;
      const thrown = await errorOf(async () => dropped(await call(...values)));
      const ours = ofVectors.has(name) ? thrown instanceof TypeError && OF_VECTORS.test(thrown.message) : thrown instanceof VeracruzError;
      if (thrown !== undefined && !ours) raw.push(`${what}: ${thrown instanceof Error ? thrown.message : typeof thrown}`);
    }
    t.same(raw, [], name);
  }
});

/** What a call gave that was right after all is not left open. */
function dropped(given: unknown): void {
  const open = given as { on?: Callable; destroy?: Callable; close?: Callable } | undefined;
  if (typeof open?.destroy === 'function') {
    open.on?.('error', () => {});
    open.destroy();
  } else if (typeof open?.close === 'function') open.close();
}

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

void t.test('an argument behind one that is right', async (t) => {
  const { key } = library.makeIdentity({ commonName: 'alice' });
  const wrong: [RegExp, Call][] = [
    [/^length is 0 to 9007199254740991, got undefined/, () => library.encodeHeader(library.FRAME_HEADERS.tcp9, undefined as never)],
    [/^length is 0 to 4294967295, got 4294967296/, () => library.encodeHeader(library.FRAME_HEADERS.icecap4, 2 ** 32)],
    [/^a prefix has 8 bytes, got 7/, () => library.readPrefix(Buffer.alloc(7), 1)],
    [/^maxBytes must be a whole number/, () => library.readPrefix(Buffer.alloc(8), undefined as never)],
    [/^policy\.programs must be an array/, () => library.may({} as never, { kind: 'program', path: '/a' }, 'read', '/a', true)],
    [/^the kind of a principal is/, () => library.rightsOf({} as never, { kind: 'nobody' } as never, '/a')],
    [/^operation must be one of write, append, read, execute/, () => library.may({} as never, {} as never, 'look' as never, '/a', true)],
    [/^commonName must be a text, got number/, () => library.makeIdentity({ commonName: 5 as never })],
    [/^subject must be an object, got number/, () => library.makeRequest(key, 5 as never)],
    [/^the private key is neither PEM nor a key object/, () => library.makeRequest('none')],
    [/^the source of a body is a stream or an async iterable/, () => wholeBody({ length: 1, source: 5 as never })],
  ];
  for (const [message, call] of wrong) t.match(await errorOf(call), { code: /^ERR_VC_INVALID_(OPTION|ARGUMENT)$/, message });
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

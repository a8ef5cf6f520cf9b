import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { InvalidOptionError, LimitError, PolicyError } from '../../lib/core/errors.js';
import { MAX_FAULTS, policyFaults, policyHash, readPolicy } from '../../lib/enclave/policy/index.js';
import '../support/long.js';
import { seeded } from '../support/splits.js';
import { alice, authority, bob, changed, goodPolicy, HASH, headPolicy, pathsOf } from './policy-support.js';

/** Each fault as `key message`. */
const faults = (text: string) => policyFaults(text).map(({ key, message }) => `${key} ${message}`);

void t.test('a policy of either dialect is read', async (t) => {
  const policy = readPolicy(JSON.stringify(goodPolicy(), null, 2));
  t.match(policy, { veracruz_server_url: '127.0.0.1:3011', max_memory_mib: 256, execution_strategy: 'Interpretation', debug: false });
  t.equal(policy.identities[1]?.certificate, bob.policyCertificate);
  t.same(policy.identities[0]?.file_rights[0], { file_name: '/program', rights: 537404996 }, 'names are normalised');
  t.same([policy.native_modules, policy.pipelines], [[], []], 'what 2207 does not have is empty');
  t.equal(policy.runtime_manager_hash_linux, HASH);
  t.equal(policy.runtime_manager_hash_sevsnp, null, 'an absent option is null');

  const head = readPolicy(JSON.stringify(headPolicy()));
  t.same(head.pipelines[0]?.file_rights, [{ file_name: '/', rights: 24582 }], 'the root stays');
  t.same(head.native_modules[2]?.type, { Provisioned: { entry_point: '/modules/own' } });
  t.ok(Object.isFrozen(head) && Object.isFrozen(head.pipelines[0]?.file_rights) && Object.isFrozen(head.identities[0]?.file_rights[0]));
});

void t.test('what the original accepts is accepted', async (t) => {
  const good: [string, (policy: any) => void][] = [
    ['unknown keys', (p) => Object.assign(p, { $schema: 'x', std_streams_table: [], identities: p.identities })],
    ['unknown keys deeper down', (p) => Object.assign(p.identities[0], { name: 'alice' })],
    ['a key that only sounds like one', (p) => Object.assign(p, { constructor: 1, toString: 2 })],
    ['no participants', (p) => Object.assign(p, { identities: [], programs: [], file_hashes: [] })],
    ['the last day of a year', (p) => Object.assign(p.enclave_cert_expiry, { month: 12, day: 31 })],
    ['29 February', (p) => Object.assign(p.enclave_cert_expiry, { year: 2400, month: 2, day: 29 })],
    ['an option that is null', (p) => Object.assign(p, { runtime_manager_hash_linux: null })],
    ['a runtime hash in capitals, which is compared as bytes', (p) => Object.assign(p, { runtime_manager_hash_nitro: HASH.toUpperCase() })],
    ['another spelling of a suite', (p) => Object.assign(p, { ciphersuite: 'TLS1-3-AES-128-CCM-8-SHA256' })],
    ['several certificates of the authority', (p) => Object.assign(p, { proxy_service_cert: authority.certificate + alice.certificate })],
    [
      'a host by name, and by IPv6',
      (p) => Object.assign(p, { veracruz_server_url: 'localhost:1', proxy_attestation_server_url: '[::1]:65535' }),
    ],
    ['one pin twice', (p) => p.file_hashes.push({ file_path: 'program//sum.wasm', hash: HASH })],
    ['all bits', (p) => Object.assign(p.programs[0].file_rights[0], { rights: 0xffffffff })],
  ];
  for (const [name, change] of good) t.same(faults(changed(change)), [], name);
});

void t.test('each fault is told with its key', async (t) => {
  const bad: [string, (policy: any) => void, RegExp][] = [
    ['a missing key', (p) => delete p.debug, /^\/debug is missing$/],
    ['a missing key deeper down', (p) => delete p.identities[1].id, /^\/identities\/1\/id is missing$/],
    ['null where it is no option', (p) => Object.assign(p, { pipelines: null }), /^\/pipelines must be a list, got null$/],
    [
      'an inherited name',
      (p) => Object.assign(p, { execution_strategy: 'toString' }),
      /^\/execution_strategy must be "Interpretation" or "JIT"/,
    ],
    ['text for a boolean', (p) => Object.assign(p, { debug: 'no' }), /^\/debug must be true or false, got "no"$/],
    ['text for a number', (p) => Object.assign(p, { max_memory_mib: '1' }), /^\/max_memory_mib must be a whole number .*, got "1"$/],
    ['one over u32', (p) => Object.assign(p, { max_memory_mib: 2 ** 32 }), /^\/max_memory_mib .* 4294967295, got 4294967296$/],
    ['a negative number', (p) => Object.assign(p.programs[0], { id: -1 }), /^\/programs\/0\/id /],
    ['an argument with NUL', (p) => Object.assign(p.programs[0], { arguments: ['a', 'b\0'] }), /^\/programs\/0\/arguments\/1 /],
    [
      'a variable without a name',
      (p) => Object.assign(p.programs[0], { environment: [{ name: '', value: 'x' }] }),
      /^\/programs\/0\/environment\/0\/name /,
    ],
    [
      'a variable that stands twice',
      (p) =>
        Object.assign(p.programs[0], {
          environment: [
            { name: 'A', value: 'x' },
            { name: 'A', value: 'y' },
          ],
        }),
      /^\/programs\/0\/environment\/1\/name is "A"/,
    ],
    ['a fraction', (p) => Object.assign(p.identities[0].file_rights[1], { rights: 1.5 }), /^\/identities\/0\/file_rights\/1\/rights /],
    ['an object for a list', (p) => Object.assign(p, { programs: {} }), /^\/programs must be a list, got an object$/],
    ['a list for an object', (p) => Object.assign(p, { enclave_cert_expiry: [] }), /^\/enclave_cert_expiry must be an object, got a list$/],
    ['a month 13', (p) => Object.assign(p.enclave_cert_expiry, { month: 13 }), /^\/enclave_cert_expiry\/month .* 1 to 12, got 13$/],
    [
      'a day that the month has not',
      (p) => Object.assign(p.enclave_cert_expiry, { month: 4, day: 31 }),
      /^\/enclave_cert_expiry\/day .* 30, got 31$/,
    ],
    ['31 February', (p) => Object.assign(p.enclave_cert_expiry, { month: 2 }), /^\/enclave_cert_expiry\/day .* 28, got 31$/],
    [
      '29 February of a year without',
      (p) => Object.assign(p.enclave_cert_expiry, { year: 2100, month: 2, day: 29 }),
      /\/day .* 28, got 29$/,
    ],
    [
      'one certificate twice',
      (p) => Object.assign(p.identities[1], { certificate: alice.policyCertificate }),
      /^\/identities\/1\/certificate is .*, as in \/identities\/0: each may stand once$/,
    ],
    [
      'one certificate twice, on lines of another length',
      (p) => Object.assign(p.identities[1], { certificate: alice.certificate.trimEnd() }),
      /^\/identities\/1\/certificate is /,
    ],
    [
      'two certificates of one participant',
      (p) => Object.assign(p.identities[0], { certificate: `${authority.certificate}${alice.policyCertificate}` }),
      /^\/identities\/0\/certificate .* has 2 certificates/,
    ],
    ['an id twice', (p) => Object.assign(p.identities[1], { id: 0 }), /^\/identities\/1\/id is 0, as in \/identities\/0: /],
    [
      'a newline after the certificate',
      (p) => Object.assign(p.identities[0], { certificate: alice.certificate }),
      /^\/identities\/0\/certificate .* must end exactly/,
    ],
    ['no certificate', (p) => Object.assign(p.identities[0], { certificate: 'x' }), /^\/identities\/0\/certificate .*PEM.*, got "x"$/],
    [
      'a broken certificate',
      (p) => Object.assign(p.identities[0], { certificate: alice.policyCertificate.replace('\nMII', '\nMIA') }),
      /cannot be read/,
    ],
    [
      'a broken authority',
      (p) => Object.assign(p, { proxy_service_cert: authority.certificate.replace('\nMII', '\nMIA') }),
      /^\/proxy_service_cert .*cannot be read/,
    ],
    [
      'a suite of TLS 1.2',
      (p) => Object.assign(p, { ciphersuite: 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256' }),
      /^\/ciphersuite .* no TLS 1\.3 suite/,
    ],
    [
      'a hash in capitals',
      (p) => Object.assign(p.file_hashes[0], { hash: 'A'.repeat(64) }),
      /^\/file_hashes\/0\/hash must be 64 lowercase hex digits/,
    ],
    ['a hash of 63', (p) => Object.assign(p.file_hashes[0], { hash: 'a'.repeat(63) }), /^\/file_hashes\/0\/hash /],
    ['a hash and a newline', (p) => Object.assign(p.file_hashes[0], { hash: `${HASH}\n` }), /^\/file_hashes\/0\/hash /],
    [
      'another pin for a file',
      (p) => p.file_hashes.push({ file_path: 'program/sum.wasm/', hash: 'f'.repeat(64) }),
      /^\/file_hashes\/1\/hash is not the one that \/file_hashes\/0 has/,
    ],
    [
      'a runtime hash of 65',
      (p) => Object.assign(p, { runtime_manager_hash_icecap: 'a'.repeat(65) }),
      /^\/runtime_manager_hash_icecap must be 64 hex/,
    ],
    ['a scheme', (p) => Object.assign(p, { veracruz_server_url: 'http://127.0.0.1:3011' }), /^\/veracruz_server_url must be host:port/],
    ['no port', (p) => Object.assign(p, { veracruz_server_url: '127.0.0.1' }), /^\/veracruz_server_url /],
    ['port 0', (p) => Object.assign(p, { proxy_attestation_server_url: 'a:0' }), /^\/proxy_attestation_server_url .* from 1 to 65535/],
    [
      'port 65536',
      (p) => Object.assign(p, { proxy_attestation_server_url: 'a:65536' }),
      /^\/proxy_attestation_server_url .* from 1 to 65535/,
    ],
    [
      'a path that leaves',
      (p) => Object.assign(p.programs[0].file_rights[0], { file_name: '/a/../b' }),
      /^\/programs\/0\/file_rights\/0\/file_name .* \.\. segment/,
    ],
    [
      'the root as a program',
      (p) => Object.assign(p.programs[0], { program_file_name: '/' }),
      /^\/programs\/0\/program_file_name .* names no file/,
    ],
    ['a path with NUL', (p) => Object.assign(p.file_hashes[0], { file_path: 'a\0' }), /^\/file_hashes\/0\/file_path .* a NUL/],
    [
      'a directory twice',
      (p) => Object.assign(p.identities[0].file_rights[1], { file_name: 'program' }),
      /^\/identities\/0\/file_rights\/1\/file_name is "\/program", as in /,
    ],
    [
      'a program twice',
      (p) => p.programs.push({ ...p.programs[0], id: 1 }),
      /^\/programs\/1\/program_file_name is "\/program\/sum.wasm", as in \/programs\/0/,
    ],
    ['a pipeline twice', (p) => p.pipelines.push({ ...p.pipelines[0], id: 1 }), /^\/pipelines\/1\/name is "0"/],
    ['a pipeline that is no script', (p) => Object.assign(p.pipelines[0], { pipeline: ';' }), /^\/pipelines\/0\/pipeline must be a script/],
    [
      'an unknown kind of module',
      (p) => Object.assign(p.native_modules[0], { type: { Other: {} } }),
      /^\/native_modules\/0\/type must be an object with one key/,
    ],
    [
      'an inherited kind of module',
      (p) => Object.assign(p.native_modules[0], { type: { toString: {} } }),
      /^\/native_modules\/0\/type must be/,
    ],
    [
      'two kinds of module',
      (p) => Object.assign(p.native_modules[0].type, { Provisioned: { entry_point: 'x' } }),
      /^\/native_modules\/0\/type must be/,
    ],
    [
      'a module without its file',
      (p) => Object.assign(p.native_modules[0], { type: { Static: {} } }),
      /^\/native_modules\/0\/type\/Static\/special_file is missing$/,
    ],
  ];
  for (const [name, change, expected] of bad) {
    const found = faults(changed(change));
    t.equal(found.length, 1, name);
    t.match(found[0], expected, name);
  }
});

void t.test('all faults are told at once', async (t) => {
  const text = changed((p) => {
    delete p.debug;
    p.identities[0].certificate = 'x';
    p.identities[1].id = 0;
    p.ciphersuite = 'none';
  });
  const keys = policyFaults(text).map(({ key }) => key);
  t.same(keys.sort(), ['/ciphersuite', '/debug', '/identities/0/certificate', '/identities/1/id']);
  const error = t.throws(() => readPolicy(text), { code: 'ERR_VC_POLICY', layer: 'policy', got: 4 }) as PolicyError;
  t.ok(error instanceof PolicyError);
  for (const key of keys) t.match(error.message, `\n  ${key}: `);
  t.notMatch(readPolicyError(changed((p) => Object.assign(p.identities[0], { certificate: alice.certificate }))).message, 'MII');
});

function readPolicyError(text: string): Error {
  try {
    readPolicy(text);
  } catch (error) {
    return error as Error;
  }
  throw new Error('accepted');
}

void t.test('a hostile list of faults is counted, not told', async (t) => {
  const text = changed((p) => Object.assign(p, { programs: Array(MAX_FAULTS + 5).fill(0) }));
  t.equal(policyFaults(text).length, MAX_FAULTS);
  t.match(readPolicyError(text), { got: MAX_FAULTS + 5, message: /… and 5 more$/ });
});

void t.test('what is no JSON object', async (t) => {
  for (const text of ['', '{', 'nul', '\ufeff{}', `${JSON.stringify(goodPolicy())},`])
    t.match(faults(text)[0], /^ is no JSON: /, text.slice(0, 5));
  for (const text of ['null', '[]', '1', '"x"']) t.match(faults(text), [/^ must be an object, got /], text);
  t.equal(readPolicyError('{').message.split('\n')[0], 'the policy has 1 fault:');
});

void t.test('a key that stands twice is refused wherever it is', async (t) => {
  const text = JSON.stringify(headPolicy());
  t.same(faults(text.replace('"debug":false', '"debug":false,"debug":true')), ['/debug stands twice']);
  t.same(faults(text.replace('"debug":false', '"debug":false,"d\\u0065bug":false')), ['/debug stands twice'], 'however it is spelled');
  t.same(faults(text.replace('{"file_name":"stdin"', '{"rights":0,"file_name":"stdin"')), [
    '/identities/0/file_rights/1/rights stands twice',
  ]);
  t.same(faults(text.replace('{', '{"a/~":[{},{"x":1,"y":{"x":2},"x":3}],')), ['/a~1~0/1/x stands twice']);
  t.same(faults(text.replace('{', '{"a":"debug","b":["debug","debug"],"c":"\\"debug\\":{[,",')), [], 'values are no keys');
});

void t.test('nesting, at the limit of the original and one over', async (t) => {
  const nested = (depth: number) => JSON.stringify(goodPolicy()).replace('{', `{"x":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)},`);
  t.same(faults(nested(127)), []);
  t.same(faults(nested(128)), [' is nested deeper than 127']);
  t.same(faults(nested(400_000)), [' is nested deeper than 127']);
});

void t.test('length, at the limit and one over', async (t) => {
  const text = JSON.stringify({ ...goodPolicy(), é: 'é' });
  const bytes = Buffer.byteLength(text);
  t.ok(bytes > text.length);
  t.ok(readPolicy(text, { maxPolicyBytes: bytes }));
  const error = t.throws(() => readPolicy(text, { maxPolicyBytes: bytes - 1 }), { code: 'ERR_VC_LIMIT', got: bytes, limit: bytes - 1 });
  t.ok(error instanceof LimitError);
  t.throws(() => policyFaults(' '.repeat(1_048_577)), { code: 'ERR_VC_LIMIT', limit: 1_048_576 });
  t.match(faults(' '.repeat(1_048_576)), [/is no JSON/]);
  t.throws(() => readPolicy(text, { maxPolicyBytes: 0 }), InvalidOptionError);
});

void t.test('the hash is that of the exact bytes', async (t) => {
  // FIPS 180-4, the example "abc".
  t.equal(policyHash('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  t.equal(policyHash('é'), createHash('sha256').update(Buffer.of(0xc3, 0xa9)).digest('hex'));
  t.equal(policyHash(Buffer.from('abc')), policyHash('abc'));
  t.not(policyHash('{}'), policyHash('{}\n'));
});

void t.test('whatever the text, it is a policy or has faults', async () => {
  const json = fc.oneof(fc.json(), fc.string(), fc.constantFrom('{}', '[[]]', '{"identities":[{"file_rights":[{}]}]}'));
  fc.assert(
    fc.property(json, (text) => policyFaults(text).length > 0),
    seeded(2000),
  );
});

void t.test('whatever value stands wherever, the reader says where', async () => {
  const paths = pathsOf(headPolicy());
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.jsonValue({ maxDepth: 1 }), (path, value) => {
      const policy = headPolicy();
      const holder = path.slice(0, -1).reduce((at, name) => at[name], policy);
      holder[path.at(-1) as string] = value;
      // A fault is at the key that was changed, below it, or at a sibling that it now repeats.
      const place = `/${path.join('/')}`;
      return policyFaults(JSON.stringify(policy)).every(({ key }) => key.startsWith(place) || /\/(id|file_name|hash|name)$/.test(key));
    }),
    seeded(3000),
  );
});

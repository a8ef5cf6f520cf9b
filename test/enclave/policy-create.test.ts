import t from 'tap';
import { InvalidArgumentError, InvalidOptionError } from '../../lib/core/errors.js';
import { createPolicy, type NewPolicy, type PolicySettings, readPolicy } from '../../lib/enclave/policy/index.js';
import { alice, authority, bob, HASH } from './policy-support.js';

const NEW: NewPolicy & PolicySettings = {
  identities: [
    { certificate: alice.certificate, capabilities: '/program/:wx,stdin:w' },
    { certificate: bob.policyCertificate, capabilities: [{ file_name: '/output/', rights: 24582 }] },
  ],
  programs: [{ name: '/program/sum.wasm', sha256: HASH, capabilities: '/input/:r,/output/:rw' }],
  hashes: [{ name: 'input/model', sha256: 'f'.repeat(64) }],
  serverUrl: '127.0.0.1:3011',
  attestationUrl: '127.0.0.1:3010',
  authority: authority.certificate,
  certificateExpiry: new Date('2030-01-31T23:59:58+01:00'),
  runtimeHashes: { linux: HASH },
};

void t.test('the whole text', async (t) => {
  const expected = {
    ciphersuite: 'TLS1_3_CHACHA20_POLY1305_SHA256',
    debug: false,
    enable_clock: false,
    enclave_cert_expiry: { day: 31, hour: 22, minute: 59, month: 1, year: 2030 },
    execution_strategy: 'JIT',
    file_hashes: [
      { file_path: '/program/sum.wasm', hash: HASH },
      { file_path: 'input/model', hash: 'f'.repeat(64) },
    ],
    identities: [
      {
        certificate: alice.policyCertificate,
        file_rights: [
          { file_name: '/program/', rights: 537404996 },
          { file_name: 'stdin', rights: 534084 },
        ],
        id: 0,
      },
      { certificate: bob.policyCertificate, file_rights: [{ file_name: '/output/', rights: 24582 }], id: 1 },
    ],
    max_memory_mib: 256,
    native_modules: [],
    pipelines: [],
    programs: [
      {
        file_rights: [
          { file_name: '/input/', rights: 24582 },
          { file_name: '/output/', rights: 550470 },
        ],
        id: 0,
        program_file_name: '/program/sum.wasm',
      },
    ],
    proxy_attestation_server_url: '127.0.0.1:3010',
    proxy_service_cert: authority.certificate,
    runtime_manager_hash_icecap: null,
    runtime_manager_hash_linux: HASH,
    runtime_manager_hash_nitro: null,
    runtime_manager_hash_sevsnp: null,
    veracruz_server_url: '127.0.0.1:3011',
  };
  const text = createPolicy(NEW);
  t.equal(text, JSON.stringify(expected, null, 2), 'two spaces, sorted keys, no newline at the end');
  t.equal(readPolicy(text).programs[0]?.program_file_name, '/program/sum.wasm');
});

void t.test('what can be set', async (t) => {
  const policy = readPolicy(
    createPolicy({
      ...NEW,
      pipelines: [
        { script: '/program/sum.wasm', capabilities: '' },
        { name: 'other', script: '{ /program/sum.wasm; }', capabilities: '/:r' },
      ],
      nativeModules: [{ name: 'aes', type: { Static: { special_file: '/services/aes' } } }],
      runtimeHashes: { nitro: HASH, icecap: HASH, sevsnp: HASH },
      cipherSuite: 'TLS1_3_AES_128_GCM_SHA256',
      executionStrategy: 'Interpretation',
      maxMemoryMib: 1,
      enableClock: true,
      debug: true,
    }),
  );
  t.match(policy, {
    ciphersuite: 'TLS1_3_AES_128_GCM_SHA256',
    execution_strategy: 'Interpretation',
    max_memory_mib: 1,
    enable_clock: true,
    debug: true,
    runtime_manager_hash_linux: null,
    runtime_manager_hash_nitro: HASH,
    runtime_manager_hash_icecap: HASH,
    runtime_manager_hash_sevsnp: HASH,
    native_modules: [{ name: 'aes' }],
  });
  t.same(
    policy.pipelines.map(({ name, id }) => [name, id]),
    [
      ['0', 0],
      ['other', 1],
    ],
    'a pipeline is called by its number',
  );
});

void t.test('what is undefined is the default', async (t) => {
  const settings = {
    cipherSuite: undefined,
    executionStrategy: undefined,
    maxMemoryMib: undefined,
    enableClock: undefined,
    debug: undefined,
  };
  t.equal(createPolicy({ ...NEW, ...settings } as NewPolicy), createPolicy(NEW));
});

void t.test('what cannot be', async (t) => {
  const wrong: [string, Partial<NewPolicy & PolicySettings>, RegExp][] = [
    ['a bad address', { serverUrl: '127.0.0.1' }, /\n {2}\/veracruz_server_url: must be host:port/],
    ['a date that is none', { certificateExpiry: new Date('x') }, /\n {2}\/enclave_cert_expiry\/year: .*null/],
    ['a suite of TLS 1.2', { cipherSuite: 'TLS_RSA' }, /\n {2}\/ciphersuite: /],
    ['two pins of one file', { hashes: [{ name: 'program/sum.wasm', sha256: 'f'.repeat(64) }] }, /\n {2}\/file_hashes\/1\/hash: /],
    ['half a megabyte', { maxMemoryMib: 0.5 }, /\n {2}\/max_memory_mib: .* got 0\.5/],
    ['no letters', { programs: [{ name: '/p', sha256: HASH, capabilities: '/a:q' }] }, /letters out of r, w and x/],
    [
      'two certificates',
      { identities: [{ certificate: alice.certificate + bob.certificate, capabilities: '' }] },
      /identity 0 needs one certificate, got 2/,
    ],
  ];
  for (const [name, change, message] of wrong) {
    const error = t.throws(() => createPolicy({ ...NEW, ...change }), { message }, name);
    t.ok(error instanceof InvalidArgumentError, name);
  }
  t.throws(() => createPolicy({ ...NEW, identities: [{ certificate: 'x', capabilities: '' }] }), InvalidOptionError, 'no certificate');
});

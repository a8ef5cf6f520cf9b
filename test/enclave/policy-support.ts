/** A good policy, to be changed in one place by each test. */
import { makeAuthority } from '../../lib/attestation/authority.js';
import { makeIdentity } from '../../lib/attestation/identity.js';

export const authority = makeAuthority({ commonName: 'policy tests' });
export const alice = makeIdentity({ commonName: 'alice' });
export const bob = makeIdentity({ commonName: 'bob', algorithm: 'rsa' });
export const HASH = '0123456789abcdef'.repeat(4);

/** As wire spec §E has it, without the two keys that release 2207 does not know. */
export function goodPolicy(): any {
  return {
    identities: [
      {
        certificate: alice.policyCertificate,
        id: 0,
        file_rights: [
          { file_name: '/program/', rights: 537404996 },
          { file_name: 'stdin', rights: 534084 },
        ],
      },
      {
        certificate: bob.policyCertificate,
        id: 1,
        file_rights: [
          { file_name: '/input/', rights: 534084 },
          { file_name: '/output/', rights: 24582 },
        ],
      },
    ],
    programs: [
      {
        program_file_name: '/program/sum.wasm',
        id: 0,
        file_rights: [
          { file_name: '/input/', rights: 24582 },
          { file_name: '/output/', rights: 550470 },
        ],
      },
    ],
    file_hashes: [{ file_path: '/program/sum.wasm', hash: HASH }],
    veracruz_server_url: '127.0.0.1:3011',
    proxy_attestation_server_url: '127.0.0.1:3010',
    enclave_cert_expiry: { year: 2030, month: 1, day: 31, hour: 12, minute: 0 },
    ciphersuite: 'TLS1_3_CHACHA20_POLY1305_SHA256',
    runtime_manager_hash_linux: HASH,
    proxy_service_cert: authority.certificate,
    debug: false,
    execution_strategy: 'Interpretation',
    enable_clock: false,
    max_memory_mib: 256,
  };
}

/** The same with what the newer dialect adds. */
export function headPolicy(): any {
  return {
    ...goodPolicy(),
    runtime_manager_hash_sevsnp: null,
    native_modules: [
      { name: 'aes', type: { Static: { special_file: '/services/aes' } } },
      { name: 'db', type: { Dynamic: { special_file: '/services/db', entry_point: './db.so' } } },
      { name: 'own', type: { Provisioned: { entry_point: '/modules/own' } } },
    ],
    pipelines: [{ name: '0', pipeline: '{ /program/sum.wasm; }', id: 0, file_rights: [{ file_name: '/', rights: 24582 }] }],
  };
}

/** A good policy after `change`, as text. */
export function changed(change: (policy: any) => void, make = headPolicy): string {
  const policy = make();
  change(policy);
  return JSON.stringify(policy);
}

/** Every key of a document, as the way to it. */
export function pathsOf(value: any, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.keys(value).flatMap((key) => [[...path, key], ...pathsOf(value[key], [...path, key])]);
}

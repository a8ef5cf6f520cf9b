/** Certificates for the TLS tests: made once a process, never written anywhere. */
import { createPublicKey } from 'node:crypto';
import { type Authority, issue, makeAuthority } from '../../../lib/attestation/authority.js';
import { type KeyAlgorithm, makeKey, pemOf } from '../../../lib/attestation/certificate.js';
import { type Identity, makeIdentity } from '../../../lib/attestation/identity.js';
import type { TlsClientOptions, TlsServerOptions } from '../../../lib/layers/tls/index.js';

export const RUNTIME_HASH = Buffer.alloc(32, 0x5a);
export const authority = makeAuthority({ commonName: 'tls tests' });
export const alice = makeIdentity({ commonName: 'alice' });
export const bob = makeIdentity({ commonName: 'bob' });

/** A key and a certificate of `by` for it. */
export function issued(
  by: Authority,
  options: Partial<Parameters<typeof issue>[1]> = {},
  algorithm: KeyAlgorithm = 'ec',
): { key: string; certificate: string } {
  const key = makeKey(algorithm);
  const certificate = issue(by, { subject: 'issued', publicKey: createPublicKey(key), ...options });
  return { key: key.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate: pemOf(certificate) };
}

const manager = issued(authority, { subject: 'manager', runtimeHash: RUNTIME_HASH, san: ['ComputeEnclave.dev'] });

/** A server that lets alice (0) and bob (1) in. */
export function serverOptions(more: Partial<TlsServerOptions> = {}): TlsServerOptions {
  return {
    role: 'server',
    key: manager.key,
    certificate: [manager.certificate, authority.certificate],
    identities: [alice.policyCertificate, bob.certificate],
    ...more,
  };
}

/** A client that is `identity`. */
export function clientOptions(
  identity: Pick<Identity, 'key' | 'certificate'> = alice,
  more: Partial<TlsClientOptions> = {},
): TlsClientOptions {
  return { role: 'client', key: identity.key, certificate: identity.certificate, authority: authority.certificate, ...more };
}

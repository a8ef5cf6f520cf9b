/** Keys and certificates of one run of the suite: made at its start, never written anywhere. */
import { createPublicKey } from 'node:crypto';
import { type Authority, createPolicy, makeAuthority, makeIdentity, type NewPolicy } from 'veracruz-streams';
import { issueCertificate, makeKey, pemOf } from 'veracruz-streams/attestation';

export interface Credentials {
  /** PEM, the own certificate first. */
  readonly certificate: string;
  /** Private key, PKCS#8 PEM. */
  readonly key: string;
}

export interface Pki {
  /** What issued the server's certificate, PEM. */
  readonly authority: string;
  /** Of whoever plays the server: Runtime Manager or peer. */
  readonly server: Credentials;
  /** Of the client; self-signed, as Veracruz has it. */
  readonly client: Credentials;
  /** A policy with that client as its one principal, who may do anything under /bench/. */
  readonly policy: string;
}

const DAY_MS = 86_400_000;

/** P-256 throughout, so that handshakes cost the same everywhere. */
export function makePki(): Pki {
  const authority = makeAuthority({ commonName: 'bench' });
  const client = makeIdentity({ commonName: 'bench' });
  return {
    authority: authority.certificate,
    server: serverCredentials(authority),
    client: { certificate: client.certificate, key: client.key },
    policy: policyWith(authority, { identities: [{ certificate: client.certificate, capabilities: '/bench/:rw' }] }),
  };
}

/** A key, and a certificate of `authority` with what leads to it, for whoever plays the server. */
export function serverCredentials(authority: Authority): Credentials {
  const key = makeKey('ec');
  const leaf = pemOf(issueCertificate(authority, { subject: 'bench', publicKey: createPublicKey(key), san: ['localhost'] }));
  return { certificate: leaf + authority.certificate, key: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

/** A policy of these principals and programs. Its addresses are not used. */
export function policyWith(authority: Authority, more: Pick<NewPolicy, 'identities'> & Partial<NewPolicy>): string {
  return createPolicy({
    serverUrl: '127.0.0.1:3011',
    attestationUrl: '127.0.0.1:3010',
    authority: authority.certificate,
    certificateExpiry: new Date(Date.now() + DAY_MS),
    // What node:tls, https and grpc-js agree on of themselves.
    cipherSuite: 'TLS1_3_AES_256_GCM_SHA384',
    ...more,
  });
}

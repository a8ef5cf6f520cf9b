/** Keys and certificates of one run of the suite: made at its start, never written anywhere. */
import { createPublicKey } from 'node:crypto';
import { createPolicy, issueCertificate, makeAuthority, makeIdentity, makeKey, pemOf } from 'veracruz-streams';

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
  const key = makeKey('ec');
  const leaf = pemOf(issueCertificate(authority, { subject: 'bench', publicKey: createPublicKey(key), san: ['localhost'] }));
  const client = makeIdentity({ commonName: 'bench' });
  return {
    authority: authority.certificate,
    server: { certificate: leaf + authority.certificate, key: key.export({ type: 'pkcs8', format: 'pem' }).toString() },
    client: { certificate: client.certificate, key: client.key },
    policy: createPolicy({
      identities: [{ certificate: client.certificate, capabilities: '/bench/:rw' }],
      serverUrl: '127.0.0.1:3011',
      attestationUrl: '127.0.0.1:3010',
      authority: authority.certificate,
      certificateExpiry: new Date(Date.now() + DAY_MS),
      // What node:tls, https and grpc-js agree on of themselves.
      cipherSuite: 'TLS1_3_AES_256_GCM_SHA384',
    }),
  };
}

import { createPolicy, makeAuthority, makeIdentity, makeServerIdentity } from 'veracruz-streams';

/** Stands for what was measured of the Runtime Manager. */
const RUNTIME_HASH = Buffer.alloc(32, 'runtime');

/** Everything that two ends of TLS need to trust each other, made on the spot. */
export function makeCertificates() {
  // An authority signs the certificate of the Runtime Manager ...
  const authority = makeAuthority({ commonName: 'example authority' });
  const manager = makeServerIdentity({ names: 'localhost', authority, runtimeHash: RUNTIME_HASH });
  // ... a client is known by its own certificate ...
  const client = makeIdentity({ commonName: 'alice' });
  // ... and a policy says who is who, and who may do what.
  const policy = createPolicy({
    identities: [{ certificate: client.certificate, capabilities: '/input/:rw' }],
    serverUrl: '127.0.0.1:3011',
    attestationUrl: '127.0.0.1:3010',
    authority: authority.certificate,
    certificateExpiry: new Date(Date.now() + 86_400_000),
    runtimeHashes: { linux: RUNTIME_HASH },
  });
  return {
    authority: authority.certificate,
    manager,
    client,
    policy,
  };
}

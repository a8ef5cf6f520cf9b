import { createPublicKey } from 'node:crypto';
import { issueCertificate, makeAuthority, makeIdentity, makeKey, pemOf } from 'veracruz-streams';

/** Everything that two ends of TLS need to trust each other, made on the spot. Real ones come with a policy. */
export function makeCertificates() {
  // An authority signs the certificate of the Runtime Manager ...
  const authority = makeAuthority({ commonName: 'example authority' });
  const key = makeKey('ec');
  const certificate =
    pemOf(issueCertificate(authority, { subject: 'example manager', publicKey: createPublicKey(key) })) + authority.certificate;
  return {
    authority: authority.certificate,
    manager: { certificate, key: key.export({ type: 'pkcs8', format: 'pem' }).toString() },
    // ... and a client is known by its own certificate, which the manager has in its list.
    client: makeIdentity({ commonName: 'alice' }),
  };
}

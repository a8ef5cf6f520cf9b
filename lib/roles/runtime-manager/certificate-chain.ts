import { type KeyObject, X509Certificate } from 'node:crypto';
import { CertificateError, LimitError } from '../../core/errors.js';
import { certificatesOf } from '../../layers/formats/certificates.js';

const LAYER = 'runtime-manager';
const PEM = Buffer.from('-----BEGIN CERTIFICATE-----');

/**
 * The certificates that `Initialize` brings (wire spec §B, §D): in 2207 one an item, leaf and root; in head one item with
 * all of them. An item is PEM, or DER after DER.
 *
 * @throws LimitError over `maxBytes` in all; CertificateError when there is none or one that cannot be read
 */
export function readChain(items: readonly Buffer[], maxBytes: number): X509Certificate[] {
  const got = items.reduce((sum, item) => sum + item.length, 0);
  if (got > maxBytes) throw new LimitError(`a chain of ${got} bytes, the limit is ${maxBytes}`, { layer: LAYER, got, limit: maxBytes });
  try {
    const chain = items.flatMap((item) => (item.includes(PEM) && item[0] !== 0x30 ? certificatesOf('chain', item) : derSequence(item)));
    if (chain.length > 0) return chain;
  } catch (cause) {
    throw new CertificateError('the chain has a certificate that cannot be read', { layer: LAYER, expected: 'PEM or DER', got, cause });
  }
  throw new CertificateError('the chain has no certificate', { layer: LAYER, expected: 'certificates', got: 0 });
}

/** DER after DER, with nothing between or behind them. */
function derSequence(bytes: Buffer): X509Certificate[] {
  const certificates: X509Certificate[] = [];
  for (let at = 0; at < bytes.length; ) {
    const certificate = new X509Certificate(bytes.subarray(at));
    const { raw } = certificate;
    // OpenSSL looks for PEM first, and takes forms that are not DER.
    if (!bytes.subarray(at, at + raw.length).equals(raw)) throw new CertificateError('bytes that are no DER', { offset: at });
    certificates.push(certificate);
    at += raw.length;
  }
  return certificates;
}

/**
 * Checks that a chain is the manager's own and holds together: the first certificate is of `key`, and each was issued by
 * the next, a CA. Whom the chain leads to is for `checkRoot`, which needs the policy.
 *
 * @throws CertificateError
 */
export function checkChain(chain: readonly X509Certificate[], key: KeyObject): void {
  if (chain[0]?.checkPrivateKey(key) !== true) {
    throw new CertificateError('the first certificate of the chain is of another key than was attested', { layer: LAYER });
  }
  for (let i = 0; i + 1 < chain.length; i++) {
    if (isIssued(chain[i] as X509Certificate, chain[i + 1] as X509Certificate)) continue;
    throw new CertificateError(`certificate ${i} of the chain was not issued by certificate ${i + 1}`, { layer: LAYER, got: i });
  }
}

/**
 * Checks that a chain leads to a certificate that the policy trusts (`proxy_service_cert`). The chain must have been
 * through `checkChain`. A certificate of the policy is known by its exact DER: one of the same name, or of the same key,
 * is another certificate. It stands in the chain above the first certificate, or it issued the last one of the chain.
 *
 * Nothing here looks at the time. An enclave has no clock that it could trust: clients have one, and their look at the time
 * is the one that counts. That of `Enrolment` is there so that a certificate which no client would take is told of at once.
 *
 * @throws CertificateError
 */
export function checkRoot(chain: readonly X509Certificate[], roots: readonly X509Certificate[]): void {
  const last = chain.at(-1);
  const trusted = roots.filter(({ ca }) => ca);
  const named = chain.slice(1).some(({ raw }) => trusted.some((root) => root.raw.equals(raw)));
  if (named || (last !== undefined && trusted.some((root) => isIssued(last, root)))) return;
  throw new CertificateError("the chain does not lead to the policy's proxy_service_cert", {
    layer: LAYER,
    expected: roots.map(({ fingerprint256 }) => fingerprint256).join(),
    got: last?.fingerprint256 ?? 'nothing',
  });
}

function isIssued(subject: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

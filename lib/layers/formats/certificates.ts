/** Reads certificates from the forms that options have them in: PEM and DER. */
import { X509Certificate } from 'node:crypto';
import { InvalidOptionError } from '../../core/errors.js';

/** PEM text of one or more certificates, or the DER of one. */
export type CertificateInput = string | Buffer;

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g;

/**
 * The certificates of one input, in order. The base64 of a PEM block may stand on one line, as policies have it.
 *
 * @throws InvalidOptionError that names `option`, when there is no certificate or one cannot be read.
 */
export function certificatesOf(option: string, input: CertificateInput): X509Certificate[] {
  try {
    const isDer = typeof input !== 'string' && input[0] === 0x30;
    const blocks = isDer ? [input] : Array.from(input.toString().matchAll(PEM_BLOCK), ([, text]) => Buffer.from(text as string, 'base64'));
    if (blocks.length > 0) return blocks.map((der) => new X509Certificate(der));
  } catch (cause) {
    throw new InvalidOptionError(`${option} has a certificate that cannot be read`, { layer: 'tls', expected: 'PEM or DER', cause });
  }
  throw new InvalidOptionError(`${option} has no certificate`, { layer: 'tls', expected: 'PEM or DER', got: 0 });
}

/** The certificates of a list of inputs, as one list. */
export function certificatesOfAll(option: string, inputs: CertificateInput | readonly CertificateInput[]): X509Certificate[] {
  const list = typeof inputs === 'string' || Buffer.isBuffer(inputs) ? [inputs] : listOf(option, inputs);
  if (list.length === 0) throw new InvalidOptionError(`${option} is empty`, { layer: 'tls', expected: 'certificates', got: 0 });
  return list.flatMap((input) => certificatesOf(option, input));
}

/** `inputs` unchanged, if it is an array. */
export function listOf(option: string, inputs: readonly CertificateInput[]): readonly CertificateInput[] {
  if (Array.isArray(inputs)) return inputs as readonly CertificateInput[];
  throw new InvalidOptionError(`${option} must be a list`, { layer: 'tls', expected: 'Array', got: typeof inputs });
}

/** The PEM text of each certificate, which is what node:tls takes. */
export function pemList(certificates: readonly X509Certificate[]): string[] {
  return certificates.map((certificate) => certificate.toString());
}

/** The names of TLS 1.3 cipher suites: those of Mbed TLS (in policies) and those of IANA (in OpenSSL). */
import { textOf } from '../../core/check.js';
import { InvalidOptionError } from '../../core/errors.js';

/** IANA names. The first three are Node's default. */
export const CIPHER_SUITES = Object.freeze([
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_128_CCM_SHA256',
  'TLS_AES_128_CCM_8_SHA256',
] as const);

/** IANA name of a TLS 1.3 cipher suite. */
export type CipherSuite = (typeof CIPHER_SUITES)[number];

/** The suites that are offered and accepted when no policy names one. */
export const DEFAULT_CIPHER_SUITES: readonly CipherSuite[] = Object.freeze(CIPHER_SUITES.slice(0, 3));

/**
 * The IANA name of a suite in any spelling that policies use: `TLS1_3_X`, `TLS1-3-X` (Mbed TLS; wire spec §B) or
 * `TLS_X`.
 *
 * @throws InvalidOptionError for an unknown name, and for TLS 1.2 names, which cannot be negotiated under TLS 1.3.
 */
export function cipherSuite(name: string): CipherSuite {
  const plain = textOf('cipherSuite', name)
    .replaceAll('-', '_')
    .replace(/^TLS1_3_/, 'TLS_');
  const found = CIPHER_SUITES.find((known) => known === plain);
  if (found === undefined) {
    throw new InvalidOptionError(`cipherSuite ${name} is no TLS 1.3 suite; known are ${CIPHER_SUITES.join(', ')}`, {
      layer: 'tls',
      expected: CIPHER_SUITES.join('|'),
      got: name,
    });
  }
  return found;
}

/** The `ciphers` option of node:tls for these suites. */
export function cipherList(suites: readonly CipherSuite[]): string {
  const list = suites.join(':');
  // OpenSSL 3.2 and later refuse a tag of 8 bytes at security level 1. Level 0 allows it, but drops the level's other checks
  // (key sizes) too. That is acceptable: trust is pinned to certificates. HIGH stands for the TLS 1.2 list, which is not used.
  return suites.includes('TLS_AES_128_CCM_8_SHA256') ? `${list}:HIGH:@SECLEVEL=0` : list;
}

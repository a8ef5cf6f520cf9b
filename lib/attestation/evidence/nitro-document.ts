/** Makes attestation documents in the format of AWS Nitro Enclaves, for `InsecureNitroAttester` and for tests. */

import type { KeyObject } from 'node:crypto';
import { given } from '../../core/check.js';
import { clock } from '../../core/clock.js';
import { privateKeyOf } from '../certificate.js';
import { writeCbor } from './cbor.js';
import { makeCoseSign1 } from './cose.js';

/** What `makeNitroDocument` makes a document of. */
export interface NewNitroDocument {
  /** Private P-384 key of `certificate`: PEM or object. */
  key: KeyObject | string;
  /** The leaf, DER. */
  certificate: Buffer;
  /** CA certificates in DER, the root first. */
  cabundle: readonly Buffer[];
  /** The platform configuration registers by number, 48 bytes each. */
  pcrs: ReadonlyMap<number, Buffer>;
  /** The challenge. */
  nonce?: Buffer | undefined;
  /** The certificate signing request (DER), or its SHA-256. */
  userData?: Buffer | undefined;
  publicKey?: Buffer | undefined;
  /** Default `i-00000000000000000-enc0000000000000000`. */
  moduleId?: string | undefined;
  /** Default: now. */
  timestamp?: Date | undefined;
  /** Whether tag 18 (the byte d2) stands before the document, as in the head dialect. Default false. */
  tagged?: boolean | undefined;
}

/**
 * Makes a document: COSE_Sign1, ES384. Missing parts are null, as with AWS. Checks nothing, because tests also need wrong
 * ones.
 */
export function makeNitroDocument(content: NewNitroDocument): Buffer {
  const {
    moduleId = 'i-00000000000000000-enc0000000000000000',
    timestamp = new Date(clock.now()),
    tagged = false,
  } = given('content', content);
  const payload = new Map<string, unknown>([
    ['module_id', moduleId],
    ['digest', 'SHA384'],
    ['timestamp', timestamp.getTime()],
    ['pcrs', content.pcrs],
    ['certificate', content.certificate],
    ['cabundle', content.cabundle],
    ['public_key', content.publicKey ?? null],
    ['user_data', content.userData ?? null],
    ['nonce', content.nonce ?? null],
  ]);
  return makeCoseSign1(writeCbor(payload), privateKeyOf(content.key), { algorithm: 'ES384', tagged });
}

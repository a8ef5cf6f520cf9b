import { createRequire } from 'node:module';
import type forge from 'node-forge';

/** node-forge's reader and writer of ASN.1, and nothing else of it: the whole costs a client another 4 MB of memory. */
export const asn1 = createRequire(import.meta.url)('node-forge/lib/asn1.js') as typeof forge.asn1;
/** One ASN.1 value. */
export type Asn1 = forge.asn1.Asn1;

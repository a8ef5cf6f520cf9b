/**
 * The part of node-forge that `asn1.ts` uses. `@types/node-forge` has no types of single files, and would have to be installed
 * with the package if declarations of ours named it.
 */
declare module 'node-forge/lib/asn1.js' {
  import type { Asn1 } from './asn1.js';

  interface Bytes {
    getBytes(): string;
  }
  const asn1: {
    readonly Class: { readonly UNIVERSAL: number; readonly CONTEXT_SPECIFIC: number };
    readonly Type: Readonly<
      Record<
        | 'BITSTRING'
        | 'BOOLEAN'
        | 'GENERALIZEDTIME'
        | 'INTEGER'
        | 'NULL'
        | 'OCTETSTRING'
        | 'OID'
        | 'PRINTABLESTRING'
        | 'SEQUENCE'
        | 'SET'
        | 'UTCTIME'
        | 'UTF8',
        number
      >
    >;
    create(tagClass: number, type: number, constructed: boolean, value: string | Asn1[]): Asn1;
    toDer(value: Asn1): Bytes;
    fromDer(der: string, options: { readonly strict: boolean; readonly decodeBitStrings: boolean }): Asn1;
    oidToDer(dotted: string): Bytes;
    derToOid(der: string): string;
    dateToUtcTime(date: Date): string;
    dateToGeneralizedTime(date: Date): string;
  };
  export default asn1;
}

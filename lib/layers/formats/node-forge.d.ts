/**
 * The part of node-forge that `asn1.ts` uses. `@types/node-forge` has no types of single files, and would have to be installed
 * with the package if declarations of ours named it.
 */
declare module 'node-forge/lib/asn1.js' {
  /** As `Asn1` of `asn1.ts`: a declaration like this one cannot import it. */
  interface Value {
    readonly tagClass: number;
    readonly type: number;
    readonly constructed: boolean;
    readonly value: string | Value[];
  }
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
    create(tagClass: number, type: number, constructed: boolean, value: string | Value[]): Value;
    toDer(value: Value): Bytes;
    fromDer(der: string, options: { readonly strict: boolean; readonly decodeBitStrings: boolean }): Value;
    oidToDer(dotted: string): Bytes;
    derToOid(der: string): string;
    dateToUtcTime(date: Date): string;
    dateToGeneralizedTime(date: Date): string;
  };
  export default asn1;
}

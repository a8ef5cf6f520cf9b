/** The payload of Nitro attestation documents: a CBOR map with text keys (wire spec §F). */
import { readCbor } from './cbor.js';
import { bytesOf, kindOf, malformed, mapOf, textOf } from './fields.js';

/** Bytes of a platform configuration register (PCR): SHA-256, SHA-384 or SHA-512. */
const PCR_SIZES: readonly number[] = [32, 48, 64];
/** Most registers of a document. */
const MAX_PCRS = 32;

/** The contents of a document, not verified. */
export interface NitroPayload {
  readonly moduleId: string;
  readonly timestamp: Date;
  readonly pcrs: ReadonlyMap<number, Buffer>;
  /** The leaf, DER. */
  readonly certificate: Buffer;
  /** CA certificates in DER, the root first. */
  readonly cabundle: readonly Buffer[];
  readonly publicKey: Buffer | undefined;
  readonly userData: Buffer | undefined;
  readonly nonce: Buffer | undefined;
}

/** Reads a payload. Throws `EvidenceError` when a part is missing or has a wrong type or size. Ignores unknown names. */
export function nitroPayload(payload: Buffer, { maxDepth, maxCertificates }: { maxDepth: number; maxCertificates: number }): NitroPayload {
  const parts = mapOf(readCbor(payload, 'the document', { maxDepth, openEnd: true }), 'the document');
  const digest = textOf(parts.get('digest'), 'digest');
  if (digest !== 'SHA384') throw malformed('digest', 'SHA384', kindOf(digest));
  const cabundle = parts.get('cabundle');
  if (!Array.isArray(cabundle) || cabundle.length === 0 || cabundle.length > maxCertificates) {
    throw malformed('cabundle', `1 to ${maxCertificates} certificates`, kindOf(cabundle));
  }
  return {
    moduleId: textOf(parts.get('module_id'), 'module_id'),
    timestamp: timeOf(parts.get('timestamp')),
    pcrs: pcrsOf(parts.get('pcrs')),
    certificate: bytesOf(parts.get('certificate'), 'certificate'),
    cabundle: cabundle.map((each) => bytesOf(each, 'a certificate of cabundle')),
    publicKey: optional(parts.get('public_key'), 'public_key'),
    userData: optional(parts.get('user_data'), 'user_data'),
    nonce: optional(parts.get('nonce'), 'nonce'),
  };
}

/** Reads milliseconds since 1970, within the range of a Date. */
function timeOf(value: unknown): Date {
  const time = new Date(typeof value === 'number' && value > 0 ? value : Number.NaN);
  if (Number.isNaN(time.getTime())) throw malformed('timestamp', 'milliseconds since 1970', kindOf(value));
  return time;
}

function pcrsOf(value: unknown): ReadonlyMap<number, Buffer> {
  const registers = mapOf(value, 'pcrs');
  if (registers.size > MAX_PCRS) throw malformed('pcrs', `${MAX_PCRS} registers at most`, kindOf(registers));
  const pcrs = new Map<number, Buffer>();
  for (const [index, content] of registers) {
    if (typeof index !== 'number' || index < 0 || index >= MAX_PCRS)
      throw malformed('a label of pcrs', `0 to ${MAX_PCRS - 1}`, kindOf(index));
    const bytes = bytesOf(content, `PCR${index}`);
    if (!PCR_SIZES.includes(bytes.length)) throw malformed(`PCR${index}`, `${PCR_SIZES.join(', ')} bytes`, kindOf(bytes));
    pcrs.set(index, bytes);
  }
  return pcrs;
}

/** Reads an optional part. AWS writes null for a missing one. */
function optional(value: unknown, what: string): Buffer | undefined {
  return value === undefined || value === null ? undefined : bytesOf(value, what);
}

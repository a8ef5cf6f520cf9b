/** The payload of Nitro attestation documents: a map with names for labels (wire spec §F). */
import { readCbor } from './cbor.js';
import { bytesOf, kindOf, malformed, mapOf, textOf } from './fields.js';

/** Sizes of a platform configuration register: SHA-256, SHA-384, SHA-512. */
const PCR_SIZES: readonly number[] = [32, 48, 64];
/** Registers that a document may have. */
const MAX_PCRS = 32;

/** What a document says; nothing of it is verified. */
export interface NitroPayload {
  readonly moduleId: string;
  readonly timestamp: Date;
  readonly pcrs: ReadonlyMap<number, Buffer>;
  /** The leaf, DER. */
  readonly certificate: Buffer;
  /** CA certificates, DER, the root first. */
  readonly cabundle: readonly Buffer[];
  readonly publicKey: Buffer | undefined;
  readonly userData: Buffer | undefined;
  readonly nonce: Buffer | undefined;
}

/** Reads a payload. Throws `EvidenceError` when a part is missing or is not what it must be; names it does not know are left alone. */
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

/** Milliseconds since 1970, as far as a Date goes. */
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

/** AWS writes null for what there is none of. */
function optional(value: unknown, what: string): Buffer | undefined {
  return value === undefined || value === null ? undefined : bytesOf(value, what);
}

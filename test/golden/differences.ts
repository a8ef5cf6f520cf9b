/**
 * Where we refuse, on purpose, what the reference takes (negative.json). A difference is told by its cause, never by
 * the name of a vector; one that no vector uses is fine.
 */
import type { VeracruzError } from '../../lib/core/errors.js';
import type { NegativeVector } from '../support/golden.js';

export interface Difference {
  layer: NegativeVector['layer'];
  reason: string;
  /** Whether `error`, which we raised for `vector`, is this difference. */
  applies(vector: NegativeVector, error: VeracruzError): boolean;
  /** Where it is the other way round: whether we take, on purpose, this input that the reference refuses or loses. */
  lenient?(vector: NegativeVector): boolean;
}

export const differences: Difference[] = [
  // --- bincode
  {
    layer: 'bincode',
    reason: 'bytes after the value: no peer sends any, so they are refused unless `allowTrailing` is set',
    applies: (vector, error) =>
      error.code === 'ERR_VC_BINCODE' && error.expected === 0 && error.offset === Buffer.from(vector.reencoded?.hex ?? '', 'hex').length,
  },
  // --- frame
  {
    layer: 'frame',
    reason: 'a header that tells more than `maxFrameBytes` is refused at once; the reference waits for all of it (and allocates it)',
    applies: (vector, error) => vector.expect === 'incomplete' && error.code === 'ERR_VC_LIMIT' && Number(error.got) > (error.limit ?? 0),
  },
  // --- protobuf
  {
    layer: 'protobuf',
    reason: 'a length past the end of the message around it: the reference takes what there is when the input ends between two fields',
    applies: (_vector, error) =>
      error.code === 'ERR_VC_PROTOBUF' && typeof error.expected === 'number' && error.expected > Number(error.got),
  },
  {
    layer: 'protobuf',
    reason: 'groups (wire types 3 and 4): no message of the schema has any, so nothing nests deeper than an arm',
    applies: (_vector, error) =>
      error.code === 'ERR_VC_PROTOBUF' && error.expected === '0, 1, 2 or 5' && (error.got === 3 || error.got === 4),
  },
  {
    layer: 'protobuf',
    reason: 'a tag of more than 32 bits: the reference keeps the low 32, and so reads another field than was written',
    applies: (_vector, error) => error.code === 'ERR_VC_PROTOBUF' && error.expected === 'a tag of 32 bits',
  },
  {
    layer: 'protobuf',
    reason: 'a second arm after one whose body was streamed: what the reader has cannot be taken back',
    applies: (_vector, error) => error.code === 'ERR_VC_PROTOBUF' && typeof error.got === 'string',
  },
  {
    layer: 'protobuf',
    reason: 'limits on file names, kept bytes and fields, which the reference has none of',
    applies: (_vector, error) => error.code === 'ERR_VC_LIMIT' && Number(error.got) > (error.limit ?? 0),
  },
  // --- prefix
  {
    layer: 'prefix',
    reason: 'a prefix may come in pieces; the reference wants it whole in one chunk and forgets a part of one (wire spec §A, 1)',
    applies: () => false,
    lenient: (vector) => splitsAndSurplus(vector).splitPrefix,
  },
  {
    layer: 'prefix',
    reason: 'bytes after a message begin the next; the reference parses them as part of the first (wire spec §A, 3)',
    applies: (vector) => splitsAndSurplus(vector).surplus,
    lenient: (vector) => splitsAndSurplus(vector).surplus,
  },
  // --- session and base64
  {
    layer: 'session',
    reason: 'fields after the second of a request: the reference ignores them, no original client sends them',
    applies: (vector, error) => error.code === 'ERR_VC_SESSION_TEXT' && vector.target === 'request' && fieldsOf(vector).length > 2,
  },
  {
    layer: 'session',
    reason: 'white space other than space, tab, CR and LF: no original peer sends it',
    applies: (vector, error) => REFUSED_TEXT.includes(error.code) && UNICODE_WHITESPACE.test(textOf(vector)),
  },
  {
    layer: 'session',
    reason: 'an id with a plus sign or leading zeros: no original peer writes one, and two spellings of one id invite mistakes',
    applies: (vector, error) => error.code === 'ERR_VC_SESSION_TEXT' && /^(\+|0[0-9])/.test(fieldsOf(vector)[0] ?? ''),
  },
  {
    layer: 'session',
    reason: 'base64 whose padding is missing or too short: all original peers pad',
    applies: (vector, error) =>
      error.code === 'ERR_VC_BASE64' &&
      fieldsOf(vector).some((field, i) => i > 0 && /^[A-Za-z0-9+/]+=?$/.test(field) && field.length % 4 > 0),
  },
];

/** An id, or a base64 text, with a byte that does not belong. */
const REFUSED_TEXT = ['ERR_VC_SESSION_TEXT', 'ERR_VC_BASE64'];
/** White space as Rust has it (Unicode White_Space), less the kinds that we take. */
const UNICODE_WHITESPACE = /[\v\f\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

function textOf(vector: NegativeVector): string {
  return Buffer.from(vector.wire?.hex ?? '', 'hex').toString('utf8');
}

/** The fields of a body, split as the reference splits it. */
function fieldsOf(vector: NegativeVector): string[] {
  return textOf(vector)
    .split(new RegExp(`(?:[ \\t\\r\\n]|${UNICODE_WHITESPACE.source})+`))
    .filter((field) => field !== '');
}

/** Whether, read as the reference reads, a chunk ends inside a prefix, or goes beyond its message. */
function splitsAndSurplus(vector: NegativeVector): { splitPrefix: boolean; surplus: boolean } {
  let owed: bigint | undefined;
  let splitPrefix = false;
  let surplus = false;
  for (const { hex } of vector.chunks ?? []) {
    let bytes = Buffer.from(hex, 'hex');
    if (owed === undefined) {
      if (bytes.length < 8) {
        splitPrefix = true;
        continue;
      }
      owed = bytes.readBigUInt64BE();
      bytes = bytes.subarray(8);
    }
    owed -= BigInt(bytes.length);
    if (owed < 0n) surplus = true;
    if (owed <= 0n) owed = undefined;
  }
  return { splitPrefix, surplus };
}

/** Names that a certificate may be issued for. */
import { type Asn1, content, isA, isString, items } from '../layers/formats/asn1.js';

/** Parts of a name, and bytes of the text of each. RFC 5280 §A.1 allows 64 characters of most parts, and 128 of a locality. */
const MAX_PARTS = 16;
const MAX_TEXT_BYTES = 128;
/** ASN.1 tags of texts of one byte a character: Numeric, Printable, Teletex and IA5. */
const BYTE_TEXTS: ReadonlySet<number> = new Set([18, 19, 20, 22]);
const UTF8_TEXT = 12;
/** C0 and C1 controls (NUL is the first), line and paragraph ends, and what turns the direction of text. */
const UNSHOWN = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/**
 * What is wrong with a subject that somebody else wrote; undefined when nothing is. It goes into a certificate as it stands, so
 * it must be what all readers of the certificate take for the same name:
 *
 *     SEQUENCE { SET { SEQUENCE { OID, string }, … }, … }
 *
 * with 1 to 16 parts, each a text of 1 to 128 bytes in UTF-8 or one byte a character, without characters that are not shown.
 */
export function subjectFault(subject: Asn1): string | undefined {
  const texts = textsOf(subject);
  if (texts === undefined) return 'the subject is no name';
  if (texts.length > MAX_PARTS) return `the subject has ${texts.length} parts, ${MAX_PARTS} at most`;
  for (const text of texts) {
    const bytes = content(text).length;
    if (bytes < 1 || bytes > MAX_TEXT_BYTES) return `the subject has a text of ${bytes} bytes, 1 to ${MAX_TEXT_BYTES} are taken`;
    const shown = textOf(text);
    if (shown === undefined) return 'the subject has a text in an encoding that is not taken';
    if (UNSHOWN.test(shown)) return 'the subject has a character that is not shown';
  }
  return undefined;
}

/**
 * A form of a name in which two names are equal when a reader would take them for the same one: without regard to case, to
 * runs of spaces, and to how the texts are encoded (RFC 5280 §7.1). A text that cannot be read stands as its bytes.
 */
export function comparableName(subject: Asn1): string {
  const plain = (text: Asn1) => (textOf(text) ?? content(text).toString('hex')).normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
  return JSON.stringify(
    items(subject).map((set) =>
      items(set)
        .map((part) => [typeOf(part), plain(items(part)[1] as Asn1)])
        .sort(),
    ),
  );
}

/** The texts of a name; undefined when it is none. */
function textsOf(subject: Asn1): Asn1[] | undefined {
  const sets = items(subject);
  if (!isA(subject, 'SEQUENCE') || sets.length === 0 || !sets.every((set) => isA(set, 'SET') && items(set).length > 0)) return undefined;
  const parts = sets.flatMap(items);
  return parts.every(isPart) ? parts.map((part) => items(part)[1] as Asn1) : undefined;
}

function isPart(part: Asn1): boolean {
  const [type, text, ...others] = items(part);
  return isA(part, 'SEQUENCE') && isA(type, 'OID') && isString(text) && others.length === 0;
}

function typeOf(part: Asn1): string {
  return content(items(part)[0]).toString('hex');
}

function textOf(text: Asn1): string | undefined {
  const type = text.type;
  if (type === UTF8_TEXT) return content(text).toString('utf8');
  return BYTE_TEXTS.has(type) ? content(text).toString('latin1') : undefined;
}

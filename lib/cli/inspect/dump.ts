/** Dumps as xxd, `hexdump -C` and `od -A x -t x1` print them: an offset, bytes in hex digits, and perhaps the same as text. */
import { InvalidArgumentError } from '../../core/errors.js';

/** A line of a dump. */
interface Line {
  /** Where it starts in the text. */
  readonly at: number;
  /** Its own offset, as it is written. */
  readonly offset: string;
  readonly bytes: Buffer;
  /** A `*` stands before it: the line above is repeated up to its offset. */
  readonly repeats: boolean;
}

/** xxd: `00000010: 1603 0100 a5  .....`; two blanks end the bytes. */
const XXD = /^([0-9a-f]+):((?: ?[0-9a-f]{2})*)(?:(?: {2}| $).*)?$/i;
/** od and hexdump: `0000020  16 03 01  |...|`. */
const OD = /^([0-9a-f]+)((?: +[0-9a-f]{2})*) *(?:[|>].*)?$/i;

/** The bytes of a dump. Throws `InvalidArgumentError` with the offset in the text where it is none. */
export function fromDump(text: string): Buffer {
  const lines = linesOf(text);
  for (const base of basesOf(lines)) {
    const bytes = assembled(lines, base);
    if (bytes !== undefined) return bytes;
  }
  throw noDump('the offsets of the dump do not fit its bytes', 0);
}

/** Whether a text looks like a dump, for whoever took it for something else. */
export function looksLikeDump(text: string): boolean {
  const [first = ''] = text.split('\n', 1);
  return [XXD, OD].some((form) => /^0+$/.test(form.exec(first.trimEnd())?.[1] ?? ''));
}

function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  let repeats = false;
  let at = 0;
  for (const raw of text.split('\n')) {
    const line = raw.replace(/\r$/, '');
    if (line.trim() === '*' && lines.length > 0) repeats = true;
    else if (line.trim() !== '') {
      const [, offset, digits = ''] = XXD.exec(line) ?? OD.exec(line) ?? [];
      if (offset === undefined) throw noDump(`no line of a dump at offset ${at}`, at);
      lines.push({ at, offset, bytes: Buffer.from(digits.replaceAll(' ', ''), 'hex'), repeats });
      repeats = false;
    }
    at += raw.length + 1;
  }
  if (repeats) throw noDump('the dump ends behind a *: the offset of its end is missing', text.length);
  return lines;
}

/** od counts in octal digits, seven of them, unless it is told otherwise; the others count in hex digits. */
function basesOf([first]: readonly Line[]): readonly number[] {
  return first?.offset.length === 7 ? [8, 10, 16] : [16, 10, 8];
}

/** All bytes, when the offsets fit them in this base; else undefined. */
function assembled(lines: readonly Line[], base: number): Buffer | undefined {
  const pieces: Buffer[] = [];
  let length = 0;
  for (const [index, { offset, bytes, repeats }] of lines.entries()) {
    const place = Number.parseInt(offset, base);
    const above = lines[index - 1]?.bytes ?? Buffer.alloc(0);
    if (place.toString(base) !== offset.toLowerCase().replace(/^0+(?=.)/, '')) return undefined;
    if (repeats && above.length > 0 && place >= length && (place - length) % above.length === 0) {
      pieces.push(Buffer.alloc(place - length, above));
      length = place;
    }
    if (place !== length) return undefined;
    pieces.push(bytes);
    length += bytes.length;
  }
  return Buffer.concat(pieces, length);
}

function noDump(message: string, offset: number): InvalidArgumentError {
  return new InvalidArgumentError(`${message}; dumps are read of xxd, hexdump -C and od -t x1`, {
    layer: 'input',
    expected: 'a dump',
    offset,
  });
}

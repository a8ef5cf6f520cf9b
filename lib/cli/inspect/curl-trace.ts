import { InvalidArgumentError } from '../../core/errors.js';

/** `=> Send header, 164 bytes (0xa4)`, with a time before it where `--trace-time` was given. */
const SECTION = /^(?:\S+ )?(=>|<=) (?:Send|Recv) (header|data|SSL data), (\d+) bytes \(0x[0-9a-f]+\)$/;
const INFO = /^(?:\S+ )?== Info: /;
const LINE = /^([0-9a-f]{4,}): ?(.*)$/;
/** The status line of an interim response. */
const INTERIM = /^HTTP\/1\.1 1\d\d\b/;
const HEX_LINE_BYTES = 16;

/** What one line shows: bytes from an offset of their section on. */
interface Shown {
  readonly number: number;
  readonly at: number;
  readonly text: string;
}

interface Section {
  readonly number: number;
  readonly sent: boolean;
  /** Bytes of the connection below TLS, which come again as those of HTTP. */
  readonly below: boolean;
  readonly length: number;
  readonly lines: Shown[];
}

/**
 * The bytes of HTTP that `curl --trace` or `curl --trace-ascii` has written down: all that was sent, then all that was
 * received, so that an answer that came in the middle of a request is no part of it. `--trace-ascii` has a dot for each
 * byte that is no printable character, and so it is here.
 *
 * @throws InvalidArgumentError for a text that is no such trace, with the number of its line
 */
export function fromCurlTrace(text: string): Buffer {
  const sections = sectionsOf(text).filter(({ below }) => !below);
  if (sections.length === 0) throw wrong(1, 'it has no header or data that was sent or received');
  // A trace begins with the head of a request, whose letters are no hexadecimal digits.
  const hex = /^(?:[0-9a-f]{2} ){4}/.test(sections[0]?.lines[0]?.text ?? '');
  const parts = (direction: boolean) =>
    sections.filter(({ sent }) => sent === direction).map((section) => (hex ? hexBytes : asciiBytes)(section));
  return Buffer.concat([...parts(true), ...withInterimEnds(parts(false))]);
}

/** curl does not show the empty line that ends an interim response (100 Continue). */
function* withInterimEnds(parts: readonly Buffer[]): Generator<Buffer, void, undefined> {
  for (const part of parts) {
    yield part;
    if (INTERIM.test(part.toString('latin1', 0, 16))) yield Buffer.from('\r\n');
  }
}

/** Whether a text begins as such a trace does. */
export function looksLikeCurlTrace(text: string): boolean {
  const line = text.split('\n', 1)[0] ?? '';
  return SECTION.test(line) || INFO.test(line);
}

function sectionsOf(text: string): Section[] {
  const sections: Section[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    const number = i + 1;
    const head = SECTION.exec(line);
    const shown = LINE.exec(line);
    if (head !== null) {
      const [, arrow, kind, length] = head;
      sections.push({ number, sent: arrow === '=>', below: kind === 'SSL data', length: Number(length), lines: [] });
    } else if (shown !== null && sections.length > 0) {
      sections.at(-1)?.lines.push({ number, at: Number.parseInt(shown[1] as string, 16), text: shown[2] as string });
    } else if (line !== '' && !INFO.test(line)) throw wrong(number, 'it has no offset, and begins no section');
  }
  return sections;
}

function hexBytes({ number, length, lines }: Section): Buffer {
  const parts = lines.map(({ number: line, at, text }) => {
    const count = Math.min(HEX_LINE_BYTES, length - at);
    const digits = text.slice(0, count * 3).replaceAll(' ', '');
    if (digits.length !== count * 2 || !/^[0-9a-f]*$/.test(digits)) throw wrong(line, `it does not have ${count} bytes`);
    return Buffer.from(digits, 'hex');
  });
  return whole(Buffer.concat(parts), number, length);
}

/** A line ends where a line of the contents ends, CR and LF, or after 64 characters: the next offset tells which. */
function asciiBytes({ number, length, lines }: Section): Buffer {
  const parts = lines.map(({ number: line, at, text }, i) => {
    const next = lines[i + 1]?.at ?? length;
    const missing = next - at - text.length;
    if (missing !== 0 && missing !== 2) throw wrong(line, `it should have ${next - at} bytes`);
    return Buffer.from(missing === 2 ? `${text}\r\n` : text, 'latin1');
  });
  return whole(Buffer.concat(parts), number, length);
}

function whole(bytes: Buffer, number: number, length: number): Buffer {
  if (bytes.length === length) return bytes;
  throw wrong(number, `${bytes.length} bytes follow`);
}

function wrong(line: number, why: string): InvalidArgumentError {
  return new InvalidArgumentError(`the input is no trace of curl: line ${line}: ${why}`, { layer: 'input', got: line });
}

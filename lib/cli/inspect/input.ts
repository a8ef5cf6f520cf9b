import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { Base64Error, InvalidArgumentError, LimitError } from '../../core/errors.js';
import { cannotRead } from '../../core/file-faults.js';
import { decodeBase64 } from '../../layers/base64/index.js';
import { isWhitespace } from '../../layers/session/index.js';
import { fromCurlTrace } from './curl-trace.js';
import { fromDump, looksLikeDump } from './dump.js';

/** Encodings of the input. */
export const FORMS = Object.freeze(['raw', 'hex', 'base64', 'dump', 'curl'] as const);
export type Form = (typeof FORMS)[number];

const STDIN = 0;
const CHUNK_BYTES = 65_536;
/** Characters that are looked at to tell what a text is. */
const MAX_LINE_CHARS = 256;

/**
 * Reads a whole file, or standard input (`-`). Throws `InvalidArgumentError` or `LocalFileError` when it cannot be read, and `LimitError` when it
 * has more than `maxBytes`. The size of a file is checked before it is read; a pipe fails at the first byte over the limit.
 */
export function readInput(path: string, maxBytes: number): Buffer {
  const fd = path === '-' ? STDIN : open(path);
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) throw new InvalidArgumentError(`${path} is a folder`);
    if (stat.isFile() && stat.size > maxBytes) throw tooLong(stat.size, maxBytes);
    return readAll(fd, path, maxBytes);
  } finally {
    if (fd !== STDIN) closeSync(fd);
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    throw cannotRead(path, cause);
  }
}

function readAll(fd: number, path: string, maxBytes: number): Buffer {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, maxBytes - total + 1));
    const count = readSome(fd, path, chunk);
    if (count === 0) return Buffer.concat(chunks, total);
    total += count;
    if (total > maxBytes) throw tooLong(total, maxBytes);
    chunks.push(chunk.subarray(0, count));
  }
}

/** Reads one chunk. A non-blocking pipe without data fails with EAGAIN and is read again after 10 ms. */
function readSome(fd: number, path: string, chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(fd, chunk);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw cannotRead(path, cause);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

function tooLong(got: number, limit: number): LimitError {
  return new LimitError(`the input has ${got} bytes or more, --max-bytes is ${limit}`, { layer: 'input', limit, got });
}

/** Decodes the input. Throws `InvalidArgumentError` or `Base64Error` with the offset of the first bad byte. */
export function bytesOf(input: Buffer, form: Form): Buffer {
  if (form === 'raw') return input;
  if (form === 'dump') return fromDump(input.toString('latin1'));
  if (form === 'curl') return fromCurlTrace(input.toString('latin1'));
  return form === 'hex' ? fromHex(input) : fromBase64(input);
}

/** Decodes hex, two digits for each byte. White space may separate bytes, and `0x` may start each group of them. */
function fromHex(text: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(Math.floor(text.length / 2));
  let length = 0;
  let begins = true;
  for (let at = 0; at < text.length; ) {
    const byte = text[at] as number;
    if (isWhitespace(byte)) {
      begins = true;
      at++;
      continue;
    }
    if (begins && byte === 0x30 && ((text[at + 1] ?? 0) | 0x20) === 0x78) {
      begins = false;
      at += 2;
      continue;
    }
    begins = false;
    for (const place of [at, at + 1]) if (digit(text[place]) === undefined) throw badDigit(text, place);
    bytes[length++] = (digit(byte) as number) * 16 + (digit(text[at + 1]) as number);
    at += 2;
  }
  return bytes.subarray(0, length);
}

function digit(byte: number | undefined): number | undefined {
  if (byte === undefined) return undefined;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : undefined;
}

function badDigit(text: Buffer, offset: number): InvalidArgumentError {
  const got = text[offset] ?? 'the end';
  const other = looksLikeDump(text.toString('latin1', 0, MAX_LINE_CHARS))
    ? 'for a dump of xxd, hexdump -C or od: --input dump'
    : 'for bytes as they are: --input raw';
  return new InvalidArgumentError(`the hex text has no hex digit at offset ${offset}; ${other}`, {
    layer: 'input',
    expected: 'two hex digits a byte',
    got,
    offset,
  });
}

/** Decodes base64 with padding. White space may be anywhere. */
function fromBase64(text: Buffer): Buffer {
  const letters = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (const byte of text) if (!isWhitespace(byte)) letters[length++] = byte;
  try {
    return decodeBase64(letters.subarray(0, length));
  } catch (thrown) {
    if (!(thrown instanceof Base64Error)) throw thrown;
    const { message, expected, got } = thrown;
    const offset = placeOf(text, thrown.offset ?? 0);
    throw new Base64Error(`the input is no base64: ${message}, white space not counted`, { layer: 'input', expected, got, offset });
  }
}

/** Offset in the text of its letter number `index`, white space not counted. */
function placeOf(text: Buffer, index: number): number {
  let letters = 0;
  for (let at = 0; at < text.length; at++) {
    if (isWhitespace(text[at] as number)) continue;
    if (letters++ === index) return at;
  }
  return text.length;
}

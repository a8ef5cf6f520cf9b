/** Formats annotations as a hex dump. */
import { styleText } from 'node:util';
import type { Annotation } from './annotate.js';
import type { Fault, Row, Value } from './region.js';

/** Bytes in each line. */
const LINE_BYTES = 16;
/** A field of more bytes is shown by its first two lines and its last line. */
const WHOLE_BYTES = 4 * LINE_BYTES;
const HEAD_BYTES = 2 * LINE_BYTES;
const TAIL_BYTES = LINE_BYTES;
/** Most characters of a text that are shown. A longer text is shown by its first 56 and last 16. */
const TEXT_CHARS = 72;
const TEXT_TAIL_CHARS = 16;
/** Width of the longest layer name, `length-prefix`. */
const LAYER_WIDTH = 13;
const OFFSET_WIDTH = 9;
const HEX_WIDTH = LINE_BYTES * 3 - 1;

export type Style = 'bold' | 'dim' | 'red' | 'cyan';
export type Paint = (style: Style, text: string) => string;

export const plainPaint: Paint = (_style, text) => text;
/** For a terminal. The caller checks that it is one, because not all supported releases of Node do. */
export const terminalPaint: Paint = (style, text) => styleText(style, text, { validateStream: false });

/** The lines of a dump. */
export function* dumpLines(items: Iterable<Annotation>, paint: Paint): Generator<string, void, undefined> {
  for (const item of items) {
    if (item.kind === 'fault') yield* faultLines(item, paint);
    else yield* rowLines(item, paint);
  }
}

function* rowLines(row: Row, paint: Paint): Generator<string, void, undefined> {
  const label = `${row.layer.padEnd(LAYER_WIDTH)}  ${'  '.repeat(row.depth)}${remark(row, paint)}`;
  if (row.kind === 'group' || row.length === 0) {
    yield `${place(row.offset, row, paint)}  ${' '.repeat(HEX_WIDTH)}  ${label}`;
    return;
  }
  const whole = row.length <= WHOLE_BYTES;
  const tailAt = row.length - TAIL_BYTES;
  for (let at = 0; at < row.length; at += LINE_BYTES) {
    if (!whole && at === HEAD_BYTES) {
      yield paint('dim', `${' '.repeat(OFFSET_WIDTH)}  … ${tailAt - HEAD_BYTES} bytes …`);
      at = tailAt;
    }
    const hex = hexOf(row.bytes.subarray(at, at + LINE_BYTES));
    const line = `${place(row.offset + at, row, paint)}  ${hex}`;
    yield at === 0 ? `${line}${' '.repeat(HEX_WIDTH - hex.length)}  ${label}` : line;
  }
}

/** An offset as hex. A `+` before it means that it counts decoded bytes. */
function place(offset: number, { decoded }: { decoded: boolean }, paint: Paint): string {
  return paint('dim', `${decoded ? '+' : ' '}${offset.toString(16).padStart(OFFSET_WIDTH - 1, '0')}`);
}

function hexOf(bytes: Buffer): string {
  return bytes.toString('hex').replace(/..(?=.)/g, '$& ');
}

function remark({ kind, field, length, value, name, note }: Row, paint: Paint): string {
  const bytes = `${length} ${length === 1 ? 'byte' : 'bytes'}`;
  let text = paint(kind === 'group' ? 'bold' : 'cyan', field);
  if (value !== undefined && kind === 'field') text += Buffer.isBuffer(value) ? `: ${shown(value)}` : ` = ${shown(value)}`;
  if (name !== undefined) text += ` ${name}`;
  if (kind === 'group') text += paint('dim', ` (${bytes})`);
  if (note !== undefined) text += paint('dim', ` — ${note}`);
  return text;
}

/** A value on one line, without characters that could control a terminal. */
function shown(value: Value): string {
  if (Buffer.isBuffer(value)) return `${value.length} ${value.length === 1 ? 'byte' : 'bytes'}`;
  if (typeof value !== 'string') return String(value);
  if (value.length <= TEXT_CHARS) return escaped(value);
  const middle = value.length - TEXT_CHARS;
  return `${escaped(value.slice(0, TEXT_CHARS - TEXT_TAIL_CHARS))} … ${middle} characters … ${escaped(value.slice(-TEXT_TAIL_CHARS))}`;
}

/** Quotes text as JSON does, and escapes also control characters, direction marks, invisible characters and lone surrogates. */
function escaped(text: string): string {
  return escapedText(JSON.stringify(text));
}

/** Escapes what could control a terminal, or would not be seen: control characters, direction marks, lone surrogates. */
export function escapedText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu, (found) =>
    Array.from({ length: found.length }, (_, i) => `\\u${found.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  );
}

function* faultLines(fault: Fault, paint: Paint): Generator<string, void, undefined> {
  const { layer, offset, error, bytes, decoded } = fault;
  yield '';
  yield paint('red', `${layer}: ${error.message} (${error.code})`);
  const there = offset < bytes.length ? `0x${(bytes[offset] as number).toString(16).padStart(2, '0')}` : 'the end';
  const own = error.offset === undefined || error.offset === offset ? '' : `, ${error.offset} by the count of the layer`;
  const figures = (['expected', 'got', 'limit'] as const).flatMap((name) =>
    error[name] === undefined ? [] : [`, ${name} ${error[name]}`],
  );
  yield `first bad byte${decoded ? ' of the decoded bytes' : ''}: offset ${offset} (0x${offset.toString(16)}${own}), there is ${there}${figures.join('')}`;
  // Shows the line with the bad byte; at the end of the bytes, the last line.
  const line = offset - (offset % LINE_BYTES) - (offset === bytes.length && offset > 0 && offset % LINE_BYTES === 0 ? LINE_BYTES : 0);
  yield `${place(line, fault, paint)}  ${hexOf(bytes.subarray(line, line + LINE_BYTES))}`;
  yield `${' '.repeat(OFFSET_WIDTH + 2 + 3 * (offset - line))}${paint('red', '^^')}`;
}

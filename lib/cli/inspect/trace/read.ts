/** Reads a trace, line by line: whatever its size, one line of it is in memory. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { InvalidArgumentError, LimitError } from '../../../core/errors.js';
import { cannotRead } from '../../../core/file-faults.js';
import type { Direction } from '../../../pipeline/diagnostics.js';
import { TRACE_FORMAT } from '../../../pipeline/trace/trace.js';

const LAYER = 'trace';
const CHUNK_BYTES = 65_536;
/** Bytes of one line. The longest that is written has the first 64 KiB of an item, in hexadecimal. */
const MAX_LINE_BYTES = 1_048_576;
/** Characters of a name, and layers of a stack. What is kept of a trace is bounded by them. */
const MAX_TEXT_CHARS = 256;
const MAX_LAYERS = 32;
const NEWLINE = 0x0a;

/** The first line: who wrote the trace, and when. */
export interface TraceHead {
  readonly event: 'trace';
  readonly role: string | undefined;
  readonly started: string;
}

interface Line {
  readonly ms: number;
  readonly connection: number;
  readonly session: string | undefined;
}

export interface OpenLine extends Line {
  readonly event: 'open';
  readonly layers: readonly string[];
}

export interface ItemLine extends Line {
  readonly event: 'item';
  readonly direction: Direction;
  readonly from: string;
  readonly to: string;
  readonly bytes: number | undefined;
  readonly message: string | undefined;
  readonly status: string | undefined;
  readonly mark: string | undefined;
  readonly bound: string | undefined;
}

export interface ErrorLine extends Line {
  readonly event: 'error';
  readonly code: string;
  readonly layer: string;
}

export interface CloseLine extends Line {
  readonly event: 'close';
}

/** Something is missing: the process was killed, the disk was full, or the file is a part of a trace. */
export interface CutLine {
  readonly event: 'cut';
  /** Before the first line; in the place of a line; or behind the beginning of the last one. */
  readonly at: 'beginning' | 'middle' | 'end';
  /** Its number, from 1. */
  readonly line: number;
}

/** The last one of every trace. */
export interface EndLine {
  readonly event: 'end';
  /** Number of the last line. */
  readonly line: number;
}

export type TraceLine = TraceHead | OpenLine | ItemLine | ErrorLine | CloseLine | CutLine | EndLine;

/**
 * The lines of a trace, the head first, and an end. Lines of events that are not known here are left out. What is cut, at the
 * beginning, in the middle or at the end, is told in its place, and the rest is given.
 *
 * @throws InvalidArgumentError for a file that cannot be read, is no trace, or has a line with wrong fields, with its number;
 * LimitError for a line of more than 1 MiB
 */
export function* readTrace(path: string): Generator<TraceLine, void, undefined> {
  let number = 0;
  let begun = false;
  for (const { text, whole } of linesOf(path)) {
    number++;
    const fields = fieldsOf(text);
    if (!begun && fields?.event === 'trace') {
      yield headOf(path, fields);
      begun = true;
    } else {
      const line = fields && new LineFields(path, number, fields).line(begun);
      // The first whole line of a part of a trace is its first line, or its second, behind the rest of one.
      if (!begun && (line !== undefined || number > 1 || !whole)) {
        if (line === undefined) throw noTrace(path, number);
        yield { event: 'cut', at: 'beginning', line: number };
        begun = true;
      }
      if (line !== undefined) yield line;
      else if (begun && fields === undefined && whole) yield { event: 'cut', at: 'middle', line: number };
    }
    if (!whole) yield { event: 'cut', at: 'end', line: number };
  }
  if (!begun) throw noTrace(path, number);
  yield { event: 'end', line: number };
}

function noTrace(path: string, lines: number): InvalidArgumentError {
  const what = lines === 0 ? 'it is empty' : 'neither its first line nor its second is one of a trace';
  return new InvalidArgumentError(`${path} is no trace: ${what}`, { layer: LAYER });
}

type Fields = Readonly<Record<string, unknown>>;

/** Undefined for what is no JSON object. */
function fieldsOf(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  } catch {
    // Told by who asks, without the text, which may be anything.
  }
  return undefined;
}

function headOf(path: string, { format, role, started }: Fields): TraceHead {
  if (format !== TRACE_FORMAT) {
    const got = typeof format === 'number' ? format : typeof format;
    throw new InvalidArgumentError(`${path} is a trace of format ${got}, this reads ${TRACE_FORMAT}`, {
      layer: LAYER,
      expected: TRACE_FORMAT,
      got,
    });
  }
  return { event: 'trace', role: isText(role) ? role : undefined, started: isText(started) ? started : '' };
}

/** The fields of one line, checked one by one. */
class LineFields {
  readonly #path: string;
  readonly #line: number;
  readonly #fields: Fields;

  constructor(path: string, number: number, fields: Fields) {
    this.#path = path;
    this.#line = number;
    this.#fields = fields;
  }

  /**
   * Undefined for an event that is not known here.
   *
   * @param begun it is known that this is a trace: without that, what has no event is no line of one
   */
  line(begun: boolean): OpenLine | ItemLine | ErrorLine | CloseLine | undefined {
    if (!begun && !isText(this.#fields.event)) return undefined;
    switch (this.#text('event')) {
      case 'open':
        return { event: 'open', ...this.#common(), layers: this.#texts('layers') };
      case 'item':
        return { event: 'item', ...this.#common(), ...this.#item() };
      case 'error':
        return { event: 'error', ...this.#common(), code: this.#optional('code') ?? '', layer: this.#optional('layer') ?? '' };
      case 'close':
        return { event: 'close', ...this.#common() };
      default:
        return undefined;
    }
  }

  #common(): Line {
    return { ms: this.#count('ms'), connection: this.#count('connection'), session: this.#optional('session') };
  }

  #item(): Omit<ItemLine, 'event' | keyof Line> {
    const direction = this.#text('direction');
    if (direction !== 'outbound' && direction !== 'inbound') throw this.#bad('direction', 'outbound or inbound');
    const bytes = this.#fields.bytes === undefined ? undefined : this.#count('bytes');
    const [message, status] = [this.#optional('message'), this.#optional('status')];
    const [mark, bound] = [this.#optional('mark'), this.#optional('bound')];
    return { direction, from: this.#text('from'), to: this.#text('to'), bytes, message, status, mark, bound };
  }

  #count(name: string): number {
    const value = this.#fields[name];
    if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value;
    throw this.#bad(name, 'a number of 0 or more');
  }

  #text(name: string): string {
    const value = this.#fields[name];
    if (isText(value)) return value;
    throw this.#bad(name, `a text of up to ${MAX_TEXT_CHARS} characters`);
  }

  #optional(name: string): string | undefined {
    return this.#fields[name] === undefined ? undefined : this.#text(name);
  }

  #texts(name: string): string[] {
    const value = this.#fields[name];
    if (Array.isArray(value) && value.length <= MAX_LAYERS && value.every(isText)) return value;
    throw this.#bad(name, `a list of up to ${MAX_LAYERS} texts`);
  }

  #bad(name: string, expected: string): InvalidArgumentError {
    return new InvalidArgumentError(`line ${this.#line} of ${this.#path}: ${name} is not ${expected}`, { layer: LAYER, expected });
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT_CHARS;
}

interface TextLine {
  readonly text: string;
  /** It ends with a newline. */
  readonly whole: boolean;
}

function* linesOf(path: string): Generator<TextLine, void, undefined> {
  const fd = open(path);
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let rest = Buffer.alloc(0);
    for (let count = read(fd, path, chunk); count > 0; count = read(fd, path, chunk)) {
      let from = 0;
      for (let at = chunk.indexOf(NEWLINE); at >= 0 && at < count; at = chunk.indexOf(NEWLINE, from)) {
        yield { text: Buffer.concat([rest, chunk.subarray(from, at)]).toString(), whole: true };
        rest = Buffer.alloc(0);
        from = at + 1;
      }
      rest = Buffer.concat([rest, chunk.subarray(from, count)]);
      if (rest.length > MAX_LINE_BYTES) throw tooLong(path, rest.length);
    }
    if (rest.length > 0) yield { text: rest.toString(), whole: false };
  } finally {
    closeSync(fd);
  }
}

function tooLong(path: string, got: number): LimitError {
  return new LimitError(`a line of ${path} has ${got} bytes or more`, { layer: LAYER, limit: MAX_LINE_BYTES, got });
}

function open(path: string): number {
  try {
    const fd = openSync(path, 'r');
    if (!fstatSync(fd).isDirectory()) return fd;
    closeSync(fd);
  } catch (cause) {
    throw cannotRead(path, cause, LAYER);
  }
  throw new InvalidArgumentError(`${path} is a folder`, { layer: LAYER });
}

function read(fd: number, path: string, chunk: Buffer): number {
  try {
    return readSync(fd, chunk);
  } catch (cause) {
    throw cannotRead(path, cause, LAYER);
  }
}

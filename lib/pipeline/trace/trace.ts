import { givenRecord, integerInRange } from '../../core/check.js';
import { clock } from '../../core/clock.js';
import { Announce } from '../../core/unit.js';
import { DIAGNOSTICS, type ItemEvent, type StackEvent } from '../diagnostics.js';
import { BOUNDS, MARKS, nameOf } from './names.js';
import { Recorder, type Recording, type RecordingOptions } from './recorder.js';

/** The `format` in the first line of a trace. */
export const TRACE_FORMAT = 1;
/** How the first line of every trace begins. */
const START = Buffer.from('{"event":"trace",');
/** Most bytes of an item that may be asked for. */
export const MAX_FIRST_BYTES = 65_536;

export interface TraceOptions extends RecordingOptions {
  /**
   * First bytes of each item that are written, 0 to 65,536. More than 0 writes **plaintext** too: names and contents of files,
   * policies. Default 0.
   */
  readonly bytes?: number;
  /** Who this process is, for those who read the trace: `client`, `server`, … */
  readonly role?: string;
  /** The version of the program that writes the trace. */
  readonly version?: string;
}

/**
 * Writes what passes between the layers of each stack that is opened from now on, as JSON lines: sizes, times, layers,
 * sessions, and the names of messages. No payload, unless `bytes` asks for it, and no keys, ever.
 *
 *     {"event":"trace","format":1,"role":"client","pid":71,"started":"2026-01-31T12:00:00.000Z","bytes":0}
 *     {"event":"open","ms":0.9,"connection":1,"layers":["protobuf","length-prefix","tls"]}
 *     {"event":"item","ms":8.2,"connection":1,"direction":"outbound","from":"application","to":"protobuf","message":"read_file"}
 *     {"event":"item","ms":8.4,"connection":1,"direction":"outbound","from":"protobuf","to":"length-prefix","announces":19}
 *     {"event":"item","ms":8.4,"connection":1,"direction":"outbound","from":"protobuf","to":"length-prefix","bytes":19}
 *     {"event":"error","ms":9.9,"connection":1,"code":"ERR_VC_LIMIT","layer":"tls","message":"…"}
 *     {"event":"close","ms":9.9,"connection":1,"traffic":[{"layer":"protobuf","outbound":{…},"inbound":{…}},…]}
 *
 * `ms` counts from the first line and never goes back. An item has one of `bytes` (with `first`, hexadecimal, if asked for), `message` (and
 * `status`), `announces` (the bytes of the unit that follows), `bound` and `mark`; `session` where it is known.
 *
 * The file is for its owner only, and is written in pieces of 64 KiB at least five times a second.
 *
 * @throws InvalidArgumentError for a file that cannot be written, InvalidOptionError for `bytes` out of range
 */
export function traceTo(path: string, options: TraceOptions = {}): Recording {
  return new Trace(path, { ...options, bytes: integerInRange('bytes', givenRecord('options', options).bytes ?? 0, 0, MAX_FIRST_BYTES) });
}

class Trace extends Recorder {
  readonly #bytes: number;
  readonly #started = clock.monotonic();
  /** The time of the line before, so that no line is earlier: what passed while its stack was being made is told after `open`. */
  #last = 0;
  /** Connections that were opened while this ran. */
  readonly #open = new Set<number>();

  constructor(path: string, { bytes = 0, role, version, ...options }: TraceOptions) {
    super(path, START, options);
    this.#bytes = bytes;
    const started = new Date(clock.now()).toISOString();
    this.begin(lineOf({ event: 'trace', format: TRACE_FORMAT, role, version, pid: process.pid, started, bytes }), {
      [DIAGNOSTICS.open]: this.#onOpen,
      [DIAGNOSTICS.item]: this.#onItem,
      [DIAGNOSTICS.error]: this.#onError,
      [DIAGNOSTICS.close]: this.#onClose,
    });
  }

  readonly #onOpen = (event: unknown): void => {
    const { connection, session, traffic } = event as StackEvent;
    this.#open.add(connection);
    this.#line({ event: 'open', ms: this.#now(), connection, session, layers: traffic.map(({ layer }) => layer) });
  };

  readonly #onItem = (event: unknown): void => {
    const { connection, session, direction, from, to, time, bytes, item } = event as ItemEvent;
    if (!this.#open.has(connection)) return;
    const what = bytes === undefined ? kindOf(item) : { bytes, first: this.#first(item) };
    this.#line({ event: 'item', ms: this.#since(time), connection, session, direction, from, to, ...what });
  };

  readonly #onError = (event: unknown): void => {
    const { connection, session, error } = event as StackEvent;
    if (!this.#open.has(connection)) return;
    const { code, layer, message } = error ?? {};
    this.#line({ event: 'error', ms: this.#now(), connection, session, code, layer, message });
  };

  readonly #onClose = (event: unknown): void => {
    const { connection, session, traffic } = event as StackEvent;
    if (this.#open.delete(connection)) this.#line({ event: 'close', ms: this.#now(), connection, session, traffic });
  };

  #line(line: object): void {
    this.file.write(lineOf(line));
  }

  /** What was asked for of an item's bytes. Those that are written later, into the body of a POST, are not here yet. */
  #first(item: unknown): string | undefined {
    if (this.#bytes === 0) return undefined;
    if (typeof item === 'string') return Buffer.from(item.slice(0, this.#bytes)).toString('hex', 0, this.#bytes);
    if (!(item instanceof Uint8Array)) return undefined;
    return Buffer.from(item.buffer, item.byteOffset, Math.min(item.length, this.#bytes)).toString('hex');
  }

  #now(): number {
    return this.#since(clock.monotonic());
  }

  /** Milliseconds from the start, to the microsecond. */
  #since(time: number): number {
    this.#last = Math.max(this.#last, Math.round((time - this.#started) * 1000) / 1000);
    return this.#last;
  }
}

/** What an item is that is no bytes. */
function kindOf(item: unknown): object {
  if (item instanceof Announce) return { announces: item.length };
  const mark = MARKS.get(item);
  if (mark !== undefined) return { mark };
  const bound = BOUNDS.get(item);
  return bound === undefined ? nameOf(item) : { bound };
}

/** A value that is undefined is left out. */
function lineOf(line: object): string {
  return `${JSON.stringify(line)}\n`;
}

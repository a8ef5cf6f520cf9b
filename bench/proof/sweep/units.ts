/** Where units end in the bytes of one direction of a connection: HTTP messages, TLS records, frames of a link. */
import { RECORD_HEADER_BYTES } from '../../../lib/layers/formats/tls-record.js';
import { FRAME_HEADERS } from '../../../lib/layers/frame/index.js';

/** Gives the length of the unit that `bytes` begins with, or undefined while that is not known. */
type Measure = (bytes: Buffer) => number | undefined;

export type UnitKind = 'message' | 'record' | 'frame';

const FRAME = FRAME_HEADERS.tcp9;

const MEASURES: Readonly<Record<UnitKind, Measure>> = {
  message: messageLength,
  record: (bytes) => (bytes.length < RECORD_HEADER_BYTES ? undefined : RECORD_HEADER_BYTES + bytes.readUInt16BE(3)),
  frame: (bytes) => (bytes.length < FRAME.bytes ? undefined : FRAME.bytes + Number(FRAME.read(bytes))),
};

/** Takes bytes as they come and gives whole units. */
export class UnitReader {
  readonly #measure: Measure;
  #rest: Buffer = Buffer.alloc(0);

  constructor(kind: UnitKind) {
    this.#measure = MEASURES[kind];
  }

  push(bytes: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const units: Buffer[] = [];
    for (;;) {
      const length = this.#measure(this.#rest);
      if (length === undefined || length > this.#rest.length) return units;
      units.push(this.#rest.subarray(0, length));
      this.#rest = this.#rest.subarray(length);
    }
  }

  /** What has come of a unit that is not whole. */
  take(): Buffer {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest;
  }
}

/** The TLS records in `bytes`, which has whole ones. */
export function recordsOf(bytes: Buffer): Buffer[] {
  return new UnitReader('record').push(bytes);
}

/** An HTTP message whose head gives the length of its body, or whose body is chunked. */
function messageLength(bytes: Buffer): number | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const head = bytes.toString('latin1', 0, end).toLowerCase();
  if (/\r\ntransfer-encoding: *chunked/.test(head)) return chunkedLength(bytes, end + 4);
  const [, length = '0'] = /\r\ncontent-length: *(\d+)/.exec(head) ?? [];
  return end + 4 + Number(length);
}

function chunkedLength(bytes: Buffer, start: number): number | undefined {
  for (let at = start; ; ) {
    const line = bytes.indexOf('\r\n', at);
    if (line === -1) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    at = line + 2 + size + 2;
    if (size === 0) return at;
    if (at > bytes.length) return undefined;
  }
}

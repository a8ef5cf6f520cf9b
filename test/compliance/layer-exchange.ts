/** Two ends of a layer that must speak with each other, joined without a pipe: outbound of one to inbound of the other. */
import type { Transform } from 'node:stream';
import { Connection } from '../../lib/core/connection.js';
import type { VeracruzError } from '../../lib/core/errors.js';
import type { Layer } from '../../lib/core/layer.js';
import { within } from '../support/foreign.js';
import type { LayerCase } from './layer-cases.js';

export type Way = 'up' | 'down';
/** What becomes of a chunk; `start` is the offset of its first byte in its direction, `null` an end of the input. */
export type Edit = (way: Way, chunk: Buffer, start: number) => readonly (Buffer | null)[];

export interface ExchangeEnd {
  readonly bytes: Buffer;
  readonly ended: boolean;
  /** Of either direction, the first. */
  readonly error: VeracruzError | undefined;
}

class End implements ExchangeEnd {
  readonly outbound: Transform;
  readonly inbound: Transform;
  readonly closed: Promise<unknown>;
  readonly #chunks: Buffer[] = [];
  ended = false;
  error: VeracruzError | undefined;

  constructor(layer: Layer<any, any>) {
    const connection = new Connection('a session');
    this.inbound = layer.inbound(connection);
    this.outbound = layer.outbound(connection);
    this.inbound.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    this.inbound.on('end', () => {
      this.ended = true;
    });
    for (const [stream, other] of [
      [this.inbound, this.outbound],
      [this.outbound, this.inbound],
    ] as const) {
      stream.on('error', (error: VeracruzError) => {
        this.error ??= error;
        other.destroy();
      });
    }
    this.closed = Promise.all([this.inbound, this.outbound].map((stream) => new Promise((go) => stream.once('close', go))));
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

/** A mark that came out below an end, which no transport carries: it stays there. `start` is the number of bytes before it. */
export interface MarkBelow {
  readonly way: Way;
  readonly mark: unknown;
  readonly start: number;
}

/** Both ends say their items and end; settles when both are closed. The end of a direction is an end of the other's input. */
export async function exchange(one: LayerCase, up: readonly unknown[], down: readonly unknown[], edit: Edit) {
  const marks: MarkBelow[] = [];
  const far = new End(one.far());
  const near = new End(one.near());
  join('up', near.outbound, far.inbound, edit, marks);
  join('down', far.outbound, near.inbound, edit, marks);
  for (const [end, items] of [
    [near, up],
    [far, down],
  ] as const) {
    for (const item of items) end.outbound.write(item);
    end.outbound.end();
  }
  await within('both ends to close', Promise.all([near.closed, far.closed]));
  return { near: near as ExchangeEnd, far: far as ExchangeEnd, marks: marks as readonly MarkBelow[] };
}

function join(way: Way, from: Transform, to: Transform, edit: Edit, marks: MarkBelow[]): void {
  let start = 0;
  const write = (piece: Buffer | null) => {
    if (to.destroyed || to.writableEnded) return;
    if (piece === null) to.end();
    else if (!to.write(piece)) from.pause();
  };
  // One listener for all waits: an edit that gives every byte by itself fills `to` many times in one turn.
  to.on('drain', () => from.resume());
  from.on('data', (chunk: Buffer | symbol) => {
    if (!Buffer.isBuffer(chunk)) {
      marks.push({ way, mark: chunk, start });
      return;
    }
    for (const piece of edit(way, chunk, start)) write(piece);
    start += chunk.length;
  });
  from.on('close', () => write(null));
}

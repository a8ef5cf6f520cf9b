/** Two ends of TLS in one process, and a wire between them that tests can tamper with. */
import type { Duplex } from 'node:stream';
import type { VeracruzError } from '../../../lib/core/errors.js';
import { type TlsOptions, type TlsState, tls, tlsState } from '../../../lib/layers/tls/index.js';
import type { Channel } from '../../../lib/pipeline/channel.js';
import { stack } from '../../../lib/pipeline/stack.js';
import { memoryPipe } from '../../../lib/transports/memory.js';

/** One end, and what it has heard. */
export interface End {
  readonly channel: Channel<Buffer>;
  readonly state: TlsState;
  readonly chunks: Buffer[];
  readonly bytes: Buffer;
  error: VeracruzError | undefined;
  ended: boolean;
  /** Settles when the channel has closed. */
  readonly closed: Promise<void>;
  /** Settles when `count` bytes have come in all, or the channel has closed. */
  heard(count: number): Promise<void>;
}

/** Watches a channel from its first moment. */
export function watch(channel: Channel<Buffer>): End {
  const chunks: Buffer[] = [];
  const waiters = new Set<() => void>();
  const notify = () => {
    for (const waiter of waiters) waiter();
  };
  const end: End = {
    channel,
    state: tlsState(channel.connection) as TlsState,
    chunks,
    get bytes() {
      return Buffer.concat(chunks);
    },
    error: undefined,
    ended: false,
    closed: new Promise((resolve) => channel.on('close', resolve)),
    heard: (count) =>
      new Promise((resolve) => {
        const check = () => {
          if (!channel.destroyed && end.bytes.length < count) return;
          waiters.delete(check);
          resolve();
        };
        waiters.add(check);
        check();
      }),
  };
  channel.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    notify();
  });
  channel.on('error', (error) => {
    end.error = error;
  });
  channel.on('end', () => {
    end.ended = true;
  });
  channel.on('close', notify);
  return end;
}

export function open(options: TlsOptions, pipe: Duplex): End {
  return watch(stack(tls(options)).over(pipe));
}

export type Direction = 'up' | 'down';
/** What becomes of a chunk: `offset` counts from the start of its direction. `null` is an end at once. */
export type Edit = (direction: Direction, chunk: Buffer, offset: number) => (Buffer | null)[];

export interface Wiretap {
  /** What went over the wire, unedited. */
  readonly up: Buffer[];
  readonly down: Buffer[];
  /** The ends of the wire that the relay holds: `left` faces the client, `right` the server. */
  readonly left: Duplex;
  readonly right: Duplex;
}

/** A wire with somebody in the middle. A reset of one side is a plain end for the other, as over HTTP. */
export function tappedPipe(edit: Edit = (_direction, chunk) => [chunk]): [client: Duplex, server: Duplex, tap: Wiretap] {
  const [client, left] = memoryPipe();
  const [right, server] = memoryPipe();
  const tap: Wiretap = { up: [], down: [], left, right };
  const join = (direction: Direction, from: Duplex, to: Duplex) => {
    let offset = 0;
    from.on('data', (chunk: Buffer) => {
      tap[direction].push(chunk);
      for (const piece of edit(direction, chunk, offset)) {
        if (to.writableEnded || to.destroyed) break;
        if (piece === null) to.end();
        else to.write(piece);
      }
      offset += chunk.length;
    });
    from.on('error', () => {});
    from.on('close', () => to.end());
    from.on('end', () => to.end());
  };
  join('up', left, right);
  join('down', right, left);
  return [client, server, tap];
}

/** Client and server over one wire. */
export function talk(client: TlsOptions, server: TlsOptions, edit?: Edit): { client: End; server: End; tap: Wiretap } {
  const [left, right, tap] = tappedPipe(edit);
  return { server: open(server, right), client: open(client, left), tap };
}

/** `length` bytes that are different at every offset that matters. */
export function pattern(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7) & 0xff;
  return bytes;
}

/** What a client says first, to a server that never answers. */
export async function clientHello(options: TlsOptions): Promise<Buffer> {
  const [left, right] = memoryPipe();
  const client = open(options, left);
  const hello = await new Promise<Buffer>((resolve) => right.on('error', () => {}).once('data', resolve));
  client.channel.destroy();
  return hello;
}

import { Duplex } from 'node:stream';
import { givenRecord } from '../core/check.js';
import { TransportError } from '../core/errors.js';
import { listenUnder } from './abortable.js';
import { TRANSPORT_LAYER } from './refuse.js';
import { retrying } from './retry.js';
import type { Transport } from './transport.js';

/** Options of a memory pipe. */
export interface MemoryPipeOptions {
  /** Bytes (in object mode: chunks) in each direction before a writer must wait. Default 65,536 (in object mode: 16). */
  highWaterMark?: number;
  /** Carries chunks of any type, bounds included, instead of bytes only. Default false. */
  objectMode?: boolean;
}

/** One end of a pipe in memory. Whatever is written here is read at `peer`. */
class MemoryEnd extends Duplex {
  peer: MemoryEnd | undefined;
  /** The callback of the peer's write that waits for this end to be read. */
  #wake: (() => void) | undefined;

  override _read(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const peer = this.peer;
    if (peer === undefined || peer.destroyed) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      return;
    }
    if (peer.push(chunk)) done();
    else peer.#wake = done;
  }

  override _final(done: (error?: Error | null) => void): void {
    this.peer?.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
    const peer = this.peer;
    // As with a socket: after the end of the writing side the peer sees an end, before it a reset.
    if (peer !== undefined && !peer.destroyed && !this.writableFinished) {
      queueMicrotask(() => {
        if (!peer.readableEnded) peer.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
      });
    }
    done(error);
  }
}

/** Two connected Duplexes with back-pressure: each reads what the other writes. For tests and for stacks in one process. */
export function memoryPipe(options: MemoryPipeOptions = {}): [Duplex, Duplex] {
  givenRecord('options', options);
  const make = () =>
    new MemoryEnd({ highWaterMark: options.highWaterMark ?? (options.objectMode ? 16 : 65_536), objectMode: options.objectMode ?? false });
  const [left, right] = [make(), make()];
  left.peer = right;
  right.peer = left;
  return [left, right];
}

/** `memory://name` is a name to connect to, `memory-listen://name` a name to listen at. Both only within this process. */
export interface MemoryAddress<Kind extends 'memory' | 'memory-listen' = 'memory' | 'memory-listen'> {
  readonly kind: Kind;
  /** Letters, digits and `._~-`, 1 to 255 of them. */
  readonly name: string;
}

/** The listeners in this process, by name. */
const listeners = new Map<string, (pipe: Duplex) => void>();

/** Pipes between two parts of one process, found by a name. For tests, and for roles that run side by side in one process. */
export const memory: Transport<MemoryAddress<'memory'> | MemoryAddress<'memory-listen'>> & { readonly scheme: 'memory' } = {
  scheme: 'memory',
  forms: ['memory://name', 'memory-listen://name'],
  carries: 'bytes',
  dials: 'at-once',
  ends: 'each-way',

  parse(text) {
    const found = /^(memory|memory-listen):\/\/([\w.~-]{1,255})$/.exec(text);
    return found === null ? undefined : { kind: found[1] as 'memory', name: found[2] as string };
  },

  format: ({ kind, name }) => `${kind}://${name}`,

  dial(address, options = {}) {
    const text = memory.format(address);
    return retrying(text, options, () => {
      const onPipe = listeners.get(address.name);
      if (onPipe === undefined) throw failed('connect to', text, 'nobody listens at that name (ECONNREFUSED)', 'ECONNREFUSED');
      const [near, far] = memoryPipe();
      // In a tick of its own: an error that the listener throws must not make this dial fail.
      process.nextTick(onPipe, far);
      return near;
    });
  },

  listen(address, onPipe, { signal } = {}) {
    const text = memory.format(address);
    return listenUnder(signal, text, () => {
      const { name } = address;
      if (listeners.has(name)) throw failed('listen at', text, 'the name is in use', 'EADDRINUSE');
      const take = (pipe: Duplex) => onPipe(pipe);
      listeners.set(name, take);
      const close = () => {
        // A second close must not remove a later listener at the same name.
        if (listeners.get(name) === take) listeners.delete(name);
        return Promise.resolve();
      };
      return { address, close };
    });
  },
};

function failed(verb: string, text: string, reason: string, code: string): TransportError {
  const cause = Object.assign(new Error(`${verb} ${text}: ${code}`), { code });
  return new TransportError(`cannot ${verb} ${text}: ${reason}`, { layer: TRANSPORT_LAYER, cause });
}

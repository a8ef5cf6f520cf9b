import { Duplex } from 'node:stream';
import { TransportError } from '../core/errors.js';
import { listenUnder } from './abortable.js';
import { TRANSPORT_LAYER } from './refuse.js';
import { retrying } from './retry.js';
import type { Transport } from './transport.js';

/** Bytes (or, in object mode, chunks) that one end of a memory pipe keeps for its reader. */
export interface MemoryPipeOptions {
  /** Bytes in each direction before a writer must wait. Default 65,536. */
  highWaterMark?: number;
  /** Carries anything, marks included, instead of bytes. Default false. */
  objectMode?: boolean;
}

/** One end of a pipe in memory: what is written here is read at `peer`. */
class MemoryEnd extends Duplex {
  peer: MemoryEnd | undefined;
  /** The peer's writer that waits for this end to be read. */
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
    // Like a socket: the peer sees an end when we were done writing, and a reset when we were not.
    if (peer !== undefined && !peer.destroyed && !this.writableFinished) {
      queueMicrotask(() => {
        if (!peer.readableEnded) peer.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
      });
    }
    done(error);
  }
}

/** Two Duplexes, back to back, with back-pressure: what one writes the other reads. For tests and for stacks in one process. */
export function memoryPipe(options: MemoryPipeOptions = {}): [Duplex, Duplex] {
  const make = () =>
    new MemoryEnd({ highWaterMark: options.highWaterMark ?? (options.objectMode ? 16 : 65_536), objectMode: options.objectMode ?? false });
  const [left, right] = [make(), make()];
  left.peer = right;
  right.peer = left;
  return [left, right];
}

/** `memory://name`, a name to connect to; `memory-listen://name`, one to be connected to. Both mean this process alone. */
export interface MemoryAddress<Kind extends 'memory' | 'memory-listen' = 'memory' | 'memory-listen'> {
  readonly kind: Kind;
  /** Letters, digits and `._~-`, 1 to 255 of them. */
  readonly name: string;
}

/** Who listens in this process, by name. */
const listeners = new Map<string, (pipe: Duplex) => void>();

/** Pipes between two parts of one process, by a name: for tests, and for roles that are embedded side by side. */
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
      // What a listener throws is its own affair, and no reason for this dial to fail.
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
        // A second close must not take the name from whoever has it by then.
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

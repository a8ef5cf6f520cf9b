/** A Duplex whose items have types, and which remembers why it failed. */
import { Duplex, type DuplexOptions } from 'node:stream';
import type { VeracruzError } from '../core/errors.js';

/** The events whose listeners get something. */
interface DuplexEvents<Read> {
  data: [item: Read];
  error: [error: VeracruzError];
}

type Listener<Read, E extends keyof DuplexEvents<Read>> = (...args: DuplexEvents<Read>[E]) => void;

/** A listener of any other event: whatever can be called. None for the events above, so that a wrong listener does not compile. */
// Nothing is known of such an event.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type OtherListener<E> = E extends keyof DuplexEvents<unknown> ? never : (...args: any[]) => void;

/**
 * A Duplex that takes `Written` and gives `Read`.
 *
 * `Duplex` has `any` in their places. The interfaces of Node that `pipe` and `pipeline` ask for (`NodeJS.ReadWriteStream`) are
 * made for bytes and text, so a Duplex of messages would be none of them. The overloads with `None extends never` are for that
 * alone: no call can mean them, and the compiler takes `None` for `any` when it compares the types.
 */
export interface TypedDuplex<Written, Read> extends Duplex {
  write<None extends never>(none: None, ...more: None[]): boolean;
  write(item: Written, callback?: (error: Error | null | undefined) => void): boolean;

  end<None extends never>(none: None, ...more: None[]): this;
  end(callback?: () => void): this;
  end(item: Written, callback?: () => void): this;

  // As above.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  read<None extends never>(none: None): any;
  read(size?: number): Read | null;
  toArray(options?: { readonly signal?: AbortSignal }): Promise<Read[]>;
  iterator(options?: { readonly destroyOnReturn?: boolean }): NodeJS.AsyncIterator<Read>;
  [Symbol.asyncIterator](): NodeJS.AsyncIterator<Read>;

  addListener<E extends keyof DuplexEvents<Read>>(event: E, listener: Listener<Read, E>): this;
  addListener<E extends string | symbol>(event: E, listener: OtherListener<E>): this;
  on<E extends keyof DuplexEvents<Read>>(event: E, listener: Listener<Read, E>): this;
  on<E extends string | symbol>(event: E, listener: OtherListener<E>): this;
  once<E extends keyof DuplexEvents<Read>>(event: E, listener: Listener<Read, E>): this;
  once<E extends string | symbol>(event: E, listener: OtherListener<E>): this;
  prependListener<E extends keyof DuplexEvents<Read>>(event: E, listener: Listener<Read, E>): this;
  prependListener<E extends string | symbol>(event: E, listener: OtherListener<E>): this;
  prependOnceListener<E extends keyof DuplexEvents<Read>>(event: E, listener: Listener<Read, E>): this;
  prependOnceListener<E extends string | symbol>(event: E, listener: OtherListener<E>): this;
}

/** What is written after an error fails with that error. Node would only say that the stream is destroyed. */
class FirstErrorDuplex extends Duplex {
  override write(chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
    const failure = this.errored;
    if (failure === null) return super.write(chunk, encoding as BufferEncoding, callback as () => void);
    const done = typeof encoding === 'function' ? encoding : callback;
    if (typeof done === 'function') process.nextTick(done, failure);
    return false;
  }
}

/** The class, with types for its items. */
export const TypedDuplex = FirstErrorDuplex as unknown as new <Written, Read>(options?: DuplexOptions) => TypedDuplex<Written, Read>;

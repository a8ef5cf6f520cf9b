import type { Codec } from '../../../lib/core/codec.js';
import type { VeracruzError } from '../../../lib/core/errors.js';

export interface Driven<Out> {
  items: Out[];
  error: VeracruzError | undefined;
  /** Whether the error came only with the end of the input. */
  atEnd: boolean;
}

/** Runs a codec as its stream does, without the stream: every chunk, then the end, up to the first error. */
export function drive<In, Out>(codec: Codec<In, Out>, chunks: readonly In[], { end = true } = {}): Driven<Out> {
  const items: Out[] = [];
  let atEnd = false;
  const drain = () => {
    for (let item = codec.next(); item !== undefined; item = codec.next()) items.push(item as Out);
  };
  try {
    for (const chunk of chunks) {
      codec.push(chunk);
      drain();
    }
    atEnd = end;
    if (end) codec.end();
    drain();
  } catch (thrown) {
    return { items, error: thrown as VeracruzError, atEnd };
  }
  return { items, error: undefined, atEnd: false };
}

/** Counts the bytes that are copied from one Buffer to another while `work` runs. */
export function countCopies(work: () => void): number {
  const concat: typeof Buffer.concat = Reflect.get(Buffer, 'concat');
  const copy: (this: Buffer, ...args: unknown[]) => number = Reflect.get(Buffer.prototype, 'copy');
  let copied = 0;
  Buffer.concat = (list: readonly Uint8Array[], total?: number) => {
    const joined = concat(list, total);
    copied += joined.length;
    return joined;
  };
  Buffer.prototype.copy = function (this: Buffer, ...args: unknown[]) {
    const count = copy.apply(this, args);
    copied += count;
    return count;
  };
  try {
    work();
  } finally {
    Buffer.concat = concat;
    Buffer.prototype.copy = copy;
  }
  return copied;
}

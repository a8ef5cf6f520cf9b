/** What is fuzzed, and what an input came to. */
import type { Codec } from '../../../lib/core/codec.js';
import type { Random } from '../seed.js';

/** What a decoder made of an input. */
export interface Outcome {
  /** All that it gave, as text. Pieces of one thing are joined, so that it reads the same however the input was cut. */
  readonly given: string;
  /** What it threw, if it did. Then `given` is what it had given before. */
  readonly error?: unknown;
}

export interface Target {
  readonly name: string;
  /** Good inputs, which are mutated. At least one. */
  readonly corpus: readonly Buffer[];
  /** Makes an input of the format's own parts in any order. */
  readonly make?: (random: Random) => Buffer;
  /** Takes an input only as a whole: there is one piece. */
  readonly whole?: true;
  /** Reads one input, in pieces. */
  readonly read: (pieces: readonly Buffer[]) => Outcome | Promise<Outcome>;
  /** What else must hold of an input and what it came to: undefined, or what is wrong. */
  readonly check?: (input: Buffer, outcome: Outcome) => string | undefined;
}

/** Runs a synchronous codec to the end of its input, or to its first error. */
export function readCodec<In, Out>(codec: Codec<In, Out>, chunks: readonly In[], show: (item: Out) => string): Outcome {
  let given = '';
  const drain = () => {
    for (let item = codec.next(); item !== undefined; item = codec.next()) given += show(item as Out);
  };
  try {
    for (const chunk of chunks) {
      codec.push(chunk);
      drain();
    }
    codec.end();
    drain();
    return { given };
  } catch (error) {
    return { given, error };
  }
}

/** What a function of the whole input came to. */
export function readWhole(read: () => unknown): Outcome {
  try {
    return { given: JSON.stringify(read(), shown) ?? '' };
  } catch (error) {
    return { given: '', error };
  }
}

/** Values that JSON has no form for. */
function shown(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Map) return [...value];
  return value;
}

/** Bytes as text, one letter a byte. */
export const latin1 = (bytes: Buffer): string => bytes.toString('latin1');

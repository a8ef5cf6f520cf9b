/** Drives a contender: gives it its input as fast as it takes it, and counts what comes out. */
import type { Transform } from 'node:stream';
import type { Codec } from 'veracruz-streams';

/** Bytes of one item that came out; marks and numbers have none. */
export function bytesOf(item: unknown): number {
  if (item instanceof Uint8Array || typeof item === 'string') return item.length;
  return (item as { byteLength?: number }).byteLength ?? 0;
}

/**
 * Through a fresh Transform.
 *
 * @param see is told each item and counts its bytes with `add`, now or later
 */
export function throughStream(
  make: () => Transform,
  input: Iterable<unknown>,
  see: (item: never, add: (bytes: number) => void) => void = (item, add) => add(bytesOf(item)),
): () => Promise<number> {
  return () =>
    new Promise((resolve, reject) => {
      const stream = make();
      const chunks = input[Symbol.iterator]();
      let bytes = 0;
      const add = (more: number) => {
        bytes += more;
      };
      const feed = () => {
        for (let next = chunks.next(); next.done !== true; next = chunks.next()) if (!stream.write(next.value)) return;
        stream.end();
      };
      stream.on('data', (item) => see(item as never, add));
      stream.on('drain', feed);
      stream.on('error', reject);
      stream.on('end', () => resolve(bytes));
      feed();
    });
}

/** Through a fresh codec, without any stream. Takes only codecs that never wait. */
export function throughCodec<In, Out>(make: () => Codec<In, Out>, input: readonly In[]): () => number {
  return () => {
    const codec = make();
    let bytes = 0;
    const drain = () => {
      for (let item = codec.next(); item !== undefined; item = codec.next()) bytes += bytesOf(item);
    };
    for (const chunk of input) {
      codec.push(chunk);
      drain();
    }
    codec.end();
    drain();
    return bytes;
  };
}

/** `run` for each message, one after the other; it tells the bytes that came out. */
export function each<M>(messages: Iterable<M>, run: (message: M) => number): () => number {
  return () => {
    let bytes = 0;
    for (const message of messages) bytes += run(message);
    return bytes;
  };
}

/** Everything that a Transform makes of `input`, marks included. */
export async function itemsOf<T>(stream: Transform, input: readonly unknown[]): Promise<T[]> {
  const items: T[] = [];
  await throughStream(
    () => stream,
    input,
    (item) => items.push(item),
  )();
  return items;
}

/** The bytes among what a Transform makes of `input`, in one Buffer. */
export async function madeOf(stream: Transform, input: readonly unknown[]): Promise<Buffer> {
  return Buffer.concat((await itemsOf<unknown>(stream, input)).filter((item) => Buffer.isBuffer(item)));
}

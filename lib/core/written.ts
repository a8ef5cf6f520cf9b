import type { Writable } from 'node:stream';

/** Writes one item. Settles when `stream` has taken it, and rejects when `stream` cannot take it any more. */
export function written<Item>(stream: Writable, item: Item): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(item, (error) => (error ? reject(error) : resolve()));
  });
}

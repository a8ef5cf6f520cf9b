import type { Writable } from 'node:stream';

/** Many may wait for one stream, each session of a link for example: they share two listeners. */
const waits = new WeakMap<Writable, Promise<void>>();

/** Settles when `stream` takes more again, or is gone. */
export function drained(stream: Writable): Promise<void> {
  if (!stream.writableNeedDrain || stream.destroyed) return Promise.resolve();
  const shared = waits.get(stream);
  if (shared !== undefined) return shared;
  const wait = new Promise<void>((resolve) => {
    const go = () => {
      stream.off('drain', go);
      stream.off('close', go);
      waits.delete(stream);
      resolve();
    };
    stream.on('drain', go);
    stream.on('close', go);
  });
  waits.set(stream, wait);
  return wait;
}

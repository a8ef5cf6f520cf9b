import type { Writable } from 'node:stream';

/** One promise for each full stream. Many may wait for one stream (all sessions of a link): they share two listeners. */
const waits = new WeakMap<Writable, Promise<void>>();

/** Settles when `stream` takes data again, or is closed. */
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

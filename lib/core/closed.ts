import type { Readable, Writable } from 'node:stream';

/** Resolves when a stream has closed and holds no resources any more. A `pipeline` that fails does not wait for that. */
export async function closed(stream: Readable | Writable): Promise<void> {
  if (!stream.closed) await new Promise<void>((resolve) => stream.once('close', resolve));
}

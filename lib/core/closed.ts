import type { Readable, Writable } from 'node:stream';

/** Resolves when a stream has let go of all it held. A `pipeline` that fails does not wait for that. */
export async function closed(stream: Readable | Writable): Promise<void> {
  if (!stream.closed) await new Promise<void>((resolve) => stream.once('close', resolve));
}

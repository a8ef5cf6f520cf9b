import type { Readable, Writable } from 'node:stream';
import { chunksOf } from './chunks.js';
import { closed } from './closed.js';
import { drained } from './drained.js';
import { ClosedError } from './errors.js';

/**
 * Moves a stream, or a Buffer, into another stream and ends that; settles when the sink has finished. When one of the two
 * fails, both are destroyed, and the error is thrown as soon as the sink has closed. Node's `pipeline` does the same, but it
 * makes and aborts an AbortController for each call: that was a tenth of the cost of a small file.
 */
export async function pipeline(source: Readable | Buffer, sink: Writable): Promise<void> {
  sink.on('error', () => {});
  let gone = false;
  // A source that waits for its own input would not notice that the sink has closed.
  const lose = () => {
    gone = true;
    if (!Buffer.isBuffer(source)) source.destroy();
  };
  if (sink.closed) lose();
  else sink.once('close', lose);
  try {
    // A Buffer is one write: there is no second chunk that would have to wait for room.
    if (!Buffer.isBuffer(source)) await writeAll(source, sink);
    else if (source.length > 0) sink.write(source);
    // A destroyed sink would not call back after `end`.
    if (sink.destroyed) throw closedEarly();
    await new Promise<void>((resolve, reject) => {
      sink.end((error?: Error | null) => (error ? reject(error) : resolve()));
    });
  } catch (error) {
    // A sink that has failed answers `end` only with "it is destroyed". Its own error says more.
    const cause = sink.errored ?? (gone ? closedEarly() : (error as Error));
    sink.destroy(cause);
    await closed(sink);
    throw cause;
  }
}

async function writeAll(source: Readable, sink: Writable): Promise<void> {
  for await (const chunk of chunksOf(source)) {
    if (!sink.write(chunk)) await drained(sink);
    if (sink.destroyed) throw closedEarly();
  }
}

function closedEarly(): ClosedError {
  return new ClosedError('the sink was closed before its end');
}

import { finished, type Readable } from 'node:stream';

/**
 * The chunks of a stream, one at a time and unchanged. The stream's own iterator would join the chunks that wait, which
 * copies all of them. Throws the error of the stream. A stream whose iteration stops early is destroyed.
 */
export async function* chunksOf(stream: Readable): AsyncGenerator<unknown, void, void> {
  const chunks: unknown[] = [];
  let over = false;
  let failure: Error | null | undefined;
  let wake = () => {};
  const take = (chunk: unknown) => {
    chunks.push(chunk);
    stream.pause();
    wake();
  };
  const stop = finished(stream, { writable: false }, (error) => {
    over = true;
    failure = error;
    wake();
  });
  stream.on('data', take);
  try {
    for (;;) {
      while (chunks.length > 0) yield chunks.shift();
      if (over) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
        stream.resume();
      });
    }
    if (failure) throw failure;
  } finally {
    stop();
    stream.off('data', take);
    stream.destroy();
  }
}

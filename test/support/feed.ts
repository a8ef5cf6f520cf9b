import type { Transform } from 'node:stream';
import type { VeracruzError } from '../../lib/core/errors.js';

export interface Fed {
  /** Everything the stream gave, in order, until it ended or failed. */
  items: unknown[];
  /** The bytes among it, joined. */
  bytes: Buffer;
  error: VeracruzError | undefined;
  /** False when neither an end nor an error came (only with `end: false`). */
  ended: boolean;
}

/**
 * Writes `chunks` into one direction of a layer and collects what it gives.
 * With `end: false` the input stays open: what came out so far is collected after the stream went quiet.
 */
export async function feed(stream: Transform, chunks: readonly unknown[], { end = true } = {}): Promise<Fed> {
  const items: unknown[] = [];
  let error: VeracruzError | undefined;
  let ended = false;
  await new Promise<void>((resolve) => {
    stream.on('data', (item: unknown) => items.push(item));
    stream.on('error', (raised: VeracruzError) => {
      error = raised;
    });
    stream.on('end', () => {
      ended = true;
    });
    stream.on('close', resolve);
    void (async () => {
      for (const chunk of chunks) {
        if (stream.destroyed) return;
        if (stream.write(chunk)) continue;
        await new Promise<void>((go) => {
          stream.once('drain', go);
          stream.once('close', go);
        });
      }
      if (end) stream.end();
      else {
        for (let turn = 0; turn < 4; turn++) await new Promise((go) => setImmediate(go));
        resolve();
      }
    })();
  });
  if (!end && error === undefined) {
    stream.removeAllListeners('error').on('error', () => {});
    stream.destroy();
  }
  return { items, bytes: Buffer.concat(items.filter((item): item is Buffer => Buffer.isBuffer(item))), error, ended };
}

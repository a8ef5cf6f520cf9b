/** Files on their way from the manager. */
import { closed } from '../../core/closed.js';
import { IncomingBody } from '../../layers/protobuf/index.js';
import type { Progress, TransferOptions } from './options.js';
import type { ClientSession } from './session.js';
import { absolute, fileOf } from './transfer.js';

export interface Download {
  readonly name: string;
  readonly options: TransferOptions;
  /** Bytes of a body that is kept in memory, so that the next request need not wait for its reader. */
  readonly maxBufferedBodyBytes: number;
  /** Hears of progress besides `options.onProgress`. */
  readonly tell: (progress: Progress) => void;
}

/** Asks for a file in its turn. A long body keeps the turn until it was read or destroyed, or `readTimeoutMs` is over. */
export function download(session: ClientSession, work: Download): Promise<IncomingBody> {
  const { name, options, maxBufferedBodyBytes } = work;
  return new Promise((resolve, reject) => {
    const read = async (unwatch: () => void) => {
      const file = fileOf(await session.request({ oneof: 'read_file', fields: { file_name: absolute(name) } }));
      report(session, file, work);
      if (file.errored) throw file.errored;
      if (file.length <= maxBufferedBodyBytes) {
        resolve(IncomingBody.whole(await wholeOf(file)));
        return;
      }
      resolve(file);
      session.reading({ name, body: file });
      // The request's turn lasts until the body is closed. From that moment on, the signal has no effect.
      file.once('close', unwatch);
      await closed(file);
    };
    session.during(options.signal, read).catch(reject);
  });
}

async function wholeOf(file: IncomingBody): Promise<Buffer> {
  const whole = file.takeWhole();
  if (whole !== undefined) return whole;
  const chunks: Buffer[] = [];
  for await (const chunk of file) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Reports the progress of `body`. An error thrown by a listener destroys the body. */
function report(session: ClientSession, body: IncomingBody, { name, options, tell }: Download): void {
  let told = 0;
  const received = (bytes: number) => {
    // The rest of a body that was given up arrives while the next request waits for its answer.
    if (body.complete && !body.destroyed) session.arrived();
    if (bytes === told || body.destroyed) return;
    told = bytes;
    const progress: Progress = { operation: 'read', name, bytes, total: body.length };
    try {
      options.onProgress?.(progress);
      tell(progress);
    } catch (thrown) {
      // Only the reader of the body gets this error. Thrown on, it would pass through the layers and end the session.
      body.destroy(thrown as Error);
    }
  };
  body.on('received', received);
  // A small file has arrived before the listener above was added.
  received(body.received);
}

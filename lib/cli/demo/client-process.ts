/**
 * The demo's client, a process of its own: writes a file, reads it back, and tells its parent over IPC how far it is and
 * what it measured. Takes its task as one message.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { LayerTraffic } from '../../pipeline/channel.js';
import { type Progress, VeracruzClient } from '../../roles/client/client.js';
import { tuneHeap } from '../heap.js';
import { generatedFile } from './generated.js';

export interface ClientTask {
  readonly url: string;
  readonly identity: { readonly certificate: string; readonly key: string };
  readonly authority: string;
  readonly expectedPolicyHash: string;
  /** Name at the manager. */
  readonly name: string;
  readonly size: number;
  /** Undefined: a generated file. */
  readonly path: string | undefined;
}

export interface Leg {
  readonly sha256: string;
  readonly seconds: number;
  /** Counters after this leg. */
  readonly traffic: LayerTraffic[];
  readonly wire: { readonly bytesOut: number; readonly bytesIn: number; readonly posts: number };
}

export type ClientMessage =
  | { readonly kind: 'progress'; readonly operation: Progress['operation']; readonly bytes: number }
  | { readonly kind: 'result'; readonly upload: Leg; readonly download: Leg }
  | { readonly kind: 'failed'; readonly code: string | undefined; readonly message: string };

/** Milliseconds between two reports of progress. */
const REPORT_MS = 100;

function tell(message: ClientMessage): void {
  if (process.connected) process.send?.(message);
}

async function run(task: ClientTask): Promise<void> {
  const client = await VeracruzClient.connect(task);
  let reported = 0;
  client.on('progress', ({ operation, bytes, total }) => {
    const now = performance.now();
    if (now - reported < REPORT_MS && bytes !== total) return;
    reported = now;
    tell({ kind: 'progress', operation, bytes });
  });
  const leg = async (move: (hash: ReturnType<typeof createHash>) => Promise<void>): Promise<Leg> => {
    const hash = createHash('sha256');
    const started = performance.now();
    await move(hash);
    return { seconds: (performance.now() - started) / 1000, sha256: hash.digest('hex'), traffic: client.traffic(), wire: client.wire };
  };
  const upload = await leg(async (hash) => {
    const source =
      task.path === undefined ? Readable.from(generatedFile(task.size)) : createReadStream(task.path, { highWaterMark: 256 * 1024 });
    await client.writeFile(task.name, hashed(source, hash), { size: task.size });
  });
  const download = await leg(async (hash) => {
    for await (const chunk of await client.readFile(task.name)) hash.update(chunk as Buffer);
  });
  await client.close();
  tell({ kind: 'result', upload, download });
}

async function* hashed(source: Readable, hash: ReturnType<typeof createHash>): AsyncGenerator<Buffer> {
  for await (const chunk of source as AsyncIterable<Buffer>) {
    hash.update(chunk);
    yield chunk;
  }
}

tuneHeap();
process.on('disconnect', () => process.exit(1));
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(0));
process.once('message', (task: ClientTask) => {
  run(task).then(
    // The parent reads our peak memory before it lets us go.
    () => {},
    (error: Error & { code?: string }) => tell({ kind: 'failed', code: error.code, message: error.message }),
  );
});

/** A client of the demo, in a process of its own. It carries out the parent's calls and reports progress and measurements. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { LayerTraffic } from '../../pipeline/diagnostics.js';
import { type Progress, VeracruzClient } from '../../roles/client/client.js';
import { tuneV8 } from '../tune-v8.js';
import { answerCalls, tell } from './calls.js';
import { generatedFile } from './generated.js';

export interface ConnectTask {
  readonly url: string;
  readonly identity: { readonly certificate: string; readonly key: string };
  /** The policy's exact text. The client checks the manager against it. */
  readonly policy: string;
}

export interface TransferTask {
  /** Name at the manager. */
  readonly name: string;
  readonly size: number;
  /** Undefined for a generated file. */
  readonly path: string | undefined;
}

/** The client's counters so far. */
export interface Counters {
  readonly traffic: LayerTraffic[];
  readonly wire: { readonly bytesOut: number; readonly bytesIn: number; readonly posts: number };
}

/** One direction of the transfer. The counters are taken after it. */
export interface Leg extends Counters {
  readonly sha256: string;
  readonly seconds: number;
}

export interface Transfer {
  readonly before: Counters;
  readonly upload: Leg;
  readonly download: Leg;
}

/** Sent to the parent during a transfer. */
export interface ProgressMessage {
  readonly progress: Pick<Progress, 'operation' | 'bytes'>;
}

/** Milliseconds between two reports of progress. */
const REPORT_MS = 100;

let client: VeracruzClient;

const methods = {
  async connect(task: ConnectTask): Promise<void> {
    client = await VeracruzClient.connect(task);
  },

  write({ name, data }: { readonly name: string; readonly data: Uint8Array }): Promise<void> {
    return client.writeFile(name, Buffer.from(data));
  },

  /** Runs a program. Returns its exit code and the milliseconds that it took, including the round trip. */
  async compute(program: string): Promise<{ readonly exitCode: number; readonly milliseconds: number }> {
    const started = performance.now();
    const exitCode = await client.compute(program);
    return { exitCode, milliseconds: performance.now() - started };
  },

  async read(name: string): Promise<Uint8Array> {
    return buffer(await client.readFile(name));
  },

  /** Writes a file and reads it back. */
  async transfer({ name, size, path }: TransferTask): Promise<Transfer> {
    const before = counters();
    let reported = 0;
    client.on('progress', ({ operation, bytes, total }) => {
      const now = performance.now();
      if (now - reported < REPORT_MS && bytes !== total) return;
      reported = now;
      tell({ progress: { operation, bytes } } satisfies ProgressMessage);
    });
    const upload = await leg(async (hash) => {
      const source = path === undefined ? Readable.from(generatedFile(size)) : createReadStream(path, { highWaterMark: 256 * 1024 });
      await client.writeFile(name, hashed(source, hash), { size });
    });
    const download = await leg(async (hash) => {
      for await (const chunk of await client.readFile(name)) hash.update(chunk as Buffer);
    });
    return { before, upload, download };
  },

  close(_: undefined): Promise<void> {
    return client.close();
  },
};

export type ClientMethods = typeof methods;

async function leg(move: (hash: ReturnType<typeof createHash>) => Promise<void>): Promise<Leg> {
  const hash = createHash('sha256');
  const started = performance.now();
  await move(hash);
  return { seconds: (performance.now() - started) / 1000, sha256: hash.digest('hex'), ...counters() };
}

function counters(): Counters {
  return { traffic: client.traffic(), wire: client.wire };
}

async function* hashed(source: Readable, hash: ReturnType<typeof createHash>): AsyncGenerator<Buffer> {
  for await (const chunk of source as AsyncIterable<Buffer>) {
    hash.update(chunk);
    yield chunk;
  }
}

tuneV8();
answerCalls(methods);

/**
 * Peer: libp2p, both ends: TCP, noise, yamux, and messages of 64 KiB behind it-length-prefixed. A stream of the muxer is
 * a transfer; the first message says what is wanted.
 */
import './support/with-resolvers.js';
import { Readable } from 'node:stream';
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { tcp } from '@libp2p/tcp';
import { decode, encode } from 'it-length-prefixed';
import { createLibp2p, type Libp2p } from 'libp2p';
import { type Moved, sinkOf, sourceOf } from '../harness/contents.js';
import { serveCommands } from '../harness/serve-commands.js';
import { FarFiles } from './support/far-files.js';
import { type ConnectTask, indexOf, type Share, split, type TransferTask } from './support/transfer.js';

type Connection = Awaited<ReturnType<Libp2p['dial']>>;
type Stream = Awaited<ReturnType<Connection['newStream']>>;

const PROTOCOL = '/veracruz-streams/bench/1.0.0';
const MESSAGE_BYTES = 64 * 1024;
const ANY_PORT = '/ip4/127.0.0.1/tcp/0';

/** One node a session: a connection of its own for each, as everywhere. */
let sessions: { readonly node: Libp2p; readonly connection: Connection }[] = [];
let files: FarFiles;

serveCommands({
  /** Gives the address, as text. */
  listen: async ({ folder }: { folder?: string }): Promise<string> => {
    files = new FarFiles(folder);
    const node = await start();
    await node.handle(PROTOCOL, (stream) => void serve(stream).catch((error: Error) => stream.abort(error)), { maxInboundStreams: 1024 });
    return String(node.getMultiaddrs()[0]);
  },
  sha256: (name: string) => files.sha256Of(name),
  remove: (name: string) => files.remove(name),
  connect: async ({ at, sessions: count }: ConnectTask): Promise<void> => {
    const open = async () => {
      const node = await start();
      // An address as libp2p wants it, made of one that it made.
      const own = node.getMultiaddrs()[0] as ReturnType<Libp2p['getMultiaddrs']>[number];
      return { node, connection: await node.dial(own.decapsulate('/ip4').encapsulate(at)) };
    };
    sessions = await Promise.all(Array.from({ length: count }, open));
  },
  upload: (task: TransferTask) =>
    split(sessions, task, async ({ connection }, share): Promise<Moved> => {
      const stream = await connection.newStream(PROTOCOL);
      const { stream: source, moved } = sourceOf(share, MESSAGE_BYTES);
      await send(stream, [headOf('U', share)]);
      await send(stream, source);
      await stream.close();
      for await (const _ of decode(stream));
      return moved();
    }),
  download: (task: TransferTask) =>
    split(sessions, task, async ({ connection }, share): Promise<Moved> => {
      const stream = await connection.newStream(PROTOCOL);
      await send(stream, [headOf('D', share)]);
      await stream.close();
      return sinkOf(Readable.from(buffers(decode(stream))), share.path);
    }),
  disconnect: async () => {
    await Promise.all(sessions.map(async ({ node }) => node.stop()));
  },
});

function start(): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen: [ANY_PORT] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // Five connections a second from one host are all that it takes otherwise.
    connectionManager: { inboundConnectionThreshold: Number.POSITIVE_INFINITY, maxIncomingPendingConnections: 64 },
  });
}

interface Head {
  readonly kind: 'U' | 'D';
  readonly name: string;
  readonly bytes: number;
}

async function serve(stream: Stream): Promise<void> {
  const messages = decode(stream);
  const { value } = await messages.next();
  const { kind, name, bytes } = JSON.parse(Buffer.from((value as { subarray(): Uint8Array }).subarray()).toString()) as Head;
  if (kind === 'U') {
    const moved = await files.take(indexOf(name), Readable.from(buffers(messages)));
    if (moved.bytes !== bytes) throw new Error(`${moved.bytes} bytes came`);
  } else {
    await send(stream, files.give(indexOf(name), bytes, MESSAGE_BYTES));
  }
  await stream.close();
}

/** Each chunk as a message, no faster than the stream takes them. */
async function send(stream: Stream, chunks: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void> {
  for await (const message of encode(chunks as AsyncIterable<Buffer>)) if (!stream.send(message)) await stream.onDrain();
}

async function* buffers(messages: AsyncIterable<{ subarray(): Uint8Array }>): AsyncGenerator<Buffer> {
  for await (const message of messages) {
    const bytes = message.subarray();
    yield Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}

function headOf(kind: Head['kind'], { name, bytes }: Share): Buffer {
  return Buffer.from(JSON.stringify({ kind, name, bytes } satisfies Head));
}

/**
 * Peer: raw node:tls, both ends. One connection a transfer; a head of 13 bytes says what is wanted, then bytes in one
 * direction, then the end. The taker of an upload says "." when it has all.
 *
 *     'U' | 'D', number of the session (u32), length (u64)   big-endian
 */
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { type Moved, sinkOf, sourceOf } from '../harness/contents.js';
import type { Pki } from '../harness/pki.js';
import { serveCommands } from '../harness/serve-commands.js';
import { FarFiles } from './support/far-files.js';
import { listening } from './support/listening.js';
import { type ConnectTask, indexOf, type Share, split, type TransferTask } from './support/transfer.js';

const HEAD_BYTES = 13;

let sockets: TLSSocket[] = [];
let files: FarFiles;

serveCommands({
  listen: async ({ pki, folder }: { pki: Pki; folder?: string }): Promise<string> => {
    files = new FarFiles(folder);
    const { certificate: cert, key } = pki.server;
    const server = createServer({ cert, key, ca: pki.client.certificate, requestCert: true, minVersion: 'TLSv1.3', allowHalfOpen: true });
    server.on('secureConnection', (socket) => void serve(socket).catch(() => socket.destroy()));
    return String(await listening(server));
  },
  sha256: (name: string) => files.sha256Of(name),
  remove: (name: string) => files.remove(name),
  connect: async ({ pki, at, sessions }: ConnectTask & { pki: Pki }): Promise<void> => {
    const { certificate: cert, key } = pki.client;
    const open = async () => {
      const socket = connect({ port: Number(at), host: '127.0.0.1', cert, key, ca: pki.authority, checkServerIdentity: () => undefined });
      await once(socket, 'secureConnect');
      return socket;
    };
    sockets = await Promise.all(Array.from({ length: sessions }, open));
  },
  upload: (task: TransferTask) =>
    split(sockets, task, async (socket, share): Promise<Moved> => {
      const { stream, moved } = sourceOf(share);
      const acknowledged = once(socket, 'data');
      socket.write(headOf('U', share));
      await pipeline(stream, socket, { end: false });
      socket.end();
      await acknowledged;
      return moved();
    }),
  download: (task: TransferTask) =>
    split(sockets, task, async (socket, share): Promise<Moved> => {
      socket.end(headOf('D', share));
      return sinkOf(socket, share.path);
    }),
  disconnect: () => {
    for (const socket of sockets) socket.destroy();
  },
});

async function serve(socket: TLSSocket): Promise<void> {
  const head = await headFrom(socket);
  const index = head.readUInt32BE(1);
  if (head[0] === 'U'.charCodeAt(0)) {
    const moved = await files.take(index, socket);
    if (moved.bytes !== Number(head.readBigUInt64BE(5))) throw new Error(`${moved.bytes} bytes came`);
    socket.end('.');
  } else {
    await pipeline(files.give(index, Number(head.readBigUInt64BE(5))), socket);
  }
}

function headOf(kind: 'U' | 'D', { name, bytes }: Share): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.write(kind, 'latin1');
  head.writeUInt32BE(indexOf(name), 1);
  head.writeBigUInt64BE(BigInt(bytes), 5);
  return head;
}

/** The first bytes of a connection; what came behind them goes back. */
async function headFrom(socket: TLSSocket): Promise<Buffer> {
  for (;;) {
    const head = socket.read(HEAD_BYTES) as Buffer | null;
    if (head !== null) return head;
    await once(socket, 'readable');
  }
}

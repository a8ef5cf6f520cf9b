/** Peer: https, both ends. PUT of a stream with its length, GET of one; one kept connection a session. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, type RequestOptions, request } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { type Moved, sinkOf, sourceOf } from '../harness/contents.js';
import type { Pki } from '../harness/pki.js';
import { serveCommands } from '../harness/serve-commands.js';
import { FarFiles } from './support/far-files.js';
import { listening } from './support/listening.js';
import { type RequestsTask, replies } from './support/requests.js';
import { type ConnectTask, indexOf, type Share, split, type TransferTask } from './support/transfer.js';

/** Connection options of each session, with an agent of its own that keeps one connection. */
let sessions: RequestOptions[] = [];
let files: FarFiles;

serveCommands({
  listen: async ({ pki, folder }: { pki: Pki; folder?: string }): Promise<string> => {
    files = new FarFiles(folder);
    const { certificate: cert, key } = pki.server;
    const server = createServer({ cert, key, ca: pki.client.certificate, requestCert: true, minVersion: 'TLSv1.3', noDelay: true });
    server.on('request', (incoming, outgoing) => void serve(incoming, outgoing).catch(() => outgoing.destroy()));
    return String(await listening(server));
  },
  sha256: (name: string) => files.sha256Of(name),
  remove: (name: string) => files.remove(name),
  connect: async ({ pki, at, sessions: count }: ConnectTask & { pki: Pki }): Promise<void> => {
    const { certificate: cert, key } = pki.client;
    sessions = Array.from({ length: count }, () => ({
      host: '127.0.0.1',
      port: Number(at),
      agent: new Agent({ keepAlive: true, maxSockets: 1, cert, key, ca: pki.authority, checkServerIdentity: () => undefined }),
    }));
    // The handshake is not part of a transfer.
    await Promise.all(sessions.map((session) => exchange(session, 'HEAD', '/')));
  },
  upload: (task: TransferTask) =>
    split(sessions, task, async (session, share): Promise<Moved> => {
      const { stream, moved } = sourceOf(share);
      const outgoing = request({ ...session, method: 'PUT', path: share.name, headers: { 'content-length': share.bytes } });
      const answered = answerTo(outgoing);
      await pipeline(stream, outgoing);
      (await answered).resume();
      return moved();
    }),
  download: (task: TransferTask) =>
    split(sessions, task, async (session, share): Promise<Moved> => sinkOf(await get(session, share), share.path)),
  requests: (task: RequestsTask) => {
    const body = Buffer.alloc(task.payloadBytes, 7);
    return replies(sessions, task, (session) => exchange(session, 'PUT', '/bench/0', body));
  },
  disconnect: () => {
    for (const { agent } of sessions) (agent as Agent).destroy();
  },
});

async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const index = indexOf(incoming.url ?? '');
  switch (incoming.method) {
    case 'PUT':
      await files.take(index, incoming);
      outgoing.end();
      return;
    case 'GET': {
      const bytes = Number(incoming.headers['x-bytes']);
      outgoing.setHeader('content-length', bytes);
      await pipeline(files.give(index, bytes), outgoing);
      return;
    }
    default:
      outgoing.end();
  }
}

function get(session: RequestOptions, { name, bytes }: Share): Promise<IncomingMessage> {
  const outgoing = request({ ...session, method: 'GET', path: name, headers: { 'x-bytes': bytes } });
  const answered = answerTo(outgoing);
  outgoing.end();
  return answered;
}

/** A small request and its whole answer. */
async function exchange(session: RequestOptions, method: string, path: string, body?: Buffer): Promise<void> {
  const outgoing = request({ ...session, method, path });
  const answered = answerTo(outgoing);
  outgoing.end(body);
  await sinkOf(await answered, undefined);
}

function answerTo(outgoing: ReturnType<typeof request>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', (answer) => {
      if (answer.statusCode === 200) resolve(answer);
      else reject(new Error(`https answered ${answer.statusCode}`));
    });
    outgoing.once('error', reject);
  });
}

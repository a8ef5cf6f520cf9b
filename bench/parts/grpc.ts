/**
 * Peer: @grpc/grpc-js over TLS, both ends. An upload is a client stream, a download a server stream, of messages of 64
 * KiB; they are bytes as they are, so that no protobuf code of anybody is measured with it.
 */

import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  Client,
  type ClientReadableStream,
  credentials,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
} from '@grpc/grpc-js';
import { type Moved, sinkOf, sourceOf } from '../harness/contents.js';
import type { Pki } from '../harness/pki.js';
import { serveCommands } from '../harness/serve-commands.js';
import { FarFiles } from './support/far-files.js';
import { type RequestsTask, replies } from './support/requests.js';
import { type ConnectTask, indexOf, type Share, split, type TransferTask } from './support/transfer.js';

const MESSAGE_BYTES = 64 * 1024;
/** Milliseconds for a connection. */
const CONNECT_MS = 10_000;
const EMPTY = Buffer.alloc(0);

const asItIs = (bytes: Buffer): Buffer => bytes;
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/bench.Files/${name}`,
  requestStream,
  responseStream,
  requestSerialize: asItIs,
  requestDeserialize: asItIs,
  responseSerialize: asItIs,
  responseDeserialize: asItIs,
});
const METHODS = { Write: method('Write', true, false), Read: method('Read', false, true), Ask: method('Ask', false, false) };

let clients: Client[] = [];
let files: FarFiles;

const write: handleClientStreamingCall<Buffer, Buffer> = (call, done) => {
  files.take(indexOf(String(call.metadata.get('name')[0])), call).then(
    () => done(null, EMPTY),
    (error: Error) => done(error),
  );
};
const read: handleServerStreamingCall<Buffer, Buffer> = (call) => {
  const [name, bytes] = ['name', 'bytes'].map((key) => String(call.metadata.get(key)[0]));
  void pipeline(files.give(indexOf(name as string), Number(bytes), MESSAGE_BYTES), call as unknown as Writable);
};
const ask: handleUnaryCall<Buffer, Buffer> = (_call, done) => done(null, EMPTY);

serveCommands({
  listen: async ({ pki, folder }: { pki: Pki; folder?: string }): Promise<string> => {
    files = new FarFiles(folder);
    const server = new Server();
    server.addService(METHODS, { Write: write, Read: read, Ask: ask });
    const pair = { cert_chain: Buffer.from(pki.server.certificate), private_key: Buffer.from(pki.server.key) };
    const identity = ServerCredentials.createSsl(Buffer.from(pki.client.certificate), [pair], true);
    return new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', identity, (error, port) => (error ? reject(error) : resolve(`127.0.0.1:${port}`)));
    });
  },
  sha256: (name: string) => files.sha256Of(name),
  remove: (name: string) => files.remove(name),
  connect: async ({ pki, at, sessions }: ConnectTask & { pki: Pki }): Promise<void> => {
    const identity = credentials.createSsl(Buffer.from(pki.authority), Buffer.from(pki.client.key), Buffer.from(pki.client.certificate));
    // A connection of its own for each: clients of one process share theirs otherwise.
    const options = { 'grpc.ssl_target_name_override': 'localhost', 'grpc.use_local_subchannel_pool': 1 };
    clients = Array.from({ length: sessions }, () => new Client(at, identity, options));
    await Promise.all(clients.map((client) => ready(client)));
  },
  upload: (task: TransferTask) =>
    split(clients, task, async (client, share): Promise<Moved> => {
      const { stream, moved } = sourceOf(share, MESSAGE_BYTES);
      let answered: (error?: Error | null) => void = () => {};
      const answer = new Promise<void>((resolve, reject) => {
        answered = (error) => (error ? reject(error) : resolve());
      });
      const call = client.makeClientStreamRequest(METHODS.Write.path, asItIs, asItIs, about(share), answered);
      await pipeline(stream, call as unknown as Writable);
      await answer;
      return moved();
    }),
  download: (task: TransferTask) =>
    split(clients, task, async (client, share): Promise<Moved> => {
      const call: ClientReadableStream<Buffer> = client.makeServerStreamRequest(METHODS.Read.path, asItIs, asItIs, EMPTY, about(share));
      return sinkOf(call, share.path);
    }),
  requests: (task: RequestsTask) => {
    const body = Buffer.alloc(task.payloadBytes, 7);
    return replies(clients, task, (client) => unary(client, body));
  },
  disconnect: () => {
    for (const client of clients) client.close();
  },
});

function about({ name, bytes }: Share): Metadata {
  const metadata = new Metadata();
  metadata.set('name', name);
  metadata.set('bytes', String(bytes));
  return metadata;
}

function ready(client: Client): Promise<void> {
  return new Promise((resolve, reject) => {
    client.waitForReady(Date.now() + CONNECT_MS, (error) => (error ? reject(error) : resolve()));
  });
}

function unary(client: Client, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(METHODS.Ask.path, asItIs, asItIs, body, (error) => (error ? reject(error) : resolve()));
  });
}

/**
 * What a client reaches without a Server between: a manager's stack (protobuf, length prefix, TLS) on a TCP socket. The
 * library has no such role, since a Runtime Manager speaks to Servers only; this is its upper half.
 */
import { createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { type FileStore, managerClientStack, type ProtobufReceived, type ProtobufSent } from 'veracruz-streams';
import type { Pki } from '../harness/pki.js';
import { serveCommands } from '../harness/serve-commands.js';
import { listening } from './support/listening.js';
import { sha256Of, storeIn } from './support/stores.js';

type Request = ProtobufReceived<'RuntimeManagerRequest'>;
type Response = ProtobufSent<'RuntimeManagerResponse'>;

const MAX_MESSAGE_BYTES = 16 * 2 ** 30;
/** Any 64 letters: nobody checks them here. */
const POLICY_HASH = Buffer.alloc(64, '0');

let store: FileStore;

serveCommands({
  listen: async ({ pki, folder }: { pki: Pki; folder?: string }): Promise<string> => {
    store = await storeIn(folder);
    const stack = managerClientStack({
      dialect: '2207',
      maxMessageBytes: MAX_MESSAGE_BYTES,
      tls: { role: 'server', ...pki.server, identities: [pki.client.certificate] },
    });
    const server = createServer(
      { noDelay: true, allowHalfOpen: true },
      (socket) => void serve(stack, socket).catch(() => socket.destroy()),
    );
    return `tcp://127.0.0.1:${await listening(server)}`;
  },
  sha256: (name: string): Promise<string> => sha256Of(store, name),
  remove: (name: string): Promise<void> => store.remove(name),
});

async function serve(stack: ReturnType<typeof managerClientStack>, socket: Socket): Promise<void> {
  const channel = stack.over(socket);
  channel.on('error', () => {});
  for await (const request of channel.iterator({ destroyOnReturn: false }) as AsyncIterable<Request>) {
    channel.write(await answer(request));
  }
  channel.end();
}

async function answer(request: Request): Promise<Response> {
  switch (request.oneof) {
    case 'write_file':
      await pipeline(request.fields.data, store.write(request.fields.file_name, request.fields.data.length));
      return { status: 'SUCCESS', oneof: null };
    case 'append_file':
      await pipeline(request.fields.data, store.append(request.fields.file_name, request.fields.data.length));
      return { status: 'SUCCESS', oneof: null };
    case 'read_file': {
      const { length, stream } = await store.read(request.fields.file_name);
      return { status: 'SUCCESS', oneof: 'result', fields: { data: { length, source: stream } } };
    }
    case 'request_policy_hash':
      return { status: 'SUCCESS', oneof: 'policy_hash', fields: { data: POLICY_HASH } };
    default:
      return { status: 'FAILED_INVALID_REQUEST', oneof: null };
  }
}

/** The Veracruz Client, a process of its own, with as many sessions as it is told to open. */
import { VeracruzClient } from 'veracruz-streams';
import { type Moved, sinkOf, sourceOf } from '../harness/contents.js';
import type { Pki } from '../harness/pki.js';
import { serveCommands } from '../harness/serve-commands.js';
import { openHashAsker } from './support/hash-asker.js';
import { type RequestsResult, type RequestsTask, replies } from './support/requests.js';
import { type ConnectTask, nameOf, split, type TransferResult, type TransferTask } from './support/transfer.js';

let connected: ConnectTask & { readonly pki: Pki };
let clients: VeracruzClient[] = [];

function open(): Promise<VeracruzClient> {
  const { at, pki } = connected;
  return VeracruzClient.connect({ url: at, identity: pki.client, authority: pki.authority });
}

/** What one small request is, by its kind. */
const REQUESTS: Readonly<Record<string, (client: VeracruzClient, name: string, payload: Buffer) => Promise<unknown>>> = {
  write: (client, name, payload) => client.writeFile(name, payload),
  read: async (client, name) => sinkOf(await client.readFile(name), undefined),
  /** A session: handshake, the hash that each begins with, and its end. */
  session: async () => (await open()).close(),
};

serveCommands({
  connect: async (task: typeof connected): Promise<void> => {
    connected = task;
    clients = await Promise.all(Array.from({ length: task.sessions }, open));
  },
  upload: (task: TransferTask): Promise<TransferResult> =>
    split(clients, task, async (client, { name, ...contents }): Promise<Moved> => {
      const { stream, moved } = sourceOf(contents);
      await client.writeFile(name, stream, { size: contents.bytes });
      return moved();
    }),
  download: (task: TransferTask): Promise<TransferResult> =>
    split(clients, task, async (client, { name, path }) => sinkOf(await client.readFile(name), path)),
  requests: async (task: RequestsTask): Promise<RequestsResult> => {
    if (task.kind === 'hash') {
      const askers = await Promise.all(clients.map(() => openHashAsker(connected.at, connected.pki)));
      const result = await replies(askers, task, (asker) => asker.ask());
      for (const asker of askers) asker.close();
      return result;
    }
    const request = REQUESTS[task.kind];
    if (request === undefined) throw new Error(`no such request: ${task.kind}`);
    const payload = Buffer.alloc(task.payloadBytes, 7);
    await Promise.all(clients.map((client, i) => client.writeFile(nameOf(i), payload)));
    return replies(clients, task, (client, i) => request(client, nameOf(i), payload));
  },
  disconnect: async (): Promise<void> => {
    await Promise.all(clients.map((client) => client.close()));
  },
});

import { once } from 'node:events';
import { openConnection, type ServerConnection } from '../../../lib/roles/client/server-connection.js';
import type { Pki } from '../../harness/pki.js';

/** Asks for the policy's hash as often as it is told to. VeracruzClient asks once and remembers. */
export interface HashAsker {
  ask(): Promise<void>;
  close(): void;
}

/** Opens a session with the client's own stack and connection. */
export async function openHashAsker(url: string, pki: Pki): Promise<HashAsker> {
  let awaiting = false;
  const connection: ServerConnection = await openConnection({
    url,
    dialect: '2207',
    maxMessageBytes: 2 ** 20,
    tls: { role: 'client', ...pki.client, authority: pki.authority },
    awaiting: () => awaiting,
  });
  const { channel } = connection;
  const asker: HashAsker = {
    ask: async () => {
      // An error of the channel rejects this too.
      const answered = once(channel, 'data');
      channel.write({ oneof: 'request_policy_hash', fields: {} }, (error) => {
        if (error) return;
        awaiting = true;
        connection.expectAnswer();
      });
      await answered;
      awaiting = false;
    },
    close: () => void channel.end(() => channel.destroy()),
  };
  // The handshake is not part of a request.
  await asker.ask();
  return asker;
}

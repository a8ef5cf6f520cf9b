/** What a principal of the policy does: by our own client, or by its stack, where he does what the client would not. */
import { once } from 'node:events';
import { VeracruzClient } from 'veracruz-streams';
import { openConnection, type ServerConnection } from '../../../lib/roles/client/server-connection.js';
import type { Credentials } from '../../harness/pki.js';
import type { Target } from '../target.js';

export function connectAs({ url, pki }: Target, identity: Credentials, signal: AbortSignal): Promise<VeracruzClient> {
  return VeracruzClient.connect({ url, identity, authority: pki.authority, signal });
}

export type Sender = ServerConnection['channel'];

/** The stack of a client, over its connection, that always waits for an answer. `certificate` may be a chain. */
export async function openStack({ url, pki }: Target, identity: Credentials, signal: AbortSignal): Promise<Sender> {
  const connection = await openConnection({
    url,
    dialect: '2207',
    maxMessageBytes: 16 * 2 ** 30,
    tls: { role: 'client', ...identity, authority: pki.authority },
    awaiting: () => true,
    signal,
  });
  const { channel } = connection;
  channel.on('error', () => {});
  channel.once('close', () => void connection.left());
  connection.expectAnswer();
  return channel;
}

/** Settles when the channel has ended, for whatever reason. */
export function ended(channel: Sender): Promise<unknown> {
  return channel.closed ? Promise.resolve() : once(channel, 'close').catch(() => {});
}

/**
 * TLS, both ends in one process, against plain node:tls (over memory, over a loopback socket) and node-forge's own. The
 * work of a run is encryption and decryption of every message; the handshake was before.
 */
import type { Duplex } from 'node:stream';
import { memoryPipe, stack, tls } from 'veracruz-streams';
import { makePki, type Pki } from '../harness/pki.js';
import { OURS } from '../harness/result.js';
import { CHUNK_BYTES, type Contender, type LayerBench, messagesOf, payloadOf, repeated } from './contest.js';
import { forgeTls } from './peers/forge-tls.js';
import { type Ends, loopback, secured } from './peers/node-tls.js';

/** Memory pipes of ours and of the peer alike. */
const WIRE_BYTES = 256 * 1024;
/** Messages of one run: node-forge takes a fifth of a millisecond for each. */
const MOST_MESSAGES = 2048;

export const tlsBench: LayerBench = {
  layer: 'tls',
  // A longer message goes in as chunks of this size.
  maxMessageBytes: CHUNK_BYTES,
  open: async (messageBytes) => {
    const messages = Math.min(messagesOf(messageBytes), MOST_MESSAGES);
    const input = repeated([payloadOf(messageBytes)], messages);
    const pki = makePki();
    const variants: [string, Ends][] = [
      [OURS, ours(pki)],
      ['node:tls, memory', await secured(pki, memoryPipe({ highWaterMark: WIRE_BYTES }))],
      ['node:tls, loopback', await secured(pki, await loopback())],
    ];
    const forge = forgeTls();
    const contenders = (from: 'client' | 'server'): Contender[] => [
      ...variants.map(([name, [client, server]]) => ({
        name,
        run: from === 'client' ? through(client, server, input) : through(server, client, input),
      })),
      { name: 'node-forge', run: () => forge.send(from, input) },
    ];
    return [
      { name: 'tls client to server', messageBytes, messages, contenders: contenders('client') },
      {
        name: 'tls server to client',
        messageBytes,
        messages,
        contenders: contenders('server'),
        close: () => {
          for (const [, ends] of variants) for (const end of ends) end.on('error', () => {}).destroy();
        },
      },
    ];
  },
};

function ours({ client, server, authority }: Pki): Ends {
  const [left, right] = memoryPipe({ highWaterMark: WIRE_BYTES });
  return [
    stack(tls({ role: 'client', ...client, authority })).over(left),
    stack(tls({ role: 'server', ...server, identities: [client.certificate] })).over(right),
  ];
}

/** Writes all of `input` at one end; is over when the other has got it. */
function through(from: Duplex, to: Duplex, input: readonly Buffer[]): () => Promise<number> {
  const due = input.reduce((bytes, chunk) => bytes + chunk.length, 0);
  let arrived: (() => void) | undefined;
  let bytes = 0;
  to.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes >= due) arrived?.();
  });
  return async () => {
    bytes = 0;
    const over = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    for (const chunk of input) if (!from.write(chunk)) await new Promise((resolve) => from.once('drain', resolve));
    await over;
    return bytes;
  };
}

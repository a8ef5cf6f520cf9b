/** Two ends of plain node:tls in this process, over whatever lies between. */
import { once } from 'node:events';
import { connect as connectTcp, createServer as listenTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, createServer, type TLSSocket } from 'node:tls';
import type { Pki } from '../../harness/pki.js';
import { listening } from '../../parts/support/listening.js';

export type Ends = readonly [client: Duplex, server: Duplex];

/** Mutual TLS 1.3 over two ends of a wire. */
export async function secured(pki: Pki, [left, right]: Ends): Promise<Ends> {
  const { client, server, authority } = pki;
  const acceptor = createServer({
    cert: server.certificate,
    key: server.key,
    ca: client.certificate,
    requestCert: true,
    minVersion: 'TLSv1.3',
  });
  const accepted = once(acceptor, 'secureConnection') as Promise<[TLSSocket]>;
  acceptor.emit('connection', right);
  const socket = connect({ socket: left, cert: client.certificate, key: client.key, ca: authority, checkServerIdentity: () => undefined });
  await once(socket, 'secureConnect');
  return [socket, (await accepted)[0]];
}

/** Two ends of a TCP connection over loopback. */
export async function loopback(): Promise<Ends> {
  const listener = listenTcp();
  const port = await listening(listener);
  const accepted = once(listener, 'connection') as Promise<[Duplex]>;
  const socket = connectTcp(port, '127.0.0.1');
  await once(socket, 'connect');
  const [server] = await accepted;
  listener.close();
  return [socket, server];
}

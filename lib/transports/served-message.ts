import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/**
 * A request at an HTTP server, for `createServer({ IncomingMessage: ServedMessage })`. Node parses all that it has read of a
 * connection, 64 KiB, though the connection has been destroyed meanwhile: up to 2,500 requests, each of which costs processor
 * time and memory. The first of these that is a `ServedMessage` ends that: it says of itself that it is an upgrade, behind
 * which Node parses nothing. So it comes to no listener of `request`, and neither does what is behind it.
 */
export class ServedMessage extends IncomingMessage {
  constructor(socket: Socket) {
    super(socket);
    // Node would take it back, where nobody listens for upgrades.
    if (socket.destroyed) Object.defineProperty(this, 'upgrade', { get: () => true, set: () => {} });
  }
}

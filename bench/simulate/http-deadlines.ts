/**
 * The deadlines of `node:http` in virtual time. Node looks at the machine's clock for them, in code that cannot be reached;
 * so they are enacted here, by the server's own settings.
 */
import { type IncomingMessage, Server } from 'node:http';
import type { VirtualClock } from './clock.js';
import type { SimulatedSocket } from './socket.js';

/** Milliseconds between two looks, as the roles have it (`connectionsCheckingInterval`). */
const LOOK_MS = 1000;

/** A request that is arriving. */
interface Arrival {
  readonly since: number;
  headComplete: boolean;
}

/** By server, what arrives on each of its connections; undefined between two requests. */
const watched = new WeakMap<Server, Map<SimulatedSocket, Arrival | undefined>>();

/** Ends a connection of an HTTP server on which a head or a request takes too long. Does nothing for other servers. */
export function enactDeadlines(server: unknown, socket: SimulatedSocket, clock: VirtualClock): void {
  if (!(server instanceof Server)) return;
  const arrivals = watched.get(server) ?? watch(server, clock);
  arrivals.set(socket, undefined);
  socket.onArrival = () => {
    if (arrivals.get(socket) === undefined) arrivals.set(socket, { since: clock.monotonic(), headComplete: false });
  };
  socket.once('close', () => arrivals.delete(socket));
}

function watch(server: Server, clock: VirtualClock): Map<SimulatedSocket, Arrival | undefined> {
  const arrivals = new Map<SimulatedSocket, Arrival | undefined>();
  watched.set(server, arrivals);
  server.on('request', (request: IncomingMessage) => {
    const socket = request.socket as SimulatedSocket;
    const arrival = arrivals.get(socket);
    if (arrival !== undefined) arrival.headComplete = true;
    request.once('end', () => {
      if (arrivals.get(socket) === arrival) arrivals.set(socket, undefined);
    });
  });
  const looking = clock.setInterval(() => {
    for (const [socket, arrival] of arrivals) {
      if (arrival === undefined || !late(server, arrival, clock.monotonic())) continue;
      arrivals.set(socket, undefined);
      const error = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
      if (!server.emit('clientError', error, socket)) socket.destroy(error);
    }
  }, LOOK_MS);
  server.once('close', () => clock.clear(looking));
  return arrivals;
}

function late({ headersTimeout, requestTimeout }: Server, { since, headComplete }: Arrival, now: number): boolean {
  const passed = (limit: number) => limit > 0 && now - since > limit;
  return passed(requestTimeout) || (!headComplete && passed(headersTimeout));
}

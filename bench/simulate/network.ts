import { Agent } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import type { VirtualClock } from './clock.js';
import { Connection } from './connection.js';
import { enactDeadlines } from './http-deadlines.js';
import { type Line, systemError } from './line.js';
import type { PlanRandom } from './random.js';
import { SimulatedSocket } from './socket.js';

/** A server that listens in the simulated network, as `node:net` sees it. */
type AnyServer = net.Server & { _handle: unknown; _connections: number; _emitCloseIfDrained(): void };

/** The functions of Node that a simulated network stands in for. */
const { connect: realConnect, createConnection: realCreateConnection } = net;
const servers = net.Server.prototype as unknown as { listen: unknown };
const realListen = servers.listen;
const agents = Agent.prototype as unknown as { createConnection: unknown };
const realAgentConnection = agents.createConnection;

/**
 * A network in this process, in the place of TCP. The address to connect to is `<from>-<to>:<port>`, two names of places, so
 * that the line between them is known; the address to listen at is `<name>:<port>`. A place may have a life behind its name,
 * as `s0.2`: who connects to `s0` reaches the life that listens, and `kill` ends one of them.
 *
 * `install` puts it in the place of `net.connect`, `server.listen` and the agent of `node:http` for the whole process. All
 * code above them is what runs in production: node:http, undici and the roles.
 */
export class Network {
  readonly clock: VirtualClock;
  readonly random: PlanRandom;
  /** Bytes that are on their way in all connections now, and the most that were. */
  bytes = 0;
  mostBytes = 0;
  /** Grows with whatever happens; who waits for silence looks at it. */
  touched = 0;
  /** Called with each connection that has come about. */
  onConnection: (connection: Connection) => void = () => {};
  readonly connections = new Set<Connection>();
  readonly #listeners = new Map<string, { readonly server: AnyServer; readonly place: string }>();
  /** Places whose process is gone, though its code may still run in this one. */
  readonly #dead = new Set<string>();
  readonly #lines = new Map<string, Line>();
  readonly #newLine: () => Line;

  constructor(clock: VirtualClock, random: PlanRandom, newLine: () => Line) {
    this.clock = clock;
    this.random = random;
    this.#newLine = newLine;
  }

  /** Takes the place of the real network. @returns puts that back */
  install(): () => void {
    const connect = (options: { readonly host: string; readonly port: number }) => this.#connect(options);
    const listen = (server: AnyServer, port: number, host: string) => this.#listen(server, host, port);
    Object.assign(net, { connect, createConnection: connect });
    agents.createConnection = connect;
    servers.listen = function (this: AnyServer, port: number, host: string) {
      listen(this, port, host);
      return this;
    };
    syncBuiltinESMExports();
    return () => {
      Object.assign(net, { connect: realConnect, createConnection: realCreateConnection });
      servers.listen = realListen;
      agents.createConnection = realAgentConnection;
      syncBuiltinESMExports();
    };
  }

  /** The line between two places, for both directions. */
  line(a: string, b: string): Line {
    const key = [nameOf(a), nameOf(b)].sort().join(' ');
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = this.#newLine();
      this.#lines.set(key, line);
    }
    return line;
  }

  get lines(): Iterable<Line> {
    return this.#lines.values();
  }

  /** Lets a line go silent, or makes it whole again: then what was held up arrives. */
  silence(line: Line, silent: boolean): void {
    line.silent = silent;
    for (const connection of this.connections) if (connection.line === line) connection.changed();
  }

  /** The process at `place` is gone: its connections are reset, and nobody listens there. */
  kill(place: string): void {
    this.#dead.add(place);
    for (const [key, listener] of this.#listeners) if (listener.place === place) this.#listeners.delete(key);
    for (const connection of [...this.connections]) connection.killed(place);
  }

  /** Bytes come into a connection (`change` above 0) or leave it. */
  count(change: number): void {
    this.touched++;
    this.bytes += change;
    this.mostBytes = Math.max(this.mostBytes, this.bytes);
  }

  #connect({ host, port }: { readonly host: string; readonly port: number }): SimulatedSocket {
    this.touched++;
    const [from = '', to = ''] = host.split('-');
    const near = new SimulatedSocket(this.clock, from, true);
    const line = this.line(from, to);
    const attempt = () => {
      if (near.destroyed) return;
      if (this.#dead.has(from)) {
        near.destroy(systemError('ENETDOWN', 'connect'));
        return;
      }
      if (line.silent) {
        // A lost SYN is sent again after a second.
        this.clock.after(1000, attempt);
        return;
      }
      const listener = this.#listeners.get(`${to}:${port}`);
      if (listener === undefined) near.destroy(systemError('ECONNREFUSED', 'connect'));
      else this.#accept(near, listener.server, listener.place, line);
    };
    this.clock.after(line.latencyMs, attempt);
    return near;
  }

  #accept(near: SimulatedSocket, server: AnyServer, to: string, line: Line): void {
    const far = new SimulatedSocket(this.clock, to, (server as { allowHalfOpen?: boolean }).allowHalfOpen !== false);
    const connection = new Connection(this, line, near, far, () => this.connections.delete(connection));
    this.connections.add(connection);
    this.onConnection(connection);
    server._connections++;
    far.once('close', () => {
      server._connections--;
      server._emitCloseIfDrained();
    });
    enactDeadlines(server, far, this.clock);
    server.emit('connection', far);
    near.connected();
  }

  #listen(server: AnyServer, host: string, port: number): void {
    const key = `${nameOf(host)}:${port}`;
    if (this.#listeners.has(key) || this.#dead.has(host)) {
      process.nextTick(() => server.emit('error', systemError('EADDRINUSE', 'listen')));
      return;
    }
    this.#listeners.set(key, { server, place: host });
    server._handle = {
      close: () => {
        if (this.#listeners.get(key)?.server === server) this.#listeners.delete(key);
      },
      getsockname: (out: object) => {
        Object.assign(out, { address: host, port, family: 'IPv4' });
        return 0;
      },
      ref: () => {},
      unref: () => {},
    };
    process.nextTick(() => server.emit('listening'));
  }
}

/** The name of a place, without its life. */
export function nameOf(place: string): string {
  return place.replace(/\..*/, '');
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';
import { clock, type Timer } from '../core/clock.js';
import { Crowd } from '../core/crowd.js';
import { networkOf } from '../core/network.js';
import { type DescriptorBudget, processDescriptors } from './descriptors.js';

/** Milliseconds between two looks at the connections, at most. */
const LOOK_MS = 1000;
/** Milliseconds that a connection must have been silent before it makes room for another of the same address. */
const ROOM_AFTER_MS = 1000;
/** Requests of one connection that may be under way at once. Our client has 64 at most. */
const MAX_PIPELINED = 128;
/**
 * Milliseconds that an address gets no further connection, after so many that had too many requests under way within that time.
 * Each takes some 3 ms of processor time. Neighbours at the same address are kept out, too, so there is no pause without
 * limits by address. Meanwhile the connections that the address has may have fewer requests under way, unless a session would
 * miss them: many may have come at once.
 */
const PIPELINED_PAUSE_MS = 10_000;
const PIPELINED_BEFORE_PAUSE = 3;
const MAX_PIPELINED_IN_PAUSE = 16;
/** Somebody who has a session may read this many times more slowly. */
const HELD_UNREAD_FACTOR = 10;
/** Addresses, and connections of each, that are looked at for one that can make room. */
const LOOKED_AT = 8;
const LOOKED_AT_EACH = 64;

export interface ConnectionLimits {
  /** Connections at once. Fewer where the process may have fewer descriptors; see `DescriptorBudget`. */
  readonly maxConnections: number;
  /** Connections at once of one IPv4 address or one /64 of IPv6; 0 for no limit. */
  readonly maxConnectionsPerAddress: number;
  /**
   * Milliseconds that bytes on their way to a peer may make no progress, because it does not read, or so little that the
   * system's buffers stay full; ten times as many for a connection that a session would miss. 0 for no limit.
   */
  readonly unreadTimeoutMs: number;
  /** Milliseconds that a connection may be silent that nobody would miss; 0 for no limit. */
  readonly idleTimeoutMs: number;
}

/** What bounds the connections at one address. */
export interface ConnectionsOptions extends ConnectionLimits {
  /** Whether a session would miss this connection. It does not make room then, and may be silent. Default: never. */
  readonly held?: (socket: Socket) => boolean;
  /** Hears of each connection that is closed or refused, with the reason. Default: nobody. */
  readonly onEnd?: (reason: ConnectionEnd) => void;
  /** Default: the budget of the process. */
  readonly descriptors?: DescriptorBudget;
}

/**
 * Why a connection was closed: to make room, because there was none for it, its bytes were not read, it was silent, or it had
 * too many requests under way.
 */
export type ConnectionEnd = 'room' | 'refused' | 'unread' | 'idle' | 'pipelined';

interface Connection {
  readonly socket: Socket;
  readonly address: string;
  /** Requests under way. */
  pending: number;
  /** When a request began or ended last, or bytes came; by `clock.monotonic()`. */
  active: number;
  /** At the last look: bytes of writes that were over, bytes of the present one that the system had not taken, bytes read. */
  written: number;
  queued: number;
  read: number;
  /** When bytes to the peer made progress last, or there were none. */
  progressed: number;
}

/**
 * The connections of a net or http server. Strangers can open many and say nothing, or not read what they asked for. So there
 * are so many at most, in sum and by address; one more takes the place of one that nobody would miss, of the most crowded
 * address first; silent ones end, and so do those whose bytes are not read.
 *
 * It must be made before the server listens, and after the server's own listeners. It ends with the server. An http server
 * must have been made with `ServedMessage`, or requests that were read already are parsed after their connection has ended.
 */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #descriptors: DescriptorBudget;
  readonly #held: (socket: Socket) => boolean;
  readonly #crowd = new Crowd<Connection>();
  readonly #bySocket = new WeakMap<Socket, Connection>();
  /** Addresses that had too many requests under way on a connection: how often, and until when that counts. The oldest first. */
  readonly #piled = new Map<string, { readonly count: number; readonly until: number }>();
  /** Connections so far that were closed or refused, by reason. */
  readonly ended: Record<ConnectionEnd, number> = { room: 0, refused: 0, unread: 0, idle: 0, pipelined: 0 };
  #looking: Timer | undefined;

  constructor(server: Server, options: ConnectionsOptions) {
    this.#options = options;
    this.#descriptors = options.descriptors ?? processDescriptors();
    this.#held = options.held ?? (() => false);
    const { unreadTimeoutMs, idleTimeoutMs } = options;
    const shortest = Math.min(LOOK_MS, ...[unreadTimeoutMs, idleTimeoutMs].filter((ms) => ms > 0).map((ms) => ms / 4));
    server.prependListener('connection', (socket: Socket) => this.#take(socket));
    const begun = (request: IncomingMessage, response: ServerResponse) => this.#begun(request.socket, response);
    server.prependListener('request', begun);
    // A listener alone changes what Node does with such a request, so there is one only where the role has one.
    if (server.listenerCount('checkContinue') > 0) server.prependListener('checkContinue', begun);
    server.on('listening', () => {
      this.#looking ??= clock.setInterval(() => this.#look(), Math.max(1, shortest)).unref();
    });
    server.on('close', () => clock.clear(this.#looking));
  }

  /** Connections now. */
  get size(): number {
    return this.#crowd.size;
  }

  #take(socket: Socket): void {
    const address = networkOf(socket.remoteAddress);
    if (!this.#admit(address)) {
      this.#end(
        socket.on('error', () => {}),
        'refused',
      );
      return;
    }
    const now = clock.monotonic();
    const connection: Connection = { socket, address, pending: 0, active: now, written: 0, queued: 0, read: 0, progressed: now };
    this.#crowd.add(address, connection);
    this.#bySocket.set(socket, connection);
    this.#descriptors.enter();
    socket.once('close', () => this.#left(connection));
  }

  /** Whether there is room, or could be made, for one more of `address`. */
  #admit(address: string): boolean {
    const { maxConnections, maxConnectionsPerAddress } = this.#options;
    if (this.#isPaused(address)) return false;
    if (maxConnectionsPerAddress > 0 && this.#crowd.count(address) >= maxConnectionsPerAddress) {
      return this.#makeRoom(this.#spareOf(address, ROOM_AFTER_MS));
    }
    if (this.#crowd.size < maxConnections && this.#descriptors.room) return true;
    return this.#makeRoom(this.#spare(address));
  }

  /** A connection of the most crowded address that nobody would miss. Of an equal address only one that is silent. */
  #spare(newcomer: string): Connection | undefined {
    const fair = this.#crowd.count(newcomer) + 1;
    let looked = 0;
    for (const address of this.#crowd.crowded()) {
      if (++looked > LOOKED_AT) return undefined;
      const found = this.#spareOf(address, this.#crowd.count(address) > fair ? 0 : ROOM_AFTER_MS);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The connection of `address` that was silent for longest; one without a request under way before one with. */
  #spareOf(address: string, silentMs: number): Connection | undefined {
    const latest = clock.monotonic() - silentMs;
    let busy: Connection | undefined;
    for (const connection of [...first(this.#crowd.of(address), LOOKED_AT_EACH)]) {
      if (connection.active > latest) break;
      if (this.#held(connection.socket)) this.#crowd.add(address, connection);
      else if (connection.pending === 0) return connection;
      else busy ??= connection;
    }
    return busy;
  }

  #makeRoom(connection: Connection | undefined): boolean {
    if (connection === undefined) return false;
    this.#end(connection.socket, 'room');
    this.#left(connection);
    return true;
  }

  #end(socket: Socket, reason: ConnectionEnd): void {
    this.ended[reason]++;
    socket.destroy();
    this.#options.onEnd?.(reason);
  }

  #left(connection: Connection): void {
    if (this.#crowd.delete(connection.address, connection)) this.#descriptors.leave();
  }

  #begun(socket: Socket, response: ServerResponse): void {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined) return;
    connection.pending++;
    this.#touch(connection);
    response.once('close', () => {
      connection.pending--;
      this.#touch(connection);
    });
    if (connection.pending > this.#mostPipelined(connection)) {
      this.#countPile(connection.address);
      this.#end(socket, 'pipelined');
    }
  }

  #mostPipelined({ socket, address, pending }: Connection): number {
    if (pending <= MAX_PIPELINED_IN_PAUSE || !this.#isPaused(address) || this.#held(socket)) return MAX_PIPELINED;
    return MAX_PIPELINED_IN_PAUSE;
  }

  #countPile(address: string): void {
    const now = clock.monotonic();
    const before = this.#piled.get(address);
    this.#piled.delete(address);
    this.#piled.set(address, { count: before !== undefined && before.until > now ? before.count + 1 : 1, until: now + PIPELINED_PAUSE_MS });
  }

  #isPaused(address: string): boolean {
    const piled = this.#piled.get(address);
    if (piled === undefined || this.#options.maxConnectionsPerAddress === 0) return false;
    return piled.count >= PIPELINED_BEFORE_PAUSE && piled.until > clock.monotonic();
  }

  /** The newest of its address from now on. */
  #touch(connection: Connection): void {
    connection.active = clock.monotonic();
    if (!connection.socket.destroyed) this.#crowd.add(connection.address, connection);
  }

  #look(): void {
    for (const [address, { until }] of this.#piled) {
      if (until > clock.monotonic()) break;
      this.#piled.delete(address);
    }
    for (const address of [...this.#crowd.crowded()]) for (const connection of [...this.#crowd.of(address)]) this.#lookAt(connection);
  }

  #lookAt(connection: Connection): void {
    const { unreadTimeoutMs, idleTimeoutMs } = this.#options;
    const now = clock.monotonic();
    const { socket } = connection;
    const written = socket.bytesWritten - socket.writableLength;
    const queued = queuedOf(socket);
    if (socket.writableLength === 0 || written !== connection.written || queued !== connection.queued) connection.progressed = now;
    connection.written = written;
    connection.queued = queued;
    if (socket.bytesRead !== connection.read) this.#touch(connection);
    connection.read = socket.bytesRead;
    const patience = unreadTimeoutMs * (this.#held(socket) ? HELD_UNREAD_FACTOR : 1);
    if (unreadTimeoutMs > 0 && now - connection.progressed >= patience) {
      this.#end(socket, 'unread');
    } else if (idleTimeoutMs > 0 && now - connection.active >= idleTimeoutMs && connection.pending === 0 && !this.#held(socket)) {
      this.#end(socket, 'idle');
    }
  }
}

/**
 * Bytes of the write under way that the system has not taken. Node counts a write as a whole until its last byte is taken; its
 * own timeout of sockets asks the handle, too.
 */
function queuedOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly writeQueueSize?: number } | null };
  return handle?.writeQueueSize ?? 0;
}

function* first<T>(items: Iterable<T>, count: number): Generator<T> {
  let left = count;
  for (const item of items) {
    if (left-- <= 0) return;
    yield item;
  }
}

import type { VirtualClock } from './clock.js';
import { type Line, systemError } from './line.js';
import type { PlanRandom } from './random.js';
import type { SimulatedSocket } from './socket.js';

/** Bytes that one direction of a connection holds before the writer must wait: the buffers of both systems. */
const BUFFER_BYTES = 256 * 1024;
/**
 * Bytes travel in packets of that many. A signature is some bytes longer in one run than in another of the same seed; with
 * packets this changes no times, as a rule.
 */
const PACKET_BYTES = 512;
/** Milliseconds after which a system gives up on bytes that nobody acknowledges: 15 tries, as on Linux. */
const RETRANSMIT_MS = 924_000;
/** Milliseconds that nine unanswered probes of keep-alive take. */
const PROBES_MS = 675_000;
/** Milliseconds between two looks at a line that is silent. */
const LOOK_MS = 10_000;

/** Bytes, or the end of them, on their way. */
interface Piece {
  readonly at: number;
  readonly bytes: Buffer | null;
}

/** The network that a connection is in, as far as it needs it. */
interface Surroundings {
  readonly clock: VirtualClock;
  readonly random: PlanRandom;
  /** Bytes come into a connection (above 0) or leave it. */
  count(change: number): void;
}

type Done = (error?: Error | null) => void;

/** One direction of a connection: bytes in order, each piece after the line's latency. */
export class Direction {
  readonly from: SimulatedSocket;
  readonly to: SimulatedSocket;
  /** Changes the pieces that arrive. For a relay that is not honest; default none. */
  change: ((bytes: Buffer) => readonly Buffer[]) | undefined;
  /** Called with the end of this direction, which then arrives. For a relay that holds bytes back. */
  onEnd: (() => readonly Buffer[]) | undefined;
  readonly #network: Surroundings;
  readonly #connection: Connection;
  readonly #queue: Piece[] = [];
  #bytes = 0;
  #last = 0;
  #blocked: Done | undefined;
  #full = false;
  #timing = false;
  #stopped = false;

  constructor(connection: Connection, network: Surroundings, from: SimulatedSocket, to: SimulatedSocket) {
    this.#connection = connection;
    this.#network = network;
    this.from = from;
    this.to = to;
  }

  /** Bytes that are on their way. */
  get waiting(): number {
    return this.#bytes;
  }

  send(bytes: Buffer, done: Done): void {
    if (this.#stopped) {
      // The other end is gone: its system answers with a reset.
      done();
      this.#connection.reset(this.from, this.#network);
      return;
    }
    for (const piece of this.#cut(bytes)) this.#put(piece);
    if (this.#bytes < BUFFER_BYTES) done();
    else this.#blocked = done;
  }

  end(): void {
    this.#put(null);
  }

  /** The writing end has closed its socket. Unread bytes make that a reset, as with the system's sockets. */
  closed(finished: boolean): void {
    const back = this.#connection.other(this);
    const unread = back.#bytes > 0 || this.from.readableLength > 0;
    back.#stop();
    if (unread) this.#connection.reset(this.to, this.#network);
    else if (!finished) this.end();
  }

  /** The reader has room again, or the line is whole again. */
  resume(): void {
    this.#full = false;
    this.#time();
  }

  /** Nothing arrives any more; what is on its way is lost. */
  #stop(): void {
    this.#stopped = true;
    this.#network.count(-this.#bytes);
    this.#bytes = 0;
    this.#queue.length = 0;
    const blocked = this.#blocked;
    this.#blocked = undefined;
    blocked?.();
  }

  stop(): void {
    if (!this.#stopped) this.#stop();
  }

  /** Bytes in the pieces in which they will arrive. */
  #cut(bytes: Buffer): Buffer[] {
    const { random } = this.#network;
    if (bytes.length < 2 || !random.oneIn(4)) return [bytes];
    const at = 1 + Math.floor(random.next() * (bytes.length - 1));
    return [bytes.subarray(0, at), bytes.subarray(at)];
  }

  #put(bytes: Buffer | null): void {
    const { latencyMs, jitterMs, rate } = this.#connection.line;
    const ms = latencyMs + jitterMs * this.#network.random.next() + (PACKET_BYTES * Math.ceil((bytes?.length ?? 0) / PACKET_BYTES)) / rate;
    this.#last = Math.max(this.#last, this.#network.clock.monotonic() + ms);
    this.#queue.push({ at: this.#last, bytes });
    this.#bytes += bytes?.length ?? 0;
    this.#network.count(bytes?.length ?? 0);
    this.#time();
  }

  #time(): void {
    const [piece] = this.#queue;
    if (piece === undefined || this.#timing || this.#full) return;
    this.#timing = true;
    this.#network.clock.after(Math.max(0, piece.at - this.#network.clock.monotonic()), () => this.#deliver());
  }

  #deliver(): void {
    this.#timing = false;
    if (this.#stopped || this.#queue.length === 0) return;
    if (this.#connection.silent) return;
    const { bytes } = this.#queue.shift() as Piece;
    this.#bytes -= bytes?.length ?? 0;
    this.#network.count(-(bytes?.length ?? 0));
    this.#give(bytes);
    if (this.#bytes < BUFFER_BYTES) {
      const blocked = this.#blocked;
      this.#blocked = undefined;
      blocked?.();
    }
    this.#time();
  }

  #give(bytes: Buffer | null): void {
    if (this.to.destroyed) return;
    const arriving = bytes === null ? (this.onEnd?.() ?? []) : (this.change?.(bytes) ?? [bytes]);
    for (const piece of arriving) if (piece.length > 0 && !this.to.arrived(piece)) this.#full = true;
    if (bytes === null) this.to.arrived(null);
  }
}

/** A connection between two places. `onGone` is called when both of its ends are closed. */
export class Connection {
  readonly line: Line;
  /** From the end that has connected, and back. */
  readonly forth: Direction;
  readonly back: Direction;
  /** The place of the other end is gone without a word: no byte arrives any more. */
  lost = false;
  readonly #network: Surroundings;
  /** Ends that a reset is on its way to, as soon as the line is whole. */
  readonly #held = new Set<SimulatedSocket>();
  #silentSince = 0;

  constructor(network: Surroundings, line: Line, near: SimulatedSocket, far: SimulatedSocket, onGone: () => void) {
    this.#network = network;
    this.line = line;
    this.forth = new Direction(this, network, near, far);
    this.back = new Direction(this, network, far, near);
    near.out = far.in = this.forth;
    near.in = far.out = this.back;
    far.connectionState(false);
    for (const end of [near, far]) {
      end.once('close', () => {
        if (near.destroyed && far.destroyed) onGone();
      });
    }
  }

  get ends(): readonly [SimulatedSocket, SimulatedSocket] {
    return [this.forth.from, this.forth.to];
  }

  other(direction: Direction): Direction {
    return direction === this.forth ? this.back : this.forth;
  }

  /** Both ends see an end now, in order, and what was on its way is lost. */
  end(): void {
    this.forth.stop();
    this.back.stop();
    for (const end of this.ends) if (!end.destroyed) end.arrived(null);
  }

  /** Both ends see a reset now, and what was on its way is lost. */
  cut(): void {
    this.forth.stop();
    this.back.stop();
    for (const end of this.ends) end.destroy(systemError('ECONNRESET', 'read'));
  }

  /** The process at `place` is gone; its end is closed, the other one is told by a reset. */
  killed(place: string): void {
    const end = this.ends.find((each) => each.place === place);
    if (end === undefined) return;
    this.forth.stop();
    this.back.stop();
    end.destroy();
    this.reset(this.ends.find((each) => each !== end) as SimulatedSocket, this.#network);
  }

  /** No byte arrives now. */
  get silent(): boolean {
    return this.line.silent || this.lost;
  }

  /** A reset is on its way to `end`. */
  reset(end: SimulatedSocket, network: Surroundings): void {
    network.count(0);
    network.clock.after(this.line.latencyMs, () => {
      if (this.silent) this.#held.add(end);
      else this.#reset(end);
    });
  }

  #reset(end: SimulatedSocket): void {
    this.forth.stop();
    this.back.stop();
    end.destroy(systemError('ECONNRESET', 'read'));
  }

  /** The line went silent, or is whole again. */
  changed(): void {
    if (this.silent) {
      this.#silentSince = this.#network.clock.monotonic();
      this.#look();
      return;
    }
    for (const end of this.#held) this.#reset(end);
    this.#held.clear();
    this.forth.resume();
    this.back.resume();
  }

  /** The system of an end that is not answered gives up in its own time. */
  #look(): void {
    if (!this.silent || this.ends.every(({ destroyed }) => destroyed)) return;
    const ms = this.#network.clock.monotonic() - this.#silentSince;
    for (const end of this.ends) {
      const sends = (end.out?.waiting ?? 0) > 0;
      const asks = end.keepAliveMs > 0 && ms > end.keepAliveMs + PROBES_MS;
      if ((sends && ms > RETRANSMIT_MS) || asks) end.destroy(systemError('ETIMEDOUT', 'read'));
    }
    this.#network.clock.after(LOOK_MS, () => this.#look());
  }
}

/** A TCP line between two roles that does what lines do: it is slow, it stops, it breaks. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from '../seed.js';

/**
 * `reset`: connections are reset, also those that come. `half-close`: one direction of each connection ends, the other stays.
 * `black-hole`: what comes on a connection is gone for good, without a word to either end; connections that are opened
 * afterwards are as good as any.
 */
export const LINE_FAULTS = ['latency', 'throttle', 'stall', 'reset', 'half-close', 'black-hole'] as const;
export type LineFault = (typeof LINE_FAULTS)[number];

/** Milliseconds that a byte is under way on a slow line. */
const LATENCY_MS = 150;
/** What a throttled line carries in each direction, and in what steps. */
const BYTES_PER_SECOND = 64 * 1024;
const STEP_MS = 50;
/** Bytes of a direction that wait in the line, about; then its sender waits. */
const HELD_BYTES = 1024 * 1024;

const sleep = (ms: number) => new Promise<void>((go) => setTimeout(go, ms));

export class FaultyLine {
  readonly port: number;
  readonly #server: Server;
  readonly #target: number;
  readonly #random: Random;
  readonly #crossings = new Set<Crossing>();
  #fault: LineFault | undefined;
  /** Settles when a stall is over. */
  #moving: Promise<void> = Promise.resolve();
  #move = () => {};

  private constructor(server: Server, target: number, random: Random) {
    this.port = (server.address() as { port: number }).port;
    this.#server = server;
    this.#target = target;
    this.#random = random;
    server.on('connection', (caller) => this.#carry(caller));
  }

  /** @param target port of loopback that the line leads to */
  static async open(target: number, random: Random): Promise<FaultyLine> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FaultyLine(server, target, random);
  }

  begin(fault: LineFault): void {
    this.#fault = fault;
    if (fault === 'stall') {
      this.#moving = new Promise((move) => {
        this.#move = move;
      });
    }
    for (const crossing of this.#crossings) this.#strike(crossing);
  }

  end(): void {
    this.#fault = undefined;
    this.#move();
  }

  close(): void {
    this.end();
    this.#server.close();
    for (const crossing of this.#crossings) crossing.destroy();
  }

  #carry(caller: Socket): void {
    const called = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const crossing = new Crossing(caller, called, (bytes) => this.#pass(bytes));
    this.#crossings.add(crossing);
    void crossing.closed.then(() => this.#crossings.delete(crossing));
    // A half-closed line is one that was open before.
    if (this.#fault === 'reset' || this.#fault === 'black-hole') this.#strike(crossing);
  }

  /** What becomes of a connection when a fault begins. */
  #strike(crossing: Crossing): void {
    if (this.#fault === 'reset') crossing.reset();
    else if (this.#fault === 'black-hole') crossing.swallow();
    else if (this.#fault === 'half-close') crossing.endOneWay(this.#random.oneIn(2));
  }

  /** Gives the parts of what has come, each when it arrives at the other end. */
  async *#pass(bytes: Buffer): AsyncGenerator<Buffer> {
    // Whatever the fault is now, what has come in a stall stays in its place.
    await this.#moving;
    if (this.#fault === 'latency') await sleep(LATENCY_MS);
    let at = 0;
    while (at < bytes.length) {
      const step = this.#fault === 'throttle' ? Math.ceil((BYTES_PER_SECOND * STEP_MS) / 1000) : bytes.length;
      if (this.#fault === 'throttle') await sleep(STEP_MS);
      yield bytes.subarray(at, at + step);
      at += step;
    }
  }
}

/** A connection through the line: two sockets, and what goes from each to the other. */
class Crossing {
  readonly closed: Promise<unknown>;
  readonly #caller: Socket;
  readonly #called: Socket;
  #swallows = false;
  /** Sockets that get nothing any more. */
  readonly #ended = new Set<Socket>();

  constructor(caller: Socket, called: Socket, pass: (bytes: Buffer) => AsyncIterable<Buffer>) {
    this.#caller = caller;
    this.#called = called;
    this.closed = Promise.all([caller, called].map((socket) => new Promise<void>((resolve) => void socket.once('close', () => resolve()))));
    for (const [from, to] of [
      [caller, called],
      [called, caller],
    ] as const) {
      // A peer that is gone breaks the line to the other, unless the line has lost the connection: then nobody hears of it.
      from.on('error', () => {});
      from.on('close', (broken) => broken && !this.#swallows && to.resetAndDestroy());
      this.#flow(from, to, pass);
    }
  }

  reset(): void {
    this.#caller.resetAndDestroy();
    this.#called.resetAndDestroy();
  }

  swallow(): void {
    this.#swallows = true;
  }

  endOneWay(towardsCaller: boolean): void {
    const to = towardsCaller ? this.#caller : this.#called;
    this.#ended.add(to);
    to.end();
  }

  destroy(): void {
    this.#caller.destroy();
    this.#called.destroy();
  }

  /** Each piece follows the one before it, so that a line with a delay does not change their order. */
  #flow(from: Socket, to: Socket, pass: (bytes: Buffer) => AsyncIterable<Buffer>): void {
    let [last, held] = [Promise.resolve(), 0];
    from.on('data', (bytes: Buffer) => {
      // With a delay, all that is under way is delayed by the same time, not one after the other.
      const parts = pass(bytes)[Symbol.asyncIterator]();
      const first = parts.next();
      held += bytes.length;
      if (held > HELD_BYTES) from.pause();
      last = last.then(async () => {
        for (let part = await first; part.done !== true; part = await parts.next()) await this.#write(to, part.value);
        held -= bytes.length;
        if (held <= HELD_BYTES) from.resume();
      });
    });
    from.on('end', () => {
      last = last.then(() => {
        if (!this.#swallows && !this.#ended.has(to)) to.end();
      });
    });
  }

  async #write(to: Socket, bytes: Buffer): Promise<void> {
    if (this.#swallows || this.#ended.has(to) || !to.writable) return;
    if (!to.write(bytes)) await Promise.race([once(to, 'drain'), once(to, 'close')]).catch(() => {});
  }
}

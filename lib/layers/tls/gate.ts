/** How many handshakes a layer runs at once. */
import { LimitError } from '../../core/errors.js';

/** One place at the gate, from `enter` to `leave`. */
export interface Place {
  /** Frees the place: the next in the queue moves up. May be called more than once, and while still in the queue. */
  leave(): void;
  /**
   * Frees the place for the next, but goes on: its peer is slow, and must not keep others out. So many may do so as may
   * wait in the queue; any further one keeps its place.
   */
  makeRoom(): void;
}

/**
 * Lets `maxRunning` handshakes run at once and up to `maxQueued` wait, first come, first served. 10,000 handshakes at
 * once finish none before their deadline; behind this gate all of them come through. Who has a place and a silent peer
 * makes room: 64 clients that say hello and no more would keep everybody out until their deadline.
 */
export class HandshakeGate {
  readonly #maxRunning: number;
  readonly #maxQueued: number;
  #running = 0;
  /** Handshakes that go on without a place. */
  #slow = 0;
  readonly #queue = new Set<() => void>();

  constructor(maxRunning: number, maxQueued: number) {
    this.#maxRunning = maxRunning;
    this.#maxQueued = maxQueued;
  }

  /** Handshakes that have a place now. */
  get running(): number {
    return this.#running;
  }

  /** Handshakes that wait. */
  get queued(): number {
    return this.#queue.size;
  }

  /**
   * Calls `start` now, or when a place is free.
   *
   * @throws LimitError when the queue is full; `start` is never called then.
   */
  enter(start: () => void): Place {
    let running = false;
    let slow = false;
    let left = false;
    const run = () => {
      running = true;
      this.#running++;
    };
    const free = () => {
      this.#running--;
      this.#next();
    };
    const wake = () => {
      run();
      // node:tls takes a step of a handshake, some milliseconds, within the call: in a turn of its own, or a queue of them
      // would block the loop.
      setImmediate(() => {
        if (!left) start();
      });
    };
    const leave = () => {
      if (left) return;
      left = true;
      if (!running) this.#queue.delete(wake);
      else if (slow) this.#slow--;
      else free();
    };
    const makeRoom = () => {
      if (!running || slow || left || this.#slow >= this.#maxQueued) return;
      slow = true;
      this.#slow++;
      free();
    };
    if (this.#running >= this.#maxRunning) {
      if (this.#queue.size >= this.#maxQueued) {
        throw new LimitError(`${this.#queue.size} handshakes are waiting already`, {
          layer: 'tls',
          got: this.#queue.size,
          limit: this.#maxQueued,
        });
      }
      this.#queue.add(wake);
    } else {
      run();
      start();
    }
    return { leave, makeRoom };
  }

  #next(): void {
    const [wake] = this.#queue;
    if (wake === undefined) return;
    this.#queue.delete(wake);
    wake();
  }
}

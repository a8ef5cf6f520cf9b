/** How many handshakes a layer runs at once. */
import { type Release, Semaphore } from '../../core/semaphore.js';

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
  readonly #places: Semaphore;
  readonly #maxSlow: number;
  /** Handshakes that go on without a place. */
  #slow = 0;

  constructor(maxRunning: number, maxQueued: number) {
    this.#places = new Semaphore(maxRunning, { maxWaiting: maxQueued, layer: 'tls', waiters: 'handshakes' });
    this.#maxSlow = maxQueued;
  }

  /** Handshakes that have a place now. */
  get running(): number {
    return this.#places.held;
  }

  /** Handshakes that wait. */
  get queued(): number {
    return this.#places.waiting;
  }

  /**
   * Calls `start` now, or when a place is free.
   *
   * @throws LimitError when the queue is full; `start` is never called then
   */
  enter(start: () => void): Place {
    let release: Release | undefined;
    let slow = false;
    let left = false;
    let wake = start;
    const unqueue = this.#places.request((granted) => {
      release = granted;
      wake();
    });
    wake = () => {
      // node:tls takes a step of a handshake, some milliseconds, within the call: in a turn of its own, or a queue of them
      // would block the loop.
      setImmediate(() => {
        if (!left) start();
      });
    };
    const leave = () => {
      if (left) return;
      left = true;
      unqueue();
      if (slow) this.#slow--;
      release?.();
    };
    const makeRoom = () => {
      if (release === undefined || slow || left || this.#slow >= this.#maxSlow) return;
      slow = true;
      this.#slow++;
      release();
    };
    return { leave, makeRoom };
  }
}

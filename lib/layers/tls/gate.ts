/** Limits how many handshakes a layer runs at once. */
import { type Release, Semaphore } from '../../core/semaphore.js';

/** The place of one handshake at the gate, from `enter` to `leave`. */
export interface Place {
  /** Frees the place, and the next in the queue may start. May be called more than once, and while still in the queue. */
  leave(): void;
  /**
   * Frees the place for the next handshake, while this one goes on: a slow peer must not keep others out. At most
   * `maxQueued` handshakes may go on without a place. Any further one keeps its place.
   */
  makeRoom(): void;
}

/**
 * Lets `maxRunning` handshakes run at once. Up to `maxQueued` wait, first come, first served. Without the gate, none of 10,000
 * handshakes at once would finish before its deadline; with it, all do. A handshake whose peer is silent gives up its place.
 * Otherwise 64 clients that send only a hello would keep everyone out until their deadline.
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

  /** Handshakes that wait for a place. */
  get queued(): number {
    return this.#places.waiting;
  }

  /**
   * Calls `start` now, or as soon as a place is free.
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
      // `start` makes node:tls compute a step of a handshake, which takes some milliseconds. Each waiting handshake starts in
      // a turn of its own, so that a queue of them does not block the event loop.
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

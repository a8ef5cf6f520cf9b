/** How many handshakes a layer runs at once. */
import { LimitError } from '../../core/errors.js';

/** One place at the gate, from `enter` to `leave`. */
export interface Place {
  /** Frees the place: the next in the queue moves up. May be called more than once, and while still in the queue. */
  leave(): void;
}

/**
 * Lets `maxRunning` handshakes run at once and up to `maxQueued` wait, first come, first served. 10,000 handshakes at
 * once finish none before their deadline; behind this gate all of them come through.
 */
export class HandshakeGate {
  readonly #maxRunning: number;
  readonly #maxQueued: number;
  #running = 0;
  readonly #queue = new Set<() => void>();

  constructor(maxRunning: number, maxQueued: number) {
    this.#maxRunning = maxRunning;
    this.#maxQueued = maxQueued;
  }

  /** Handshakes that run now. */
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
    let left = false;
    const run = () => {
      running = true;
      this.#running++;
    };
    const wake = () => {
      run();
      // In a turn of its own: a queue of handshakes that fail at once would otherwise recurse, and block the loop.
      setImmediate(() => {
        if (!left) start();
      });
    };
    const leave = () => {
      if (left) return;
      left = true;
      if (!running) this.#queue.delete(wake);
      else {
        this.#running--;
        this.#next();
      }
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
    return { leave };
  }

  #next(): void {
    const [wake] = this.#queue;
    if (wake === undefined) return;
    this.#queue.delete(wake);
    wake();
  }
}

/** Limits how many handshakes a layer runs at once, and shares places and processor time among those who ask for them. */
import { clock, type Timer } from '../../core/clock.js';
import { Crowd } from '../../core/crowd.js';
import { LimitError, type VeracruzError } from '../../core/errors.js';
import { FairQueue } from '../../core/fair-queue.js';

/**
 * A handshake that has been under way for so many times the length of a stay in a place is ended first when others need room.
 */
const PATIENCE = 10;
/**
 * Milliseconds above which one step of a handshake is heavy. The steps of honest peers take one or two; a certificate whose
 * key is made to be slow takes ten and more.
 */
const HEAVY_MS = 5;

export interface GateLimits {
  /** Handshakes that have a place at once. */
  readonly maxHandshakes: number;
  /** Handshakes that wait for a place; and, counted apart, those that go on without one. */
  readonly maxQueuedHandshakes: number;
  /** Milliseconds after which a handshake gives its place to another. */
  readonly handshakeStallMs: number;
}

/** What the gate needs to know about a handshake. */
export interface Handshake {
  /** Whom it is counted for: the address of the peer, or the link that it comes over. */
  readonly key: string;
  /** Its turn has come. */
  start(): void;
  /** It makes room for others, and has left the gate already. */
  end(reason: VeracruzError): void;
}

/** The place of one handshake at the gate, from `enter` to `leave`. */
export interface Place {
  /** Frees the place, and the next in the queue may start. May be called more than once, and while still in the queue. */
  leave(): void;
  /** Calls `work`, a step of the handshake, now or as soon as it has a turn. It may have left by then. */
  turn(work: () => void): void;
}

type State = 'waiting' | 'placed' | 'slow' | 'left';

interface Entry {
  readonly handshake: Handshake;
  state: State;
  /** When it was given its place, by the clock. */
  started: number;
  /** Runs while it has a place. */
  stall: Timer | undefined;
}

/**
 * Lets `maxHandshakes` handshakes have a place, and `maxQueuedHandshakes` wait for one. Without the gate, none of 10,000
 * handshakes at once would finish before its deadline; with it, all do.
 *
 * Nobody can keep others out:
 *
 * - Places are given to the keys in turn. When the queue is full, the key that has most in it makes room for one that has fewer.
 * - After `handshakeStallMs` in its place, whatever its peer has sent meanwhile, a handshake is *slow*: it goes on without a
 *   place. `maxQueuedHandshakes` may be slow. When one more is, the oldest of the key that has most of them is ended, if it has
 *   been under way for ten times as long as a place is kept; until there is such a one, the place stays taken.
 * - Each step of a handshake, which costs some milliseconds of the processor, has a turn of the event loop of its own, and the
 *   keys take turns. A heavy step is followed by a pause as long as itself.
 */
export class HandshakeGate {
  readonly #limits: GateLimits;
  readonly #waiting = new FairQueue<Entry>();
  readonly #slow = new Crowd<Entry>();
  readonly #steps = new FairQueue<() => void>();
  #running = 0;
  /** A step has run in this turn of the event loop, or a heavy one lately. */
  #resting = false;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  /** Handshakes that have a place now. */
  get running(): number {
    return this.#running;
  }

  /** Handshakes that wait for a place. */
  get queued(): number {
    return this.#waiting.size;
  }

  /** Handshakes that go on without a place. */
  get slow(): number {
    return this.#slow.size;
  }

  /**
   * Calls `start` now, or as soon as a place is free.
   *
   * @throws LimitError when the queue is full, and no other key has more in it; `start` is never called then
   */
  enter(handshake: Handshake): Place {
    const entry: Entry = { handshake, state: 'waiting', started: 0, stall: undefined };
    if (this.#running < this.#limits.maxHandshakes) this.#place(entry);
    else this.#queue(entry);
    return { leave: () => this.#leave(entry), turn: (work) => this.#turn(entry.handshake.key, work) };
  }

  #queue(entry: Entry): void {
    const { maxQueuedHandshakes: limit } = this.#limits;
    const { key } = entry.handshake;
    if (this.#waiting.size >= limit) {
      const other = this.#waiting.outnumbering(key);
      const figures = { layer: 'tls', got: this.#waiting.size, limit };
      if (other === undefined) throw new LimitError(`${this.#waiting.size} handshakes are waiting already`, figures);
      this.#end(other, new LimitError('the handshake made room for one of another peer, which has fewer', { layer: 'tls', limit }));
    }
    this.#waiting.add(key, entry);
  }

  #place(entry: Entry): void {
    this.#running++;
    entry.state = 'placed';
    entry.started = clock.monotonic();
    entry.stall = clock.setTimeout(() => this.#stalled(entry), this.#limits.handshakeStallMs);
    this.#turn(entry.handshake.key, () => {
      if (entry.state === 'placed' || entry.state === 'slow') entry.handshake.start();
    });
  }

  /** Its time in the place is over. Where no more may be slow, it stays, and this is tried again. */
  #stalled(entry: Entry): void {
    if (this.#slow.size >= this.#limits.maxQueuedHandshakes && !this.#endSlow()) {
      entry.stall?.refresh();
      return;
    }
    entry.state = 'slow';
    this.#slow.add(entry.handshake.key, entry);
    this.#passOn();
  }

  /** Ends the oldest handshake of a key that has most slow ones, if it has had its time. */
  #endSlow(): boolean {
    const { handshakeStallMs, maxQueuedHandshakes: limit } = this.#limits;
    let most = 0;
    for (const key of this.#slow.crowded()) {
      most ||= this.#slow.count(key);
      if (this.#slow.count(key) < most) break;
      for (const oldest of this.#slow.of(key)) {
        if (clock.monotonic() - oldest.started < PATIENCE * handshakeStallMs) break;
        this.#leave(oldest);
        this.#end(oldest, new LimitError(`${limit} handshakes are slow, and this one was for longest`, { layer: 'tls', limit }));
        return true;
      }
    }
    return false;
  }

  #end(entry: Entry, reason: VeracruzError): void {
    entry.state = 'left';
    entry.handshake.end(reason);
  }

  #leave(entry: Entry): void {
    const before = entry.state;
    entry.state = 'left';
    clock.clear(entry.stall);
    if (before === 'waiting') this.#waiting.delete(entry.handshake.key, entry);
    else if (before === 'slow') this.#slow.delete(entry.handshake.key, entry);
    else if (before === 'placed') this.#passOn();
  }

  /** A place has become free. */
  #passOn(): void {
    this.#running--;
    const next = this.#waiting.next();
    if (next === undefined) return;
    // Whoever leaves is in the middle of its own step.
    this.#rest(0);
    this.#place(next);
  }

  #turn(key: string, work: () => void): void {
    if (this.#resting || this.#steps.size > 0) this.#steps.add(key, work);
    else this.#step(work);
  }

  #step(work: () => void): void {
    this.#resting = true;
    const before = clock.monotonic();
    try {
      work();
    } finally {
      this.#resting = false;
      this.#rest(clock.monotonic() - before);
    }
  }

  /** Others have the event loop between two steps: the steps of a queue would else block it. */
  #rest(tookMs: number): void {
    if (this.#resting) return;
    this.#resting = true;
    const next = () => {
      this.#resting = false;
      const step = this.#steps.next();
      if (step !== undefined) this.#step(step);
    };
    if (tookMs > HEAVY_MS) clock.setTimeout(next, tookMs);
    // What else has come in the meantime is heard first.
    else setImmediate(next);
  }
}

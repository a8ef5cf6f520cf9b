import { clock, type Timer } from '../../core/clock.js';
import { Crowd } from '../../core/crowd.js';
import { LinkError } from '../../core/errors.js';

const LAYER = 'server';
/**
 * Milliseconds that an address keeps a place while another one waits, by how many more places it has than that one: the first
 * row that fits. A handshake over a line of average length takes less than the first.
 */
const GRACES: readonly { readonly more: number; readonly ms: number }[] = [
  { more: 4, ms: 250 },
  { more: 2, ms: 1000 },
  { more: 1, ms: 2000 },
];
/** The part of the places that only addresses without one may take, so that a newcomer need not wait. */
const RESERVE = 1 / 8;
/** Milliseconds between two looks whether one was kept that long. */
const LOOK_MS = 100;

export interface HandshakePlacesLimits {
  /** Handshakes at once with one manager. */
  readonly maxHandshakes: number;
  /** Milliseconds that a handshake waits for its place. */
  readonly handshakeTimeoutMs: number;
}

/** A handshake that wants a place. */
export interface Handshake {
  /** What it is counted by; see `networkOf`. */
  readonly address: string;
  /** It has a place, until `leave` is called. */
  granted(): void;
  /** There was no place in time, or another address needs this one. The place is lost already. */
  ended(error: LinkError): void;
}

/**
 * The handshakes that a Runtime Manager carries at once. A handshake costs the manager time and one of its own places, whoever
 * asks for it. So there are `maxHandshakes` at once, and the others wait here.
 *
 * A free place goes to the waiting address that has the fewest; among equals they take turns. An eighth of the places is for
 * addresses that have none. When an address waits and another has at least four places more, that one loses its oldest, if it
 * was kept for 250 ms; with two or three more, after a second, with one more, after two. So a crowd that says nothing makes
 * nobody else wait for long.
 */
export class HandshakePlaces {
  readonly #limits: HandshakePlacesLimits;
  readonly #held = new Crowd<Handshake>();
  /** When each began to hold its place, by `clock.monotonic()`. */
  readonly #since = new Map<Handshake, number>();
  /** Those that wait, by address; the address whose turn is next is the first. */
  readonly #queues = new Map<string, Set<Handshake>>();
  readonly #deadlines = new Map<Handshake, Timer>();
  #looking: Timer | undefined;

  constructor(limits: HandshakePlacesLimits) {
    this.#limits = limits;
  }

  /** Handshakes that have a place. */
  get held(): number {
    return this.#held.size;
  }

  /** Handshakes that wait for one. */
  get waiting(): number {
    return this.#deadlines.size;
  }

  /** Asks for a place. `granted` is called from within this call where there is one. */
  enter(handshake: Handshake): void {
    const { handshakeTimeoutMs } = this.#limits;
    const late = () => this.#end(handshake, `no place for a handshake after ${handshakeTimeoutMs} ms`);
    this.#deadlines.set(handshake, clock.setTimeout(late, handshakeTimeoutMs).unref());
    const queue = this.#queues.get(handshake.address) ?? new Set();
    this.#queues.set(handshake.address, queue.add(handshake));
    this.#serve();
    this.#look();
  }

  /** Gives the place back, or leaves the queue. Does nothing for one that has done so. */
  leave(handshake: Handshake): void {
    this.#unqueue(handshake);
    this.#since.delete(handshake);
    if (this.#held.delete(handshake.address, handshake)) this.#serve();
  }

  #end(handshake: Handshake, message: string): void {
    this.leave(handshake);
    handshake.ended(new LinkError(message, { layer: LAYER, limit: this.#limits.maxHandshakes }));
  }

  #unqueue(handshake: Handshake): void {
    clock.clear(this.#deadlines.get(handshake));
    this.#deadlines.delete(handshake);
    const queue = this.#queues.get(handshake.address);
    queue?.delete(handshake);
    if (queue?.size === 0) this.#queues.delete(handshake.address);
  }

  #serve(): void {
    while (this.#held.size < this.#limits.maxHandshakes) {
      const next = this.#next();
      if (next === undefined) break;
      const free = this.#limits.maxHandshakes - this.#held.size;
      if (free <= Math.floor(this.#limits.maxHandshakes * RESERVE) && this.#held.count(next.address) > 0) break;
      this.#grant(next);
    }
    if (this.waiting > 0) this.#looking ??= clock.setInterval(() => this.#look(), LOOK_MS).unref();
    else {
      clock.clear(this.#looking);
      this.#looking = undefined;
    }
  }

  #grant(handshake: Handshake): void {
    const { address } = handshake;
    this.#unqueue(handshake);
    this.#last(address);
    this.#held.add(address, handshake);
    this.#since.set(handshake, clock.monotonic());
    handshake.granted();
  }

  /** It is the others' turn: the address is the last of those that wait, if it waits. */
  #last(address: string): void {
    const queue = this.#queues.get(address);
    if (queue !== undefined && this.#queues.delete(address)) this.#queues.set(address, queue);
  }

  /** The first that waits, of the address with the fewest places. */
  #next(): Handshake | undefined {
    let fewest: string | undefined;
    for (const address of this.#queues.keys()) {
      if (fewest === undefined || this.#held.count(address) < this.#held.count(fewest)) fewest = address;
      if (this.#held.count(fewest) === 0) break;
    }
    return fewest === undefined ? undefined : this.#queues.get(fewest)?.values().next().value;
  }

  /** Takes places from addresses that have more than their share, for those that wait. */
  #look(): void {
    for (;;) {
      const next = this.#next();
      const [crowded = ''] = this.#held.crowded();
      const [oldest] = this.#held.of(crowded);
      if (next === undefined || oldest === undefined) return;
      const more = this.#held.count(crowded) - this.#held.count(next.address);
      const kept = clock.monotonic() - (this.#since.get(oldest) ?? 0);
      const grace = GRACES.find((row) => more >= row.more);
      if (grace === undefined || kept < grace.ms) return;
      this.#last(crowded);
      this.#end(oldest, 'other addresses wait for a handshake');
      // The place was taken for this one, so it has it, even where the last places are kept for addresses that have none.
      if (this.#deadlines.has(next) && this.#held.size < this.#limits.maxHandshakes) this.#grant(next);
    }
  }
}

import type { Duplex } from 'node:stream';
import { clock, type Timer } from '../../core/clock.js';
import { LimitError, TimeoutError, type VeracruzError } from '../../core/errors.js';
import type { FrameKind } from '../../layers/frame/index.js';
import { FramePosition } from './frame-position.js';

const LAYER = 'runtime-manager';
/** Milliseconds between two looks at a link, at most. */
const LOOK_MS = 1000;
/** Milliseconds that a link must have been silent before it makes room for another. */
const ROOM_AFTER_MS = 1000;
/** Milliseconds that a link has to prove itself before it makes room for another though it is not silent. */
const PROOF_MS = 10_000;

export interface LinkLimits {
  readonly frame: FrameKind;
  /** As in `RuntimeManagerOptions`. */
  readonly maxLinks: number;
  readonly frameTimeoutMs: number;
  readonly linkIdleTimeoutMs: number;
}

/** Ends a link, or a connection that is to become one. */
type End = (reason: VeracruzError) => void;

/**
 * The links that a manager has, counted from their first byte on: a connection whose TLS is not up yet is one of them.
 *
 * A stranger who reaches the manager can open links and say nothing. So there are `maxLinks` at most; a frame that was
 * begun must go on (`frameTimeoutMs`); and a link that nobody would miss ends when it has been silent for
 * `linkIdleTimeoutMs`. Where all places are taken and another one comes, it ends after a second of silence, or else when it
 * is ten seconds old.
 */
export class LinkPlaces {
  readonly #limits: LinkLimits;
  readonly #places = new Set<LinkPlace>();

  constructor(limits: LinkLimits) {
    this.#limits = limits;
  }

  /**
   * A place for a connection that has come. It must be left when the connection has closed.
   *
   * @param end ends the connection
   * @throws LimitError when all places are taken, and no link can make room
   */
  take(end: End): LinkPlace {
    const { maxLinks: limit } = this.#limits;
    if (this.#places.size >= limit && !this.#makeRoom()) {
      throw new LimitError(`all ${limit} links are taken`, { layer: LAYER, limit, got: this.#places.size });
    }
    const place = new LinkPlace(this.#limits, end, () => this.#places.delete(place));
    this.#places.add(place);
    return place;
  }

  /**
   * Ends the link that has been silent for longest among those that nobody would miss, or, where none is silent, the oldest
   * of them. False when there is none.
   */
  #makeRoom(): boolean {
    const spare = [...this.#places].filter((place) => place.yields());
    const silent = spare.filter(({ silentMs }) => silentMs >= ROOM_AFTER_MS).sort((a, b) => b.silentMs - a.silentMs);
    const old = spare.filter(({ ageMs }) => ageMs >= PROOF_MS).sort((a, b) => b.ageMs - a.ageMs);
    const [first] = [...silent, ...old];
    first?.end(new LimitError('the link makes room for another', { layer: LAYER, limit: this.#limits.maxLinks }));
    first?.leave();
    return first !== undefined;
  }
}

/** One of them. */
export class LinkPlace {
  /** Whether nobody would miss this link now, if it were silent. Whoever has more to go by replaces this. */
  spare: () => boolean = () => true;
  /** Whether this link may have to make room for another now. Default: `spare`. */
  yields: () => boolean = () => this.spare();
  readonly end: End;
  readonly #limits: LinkLimits;
  readonly #position: FramePosition;
  readonly #onLeave: () => void;
  readonly #looking: Timer;
  #pipe: Duplex | undefined;
  /** When a byte came last, by the clock. */
  #heard: number;
  readonly #since: number;

  constructor(limits: LinkLimits, end: End, onLeave: () => void) {
    this.#limits = limits;
    this.#position = new FramePosition(limits.frame);
    this.#onLeave = onLeave;
    this.#heard = this.#since = clock.monotonic();
    this.end = end;
    const shortest = Math.min(...[limits.frameTimeoutMs, limits.linkIdleTimeoutMs].filter((ms) => ms > 0).map((ms) => ms / 4));
    this.#looking = clock.setInterval(() => this.#look(), Math.max(1, Math.min(LOOK_MS, shortest))).unref();
  }

  /** Milliseconds since a byte came. */
  get silentMs(): number {
    return clock.monotonic() - this.#heard;
  }

  /** Milliseconds since the connection came. */
  get ageMs(): number {
    return clock.monotonic() - this.#since;
  }

  /** Frames begin: `pipe` is the one that they come from. It must be read by somebody else. */
  watch(pipe: Duplex): void {
    this.#pipe = pipe;
    pipe.on('data', (chunk: Buffer) => {
      this.#heard = clock.monotonic();
      this.#position.push(chunk);
    });
  }

  leave(): void {
    clock.clear(this.#looking);
    this.#onLeave();
  }

  #look(): void {
    // Bytes that we do not take cannot come: that is no silence of the other end.
    if (this.#pipe?.isPaused() === true) this.#heard = clock.monotonic();
    const { frameTimeoutMs, linkIdleTimeoutMs } = this.#limits;
    const passed = (limit: number) => limit > 0 && this.silentMs >= limit;
    if (this.#position.midFrame && passed(frameTimeoutMs)) {
      const message = `a frame was begun, and nothing more of it came for ${frameTimeoutMs} ms`;
      this.end(new TimeoutError(message, { layer: 'frame', limit: frameTimeoutMs }));
    } else if (passed(linkIdleTimeoutMs) && this.spare()) {
      const message = `the link has no sessions and was silent for ${linkIdleTimeoutMs} ms`;
      this.end(new TimeoutError(message, { layer: LAYER, limit: linkIdleTimeoutMs }));
    }
  }
}

/** The life of one case: its deadlines, and what must be closed when it is over. */
import { clock } from '../core/clock.js';
import { CaseFailed } from './failure.js';

/** How long the kit waits. */
export interface Waits {
  /** Milliseconds for one wait: an answer, a connection, an end. */
  readonly waitMs: number;
  /** Milliseconds for a whole case. */
  readonly caseMs: number;
}

/** Defaults of `Waits`: five seconds and thirty. */
export const CONFORMANCE_DEFAULTS = Object.freeze({ waitMs: 5000, caseMs: 30_000 });

/** Milliseconds between two looks at something that says nothing by itself. */
const LOOK_MS = 5;

/** What one case opened. Ended by the runner, whatever came of the case. */
export class Scope {
  readonly waitMs: number;
  /** Fires when the case is over, also by its deadline or by Ctrl-C. */
  readonly signal: AbortSignal;
  /** The peer has said something, be it one byte. */
  heard = false;
  readonly #end = new AbortController();
  readonly #endings: (() => unknown)[] = [];

  constructor(waitMs: number, signal?: AbortSignal) {
    this.waitMs = waitMs;
    this.signal = signal === undefined ? this.#end.signal : AbortSignal.any([signal, this.#end.signal]);
  }

  /** `promise`, but no longer than one wait. @throws CaseFailed that names `what` */
  async within<T>(what: string, promise: Promise<T>, ms: number = this.waitMs): Promise<T> {
    const settled = await this.settles(promise, ms);
    if (settled === undefined) throw new CaseFailed(`no ${what} in ${ms} ms`);
    return settled.value;
  }

  /** The same where a wait that was in vain is no failure: undefined then. */
  async settles<T>(promise: Promise<T>, ms: number = this.waitMs): Promise<{ readonly value: T } | undefined> {
    const over = new AbortController();
    const late = clock.sleep(ms, { signal: AbortSignal.any([this.signal, over.signal]) }).then(
      () => undefined,
      () => undefined,
    );
    try {
      const first = await Promise.race([promise.then((value) => ({ value })), late]);
      if (first === undefined && this.signal.aborted) throw new CaseFailed('the case was ended while it waited');
      return first;
    } finally {
      over.abort();
    }
  }

  /** Waits until `holds`. @throws CaseFailed that names `what` */
  async until(what: string, holds: () => boolean, ms: number = this.waitMs): Promise<void> {
    if (!(await this.comes(holds, ms))) throw new CaseFailed(`no ${what} in ${ms} ms`);
  }

  /** Whether `holds` within the time. */
  async comes(holds: () => boolean, ms: number = this.waitMs): Promise<boolean> {
    const deadline = clock.monotonic() + ms;
    while (!holds()) {
      if (clock.monotonic() > deadline) return false;
      if (this.signal.aborted) throw new CaseFailed('the case was ended while it waited');
      await clock.sleep(LOOK_MS);
    }
    return true;
  }

  /** Called when the case is over; the last one first. */
  onEnd(ending: () => unknown): void {
    if (this.signal.aborted) void ending();
    else this.#endings.push(ending);
  }

  async end(): Promise<void> {
    this.#end.abort();
    for (const ending of this.#endings.reverse()) {
      try {
        await ending();
      } catch {
        // What is gone already need not be closed.
      }
    }
  }
}

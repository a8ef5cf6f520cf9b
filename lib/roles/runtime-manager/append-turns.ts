import { clock } from '../../core/clock.js';
import { TimeoutError } from '../../core/errors.js';
import type { IncomingBody } from '../../layers/protobuf/index.js';

const LAYER = 'runtime-manager';
/** Milliseconds between two looks at an append that others wait for. */
const LOOK_MS = 10_000;

/**
 * The appends to each file, which have their turns one after the other. So whoever sends his slowly holds up the others: while
 * they wait, so many bytes of it must come in ten seconds.
 */
export class AppendTurns {
  readonly #minBytes: number;
  /** Appends that wait for their turn, by file. */
  readonly #waiting = new Map<string, number>();

  /** @param minBytesPerSecond of an append that others wait for; 0 for no minimum */
  constructor(minBytesPerSecond: number) {
    this.#minBytes = (minBytesPerSecond * LOOK_MS) / 1000;
  }

  /** Waits for the turn of an append to `file`, which `turn` tells. */
  async wait(file: string, turn: Promise<void>): Promise<void> {
    this.#count(file, 1);
    try {
      await turn;
    } finally {
      this.#count(file, -1);
    }
  }

  /**
   * Watches an append that has its turn. Destroys its body with a TimeoutError when too little of it comes for those that wait.
   * Bytes that have come and that the store has not taken yet are the store's matter.
   *
   * @returns ends the watch
   */
  watch(file: string, body: IncomingBody): () => void {
    if (this.#minBytes === 0 || body.complete) return () => {};
    /** What had come at the last look at which others waited. */
    let before: number | undefined;
    const timer = clock.setInterval(() => {
      const { received, complete, taken } = body;
      const came = before === undefined ? this.#minBytes : received - before;
      before = this.#waiting.has(file) && !complete && taken === received ? received : undefined;
      if (before !== undefined && came < this.#minBytes) body.destroy(this.#tooSlow(came));
    }, LOOK_MS);
    timer.unref();
    return () => clock.clear(timer);
  }

  #count(file: string, change: number): void {
    const count = (this.#waiting.get(file) ?? 0) + change;
    if (count > 0) this.#waiting.set(file, count);
    else this.#waiting.delete(file);
  }

  #tooSlow(got: number): TimeoutError {
    const message = `${got} bytes of an append came in ${LOOK_MS} ms, at least ${this.#minBytes} must while others wait for it`;
    return new TimeoutError(message, { layer: LAYER, limit: this.#minBytes, got });
  }
}

import type { Codec } from './codec.js';
import { asVeracruzError } from './errors.js';
import { bytesOf, newTraffic, type Traffic } from './traffic.js';

/** One codec of a chain. */
export interface Stage {
  /** Name of the layer, for its errors. */
  readonly layer: string;
  readonly codec: Codec<unknown, unknown>;
  readonly traffic: Traffic;
}

export function stageOf(layer: string, codec: Codec<unknown, unknown>): Stage {
  return { layer, codec, traffic: newTraffic() };
}

/**
 * Several codecs as one: what the first gives goes to the second, and so on, in the same turn of the event loop and
 * without a stream between them. A stack drives neighbours together this way: a chunk goes through five layers by function
 * calls, not by five streams.
 *
 * The items of a codec are taken one at a time, the last codec's first: no more is in between than one item a codec.
 */
export class CodecChain implements Codec<unknown, unknown> {
  readonly #stages: readonly Stage[];
  /** Codecs, from the first, that have been told that their input is over. */
  #ended = 0;

  constructor(stages: readonly Stage[]) {
    this.#stages = stages;
  }

  push(chunk: unknown): void {
    this.#feed(this.#stages[0] as Stage, chunk);
  }

  next(): unknown {
    return this.#pull(this.#stages.length - 1);
  }

  end(): void {
    this.#end(0);
  }

  destroy(error: Error | null): void {
    for (const { codec } of this.#stages) codec.destroy?.(error);
  }

  /** The next item of the codec at `index`, fed by those before it. */
  #pull(index: number): unknown {
    const stage = this.#stages[index] as Stage;
    for (;;) {
      const item = this.#next(stage);
      if (item instanceof Promise) return this.#pending(stage, item, index);
      if (item !== undefined) return item;
      if (index === 0) return undefined;
      const chunk = this.#pull(index - 1);
      if (chunk instanceof Promise) return chunk.then((settled) => this.#fed(stage, settled, index));
      if (chunk !== undefined) this.#feed(stage, chunk);
      else if (this.#ended === index) this.#end(index);
      else return undefined;
    }
  }

  #fed(stage: Stage, chunk: unknown, index: number): unknown {
    if (chunk !== undefined) this.#feed(stage, chunk);
    else if (this.#ended === index) this.#end(index);
    else return undefined;
    return this.#pull(index);
  }

  #pending(stage: Stage, item: Promise<unknown>, index: number): Promise<unknown> {
    return item.then(
      (settled) => {
        count(stage, settled);
        if (settled !== undefined || index === 0) return settled;
        const chunk = this.#pull(index - 1);
        return chunk instanceof Promise ? chunk.then((later) => this.#fed(stage, later, index)) : this.#fed(stage, chunk, index);
      },
      (thrown: unknown) => {
        throw fault(stage, thrown);
      },
    );
  }

  #next(stage: Stage): unknown {
    try {
      const item = stage.codec.next();
      if (!(item instanceof Promise)) count(stage, item);
      return item;
    } catch (thrown) {
      throw fault(stage, thrown);
    }
  }

  #feed(stage: Stage, chunk: unknown): void {
    stage.traffic.bytesIn += bytesOf(chunk) ?? 0;
    try {
      stage.codec.push(chunk);
    } catch (thrown) {
      throw fault(stage, thrown);
    }
  }

  #end(index: number): void {
    const stage = this.#stages[index] as Stage;
    this.#ended = index + 1;
    try {
      stage.codec.end();
    } catch (thrown) {
      throw fault(stage, thrown);
    }
  }
}

function count({ traffic }: Stage, item: unknown): void {
  const bytes = bytesOf(item);
  if (bytes === undefined) return;
  traffic.bytesOut += bytes;
  traffic.chunks++;
}

/** An error of the layer that raised it: whoever hears of it next keeps the name. */
function fault({ layer, traffic }: Stage, thrown: unknown): Error {
  traffic.errors++;
  return asVeracruzError(thrown, { layer });
}

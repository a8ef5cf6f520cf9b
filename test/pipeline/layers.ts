/** Layers that do next to nothing, and one that fails when told to. */
import type { Codec } from '../../lib/core/codec.js';
import { ProtobufError } from '../../lib/core/errors.js';
import { type Layer, layerOf } from '../../lib/core/layer.js';

export type Direction = 'outbound' | 'inbound';
/** Where in a codec it fails. */
export type Moment = 'push' | 'next' | 'end';

class Through implements Codec<Buffer, Buffer> {
  readonly #fails: Moment | undefined;
  #item: Buffer | undefined;

  constructor(fails?: Moment) {
    this.#fails = fails;
  }

  push(chunk: Buffer): void {
    this.#at('push');
    this.#item = chunk;
  }

  next(): Buffer | undefined {
    if (this.#item !== undefined) this.#at('next');
    const item = this.#item;
    this.#item = undefined;
    return item;
  }

  end(): void {
    this.#at('end');
  }

  #at(moment: Moment): void {
    if (this.#fails === moment) throw new ProtobufError(`told to fail in ${moment}`, { got: moment });
  }
}

/** Passes everything on as it is. */
export function through(name: string): Layer<Buffer, Buffer> {
  return layerOf<Buffer, Buffer>({ name, encoder: () => new Through(), decoder: () => new Through() });
}

/** Passes everything on until the moment, in one direction, at which it fails. */
export function failing(name: string, direction: Direction, moment: Moment): Layer<Buffer, Buffer> {
  return layerOf<Buffer, Buffer>({
    name,
    encoder: () => new Through(direction === 'outbound' ? moment : undefined),
    decoder: () => new Through(direction === 'inbound' ? moment : undefined),
  });
}

/** Turns of the event loop, until whatever was going to happen by itself has happened. */
export async function settle(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((go) => setImmediate(go));
}

/** A layer that passes everything on, and one that fails at a chosen moment. */
import type { Codec } from '../../lib/core/codec.js';
import { ProtobufError } from '../../lib/core/errors.js';
import { type Layer, layerOf } from '../../lib/core/layer.js';

export type Direction = 'outbound' | 'inbound';
/** The method of a codec that fails. */
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

/** Passes everything on unchanged. */
export function through(name: string): Layer<Buffer, Buffer> {
  return layerOf<Buffer, Buffer>({ name, encoder: () => new Through(), decoder: () => new Through() });
}

/** Passes everything on unchanged, and fails in one direction at one moment. */
export function failing(name: string, direction: Direction, moment: Moment): Layer<Buffer, Buffer> {
  return layerOf<Buffer, Buffer>({
    name,
    encoder: () => new Through(direction === 'outbound' ? moment : undefined),
    decoder: () => new Through(direction === 'inbound' ? moment : undefined),
  });
}

/** Waits for some turns of the event loop, in which everything happens that needs no further input. */
export async function settle(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((go) => setImmediate(go));
}

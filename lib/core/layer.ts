import type { Codec } from './codec.js';
import { CodecStream } from './codec-stream.js';
import type { Connection } from './connection.js';
import type { LayerStream } from './layer-stream.js';

/**
 * One layer: a pair of Transforms with one name and one set of options. `Up` is what the layer above it sees,
 * `Down` what the layer below it sees.
 *
 *          Up                    Up
 *      outbound()            inbound()
 *         Down                  Down
 *
 * Each call makes a fresh Transform, for one connection. Chunks are Buffers and, where the type says so, the marks
 * of `unit.ts`.
 */
export interface Layer<Up, Down> {
  /** Stands in errors, counters and the list of layers. */
  readonly name: string;
  /** The figures in the list of layers, e.g. `{ maxMessageBytes: 17179869184 }`. */
  readonly limits: Readonly<Record<string, number | string>>;
  /** Takes `Up`, gives `Down`. */
  outbound(connection?: Connection): LayerStream<Up, Down>;
  /** Takes `Down`, gives `Up`. */
  inbound(connection?: Connection): LayerStream<Down, Up>;
  /** The codec that is all of `outbound`, where that is so: a stack drives it together with its neighbours'. */
  encoder?(connection?: Connection): Codec<Up, Down>;
  /** The codec that is all of `inbound`, where that is so. */
  decoder?(connection?: Connection): Codec<Down, Up>;
}

/** Makes a layer of two codecs: `encoder` for the outbound direction, `decoder` for the inbound one. */
export function layerOf<Up, Down>(definition: {
  name: string;
  limits?: Readonly<Record<string, number | string>>;
  encoder: (connection?: Connection) => Codec<Up, Down>;
  decoder: (connection?: Connection) => Codec<Down, Up>;
}): Layer<Up, Down> {
  const { name, encoder, decoder } = definition;
  return Object.freeze({
    name,
    limits: Object.freeze({ ...definition.limits }),
    encoder,
    decoder,
    outbound: (connection?: Connection) => new CodecStream(name, encoder(connection), connection),
    inbound: (connection?: Connection) => new CodecStream(name, decoder(connection), connection),
  });
}

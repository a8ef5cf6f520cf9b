/** The two ways through a stack, as streams: neighbours that are codecs and nothing else share one Transform. */
import type { Codec } from '../core/codec.js';
import { CodecChain, type Stage, stageOf } from '../core/codec-chain.js';
import { CodecStream } from '../core/codec-stream.js';
import type { Connection } from '../core/connection.js';
import type { Layer } from '../core/layer.js';
import type { LayerStream } from '../core/layer-stream.js';
import type { Traffic } from '../core/traffic.js';

export type AnyStream = LayerStream<unknown, unknown>;
type AnyCodec = Codec<unknown, unknown>;
type AnyLayer = Layer<unknown, unknown>;

/** The counters of one layer on one way. */
export interface LayerCount {
  readonly layer: string;
  readonly traffic: Traffic;
}

/** One way through a stack. */
export interface Way {
  /** In the order in which a chunk meets them. */
  readonly streams: readonly AnyStream[];
  /** One entry a layer, in that order too. */
  readonly layers: readonly LayerCount[];
}

/** From the top to the wire. */
export function openOutbound(layers: readonly AnyLayer[], connection: Connection): Way {
  return open(
    layers,
    connection,
    (layer) => layer.encoder?.(connection),
    (layer) => layer.outbound(connection),
  );
}

/** From the wire to the top. */
export function openInbound(layers: readonly AnyLayer[], connection: Connection): Way {
  return open(
    layers.toReversed(),
    connection,
    (layer) => layer.decoder?.(connection),
    (layer) => layer.inbound(connection),
  );
}

function open(
  layers: readonly AnyLayer[],
  connection: Connection,
  codecOf: (layer: AnyLayer) => AnyCodec | undefined,
  streamOf: (layer: AnyLayer) => AnyStream,
): Way {
  const streams: AnyStream[] = [];
  const counts: LayerCount[] = [];
  /** Codecs that follow each other, the last of which may get another neighbour yet. */
  let stages: Stage[] = [];
  const join = () => {
    if (stages.length > 0) streams.push(new CodecStream(stages.map(({ layer }) => layer).join('+'), new CodecChain(stages), connection));
    stages = [];
  };
  for (const layer of layers) {
    const codec = codecOf(layer);
    if (codec === undefined) {
      join();
      const stream = streamOf(layer);
      streams.push(stream);
      counts.push({ layer: layer.name, traffic: stream.traffic });
    } else {
      const stage = stageOf(layer.name, codec);
      stages.push(stage);
      counts.push(stage);
    }
  }
  join();
  return { streams, layers: counts };
}

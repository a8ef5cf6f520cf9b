/** The two directions through a stack: neighbours that are codecs and nothing else are one codec, driven without a stream. */
import type { Readable } from 'node:stream';
import type { Codec } from '../core/codec.js';
import { CodecChain, type Stage, stageOf } from '../core/codec-chain.js';
import { CodecPump, type Sink } from '../core/codec-pump.js';
import type { Connection } from '../core/connection.js';
import type { Layer } from '../core/layer.js';
import type { LayerStream } from '../core/layer-stream.js';
import type { Traffic } from '../core/traffic.js';

type AnyStream = LayerStream<unknown, unknown>;
type AnyCodec = Codec<unknown, unknown>;
type AnyLayer = Layer<unknown, unknown>;

/** The counters of one layer in one direction. */
export interface LayerCount {
  readonly layer: string;
  readonly traffic: Traffic;
}

/** One layer that is a stream, or the codecs of some that are not. In the order in which a chunk meets them. */
type Part = AnyStream | CodecChain;

interface Parts {
  readonly parts: readonly Part[];
  /** One entry a layer, in that order too. */
  readonly layers: readonly LayerCount[];
}

/** From the top to the wire. */
export function outboundParts(layers: readonly AnyLayer[], connection: Connection): Parts {
  return partsOf(
    layers,
    (layer) => layer.encoder?.(connection),
    (layer) => layer.outbound(connection),
  );
}

/** From the wire to the top. */
export function inboundParts(layers: readonly AnyLayer[], connection: Connection): Parts {
  return partsOf(
    layers.toReversed(),
    (layer) => layer.decoder?.(connection),
    (layer) => layer.inbound(connection),
  );
}

function partsOf(
  layers: readonly AnyLayer[],
  codecOf: (layer: AnyLayer) => AnyCodec | undefined,
  streamOf: (layer: AnyLayer) => AnyStream,
): Parts {
  const parts: Part[] = [];
  const counts: LayerCount[] = [];
  /** Codecs that follow each other, the last of which may get another neighbour yet. */
  let stages: Stage[] = [];
  const join = () => {
    if (stages.length > 0) parts.push(new CodecChain(stages));
    stages = [];
  };
  for (const layer of layers) {
    const codec = codecOf(layer);
    if (codec === undefined) {
      join();
      const stream = streamOf(layer);
      parts.push(stream);
      counts.push({ layer: layer.name, traffic: stream.traffic });
    } else {
      const stage = stageOf(layer.name, codec);
      stages.push(stage);
      counts.push(stage);
    }
  }
  join();
  return { parts, layers: counts };
}

/** A part that is at work: a stream, or the pump of a chain. */
type Station = AnyStream | CodecPump<unknown, unknown>;

/**
 * One direction through a stack: its parts, joined with each other and with a sink at the far end. Back-pressure goes through
 * all of it: what has no room makes the part before it wait.
 */
export class Direction {
  /** One entry a layer, in the order in which a chunk meets them. */
  readonly layers: readonly LayerCount[];
  readonly #stations: readonly Station[];

  /** @param failed told of the first fault of each part */
  constructor({ parts, layers }: Parts, sink: Sink<unknown>, failed: (thrown: unknown) => void) {
    this.layers = layers;
    const stations: Station[] = [];
    // From the far end on: a pump is made with its sink.
    for (const part of parts.toReversed()) {
      const next = stations[0];
      // Between two chains there always is a stream.
      stations.unshift(
        part instanceof CodecChain ? pumpInto(next as AnyStream | undefined, part, sink, failed) : streamInto(next, part, sink, failed),
      );
    }
    this.#stations = stations;
  }

  /** The lowest (or topmost) part, where that is a stream. */
  get lastStream(): AnyStream | undefined {
    const last = this.#last;
    return last instanceof CodecPump ? undefined : last;
  }

  /** True when nothing waits in any part. */
  get idle(): boolean {
    return this.#stations.every(({ idle }) => idle);
  }

  /** Puts an item in at the near end. `done` is called when there may be another. */
  write(item: unknown, done: () => void): void {
    const first = this.#first;
    if (first instanceof CodecPump) first.push(item, done);
    else if (first.write(item)) done();
    else first.once('drain', done);
  }

  end(): void {
    this.#first.end();
  }

  /** Takes what `source` gives, to its end. */
  drawFrom(source: Readable): void {
    const first = this.#first;
    if (first instanceof CodecPump) intoPump(source, first);
    else source.pipe(first);
  }

  /** The sink has room again. */
  resume(): void {
    this.#last.resume();
  }

  destroy(cause: Error | null): void {
    for (const station of this.#stations) {
      if (station instanceof CodecPump) station.destroy(cause);
      else station.destroy(cause ?? undefined);
    }
  }

  get #first(): Station {
    return this.#stations[0] as Station;
  }

  get #last(): Station {
    return this.#stations[this.#stations.length - 1] as Station;
  }
}

function pumpInto(next: AnyStream | undefined, chain: CodecChain, sink: Sink<unknown>, failed: (thrown: unknown) => void): Station {
  if (next === undefined) return new CodecPump(chain, sink, failed);
  const pump = new CodecPump(chain, { take: (item) => next.write(item), end: () => next.end() }, failed);
  next.on('drain', () => pump.resume());
  return pump;
}

function streamInto(next: Station | undefined, stream: AnyStream, sink: Sink<unknown>, failed: (thrown: unknown) => void): Station {
  stream.on('error', failed);
  if (next === undefined) intoSink(stream, sink);
  else if (next instanceof CodecPump) intoPump(stream, next);
  else stream.pipe(next);
  return stream;
}

function intoPump(source: Readable, pump: CodecPump<unknown, unknown>): void {
  source.on('data', (chunk: unknown) => {
    let waits = false;
    let digested = false;
    pump.push(chunk, () => {
      digested = true;
      if (waits) source.resume();
    });
    if (digested) return;
    waits = true;
    source.pause();
  });
  source.on('end', () => pump.end());
}

/** The sink asks for more by `resume` of the stream. */
function intoSink(stream: AnyStream, sink: Sink<unknown>): void {
  stream.on('data', (chunk: unknown) => {
    if (!sink.take(chunk)) stream.pause();
  });
  stream.on('end', () => sink.end());
}

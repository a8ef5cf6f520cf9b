import { given } from './check.js';
import type { Codec } from './codec.js';
import { CodecStream } from './codec-stream.js';
import type { Connection } from './connection.js';
import type { LayerStream } from './layer-stream.js';

/**
 * One layer: a pair of Transforms with one name and one set of options. `Up` is what the layer exchanges with the layer above
 * it, `Down` what it exchanges with the layer below it. Where the layer gives something else to the layer above than it takes,
 * as messages that are received are not those that are sent, that is `Given`.
 *
 *          Up                   Given
 *      outbound()            inbound()
 *         Down                  Down
 *
 * Each call makes a new Transform, for one connection. A running stack is a chain of these Transforms and of nothing else.
 * Chunks are Buffers and, where the type says so, the bounds of units (`unit.ts`).
 *
 * One direction alone is a Transform like any other. It takes bytes in any form (Buffer, Uint8Array, text), and a stream of bytes
 * that it is piped into gets no bounds. Whoever wants them reads it (`'data'`, `for await`):
 *
 *     pipeline(createReadStream('a.bin'), base64().outbound(), createWriteStream('a.txt'))
 *     pipeline(messages, lengthPrefix().outbound(), socket)                        one chunk, one message
 *     for await (const message of socket.pipe(lengthPrefix({ deliver: 'whole' }).inbound())) …
 *
 * `tls` alone needs a Connection for both directions, and `protobuf` and `bincode` take messages.
 */
export interface Layer<Up, Down, Given = Up> {
  /** Appears in errors, in counters and in the list of layers. */
  readonly name: string;
  /** The figures in the list of layers, e.g. `{ maxMessageBytes: 17179869184 }`. */
  readonly limits: Readonly<Record<string, number | string>>;
  /**
   * Each item of `Up` is a whole message. When such a layer is the top of a stack, its Channel writes the mark END_OF_MESSAGE
   * behind each item, which tells the layers below that the message is over. Default false.
   */
  readonly messages?: boolean;
  /** Takes `Up`, gives `Down`. */
  outbound(connection?: Connection): LayerStream<Up, Down>;
  /** Takes `Down`, gives `Given`. */
  inbound(connection?: Connection): LayerStream<Down, Given>;
  /** The codec inside `outbound`, for use without a stream. Undefined for a layer that has none. */
  encoder?(connection?: Connection): Codec<Up, Down>;
  /** The codec inside `inbound`, for use without a stream. Undefined for a layer that has none. */
  decoder?(connection?: Connection): Codec<Down, Given>;
}

/** Makes a layer of two codecs: `encoder` for the outbound direction, `decoder` for the inbound one. */
export function layerOf<Up, Down, Given = Up>(definition: {
  name: string;
  limits?: Readonly<Record<string, number | string>>;
  messages?: boolean;
  encoder: (connection?: Connection) => Codec<Up, Down>;
  decoder: (connection?: Connection) => Codec<Down, Given>;
}): Layer<Up, Down, Given> {
  const { name, messages = false, encoder, decoder } = given('definition', definition);
  return Object.freeze({
    name,
    messages,
    limits: Object.freeze({ ...definition.limits }),
    encoder,
    decoder,
    outbound: (connection?: Connection) => new CodecStream(name, encoder(connection), connection),
    inbound: (connection?: Connection) => new CodecStream(name, decoder(connection), connection),
  });
}

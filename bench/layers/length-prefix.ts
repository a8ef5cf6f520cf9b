/** length prefix against length-prefixed-stream and it-length-prefixed. */
import { decode, encode } from 'it-length-prefixed';
import lps from 'length-prefixed-stream';
import { LENGTH_PREFIX_DEFAULTS, lengthPrefix } from 'veracruz-streams';
import { Announce, type MessageChunk } from 'veracruz-streams/core';
import { FRAME_HEADERS, FrameDecoder, FrameEncoder } from 'veracruz-streams/layers';
import { OURS } from '../harness/result.js';
import { type Contest, chunksOf, collected, type LayerBench, messagesOf, payloadOf, repeated } from './contest.js';
import { bytesOf, madeOf, throughCodec, throughStream } from './drive.js';

const { maxMessageBytes } = LENGTH_PREFIX_DEFAULTS;
/** it-length-prefixed refuses more than 4 MiB otherwise. */
const IT_OPTIONS = { maxDataLength: 32 * 2 ** 20 };

export const lengthPrefixBench: LayerBench = {
  layer: 'length-prefix',
  open: async (messageBytes) => {
    const messages = messagesOf(messageBytes);
    const payload = payloadOf(messageBytes);
    const common = { messageBytes, messages };
    const announced: MessageChunk[] = repeated([new Announce(messageBytes), ...chunksOf(payload)], messages);
    // The peers take a message as one chunk.
    const whole = collected(payload, messages);
    const atHand = repeated([payload], messages);
    const announcedAtHand: MessageChunk[] = repeated([new Announce(messageBytes), payload], messages);
    const prefixed = chunksOf(await madeOf(lengthPrefix().outbound(), announced));
    const varint = chunksOf(Buffer.concat([...encode(atHand, IT_OPTIONS)]));
    return [
      {
        name: 'length-prefix outbound',
        ...common,
        contenders: [
          { name: OURS, run: throughStream(() => lengthPrefix().outbound(), announced) },
          { name: 'length-prefixed-stream', run: throughStream(() => lps.encode(), whole) },
          { name: 'it-length-prefixed', run: () => countAsync(encode(later(whole), IT_OPTIONS)) },
        ],
      },
      {
        name: 'length-prefix inbound',
        ...common,
        contenders: [
          { name: OURS, run: throughStream(() => lengthPrefix().inbound(), prefixed) },
          { name: 'length-prefixed-stream', run: throughStream(() => lps.decode(), varint) },
          { name: 'it-length-prefixed', run: () => countAsync(decode(later(varint), IT_OPTIONS)) },
        ],
      },
      {
        // As the peers give them.
        name: 'length-prefix inbound, whole messages',
        ...common,
        contenders: [
          { name: OURS, run: throughStream(() => lengthPrefix({ deliver: 'whole', maxMessageBytes: 32 * 2 ** 20 }).inbound(), prefixed) },
          { name: 'length-prefixed-stream', run: throughStream(() => lps.decode(), varint) },
          { name: 'it-length-prefixed', run: () => countAsync(decode(later(varint), IT_OPTIONS)) },
        ],
      },
      {
        name: 'length-prefix outbound, no stream',
        ...common,
        contenders: [
          { name: OURS, run: throughCodec(() => new FrameEncoder(FRAME_HEADERS.be64, maxMessageBytes), announcedAtHand) },
          { name: 'it-length-prefixed', run: () => count(encode(atHand, IT_OPTIONS)) },
        ],
      },
      {
        name: 'length-prefix inbound, no stream',
        ...common,
        contenders: [
          { name: OURS, run: throughCodec(() => new FrameDecoder(FRAME_HEADERS.be64, maxMessageBytes), prefixed) },
          { name: 'it-length-prefixed', run: () => count(decode(varint, IT_OPTIONS)) },
        ],
      },
    ] satisfies Contest[];
  },
};

/** As bytes come from a connection: not all at hand. */
async function* later(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks;
}

function count(items: Iterable<unknown>): number {
  let bytes = 0;
  for (const item of items) bytes += bytesOf(item);
  return bytes;
}

async function countAsync(items: AsyncIterable<unknown>): Promise<number> {
  let bytes = 0;
  for await (const item of items) bytes += bytesOf(item);
  return bytes;
}

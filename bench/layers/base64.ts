/** base64 against base64-stream, and against Buffer's own conversion as the floor. */
import { Base64Decode, Base64Encode } from 'base64-stream';
import { base64 } from 'veracruz-streams';
import { type Base64Chunk, BOUNDARY, type ItemChunk } from 'veracruz-streams/core';
import { Base64Decoder, Base64Encoder } from 'veracruz-streams/layers';
import { OURS } from '../harness/result.js';
import { CHUNK_BYTES, chunksOf, cut, type LayerBench, messagesOf, payloadOf, repeated } from './contest.js';
import { itemsOf, throughCodec, throughStream } from './drive.js';

/** Bytes of a conversion by hand: the largest size at which Node's is fast. */
const SLICE_BYTES = 48 * 1024;

export const base64Bench: LayerBench = {
  layer: 'base64',
  open: async (messageBytes) => {
    const messages = messagesOf(messageBytes);
    const payload = payloadOf(messageBytes);
    const common = { messageBytes, messages };
    const units: ItemChunk[] = repeated([...chunksOf(payload), BOUNDARY], messages);
    // The peer knows no units: it makes one long text of the same chunks, which is less work.
    const plain = repeated(chunksOf(payload), messages);
    const texts = await itemsOf<Base64Chunk>(base64().outbound(), units);
    const oneText = Buffer.from(Buffer.concat(plain).toString('base64'), 'latin1');
    // In pieces as long as our units, so that both are handed as many.
    const text = cut(oneText, Math.min(CHUNK_BYTES, Math.ceil(messageBytes / 3) * 4));
    const slices = cut(Buffer.concat(plain), SLICE_BYTES);
    const letters = slices.map((slice) => slice.toString('base64'));
    return [
      {
        name: 'base64 outbound',
        ...common,
        contenders: [
          { name: OURS, run: throughStream(() => base64().outbound(), units) },
          { name: 'base64-stream', run: throughStream(() => new Base64Encode(), plain) },
          { name: 'Buffer', run: () => slices.reduce((bytes, slice) => bytes + slice.toString('base64').length, 0) },
        ],
      },
      {
        name: 'base64 inbound',
        ...common,
        contenders: [
          { name: OURS, run: throughStream(() => base64().inbound(), texts) },
          { name: 'base64-stream', run: throughStream(() => new Base64Decode(), text) },
          { name: 'Buffer', run: () => letters.reduce((bytes, letter) => bytes + Buffer.from(letter, 'base64').length, 0) },
        ],
      },
      { name: 'base64 outbound, no stream', ...common, contenders: [{ name: OURS, run: throughCodec(() => new Base64Encoder(), units) }] },
      { name: 'base64 inbound, no stream', ...common, contenders: [{ name: OURS, run: throughCodec(() => new Base64Decoder(), texts) }] },
    ];
  },
};

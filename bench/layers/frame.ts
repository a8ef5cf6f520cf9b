/** frame alone: nobody else has its form. */
import { type FrameKind, frame } from 'veracruz-streams';
import { Announce, type BincodeChunk } from 'veracruz-streams/core';
import { FRAME_HEADERS, FrameDecoder, FrameEncoder } from 'veracruz-streams/layers';
import { OURS } from '../harness/result.js';
import { chunksOf, type LayerBench, messagesOf, payloadOf, repeated } from './contest.js';
import { madeOf, throughCodec, throughStream } from './drive.js';

const KIND: FrameKind = 'tcp9';
const MAX_FRAME_BYTES = 32 * 2 ** 20;
const layer = () => frame(KIND, { maxFrameBytes: MAX_FRAME_BYTES });

export const frameBench: LayerBench = {
  layer: 'frame',
  open: async (messageBytes) => {
    const messages = messagesOf(messageBytes);
    const common = { messageBytes, messages };
    const announced: BincodeChunk[] = repeated([new Announce(messageBytes), ...chunksOf(payloadOf(messageBytes))], messages);
    const framed = chunksOf(await madeOf(layer().outbound(), announced));
    const header = FRAME_HEADERS[KIND];
    return [
      { name: 'frame outbound', ...common, contenders: [{ name: OURS, run: throughStream(() => layer().outbound(), announced) }] },
      { name: 'frame inbound', ...common, contenders: [{ name: OURS, run: throughStream(() => layer().inbound(), framed) }] },
      {
        name: 'frame outbound, no stream',
        ...common,
        contenders: [{ name: OURS, run: throughCodec(() => new FrameEncoder(header, MAX_FRAME_BYTES), announced) }],
      },
      {
        name: 'frame inbound, no stream',
        ...common,
        contenders: [{ name: OURS, run: throughCodec(() => new FrameDecoder(header, MAX_FRAME_BYTES), framed) }],
      },
    ];
  },
};

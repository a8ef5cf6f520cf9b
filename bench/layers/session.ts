/** session alone: nobody else has its form. A message is the body of a POST. */
import { session } from 'veracruz-streams';
import { type Base64Chunk, BOUNDARY, type BodyChunk } from 'veracruz-streams/core';
import { OURS } from '../harness/result.js';
import { chunksOf, type LayerBench, messagesOf, repeated } from './contest.js';
import { itemsOf, throughStream } from './drive.js';

const client = () => session({ end: 'client', id: 71 });
const server = () => session({ end: 'server', id: 71 });

export const sessionBench: LayerBench = {
  layer: 'session',
  open: async (messageBytes) => {
    const messages = messagesOf(messageBytes);
    const common = { messageBytes, messages };
    const texts: Base64Chunk[] = repeated([...chunksOf(Buffer.alloc(messageBytes, 'AbCd')), BOUNDARY], messages);
    const bodies = await itemsOf<BodyChunk>(client().outbound(), texts);
    return [
      { name: 'session outbound', ...common, contenders: [{ name: OURS, run: throughStream(() => client().outbound(), texts) }] },
      { name: 'session inbound', ...common, contenders: [{ name: OURS, run: throughStream(() => server().inbound(), bodies) }] },
    ];
  },
};

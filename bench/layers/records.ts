/** records alone: nobody else has its form. A message is a TLS record. */
import { records } from 'veracruz-streams';
import { RecordDecoder, RecordEncoder } from 'veracruz-streams/layers';
import { OURS } from '../harness/result.js';
import { chunksOf, type LayerBench, messagesOf } from './contest.js';
import { itemsOf, throughCodec, throughStream } from './drive.js';

/** The most plaintext that a record has (RFC 8446 §5.1), and what TLS 1.3 adds to it. */
const MAX_PLAINTEXT_BYTES = 16_384;
const OVERHEAD_BYTES = 17;
/** Bytes of a unit, as a client has it whose Server takes as much. */
const BATCH_BYTES = 2 ** 20;

export const recordsBench: LayerBench = {
  layer: 'records',
  maxMessageBytes: MAX_PLAINTEXT_BYTES,
  open: async (messageBytes) => {
    const messages = messagesOf(messageBytes);
    const common = { messageBytes, messages };
    const cipher = chunksOf(Buffer.concat(Array.from({ length: messages }, () => recordOf(messageBytes))));
    const layer = () => records({ batchBytes: BATCH_BYTES });
    const units = await itemsOf<never>(layer().outbound(), cipher);
    return [
      { name: 'records outbound', ...common, contenders: [{ name: OURS, run: throughStream(() => layer().outbound(), cipher) }] },
      { name: 'records inbound', ...common, contenders: [{ name: OURS, run: throughStream(() => layer().inbound(), units) }] },
      {
        name: 'records outbound, no stream',
        ...common,
        contenders: [{ name: OURS, run: throughCodec(() => new RecordEncoder(BATCH_BYTES), cipher) }],
      },
      { name: 'records inbound, no stream', ...common, contenders: [{ name: OURS, run: throughCodec(() => new RecordDecoder(), units) }] },
    ];
  },
};

/** What a TLS 1.3 record of application data looks like from outside. */
function recordOf(plaintextBytes: number): Buffer {
  const record = Buffer.alloc(5 + plaintextBytes + OVERHEAD_BYTES, 0x5a);
  record.writeUInt8(23, 0);
  record.writeUInt16BE(0x0303, 1);
  record.writeUInt16BE(plaintextBytes + OVERHEAD_BYTES, 3);
  return record;
}

/**
 * bincode against borsh: no npm package of bincode itself can be loaded by Node (bincode-ts 1.0.0 lacks file endings in
 * its imports); borsh is its nearest relative, with the same enums, little-endian integers and counted byte vectors.
 */
import { deserialize, type Schema, serialize } from 'borsh';
import { bincode } from 'veracruz-streams';
import { Announce, type BincodeChunk } from 'veracruz-streams/core';
import { type BincodeSent, decodeBincodeRequest, encodeBincodeRequest, joinSlices, sliceBytes } from 'veracruz-streams/layers';
import { OURS } from '../harness/result.js';
import { type Contender, chunksOf, type LayerBench, messagesOf, payloadOf, repeated } from './contest.js';
import { each, throughStream } from './drive.js';

/** borsh takes some 30 ns for each byte of a vector. */
const BORSH_MAX_BYTES = 64 * 1024;
const SESSION = 7;

const layer = () => bincode({ dialect: '2207', sends: 'request', receives: 'request', maxMessageBytes: 32 * 2 ** 20 });
const SCHEMA: Schema = { enum: [{ struct: { SendTlsData: { struct: { session: 'u32', data: { array: { type: 'u8' } } } } } }] };

export const bincodeBench: LayerBench = {
  layer: 'bincode',
  open: (messageBytes) => {
    const messages = messagesOf(messageBytes);
    const payload = payloadOf(messageBytes);
    const common = { messageBytes, messages };
    const message: BincodeSent<'request'> = { kind: 'SendTlsData', session: SESSION, data: chunksOf(payload) };
    const encoded = joinSlices(encodeBincodeRequest(message, '2207'));
    const incoming: BincodeChunk[] = repeated([new Announce(encoded.length), ...chunksOf(encoded)], messages);
    const value = { SendTlsData: { session: SESSION, data: payload } };
    const borshed = serialize(SCHEMA, value);
    // borsh wants a message whole, but is not asked for one that is more than a chunk.
    const borsh = (run: () => number): Contender[] =>
      messageBytes > BORSH_MAX_BYTES ? [] : [{ name: 'borsh', run: each(Array.from({ length: messages }), run) }];
    const borshOut = borsh(() => serialize(SCHEMA, value).length);
    const borshIn = borsh(() => (deserialize(SCHEMA, borshed) as typeof value).SendTlsData.data.length);
    const pieces = chunksOf(encoded);
    return [
      {
        name: 'bincode outbound',
        ...common,
        contenders: [{ name: OURS, run: throughStream(() => layer().outbound(), repeated([message], messages)) }, ...borshOut],
      },
      {
        name: 'bincode inbound',
        ...common,
        contenders: [
          {
            name: OURS,
            run: throughStream(
              () => layer().inbound(),
              incoming,
              (got, add) => add(dataBytes(got)),
            ),
          },
          ...borshIn,
        ],
      },
      {
        name: 'bincode outbound, no stream',
        ...common,
        contenders: [
          { name: OURS, run: each(repeated([message], messages), (one) => sliceBytes(encodeBincodeRequest(one, '2207'))) },
          ...borshOut,
        ],
      },
      {
        name: 'bincode inbound, no stream',
        ...common,
        contenders: [
          {
            name: OURS,
            run: each(
              Array.from({ length: messages }, () => pieces),
              (one) => dataBytes(decodeBincodeRequest(one, '2207')),
            ),
          },
          ...borshIn,
        ],
      },
    ];
  },
};

function dataBytes(message: ReturnType<typeof decodeBincodeRequest>): number {
  return message.kind === 'SendTlsData' ? sliceBytes(message.data) : 0;
}

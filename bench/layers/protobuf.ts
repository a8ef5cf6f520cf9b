/** protobuf, streamed, against protobufjs and protobuf-es, which have a message in memory as a whole. */
import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type ProtobufReceived, type ProtobufSent, protobuf } from 'veracruz-streams';
import { Announce, type MessageChunk } from 'veracruz-streams/core';
import { decodeProtobuf, encodeProtobuf, IncomingBody } from 'veracruz-streams/layers';
import { OURS } from '../harness/result.js';
import { CHUNK_BYTES, chunksOf, collected, type LayerBench, messagesOf, payloadOf, repeated } from './contest.js';
import { each, throughStream } from './drive.js';
import { protobufEsType, protobufjsType } from './peers/protobuf-schema.js';

type Request = ProtobufSent<'RuntimeManagerRequest'>;

const NAME = '/input/bench';
const layer = () => protobuf({ sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerRequest' });
const wholeLayer = () =>
  protobuf({ sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerRequest', deliver: 'whole', maxMessageBytes: 32 * 2 ** 20 });

export const protobufBench: LayerBench = {
  layer: 'protobuf',
  open: (messageBytes) => {
    const messages = messagesOf(messageBytes);
    const payload = payloadOf(messageBytes);
    const common = { messageBytes, messages };
    const js = protobufjsType();
    const es = protobufEsType();
    const encoded = encodeProtobuf('RuntimeManagerRequest', { oneof: 'write_file', fields: { file_name: NAME, data: payload } });
    const incoming: MessageChunk[] = repeated([new Announce(encoded.length), ...chunksOf(encoded)], messages);
    const whole = collected(payload, messages);
    const wholeEncoded = collected(encoded, messages);
    const atHand = repeated([payload], messages);
    const atHandEncoded = repeated([encoded], messages);
    const jsOut = (data: Buffer) => js.encode({ write_file: { file_name: NAME, data } }).finish().length;
    const jsIn = (bytes: Buffer) => (js.decode(bytes) as unknown as { write_file: { data: Buffer } }).write_file.data.length;
    const esOut = (data: Buffer) => toBinary(es, create(es, esMessage(data))).length;
    const esIn = (bytes: Buffer) => esData(fromBinary(es, bytes));
    const ourOut = (data: Buffer) =>
      encodeProtobuf('RuntimeManagerRequest', { oneof: 'write_file', fields: { file_name: NAME, data } }).length;
    const ourIn = (bytes: Buffer) => dataOf(decodeProtobuf('RuntimeManagerRequest', bytes)).length;
    return [
      {
        name: 'protobuf outbound',
        ...common,
        contenders: [
          { name: OURS, run: throughStream(() => layer().outbound(), repeated([writing(payload)], messages)) },
          { name: 'protobufjs', run: each(whole, jsOut) },
          { name: '@bufbuild/protobuf', run: each(whole, esOut) },
        ],
      },
      {
        name: 'protobuf inbound',
        ...common,
        contenders: [
          { name: OURS, run: throughStream(() => layer().inbound(), incoming, readBody) },
          { name: 'protobufjs', run: each(wholeEncoded, jsIn) },
          { name: '@bufbuild/protobuf', run: each(wholeEncoded, esIn) },
        ],
      },
      {
        // As the peers give them.
        name: 'protobuf inbound, whole messages',
        ...common,
        contenders: [
          { name: OURS, run: throughStream(() => wholeLayer().inbound(), incoming, wholeBody) },
          { name: 'protobufjs', run: each(wholeEncoded, jsIn) },
          { name: '@bufbuild/protobuf', run: each(wholeEncoded, esIn) },
        ],
      },
      {
        name: 'protobuf outbound, no stream',
        ...common,
        contenders: [
          { name: OURS, run: each(atHand, ourOut) },
          { name: 'protobufjs', run: each(atHand, jsOut) },
          { name: '@bufbuild/protobuf', run: each(atHand, esOut) },
        ],
      },
      {
        name: 'protobuf inbound, no stream',
        ...common,
        contenders: [
          { name: OURS, run: each(atHandEncoded, ourIn) },
          { name: 'protobufjs', run: each(atHandEncoded, jsIn) },
          { name: '@bufbuild/protobuf', run: each(atHandEncoded, esIn) },
        ],
      },
    ];
  },
};

/** A request whose body comes in chunks, where it is more than one. */
function writing(payload: Buffer): Request {
  const data = payload.length <= CHUNK_BYTES ? payload : { length: payload.length, source: again(chunksOf(payload)) };
  return { oneof: 'write_file', fields: { file_name: NAME, data } };
}

/** A source that can be read once a run. */
function again(chunks: readonly Buffer[]): AsyncIterable<Buffer> {
  return {
    async *[Symbol.asyncIterator]() {
      yield* chunks;
    },
  };
}

function readBody(message: ProtobufReceived<'RuntimeManagerRequest'>, add: (bytes: number) => void): void {
  const body = message.oneof === 'write_file' ? message.fields.data : undefined;
  if (body instanceof IncomingBody) body.on('data', (chunk: Buffer) => add(chunk.length));
}

function wholeBody(message: ReturnType<typeof decodeProtobuf<'RuntimeManagerRequest'>>, add: (bytes: number) => void): void {
  add(dataOf(message).length);
}

function dataOf(message: ReturnType<typeof decodeProtobuf<'RuntimeManagerRequest'>>): Buffer {
  return message.oneof === 'write_file' ? message.fields.data : Buffer.alloc(0);
}

/** The names that protobuf-es gives to the schema's. */
interface EsMessage {
  readonly messageOneof: { readonly case: 'writeFile'; readonly value: { readonly fileName: string; readonly data: Uint8Array } };
}

function esMessage(data: Uint8Array): MessageInitShape<DescMessage> {
  return { messageOneof: { case: 'writeFile', value: { fileName: NAME, data } } satisfies EsMessage['messageOneof'] };
}

function esData(message: unknown): number {
  return (message as EsMessage).messageOneof.value.data.length;
}

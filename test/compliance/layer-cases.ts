/** Every layer, as pairs of two ends that talk, with example items. To add a layer is to add an entry. */
import type { Transform } from 'node:stream';
import type { Connection } from '../../lib/core/connection.js';
import type { Layer } from '../../lib/core/layer.js';
import { Announce, BOUNDARY } from '../../lib/core/unit.js';
import { base64 } from '../../lib/layers/base64/index.js';
import { bincode, type Received } from '../../lib/layers/bincode/index.js';
import { frame, lengthPrefix } from '../../lib/layers/frame/index.js';
import { protobuf } from '../../lib/layers/protobuf/index.js';
import { records } from '../../lib/layers/records/index.js';
import { session } from '../../lib/layers/session/index.js';
import { tls } from '../../lib/layers/tls/index.js';
import { plain as plainBincode } from '../layers/bincode/from-golden.js';
import { announced, plain as plainProtobuf, receive, varint } from '../layers/protobuf/support.js';
import { alice, clientOptions, serverOptions } from '../layers/tls/pki.js';
import { feed } from '../support/feed.js';
import { type Heard, pattern, shown } from './layer-wire.js';

type AnyLayer = Layer<any, any>;

/** How a limit is met: by a unit of `figure` of what it counts. */
export interface LimitCheck {
  /** The limit that is tried: passed at this figure, refused at one more. */
  readonly at: number;
  /** The layer with that limit, at its other end as well. */
  layer(limit: number): AnyLayer;
  /** What is written above the layer. Default: no limit outbound; then there is `wire`. */
  readonly items?: (figure: number) => readonly unknown[];
  /** What comes from below. Default: what the layer makes of `items` where its limit is higher. */
  readonly wire?: (figure: number) => readonly unknown[];
}

export interface LayerCase {
  /** Its folder in lib/layers. */
  readonly folder: string;
  readonly label: string;
  /** What its errors call it. Default: as its folder. */
  readonly name?: string;
  near(): AnyLayer;
  /** The layer at the other end. */
  far(): AnyLayer;
  /** What is written above `near`, unit by unit. */
  readonly units: readonly (readonly unknown[])[];
  /** A unit that many of are written while nobody reads. */
  readonly flood: readonly unknown[];
  /** What comes out above `far`, as `shown` has it. Default: what was written. */
  readonly given?: readonly string[];
  /** Reads a direction to its end. Default: `feed`. */
  read?(stream: Transform, chunks: readonly unknown[]): Promise<Heard>;
  /** Says of an offset of the bytes below, besides the ends of units, that the input may end there, and why it may. */
  readonly mayEnd?: { readonly why: string; at(offset: number): boolean };
  /** Each limit whose name begins with `max`: how it is met, or where that is tested because it is not about one unit. */
  readonly limits: Readonly<Record<string, LimitCheck | string>>;
  /** The direction in which a mark that travels ends here, because it has become a BOUNDARY. Default: marks pass. */
  readonly marksEnd?: 'outbound';
  /** The two ends must speak with each other before anything goes through: what both of them say is exchanged. */
  readonly interactive?: boolean;
}

const hello = Buffer.from('hello');
const none = Buffer.alloc(0);
const LENGTHS = [5, 0, 1, 70, 300];
const latin1 = (text: string) => Buffer.from(text, 'latin1');

const record = (size: number, type = 23) => {
  const bytes = pattern(5 + size);
  bytes.set([type, 3, 3, size >> 8, size & 255]);
  return bytes;
};

/** Units whose length stands before them. */
const announcedUnits = LENGTHS.map((length) => (length > 0 ? announced([pattern(length)]) : [new Announce(0)]));
const readProtobuf = async (stream: Transform, chunks: readonly unknown[]): Promise<Heard> => {
  const { messages, error, bodyErrors } = await receive(stream, chunks);
  // The body of a message that the end of the input has cut fails by itself, and so does the stream.
  return {
    items: bodyErrors.length > 0 ? messages.slice(0, -1) : messages,
    error,
    shown: messages.map((message) => (typeof message === 'symbol' ? String(message) : JSON.stringify(plainProtobuf(message)))),
  };
};
const readBincode = async (stream: Transform, chunks: readonly unknown[]): Promise<Heard> => {
  const { items, error } = await feed(stream, chunks);
  return { items, error, shown: items.map((item) => JSON.stringify(plainBincode(item as Received<'request'>))) };
};

const frames = (kind: 'tcp9' | 'icecap4'): LayerCase => ({
  folder: 'frame',
  label: kind,
  near: () => frame(kind),
  far: () => frame(kind),
  units: announcedUnits,
  flood: [pattern(1000)],
  limits: { maxFrameBytes: { at: 100, layer: (maxFrameBytes) => frame(kind, { maxFrameBytes }), items: (figure) => [pattern(figure)] } },
});

const sessionText = [latin1('aGVs'), latin1('bG8='), BOUNDARY];
const sessionEnd = {
  why: 'a body has no length and no end of its own: HTTP below knows its length, base64 above its padding',
  at: () => true,
};
const whitespace = (end: 'client' | 'server'): LimitCheck => ({
  at: 50,
  layer: (maxWhitespaceBytes) => session({ end, maxWhitespaceBytes }),
  wire: (figure) => [latin1(`7${' '.repeat(figure)}YQ==`), BOUNDARY],
});

const protobufCase = (deliver: 'streamed' | 'whole'): LayerCase => {
  const near = (options = {}) =>
    protobuf({ sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerResponse', deliver, ...options } as never) as AnyLayer;
  const far = (options = {}) =>
    protobuf({ sends: 'RuntimeManagerResponse', receives: 'RuntimeManagerRequest', deliver, ...options } as never) as AnyLayer;
  // A layer that can both write and read what it writes: the limits are tried from end to end.
  const both = (options: object) =>
    ({ ...near(options), inbound: (connection: Connection) => far(options).inbound(connection) }) as AnyLayer;
  const write = (data: Buffer) => ({ oneof: 'write_file', fields: { file_name: 'a', data } });
  const read = (length: number) => ({ oneof: 'read_file', fields: { file_name: 'n'.repeat(length) } });
  /** Bytes of a message around its data. */
  const around = (data: number) => 1 + varint(3 + 1 + varint(data).length + data).length + 3 + 1 + varint(data).length;
  const units = [[read(5)], [write(pattern(200))], [{ oneof: 'request_pi_hash', fields: { file_name: 'x' } }], [write(none)]];
  return {
    folder: 'protobuf',
    label: deliver,
    near,
    far,
    units,
    given: [read(5), write(pattern(200)), { oneof: 'request_pi_hash', fields: { file_name: 'x' } }, write(none)].map((message) =>
      JSON.stringify({ context: 0, ...plainProtobuf(message) }),
    ),
    flood: [read(500)],
    read: readProtobuf,
    limits: {
      maxMessageBytes: {
        at: 500,
        layer: (maxMessageBytes) => both({ maxMessageBytes, maxBufferedMessageBytes: 2 ** 20 }),
        items: (figure) => [write(pattern(figure - around(figure - 13)))],
      },
      maxBufferedMessageBytes: 'test/layers/protobuf/message.test.ts: it depends on what of a message is streamed',
      maxFileNameBytes: { at: 100, layer: (maxFileNameBytes) => both({ maxFileNameBytes }), items: (figure) => [read(figure)] },
      maxFields: {
        at: 20,
        layer: (maxFields) => both({ maxFields }),
        // Unknown fields, each a number.
        wire: (figure) => announced([Buffer.concat(Array.from({ length: figure }, () => Buffer.from([0xf8, 0x01, 7])))]),
      },
    },
  };
};

const GROUP_ENDS = groupEnds();

export const LAYER_CASES: readonly LayerCase[] = [
  protobufCase('streamed'),
  protobufCase('whole'),
  {
    folder: 'frame',
    name: 'length-prefix',
    label: 'streamed',
    near: () => lengthPrefix(),
    far: () => lengthPrefix(),
    units: announcedUnits,
    flood: [pattern(1000)],
    limits: {
      maxMessageBytes: { at: 100, layer: (maxMessageBytes) => lengthPrefix({ maxMessageBytes }), items: (figure) => [pattern(figure)] },
    },
  },
  {
    folder: 'frame',
    name: 'length-prefix',
    label: 'whole',
    near: () => lengthPrefix({ deliver: 'whole' }),
    far: () => lengthPrefix({ deliver: 'whole' }),
    units: LENGTHS.map((length) => [pattern(length)]),
    flood: [pattern(1000)],
    limits: {
      maxMessageBytes: {
        at: 100,
        layer: (maxMessageBytes) => lengthPrefix({ maxMessageBytes, deliver: 'whole' }),
        items: (figure) => [pattern(figure)],
      },
    },
  },
  {
    folder: 'tls',
    label: 'client and server',
    near: () => tls(clientOptions(alice)),
    far: () => tls(serverOptions()),
    units: [[pattern(3000)], [hello], [pattern(17_000)]],
    flood: [pattern(16_000)],
    limits: {
      maxHandshakes: 'test/layers/tls/gate.test.ts: of all connections, not of one',
      maxQueuedHandshakes: 'test/layers/tls/gate.test.ts',
      maxHandshakeBytes: 'test/layers/tls/flight.test.ts',
      maxIdleRecords: 'test/layers/tls/ends.test.ts: records that carry nothing',
      maxIdleBytes: 'test/layers/tls/ends.test.ts',
    },
    interactive: true,
  },
  {
    folder: 'records',
    label: 'batches',
    near: () => records({ batchBytes: 1_000_000 }),
    far: () => records(),
    marksEnd: 'outbound',
    units: [[record(12, 22)], [record(1, 20)], [record(0)], [record(300)], [record(2, 21)]],
    given: shown([record(12, 22), record(1, 20), record(0), record(300), record(2, 21)]),
    flood: [record(1000)],
    limits: {
      maxRecordBodyBytes: { at: 16_640, layer: () => records(), wire: (figure) => [record(figure)], items: (figure) => [record(figure)] },
    },
  },
  {
    folder: 'base64',
    label: 'texts',
    near: () => base64(),
    far: () => base64(),
    units: LENGTHS.map((length) => (length > 0 ? [pattern(length), BOUNDARY] : [BOUNDARY])),
    flood: [pattern(999), BOUNDARY],
    mayEnd: {
      why: 'the end of the stream ends a text, which may be over after every four letters',
      at: (offset) => GROUP_ENDS.has(offset),
    },
    limits: {},
  },
  {
    folder: 'session',
    label: 'client to server',
    near: () => session({ end: 'client', id: 71 }),
    far: () => session({ end: 'server' }),
    units: [sessionText, [latin1('YQ=='), BOUNDARY]],
    flood: [latin1('YWFh'.repeat(250)), BOUNDARY],
    mayEnd: sessionEnd,
    limits: { maxWhitespaceBytes: whitespace('server') },
  },
  {
    folder: 'session',
    label: 'server to client',
    near: () => session({ end: 'server', id: 71 }),
    far: () => session({ end: 'client', id: 71 }),
    units: [sessionText, [latin1('YQ=='), BOUNDARY]],
    flood: [latin1('YWFh'.repeat(250)), BOUNDARY],
    mayEnd: sessionEnd,
    limits: { maxWhitespaceBytes: whitespace('client') },
  },
  {
    folder: 'bincode',
    label: 'requests, 2207',
    near: () => bincode({ dialect: '2207', sends: 'request', receives: 'response' }),
    far: () => bincode({ dialect: '2207', sends: 'response', receives: 'request' }),
    units: [[{ kind: 'NewTlsSession' }], [{ kind: 'SendTlsData', session: 5, data: [pattern(100)] }], [{ kind: 'GetTlsData', session: 5 }]],
    given: [
      { kind: 'NewTlsSession' },
      { kind: 'SendTlsData', session: 5, data: pattern(100).toString('hex') },
      { kind: 'GetTlsData', session: 5 },
    ].map((message) => JSON.stringify(message)),
    flood: [{ kind: 'SendTlsData', session: 5, data: [pattern(1000)] }],
    read: readBincode,
    limits: {
      maxMessageBytes: {
        at: 200,
        layer: (maxMessageBytes) => bincode({ dialect: '2207', sends: 'request', receives: 'request', maxMessageBytes }),
        items: (figure) => [{ kind: 'SendTlsData', session: 5, data: [pattern(figure - 16)] }],
      },
    },
  },
  {
    folder: 'bincode',
    label: 'responses, head',
    near: () => bincode({ dialect: 'head', sends: 'response', receives: 'request' }),
    far: () => bincode({ dialect: 'head', sends: 'request', receives: 'response' }),
    units: [
      [{ kind: 'TlsSession', session: 5 }],
      [{ kind: 'TlsData', data: [pattern(50)], active: true }],
      [{ kind: 'Status', status: 'Success' }],
    ],
    given: [
      { kind: 'TlsSession', session: 5 },
      { kind: 'TlsData', data: pattern(50).toString('hex'), active: true },
      { kind: 'Status', status: 'Success' },
    ].map((message) => JSON.stringify(message)),
    flood: [{ kind: 'TlsData', data: [pattern(1000)], active: true }],
    read: readBincode,
    limits: {
      maxMessageBytes: {
        at: 200,
        layer: (maxMessageBytes) => bincode({ dialect: 'head', sends: 'response', receives: 'response', maxMessageBytes }),
        items: (figure) => [{ kind: 'TlsData', data: [pattern(figure - 13)], active: true }],
      },
    },
  },
  frames('tcp9'),
  frames('icecap4'),
];

/** Where a text of the base64 case may end: after each group of four letters, counted from the start of its text. */
function groupEnds(): Set<number> {
  const ends = new Set([0]);
  let start = 0;
  for (const length of LENGTHS) {
    const letters = Math.ceil(length / 3) * 4;
    for (let end = 4; end <= letters; end += 4) ends.add(start + end);
    start += letters;
  }
  return ends;
}

/** The layers of the wire: protobuf, length prefix, frames, bincode, session text, base64, TLS records. */
import { Announce, type AnnouncedChunk, BOUNDARY, type ItemChunk } from '../../../../lib/core/unit.js';
import { Base64Decoder } from '../../../../lib/layers/base64/index.js';
import { bincode, decodeRequest, decodeResponse, encodeRequest, encodeResponse, type Side } from '../../../../lib/layers/bincode/index.js';
import { DIALECTS } from '../../../../lib/layers/formats/dialect.js';
import { FRAME_DEFAULTS, FRAME_HEADERS, FrameDecoder, type HeaderKind, WholeFrameDecoder } from '../../../../lib/layers/frame/index.js';
import { ENVELOPES, type EnvelopeName, encodeMessage, protobuf } from '../../../../lib/layers/protobuf/index.js';
import { RecordDecoder } from '../../../../lib/layers/records/index.js';
import { session } from '../../../../lib/layers/session/index.js';
import { FirstRecord } from '../../../../lib/layers/tls/first-record.js';
import { FrameWatch } from '../../../../lib/transports/console/frame-watch.js';
import { plain as plainBincode } from '../../../../test/layers/bincode/from-golden.js';
import { announced, dialectOf, messageOf, plain, receive } from '../../../../test/layers/protobuf/support.js';
import { negativeVectors, type Vector, vectors } from '../../../../test/support/golden.js';
import { ofParts, protobufFields, tlsRecords } from '../make.js';
import { latin1, type Outcome, readCodec, type Target } from '../target.js';

/** Longer vectors are not mutated: what is wrong in them is far away from what matters. */
const MAX_VECTOR_BYTES = 4096;

/** The bytes of a layer's golden vectors, the good and the bad. */
function wires(layer: Vector['layer'], holds: (vector: Pick<Vector, 'dialect' | 'value'>) => boolean = () => true): Buffer[] {
  const good = vectors(layer).flatMap((vector) => ('hex' in vector.wire && holds(vector) ? [vector.wire.hex] : []));
  const bad = negativeVectors(layer).flatMap(({ wire, chunks }) => [wire?.hex ?? (chunks ?? []).map(({ hex }) => hex).join('')]);
  return [...good, ...bad].map((hex) => Buffer.from(hex, 'hex')).filter(({ length }) => length > 0 && length <= MAX_VECTOR_BYTES);
}

/** The messages of protobuf's vectors, which are longer than the hexadecimal form holds. */
export function protobufCorpus(envelope: EnvelopeName): Buffer[] {
  const messages = vectors('protobuf').flatMap(({ value, dialect }) => {
    const { type, message } = messageOf(value);
    return type === envelope ? [encodeMessage(type, message, { dialect: dialectOf(dialect), maxFileNameBytes: 2 ** 20 })] : [];
  });
  return [...messages.filter(({ length }) => length <= MAX_VECTOR_BYTES), ...wires('protobuf').slice(0, 200)];
}

/** The streaming decoder, through its stream; a body must end exactly when its message is good. */
function protobufTarget(envelope: EnvelopeName, dialect: (typeof DIALECTS)[number]): Target {
  const layer = protobuf({ sends: envelope, receives: envelope, dialect });
  return {
    name: `protobuf-${envelope}-${dialect}`,
    corpus: protobufCorpus(envelope),
    make: protobufFields,
    read: async (pieces) => {
      const { messages, error } = await receive(layer.inbound(), announced(pieces));
      if (error === undefined) return { given: JSON.stringify(plain(messages)) };
      const ended = messages.some((message) => Buffer.isBuffer(message.fields?.data));
      return { given: ended ? 'a body ended though its message failed' : '', error };
    },
  };
}

const showAnnounced = (item: AnnouncedChunk): string => (item instanceof Announce ? `<${item.length}>` : latin1(item));
const showBounded = (item: ItemChunk): string => (Buffer.isBuffer(item) ? latin1(item) : '|');

function frameTarget(kind: HeaderKind, layer: 'frame' | 'prefix'): Target {
  const header = FRAME_HEADERS[kind];
  return {
    name: kind === 'be64' ? 'length-prefix' : `frame-${kind}`,
    corpus: wires(layer),
    read: (pieces) => {
      const streamed = readCodec(new FrameDecoder(header, FRAME_DEFAULTS.maxFrameBytes), pieces, showAnnounced);
      const whole = readCodec(
        new WholeFrameDecoder(header, FRAME_DEFAULTS.maxFrameBytes),
        pieces,
        (item) => `<${item.length}>${latin1(item)}`,
      );
      return streamed.error === undefined && streamed.given !== whole.given
        ? { given: streamed.given, error: new Error('the whole decoder gives something else') }
        : streamed;
    },
  };
}

const TYPES = { request: 'RuntimeManagerRequest', response: 'RuntimeManagerResponse' } as const;

function bincodeTarget(receives: Side, dialect: (typeof DIALECTS)[number]): Target {
  const layer = bincode({ dialect, sends: receives === 'request' ? 'response' : 'request', receives });
  return {
    name: `bincode-${receives}-${dialect}`,
    corpus: wires('bincode', (vector) => vector.dialect === `veracruz-${dialect}` && vector.value.type === TYPES[receives]),
    read: (pieces) => {
      const decoder = layer.decoder?.() as NonNullable<ReturnType<NonNullable<typeof layer.decoder>>>;
      return readCodec(decoder, announced(pieces) as AnnouncedChunk[], (item) => JSON.stringify(plainBincode(item as never)));
    },
    check: (input, { error }) => {
      // There is one form of each message: what is taken is written back byte for byte.
      if (error !== undefined || input.length === 0) return undefined;
      const back =
        receives === 'request'
          ? encodeRequest(decodeRequest(input, dialect), dialect)
          : encodeResponse(decodeResponse(input, dialect), dialect);
      return Buffer.concat(back).equals(input) ? undefined : `written back as ${Buffer.concat(back).toString('hex')}`;
    },
  };
}

function sessionTarget(end: 'client' | 'server'): Target {
  const parts = [
    '0',
    '1',
    '71',
    '4294967295',
    '4294967296',
    '-1',
    '+3',
    '007',
    ' ',
    '  ',
    '\n',
    '\t',
    '\r\n',
    ' '.repeat(600),
    '\v',
    '\u00a0',
  ];
  return {
    name: `session-${end}`,
    corpus: wires('session'),
    make: ofParts([...parts, 'aGVsbG8=', '/w==', 'aGV', 'A'.repeat(700), '=', 'é', '\0'], 8),
    read: (pieces) => {
      const decoder = session({ end }).decoder?.();
      return readCodec(decoder as NonNullable<typeof decoder>, [...pieces, BOUNDARY], showBounded as (item: unknown) => string);
    },
  };
}

const base64Target: Target = {
  name: 'base64',
  corpus: ['', 'aGVsbG8=', '/w==', 'AAAA'.repeat(100), Buffer.alloc(3000, 'a text').toString('base64')].map((text) => Buffer.from(text)),
  make: ofParts(['AAAA', 'aGVs', 'bG8=', '/w==', '=', '==', 'A', 'AB', 'ABC', '-_-_', '+/+/', '\n', ' ', '\0', 'é', 'AAAA'.repeat(90)], 10),
  read: (pieces) => readCodec(new Base64Decoder(), pieces, showBounded),
  check: (input, { given, error }) => {
    // Node's decoder skips what it does not know: only a text that survives both ways is one.
    const bytes = Buffer.from(latin1(input), 'base64');
    const canonical = bytes.toString('base64') === latin1(input);
    if (canonical !== (error === undefined)) return `canonical base64: ${canonical}, taken: ${error === undefined}`;
    return canonical && given !== latin1(bytes) ? 'other bytes than Node reads' : undefined;
  },
};

const HELLO = Buffer.from('160301000401000000', 'hex');

const recordsTarget: Target = {
  name: 'tls-records',
  corpus: [HELLO, Buffer.concat([HELLO, Buffer.from('170303000568656c6c6f', 'hex')])],
  make: tlsRecords,
  read: (pieces) => readCodec(new RecordDecoder(), pieces, latin1),
};

const firstRecordTarget: Target = {
  name: 'tls-first-record',
  corpus: [HELLO],
  make: tlsRecords,
  read: (pieces): Outcome => {
    const first = new FirstRecord();
    try {
      // How much of what follows the record comes with it depends on the cut, so only the decision is compared.
      const done = pieces.some((piece) => first.push(piece) !== undefined);
      return { given: String(done) };
    } catch (error) {
      return { given: '', error };
    }
  },
};

const frameWatchTarget: Target = {
  name: 'console-frame-watch',
  corpus: wires('frame'),
  read: (pieces) => {
    const watch = new FrameWatch();
    for (const piece of pieces) watch.push(piece);
    const { frames, emptyFrames, midFrame, expected, got } = watch;
    return { given: JSON.stringify({ frames, emptyFrames, midFrame, expected, got }) };
  },
};

export const wireTargets = (): Target[] => [
  ...ENVELOPES.flatMap((envelope) => (['2207', 'head'] as const).map((dialect) => protobufTarget(envelope, dialect))),
  frameTarget('be64', 'prefix'),
  frameTarget('tcp9', 'frame'),
  frameTarget('icecap4', 'frame'),
  ...(['request', 'response'] as const).flatMap((side) => DIALECTS.map((dialect) => bincodeTarget(side, dialect))),
  sessionTarget('client'),
  sessionTarget('server'),
  base64Target,
  recordsTarget,
  firstRecordTarget,
  frameWatchTarget,
];

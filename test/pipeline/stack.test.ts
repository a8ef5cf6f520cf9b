import t from 'tap';
import { base64 } from '../../lib/layers/base64/index.js';
import { bincode } from '../../lib/layers/bincode/index.js';
import { frame, lengthPrefix } from '../../lib/layers/frame/index.js';
import { protobuf } from '../../lib/layers/protobuf/index.js';
import { records } from '../../lib/layers/records/index.js';
import { session } from '../../lib/layers/session/index.js';
import { type TlsClientOptions, tls } from '../../lib/layers/tls/index.js';
import { stack } from '../../lib/pipeline/stack.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { through } from './layers.js';

const envelopes = { sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerResponse' } as const;
const link = { dialect: '2207', sends: 'request', receives: 'response' } as const;
declare const options: TlsClientOptions;

/** Never called. The compiler must refuse each line: an unused `@ts-expect-error` fails the build. */
export const MISORDERED = [
  // @ts-expect-error the length prefix belongs below protobuf
  () => stack(lengthPrefix(), protobuf(envelopes)),
  // @ts-expect-error messages without a prefix are no stream of bytes
  () => stack(protobuf(envelopes), tls(options)),
  // @ts-expect-error TLS would encrypt nothing that the prefix has not framed yet
  () => stack(tls(options), lengthPrefix()),
  // @ts-expect-error records without base64 are no session text
  () => stack(lengthPrefix(), tls(options), records(), session({ end: 'client' })),
  // @ts-expect-error the session stands below base64
  () => stack(records(), session({ end: 'client' }), base64()),
  // @ts-expect-error ciphertext is cut into records before it is made text
  () => stack(tls(options), base64()),
  // @ts-expect-error text is no bytes to make text of
  () => stack(records(), base64(), base64()),
  // @ts-expect-error bincode stands above the frame
  () => stack(frame('tcp9'), bincode(link)),
  // @ts-expect-error protobuf has a prefix, not a frame
  () => stack(protobuf(envelopes), frame('tcp9')),
  // @ts-expect-error bincode has a frame, not a prefix
  () => stack(bincode(link), lengthPrefix()),
  // @ts-expect-error the last of three is wrong, too
  () => stack(protobuf(envelopes), lengthPrefix(), frame('tcp9')),
] as const;

/** Never called either: all of these compile. */
export const IN_ORDER = [
  () => stack(protobuf(envelopes), lengthPrefix(), tls(options), records(), base64(), session({ end: 'client' })),
  () => stack(protobuf(envelopes), lengthPrefix(), tls(options)),
  () => stack(lengthPrefix(), tls(options), tls(options)),
  () => stack(protobuf(envelopes), lengthPrefix(), base64(), session({ end: 'client' })),
  () => stack(records(), base64(), session({ end: 'server' })),
  () => stack(base64(), session({ end: 'server' })),
  () => stack(bincode(link), frame('icecap4')),
  () => stack(protobuf(envelopes)),
];

void t.test('one list, top to wire, that describes itself', async (t) => {
  const both = stack(protobuf(envelopes), lengthPrefix({ maxMessageBytes: 1000 }));
  t.equal(
    both.describe(),
    [
      'protobuf       deliver streamed, dialect 2207, maxMessageBytes 17179869184, maxBufferedMessageBytes 1048576, maxFileNameBytes 4096, maxFields 1024',
      'length-prefix  deliver streamed, maxMessageBytes 1000',
    ].join('\n'),
  );
  t.same(
    both.layers.map((layer) => layer.name),
    ['protobuf', 'length-prefix'],
  );
  t.equal(stack(base64()).describe(), 'base64', 'no blanks at the end');
});

void t.test('a stack cannot be changed, and can be used several times', async (t) => {
  const both = stack(through('a'), through('b'));
  t.ok(Object.isFrozen(both) && Object.isFrozen(both.layers));
  const [left, right] = memoryPipe();
  const [one, other] = [both.over(left), both.over(right)];
  t.not(one.connection, other.connection);
  t.not(one.connection.id, other.connection.id);
  one.on('error', () => {}).destroy();
  other.on('error', () => {}).destroy();
});

void t.test('a stack without layers is refused', async (t) => {
  t.throws(() => stack(), { code: 'ERR_VC_INVALID_OPTION', got: 0 });
});

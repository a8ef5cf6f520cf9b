/** The rules of framing are the same for every header: one table of inputs, run with each of the three. */
import t from 'tap';
import { Announce, BODY_END, BOUNDARY } from '../../../lib/core/unit.js';
import {
  encodeHeader,
  FRAME_HEADERS,
  FrameDecoder,
  FrameEncoder,
  type FrameHeader,
  WholeFrameDecoder,
} from '../../../lib/layers/frame/index.js';
import { drive } from '../bincode/drive.js';

const LIMIT = 10;
const HEADERS = Object.entries(FRAME_HEADERS);
const abc = Buffer.from('abc');
const none = Buffer.alloc(0);

/** What an encoder or a decoder made of the input: bytes as hex, announcements as numbers, a code and its figures at the end. */
function outcome({ items, error }: { items: readonly unknown[]; error: any }): unknown[] {
  const told = items.map((item) => (item instanceof Announce ? item.length : (item as Buffer).toString('hex')));
  return error === undefined ? told : [...told, [error.code, error.expected ?? error.limit, error.got]];
}

void t.test('out: what comes of each input', async (t) => {
  // `header(n)` stands for the header of a payload of n bytes.
  const cases: [string, (header: (length: number) => string) => [unknown[], unknown[]]][] = [
    [
      'a bare Buffer is a payload',
      (h) => [
        [abc, none, abc],
        [`${h(3)}616263`, h(0), `${h(3)}616263`],
      ],
    ],
    [
      'bare, then announced',
      (h) => [
        [abc, new Announce(3), abc],
        [`${h(3)}616263`, `${h(3)}616263`],
      ],
    ],
    [
      'announced in slices',
      (h) => [
        [new Announce(6), none, abc, none, abc, none],
        [`${h(6)}616263`, '616263'],
      ],
    ],
    [
      'announced, of no bytes',
      (h) => [
        [new Announce(0), none, new Announce(0)],
        [h(0), h(0)],
      ],
    ],
    [
      'a byte after an announced payload',
      (h) => [
        [new Announce(3), abc, Buffer.of(1)],
        [`${h(3)}616263`, ['ERR_VC_LENGTH_MISMATCH', 3, 4]],
      ],
    ],
    [
      'a byte after an announced payload of none',
      (h) => [
        [new Announce(0), Buffer.of(1)],
        [h(0), ['ERR_VC_LENGTH_MISMATCH', 0, 1]],
      ],
    ],
    ['more in one chunk', () => [[new Announce(2), abc], [['ERR_VC_LENGTH_MISMATCH', 2, 3]]]],
    [
      'less before the end',
      (h) => [
        [new Announce(4), abc],
        [`${h(4)}616263`, ['ERR_VC_LENGTH_MISMATCH', 4, 3]],
      ],
    ],
    [
      'less before the next',
      (h) => [
        [new Announce(4), abc, new Announce(1)],
        [`${h(4)}616263`, ['ERR_VC_LENGTH_MISMATCH', 4, 3]],
      ],
    ],
    ['announced over the limit', () => [[new Announce(LIMIT + 1)], [['ERR_VC_LIMIT', LIMIT, LIMIT + 1]]]],
    ['bare over the limit', () => [[Buffer.alloc(LIMIT + 1)], [['ERR_VC_LIMIT', LIMIT, LIMIT + 1]]]],
    ['a length that is none', () => [[new Announce(-1)], [['ERR_VC_INVALID_ARGUMENT', '0..2^53-1', -1]]]],
    ['a mark', () => [[BOUNDARY], [['ERR_VC_INVALID_ARGUMENT', 'a Buffer or an Announce', 'symbol']]]],
    ['a text', () => [['abc'], [['ERR_VC_INVALID_ARGUMENT', 'a Buffer or an Announce', 'string']]]],
  ];
  for (const [kind, header] of HEADERS) {
    for (const [name, made] of cases) {
      const [chunks, expected] = made((length) => encodeHeader(header, length).toString('hex'));
      const run = drive<any, unknown>(new FrameEncoder(header, LIMIT), chunks);
      t.same(outcome(run), expected, `${kind}: ${name}`);
      if (run.error !== undefined) t.equal(run.error.layer, header.layer, `${kind}: ${name}, the layer's name`);
    }
  }
});

void t.test('in: what comes of each input, streamed and whole', async (t) => {
  const cases: [string, (h: (length: number) => Buffer, header: FrameHeader) => unknown[], unknown[], unknown[]][] = [
    [
      'payloads, surplus begins the next',
      (h) => [Buffer.concat([h(3), abc, h(0), h(1)]), Buffer.of(9)],
      [3, '616263', 0, 1, '09'],
      ['616263', '', '09'],
    ],
    ['marks are passed over', (h) => [BOUNDARY, h(3), BOUNDARY, abc, BODY_END], [3, '616263'], ['616263']],
    [
      'over the limit, by the header alone',
      (h) => [h(LIMIT + 1)],
      [['ERR_VC_LIMIT', LIMIT, LIMIT + 1]],
      [['ERR_VC_LIMIT', LIMIT, LIMIT + 1]],
    ],
    ['cut off in a payload', (h) => [h(4), abc], [4, '616263', ['ERR_VC_TRUNCATED', 4, 3]], [['ERR_VC_TRUNCATED', 4, 3]]],
    ['a payload that never came', (h) => [h(4)], [4, ['ERR_VC_TRUNCATED', 4, 0]], [['ERR_VC_TRUNCATED', 4, 0]]],
    ['a text', () => ['abc'], [['ERR_VC_INVALID_ARGUMENT', 'a Buffer', 'string']], [['ERR_VC_INVALID_ARGUMENT', 'a Buffer', 'string']]],
  ];
  for (const [kind, header] of HEADERS) {
    for (const [name, made, streamed, whole] of cases) {
      const chunks = made((length) => encodeHeader(header, length), header);
      for (const [decoder, expected] of [
        [new FrameDecoder(header, LIMIT), streamed],
        [new WholeFrameDecoder(header, LIMIT), whole],
      ] as const) {
        const run = drive<any, unknown>(decoder, chunks);
        t.same(outcome(run), expected, `${kind}: ${name}`);
        if (run.error !== undefined) t.equal(run.error.layer, header.layer, `${kind}: ${name}, the layer's name`);
      }
    }
    const cut = encodeHeader(header, 0).subarray(1);
    for (const decoder of [new FrameDecoder(header, LIMIT), new WholeFrameDecoder(header, LIMIT)]) {
      t.match(drive<any, unknown>(decoder, [cut]).error, { code: 'ERR_VC_TRUNCATED', expected: header.bytes, got: header.bytes - 1 }, kind);
    }
  }
});

void t.test('out: a length that the header cannot tell is over the limit', async (t) => {
  for (const [kind, header] of HEADERS) {
    const { error } = drive<any, unknown>(new FrameEncoder(header, Number.MAX_SAFE_INTEGER), [new Announce(header.maxLength)], {
      end: false,
    });
    t.equal(error, undefined, `${kind} tells its largest length`);
  }
  t.match(drive(new FrameEncoder(FRAME_HEADERS.icecap4, 2 ** 40), [new Announce(2 ** 32)]).error, {
    code: 'ERR_VC_LIMIT',
    limit: 2 ** 32 - 1,
    got: 2 ** 32,
  });
});

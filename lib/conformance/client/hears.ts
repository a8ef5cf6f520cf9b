/** What a client makes of answers: cut, odd, broken and hostile ones (wire spec §A, §B.5, §C). */

import type { Dialect } from '../../layers/formats/dialect.js';
import { type Case, expect, type Finding, passed, stricter, weaker } from '../case.js';
import { piecesOf } from '../peers/pipe.js';
import { armsOf, type ClientContext, type Run, whyOf } from './context.js';
import { toldBytes } from './enclave.js';
import type { Manners } from './place.js';

type ClientCase = Case<ClientContext>;

const OF_2207: readonly Dialect[] = ['2207', '2207-nitro'];
/** Milliseconds after which a client that does not end is taken for one that waits for more. */
const WAITS_MS = 2000;
/** Bytes at the beginning of something long that are sent one by one. */
const ONE_BY_ONE = 60;

/** One byte each for a while, then the rest. */
function* bytesOf(bytes: Buffer): Generator<Buffer> {
  yield* piecesOf(bytes.subarray(0, ONE_BY_ONE), 1);
  if (bytes.length > ONE_BY_ONE) yield bytes.subarray(ONE_BY_ONE);
}

function bodyOfItems(id: string, output: Buffer, size: number): string {
  if (output.length === 0) return '';
  return [id, ...Array.from(piecesOf(output, size), (piece) => piece.toString('base64'))].join(' ');
}

interface Sameness {
  readonly name: string;
  readonly section: string;
  readonly expects: string;
  readonly dialects?: readonly Dialect[];
  readonly manners: (context: ClientContext) => Partial<Manners>;
}

/** Answers that mean the same: the client does all that it does when all is well. */
const SAME: readonly Sameness[] = [
  {
    name: 'answer.split-items',
    section: 'C.2',
    dialects: OF_2207,
    expects: 'An answer may have many texts, each with a few bytes of ciphertext.',
    manners: () => ({ body: (id, output) => bodyOfItems(id, output, 61) }),
  },
  {
    name: 'answer.split-body',
    section: 'C.3',
    dialects: OF_2207,
    expects: 'The body of an answer may come byte by byte, in chunks.',
    manners: () => ({ pieces: bytesOf }),
  },
  {
    name: 'answer.announced',
    section: 'C.6',
    dialects: OF_2207,
    expects: 'A Server that announces x-veracruz-max-body-bytes is served as any other.',
    manners: () => ({ announce: true }),
  },
  {
    name: 'answer.id-only',
    section: 'C.2',
    dialects: OF_2207,
    expects: 'An answer without output may be the id and a blank, as our Server says it.',
    manners: () => ({ body: (id, output) => (output.length === 0 ? `${id} ` : `${id} ${output.toString('base64')}`) }),
  },
  {
    name: 'answer.split-stream',
    section: 'C.8',
    dialects: ['head'],
    expects: 'Ciphertext may come byte by byte.',
    manners: () => ({ pieces: bytesOf }),
  },
  {
    name: 'answer.small-records',
    section: 'B.5',
    expects: 'An answer may be cut in many TLS records, each with one byte of plaintext.',
    manners: () => ({ cut: bytesOf }),
  },
  {
    name: 'answer.split-prefix',
    section: 'A.8',
    expects: 'A prefix may be cut in two TLS records.',
    manners: () => ({ cut: (plaintext) => [plaintext.subarray(0, 3), plaintext.subarray(3)] }),
  },
  {
    name: 'answer.context',
    section: 'A.2',
    expects: 'The context of an answer means nothing.',
    manners: () => ({ answer: (_, usual) => ({ ...usual, context: 5 }) }),
  },
  {
    name: 'answer.unknown-field',
    section: 'A.6',
    expects: 'A field that the schema does not have is skipped.',
    manners: ({ target }) => ({
      answer: (_, usual) => {
        const message = Buffer.concat([Buffer.from('7801', 'hex'), toldBytes(usual, target.dialect).subarray(8)]);
        const prefix = Buffer.alloc(8);
        prefix.writeUInt32BE(message.length, 4);
        return Buffer.concat([prefix, message]);
      },
    }),
  },
];

const SAMENESS: readonly ClientCase[] = SAME.map(({ manners, ...more }) => ({
  ...more,
  level: 'wire',
  run: async (context, scope) => {
    await context.same(scope, manners(context));
    return undefined;
  },
}));

interface Refusal {
  readonly name: string;
  readonly section: string;
  readonly expects: string;
  readonly dialects?: readonly Dialect[];
  readonly manners: (context: ClientContext) => Partial<Manners>;
  /** What a client is that goes on, or waits. Default: it has failed. */
  readonly otherwise?: (run: Run) => Finding | undefined;
  /** What a client is that takes the answer, whatever comes of it then. */
  readonly taken?: (run: Run) => Finding | undefined;
}

/** The answer to the first request is spoilt; what comes before it is the handshake. */
const spoilt =
  (answer: (usual: Buffer) => Buffer | null) =>
  (context: ClientContext): Partial<Manners> => ({
    answer: (_, usual, index) => (index === 0 ? answer(toldBytes(usual, context.target.dialect)) : usual),
  });

/** A body of HTTP that is spoilt, once a request has come. */
const spoiltBody = (body: (id: string, text: string) => string | number) => (): Partial<Manners> => {
  let requests = 0;
  return {
    answer: (_, usual) => {
      requests++;
      return usual;
    },
    body: (id, output) => {
      const text = output.length === 0 ? '' : `${id} ${output.toString('base64')}`;
      return requests === 1 && text !== '' ? body(id, output.toString('base64')) : text;
    },
  };
};

const hex = (digits: string) => Buffer.from(digits, 'hex');

/** Answers that a client must not take: it ends, and asks for nothing more. */
const REFUSED: readonly Refusal[] = [
  {
    name: 'refused.status-500',
    section: 'C.5',
    dialects: OF_2207,
    expects: 'A status of refusal (500) ends the session.',
    manners: spoiltBody(() => 500),
  },
  {
    name: 'refused.bad-base64',
    section: 'C.1',
    dialects: OF_2207,
    expects: 'A text that is no base64 ends the session.',
    manners: spoiltBody((id, text) => `${id} ${text.slice(0, 8)}*${text.slice(9)}`),
  },
  {
    name: 'refused.bad-id',
    section: 'C.2',
    dialects: OF_2207,
    expects: 'An answer whose id is no number ends the session.',
    manners: spoiltBody((_, text) => `x ${text}`),
  },
  {
    name: 'refused.other-id',
    section: 'C.3',
    dialects: OF_2207,
    expects: 'The original takes the id of each answer as its own. Stricter: the id of another session ends this one.',
    manners: spoiltBody((id, text) => `${Number(id) + 5000} ${text}`),
    taken: ({ posts }) => (new Set(posts.map(({ id }) => id)).size > 2 ? passed('goes on under the other id') : undefined),
    otherwise: ({ hung }) => (hung ? undefined : passed('goes on under its own id')),
  },
  {
    name: 'refused.no-padding',
    section: 'C.1',
    dialects: OF_2207,
    expects: 'The original takes base64 without its padding. Stricter: it ends the session.',
    manners: spoiltBody((id, text) => bodyOfItems(id, Buffer.from(text, 'base64'), 61).replaceAll('=', '')),
    otherwise: ({ hung }) => (hung ? undefined : passed('taken')),
  },
  {
    name: 'refused.huge-prefix',
    section: 'A.8',
    expects: 'A prefix of 2^64 - 1 is refused when it is read. Weaker: it is waited for.',
    manners: spoilt((usual) => Buffer.concat([Buffer.alloc(8, 0xff), usual.subarray(8)])),
    otherwise: ({ hung }) => (hung ? weaker('waits for all of it') : undefined),
  },
  {
    name: 'refused.no-protobuf',
    section: 'A.6',
    expects: 'An answer that is no message ends the session.',
    manners: spoilt(() => hex('0000000000000004' + '0e010f01')),
  },
  {
    name: 'refused.other-answer',
    section: 'D.9',
    expects: 'SUCCESS with the answer to another request ends the session.',
    manners: spoilt(() => hex('0000000000000006' + '08012a020a00')),
    otherwise: () => weaker('goes on'),
  },
  {
    name: 'refused.denied',
    section: 'D.10',
    expects: 'A status of refusal is told to the user: the client does not report success.',
    manners: spoilt(() => hex('0000000000000002' + '0802')),
    otherwise: ({ ended }) => (ended?.ok === true ? undefined : passed('goes on')),
  },
  {
    name: 'refused.cut',
    section: 'B.6',
    expects: 'An answer that lacks its last byte is not taken for a whole one: the client waits for the rest, or ends.',
    manners: spoilt((usual) => usual.subarray(0, -1)),
    otherwise: ({ hung }) => (hung ? passed('waits for the rest') : undefined),
  },
];

const REFUSALS: readonly ClientCase[] = REFUSED.map(({ manners, otherwise, taken, ...more }) => ({
  ...more,
  level: 'robust',
  run: async (context, scope) => {
    const usual = await context.usual(scope);
    const run = await context.attempt(scope, manners(context), WAITS_MS);
    const taking = taken?.(run);
    if (taking !== undefined) return taking;
    const goesOn = armsOf(run).filter((arm) => arm !== 'request_shutdown').length > 1 || usual.length === 1;
    const ends = !run.hung && !goesOn && run.ended?.ok !== true;
    if (ends) return more.expects.includes('Stricter') ? stricter(whyOf(run)) : passed(whyOf(run));
    const finding = otherwise?.(run);
    const saw = run.hung ? 'the client hangs' : `the client goes on: ${armsOf(run).join(', ')}`;
    expect(finding !== undefined, run.ended?.ok === true ? `${saw}, and reports success` : saw);
    return finding;
  },
}));

export const HEARS_CASES: readonly ClientCase[] = [...SAMENESS, ...REFUSALS];

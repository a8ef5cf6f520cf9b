/** Broken clients: ours behind a proxy that takes answers badly for it, in 2207; and that of node's own TLS, in head. */
import type { Test } from 'tap';
import { tryClient } from '../support.js';
import type { Break, More } from './breaks.js';
import { foreign, proxied } from './clients.js';
import { type Flaws, frameProxy } from './frames.js';
import type { Exchange, HttpFlaws } from './http.js';

const LIMIT = 'x-veracruz-max-body-bytes';
const textOf = ({ answer }: Exchange) => answer.toString('latin1');

/** Ends at an answer that is such, as by an error of its own. */
const endsAt = (such: (exchange: Exchange) => boolean): HttpFlaws => ({
  down: (exchange) => {
    if (such(exchange)) exchange.status = 500;
    return undefined;
  },
});

/** Waits for ever at an answer that is such. */
const waitsAt = (such: (exchange: Exchange) => boolean): HttpFlaws => ({ down: (exchange) => !such(exchange) });

const hasNoPadding = (exchange: Exchange) =>
  textOf(exchange)
    .split(' ')
    .slice(1)
    .some((item) => item.length % 4 > 0);

/** Takes an answer for one of another id for its own. */
function repairs(): HttpFlaws {
  let own = '';
  return {
    down: (exchange) => {
      const text = textOf(exchange);
      own = /^\d+/.exec(text)?.[0] ?? own;
      exchange.answer = Buffer.from(text.replace(/^x/, own), 'latin1');
      return undefined;
    },
  };
}

/** Waits when the id of its session is another one. */
const faithful = waitsAt((exchange) => {
  const [asked, told] = [exchange.request.toString('latin1'), textOf(exchange)].map((text) => /^\d+/.exec(text)?.[0]);
  return asked !== '0' && told !== undefined && told !== asked;
});

const HTTP: readonly Break[] = [
  proxied(
    'ends where a limit is announced',
    ['answer.announced'],
    endsAt(({ headers }) => LIMIT in headers),
    { spares: ['answer.id-only'] },
  ),
  proxied(
    'ends at an id alone',
    ['answer.id-only'],
    endsAt((exchange) => /^\d+ $/.test(textOf(exchange))),
    {
      spares: ['answer.announced'],
    },
  ),
  proxied(
    'ends at a second text',
    ['answer.split-items'],
    endsAt((exchange) => textOf(exchange).split(' ').length > 2),
    {
      spares: ['answer.split-body'],
    },
  ),
  proxied('reads one byte of a body', ['answer.split-body'], { firstByte: true }, { spares: ['answer.id-only', 'http.ids'] }),
  proxied(
    'believes in a limit that nobody announced',
    ['http.one-by-one'],
    {
      down: (exchange) => {
        exchange.headers[LIMIT] = String(2 ** 20);
        return undefined;
      },
    },
    { spares: ['http.ids', 'answer.announced'] },
  ),
  proxied(
    'writes bodies of any length',
    ['http.body-limit'],
    {
      up: (exchange) => {
        if (exchange.request.length > 60_000) exchange.request = Buffer.concat([exchange.request, Buffer.alloc(262_144, 'A')]);
      },
    },
    { spares: ['http.one-by-one', 'hello.version'] },
  ),
  proxied(
    'takes what it cannot read for nothing',
    ['refused.bad-base64'],
    {
      down: (exchange) => {
        if (exchange.answer.includes('*')) exchange.answer = Buffer.alloc(0);
        return undefined;
      },
    },
    { spares: ['refused.bad-id'] },
  ),
  proxied('does not look at the id of an answer', ['refused.bad-id'], repairs(), { spares: ['refused.bad-base64', 'http.ids'] }),
  proxied('waits when its session has another id', ['refused.other-id'], faithful, { spares: ['refused.bad-base64', 'http.ids'] }),
  proxied('waits when there is no padding', ['refused.no-padding'], waitsAt(hasNoPadding), { spares: ['refused.bad-id', 'http.posts'] }),
];

/** Loses what comes in single bytes, as one that takes a chunk for a record. (One alone may be where a buffer of TLS ends.) */
function inChunks(): Flaws {
  let single = false;
  return {
    pieceDown: (piece) => {
      const lost = single && piece.length === 1;
      single = piece.length === 1;
      return lost ? Buffer.alloc(0) : piece;
    },
  };
}

/** A client of head behind a proxy for its bytes. */
const piecemeal = (what: string, found: readonly string[], flaws: () => Flaws, more: More = {}): Break => ({
  role: 'client',
  what,
  found,
  ...more,
  report: (t: Pick<Test, 'teardown'>, trying) =>
    tryClient('head', trying, (dialect, port) => async (signal) => foreign({})(dialect, await frameProxy(t, port, flaws()))(signal)),
});

const HEAD: readonly Break[] = [
  piecemeal('takes a chunk for a record', ['answer.split-stream'], inChunks, { spares: ['answer.context', 'hello.no-name'] }),
  {
    role: 'client',
    what: 'resumes the session of its last run',
    found: ['hello.no-early-data'],
    spares: ['hello.version', 'hello.suite', 'hello.no-name'],
    report: (_, trying) => tryClient('head', trying, foreign({ ticket: {} })),
  },
];

export const HEARER_BREAKS: readonly Break[] = [...HTTP, ...HEAD];

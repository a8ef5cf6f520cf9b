/** Broken Servers: HTTP that comes in pieces, refusals, managers that misbehave, sessions that mix. */
import { framed, tell } from '../../support/foreign.js';
import type { Break } from './breaks.js';
import { changed, type Flaws } from './frames.js';
import type { HttpFlaws } from './http.js';
import { endsInsideRequests, readsBodiesWithHeads } from './pieces.js';
import { NOT_READY, server } from './servers.js';

const NOTHING = Buffer.alloc(0);

const PIECES: readonly Break[] = [
  server(
    'reads no single bytes',
    ['http.split-bytes'],
    { pieces: () => ({ piece: (piece) => (piece.length === 1 ? NOTHING : piece) }) },
    { spares: ['http.split-body', 'relay.large'] },
  ),
  server(
    'reads a body that comes with its head',
    ['http.split-body'],
    { pieces: readsBodiesWithHeads },
    { spares: ['http.split-bytes', 'relay.echo'] },
  ),
  server('ends when a connection ends inside a POST', ['refusal.truncated'], { pieces: endsInsideRequests }, { spares: ['relay.echo'] }),
];

/** A short request is answered without the length of the answer. */
const bare = (ends: boolean): HttpFlaws => ({
  down: (exchange) => {
    if (exchange.request.length < 60) exchange.bare = ends ? 'ends' : 'open';
    return undefined;
  },
});

const ANSWERS: readonly Break[] = [
  server('does not tell where its answer ends', ['http.content-length'], { clients: bare(false) }, { spares: ['relay.echo'] }),
  server('tells the end of an answer by that of its connection', [], { clients: bare(true) }, { spares: ['http.content-length'] }),
  server(
    'has 200 for what it loses',
    ['id-plus', 'id-leading-zeros', 'third-field', 'tabs-and-newlines', 'nbsp', 'no-padding'].map((what) => `lenient.${what}`),
    {
      clients: {
        up: (exchange) => {
          if (exchange.request[0] === 0x09) exchange.path = '/nothing';
        },
        down: (exchange) => {
          if (exchange.status >= 400 && !NOT_READY(exchange)) exchange.status = 200;
          return undefined;
        },
      },
    },
    { waitMs: 500, spares: ['relay.echo'] },
  ),
  server(
    'waits for a hello that never comes',
    ['refusal.no-hello'],
    { clients: { down: ({ request }) => !request.includes('0 aGVsbG8') } },
    { spares: ['http.first-post', 'malformed.empty'] },
  ),
  server('counts its sessions', ['trust.ids'], { clients: counting() }, { as: 'weaker', spares: ['http.first-post', 'relay.two-clients'] }),
];

/** Ids that count up, in the place of those that the Server gave. */
function counting(): HttpFlaws {
  const ids: string[] = [];
  return {
    up: (exchange) => {
      const text = exchange.request.toString('latin1');
      exchange.request = Buffer.from(
        text.replace(/^[1-9]\d*/, (id) => ids[Number(id) - 1] ?? id),
        'latin1',
      );
    },
    down: (exchange) => {
      const text = exchange.answer.toString('latin1');
      if (exchange.status === 200)
        exchange.answer = Buffer.from(
          text.replace(/^\d+/, (id) => String(ids.includes(id) ? ids.indexOf(id) + 1 : ids.push(id))),
          'latin1',
        );
      return undefined;
    },
  };
}

/** A Server that lets its client hang when its manager is at fault. */
const HANGS: HttpFlaws = { down: (exchange) => exchange.status < 500 || NOT_READY(exchange) };

const MANAGERS: readonly Break[] = [
  server(
    'lets its client hang when the manager fails',
    ['manager.refuses-session', 'manager.truncated-answer', 'manager.wrong-answer', 'manager.half-an-answer'],
    { clients: HANGS },
    { spares: ['relay.echo', 'malformed.empty'] },
  ),
  server('waits for all of a frame, however long', ['manager.huge-length'], { link: patient }, { as: 'weaker', spares: ['relay.large'] }),
  server('takes a surplus answer for output', ['manager.surplus-answer'], { link: surplus }, { spares: ['relay.echo', 'relay.large'] }),
  server('drops the answer of an enclave that ends', ['end.inactive'], { link: hasty }, { spares: ['relay.echo'] }),
  server('has one session for all clients', ['relay.two-clients'], { link: mixing }, { spares: ['relay.echo', 'relay.large'] }),
  server(
    'closes no session when its client leaves',
    ['relay.client-leaves'],
    {
      dialect: 'head',
      link: () => ({
        up: (message, back) => {
          if (message.readUInt32LE() !== 1) return undefined;
          back(framed(tell.success));
          return [];
        },
        down: (message) => [framed(message)],
      }),
    },
    { as: 'weaker', spares: ['relay.two-clients'] },
  ),
  server('attests nobody', ['handshake.start', 'handshake.order'], { attests: false }, { spares: ['relay.echo'] }),
  server('attests no link', ['handshake.each-link'], { attests: false }, { as: 'weaker', spares: ['manager.relink'] }),
];

/** Numbers of messages in 2207. */
const GET = 2;
const SEND = 7;
const CLOSE = 1;
const TLS_DATA = 2;
const TLS_SESSION = 4;

/** Swallows a frame that announces too much, as one that waits for the rest. */
function patient(): Flaws {
  return { pieceDown: (piece) => (piece.subarray(0, 8).equals(Buffer.alloc(8, 0xff)) ? NOTHING : piece) };
}

/** Loses count of the answers, and so what the next output is. */
function surplus(): Flaws {
  const due: number[] = [];
  let astray = false;
  return {
    up: (message) => {
      due.push(message.readUInt32LE());
      return undefined;
    },
    down: (message) => {
      const asked = due[0];
      if (message.equals(tell.success) && asked !== SEND && asked !== CLOSE && asked !== 4) {
        astray = true;
        return [];
      }
      due.shift();
      if (!astray || message.readUInt32LE() !== TLS_DATA) return undefined;
      astray = false;
      return [framed(changed(message, (bytes) => bytes.writeUInt8((bytes.at(-2) as number) ^ 1, bytes.length - 2)))];
    },
  };
}

function hasty(): Flaws {
  return { down: (message) => (message.readUInt32LE() === TLS_DATA && message.at(-1) === 0 ? [framed(tell.fail)] : undefined) };
}

function mixing(): Flaws {
  let last = 0;
  return {
    up: (message) => {
      const kind = message.readUInt32LE();
      const ofSession = kind === GET || kind === 3 || kind === SEND;
      return ofSession ? [framed(changed(message, (bytes) => bytes.writeUInt32LE(last, 4)))] : undefined;
    },
    down: (message) => {
      if (message.readUInt32LE() === TLS_SESSION) last = message.readUInt32LE(4);
      return undefined;
    },
  };
}

export const RELAY_BREAKS: readonly Break[] = [...PIECES, ...ANSWERS, ...MANAGERS];

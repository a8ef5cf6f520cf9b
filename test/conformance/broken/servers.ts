/** Broken Servers: a proxy before ours, or between ours and the manager or the attestation server that the kit plays. */
import type { Test } from 'tap';
import type { Listening } from '../../../lib/conformance/index.js';
import type { Dialect } from '../../../lib/layers/formats/dialect.js';
import { framed, tell } from '../../support/foreign.js';
import { ourServer, tryServerWith } from '../support.js';
import type { Break, More } from './breaks.js';
import { changed, type Flaws, frameProxy } from './frames.js';
import { type Exchange, type HttpFlaws, httpProxy } from './http.js';

/** What stands between our Server and those around it. */
interface Between {
  readonly clients?: HttpFlaws;
  /** Of the bytes of its clients, before HTTP. */
  readonly pieces?: () => Flaws;
  readonly link?: () => Flaws;
  readonly attestation?: HttpFlaws;
  /** Default 2207. */
  readonly dialect?: Dialect;
  /** Default true. */
  readonly attests?: boolean;
}

export const server = (what: string, found: readonly string[], between: Between, more: More = {}): Break => ({
  role: 'server',
  what,
  found,
  ...more,
  report: (t, trying) => tryServerWith(between.dialect ?? '2207', true, (listening) => standing(t, between, listening), trying),
});

async function standing(t: Pick<Test, 'teardown'>, between: Between, listening: Listening): Promise<{ readonly address: string }> {
  const { clients, pieces, link, attestation, dialect = '2207', attests = true } = between;
  const port = link === undefined ? listening.port : await frameProxy(t, listening.port as number, link());
  const service = `http://127.0.0.1:${listening.attestationPort}`;
  const attestationPort =
    attestation === undefined ? listening.attestationPort : Number((await httpProxy(t, service, attestation)).split(':').at(-1));
  const { address } = await ourServer(t, dialect, attests, { port, attestationPort });
  if (pieces !== undefined) return { address: `http://127.0.0.1:${await frameProxy(t, Number(address.split(':').at(-1)), pieces())}` };
  return { address: clients === undefined ? address : await httpProxy(t, address, clients) };
}

/** The manager is not in service yet: the kit tries again. */
export const NOT_READY = ({ answer: text }: Exchange) => text.includes('ready');

const answer = (change: (text: string, exchange: Exchange) => string): HttpFlaws => ({
  down: (exchange) => {
    if (exchange.status === 200) exchange.answer = Buffer.from(change(exchange.answer.toString('latin1'), exchange), 'latin1');
    return undefined;
  },
});

/** Requests by their numbers: 0 Attestation, 3 GetTlsDataNeeded, 4 Initialize, 5 NewTlsSession, 7 SendTlsData. */
const only =
  (kind: number, change: (copy: Buffer) => void): (() => Flaws) =>
  () => ({
    up: (message) => (message.readUInt32LE() === kind ? [framed(changed(message, change))] : undefined),
  });

const CLIENTS: readonly Break[] = [
  server('answers without an id', ['http.first-post', 'http.answer-format'], { clients: answer((text) => text.replace(/^\d+ /, '')) }),
  server('writes the alphabet of URLs', ['http.answer-format', 'relay.echo'], {
    clients: answer((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
  }),
  server('answers with another id', ['http.new-connections', 'http.answer-format'], {
    clients: answer((text) => text.replace(/^\d+/, () => String(Math.floor(Math.random() * 2 ** 31)))),
  }),
  server(
    'has 200 for everything',
    ['malformed.', 'refusal.unknown-session', 'refusal.unknown-path', 'refusal.unknown-method', 'limit.over'],
    {
      clients: {
        up: (exchange) => {
          if (exchange.request.length > 2 ** 22) exchange.request = Buffer.from('x');
        },
        down: (exchange) => {
          if (exchange.status !== 503) exchange.status = 200;
          return undefined;
        },
      },
    },
  ),
  server(
    'hangs on what it refuses',
    ['malformed.empty', 'malformed.bad-letter', 'refusal.unknown-session', 'manager.refuses-data', 'manager.gone'],
    {
      clients: { down: (exchange) => exchange.status < 400 || NOT_READY(exchange) },
    },
  ),
  server('takes short bodies alone', ['limit.original-body', 'limit.announced-body'], {
    clients: {
      down: (exchange) => {
        if (exchange.request.length > 200_000) exchange.status = 413;
        return undefined;
      },
    },
  }),
  server('loses the last text of an answer', ['relay.echo', 'http.poll', 'http.pipelined'], {
    clients: answer((text) => text.replace(/ [^ ]+$/, ' ')),
  }),
  server('knows a session by its id alone', ['trust.theft'], { clients: secretless() }, { as: 'weaker' }),
  server('has Success for DELETE, and does nothing', ['trust.delete'], {
    clients: {
      up: (exchange) => {
        if (exchange.method === 'DELETE') exchange.path = '/nothing';
      },
      down: (exchange) => {
        if (exchange.method === 'DELETE') exchange.status = 204;
        return undefined;
      },
    },
  }),
];

/** Shows the secret in a client's place. */
function secretless(): HttpFlaws {
  const secrets = new Map<string, string>();
  const NAME = 'x-veracruz-session-secret';
  return {
    up: ({ request, headers }) => {
      const secret = secrets.get(request.toString('latin1').split(' ')[0] as string);
      if (secret !== undefined) headers[NAME] = secret;
    },
    down: ({ answer: text, headers }) => {
      const secret = headers[NAME];
      if (secret !== undefined) secrets.set(text.toString('latin1').split(' ')[0] as string, secret);
      return undefined;
    },
  };
}

const LINKS: readonly Break[] = [
  server('writes 1 as the ninth byte', ['relay.exact-requests'], {
    link: () => ({ up: (message) => [changed(framed(message), (bytes) => bytes.writeUInt8(1, 8))] }),
  }),
  server('writes surplus bytes behind its requests', ['relay.exact-requests'], {
    link: () => ({ up: (message) => (message.readUInt32LE() === 7 ? [framed(Buffer.concat([message, Buffer.of(0)]))] : undefined) }),
  }),
  server('changes a byte of ciphertext', ['relay.untouched', 'relay.echo', 'relay.large'], {
    link: only(7, (bytes) => bytes.writeUInt8((bytes.at(-1) as number) ^ 1, bytes.length - 1)),
  }),
  server('opens two sessions for a client', ['relay.one-session'], {
    link: () => {
      let surplus = 0;
      return {
        up: (message) => {
          if (message.readUInt32LE() !== 5) return undefined;
          surplus++;
          return [framed(message), framed(message)];
        },
        down: (message) => {
          if (message.readUInt32LE() !== 4 || surplus === 0) return undefined;
          surplus--;
          return [];
        },
      };
    },
  }),
  server('asks once for output', ['relay.asks-until-empty'], {
    link: () => {
      let asked = false;
      return {
        up: (message, back) => {
          const kind = message.readUInt32LE();
          if (kind === 7) asked = false;
          if (kind === 2 || kind === 3) {
            if (asked && kind === 3) {
              back(framed(tell.needed(false)));
              return [];
            }
            asked ||= kind === 2;
          }
          return undefined;
        },
        down: (message) => [framed(message)],
      };
    },
  }),
  server('reads one chunk as one answer', ['relay.answers-split', 'relay.answers-odd'], {
    link: () => ({ pieceDown: (piece) => (piece.length < 9 || piece.length < 9 + piece.readUInt32LE() ? Buffer.alloc(0) : piece) }),
  }),
  server('looks at the ninth byte', ['relay.ninth-byte'], {
    link: () => ({ pieceDown: (piece) => (piece.length > 8 && piece[8] !== 0 ? Buffer.alloc(0) : piece) }),
  }),
  server('knows session ids of 16 bits', ['relay.large-session-id'], {
    link: only(7, (bytes) => bytes.writeUInt16LE(0, 6)),
  }),
  server('takes one link in its life', ['manager.relink', 'manager.gone', 'manager.unknown-answer'], { link: () => ({ once: true }) }),
];

const HANDSHAKES: readonly Break[] = [
  server('sends no type', ['handshake.start'], {
    attestation: {
      up: ({ headers }) => {
        headers['content-type'] = 'text/plain';
      },
    },
  }),
  server('passes on another challenge', ['handshake.challenge'], {
    link: only(0, (bytes) => bytes.writeUInt8(bytes.readUInt8(12) ^ 1, 12)),
  }),
  server('passes on another device id', ['handshake.challenge'], { link: only(0, (bytes) => bytes.writeUInt8(99, bytes.length - 4)) }),
  server('hands other evidence in', ['handshake.evidence'], {
    link: () => ({
      down: (message) =>
        message.readUInt32LE() === 0 ? [framed(changed(message, (bytes) => bytes.writeUInt8(bytes.readUInt8(12) ^ 1, 12)))] : undefined,
    }),
  }),
  server('changes the text of the policy', ['handshake.initialize'], { link: only(4, (bytes) => bytes.writeUInt8(0x09, 13)) }),
];

export const SERVER_BREAKS: readonly Break[] = [...CLIENTS, ...LINKS, ...HANDSHAKES];

/** HTTP between a client and a Server: bodies, ids, refusals, ends (wire spec §C.1 to §C.6). */

import type { Dialect } from '../../layers/formats/dialect.js';
import { type Case, CaseSkipped, expect, expectBytes, passed, stricter, weaker } from '../case.js';
import { post } from '../peers/http.js';
import { piecesOf } from '../peers/pipe.js';
import { clientHello, FLIGHT_BYTES, record } from '../peers/played-session.js';
import type { Open, ServerContext } from './context.js';
import { type HttpVisit, ORIGINAL_BODY_BYTES, textsOf } from './visit.js';

type ServerCase = Omit<Case<ServerContext>, 'dialects'>;

const OF_2207: readonly Dialect[] = ['2207', '2207-nitro'];

/** A record goes up and comes back in POSTs that a case writes itself. */
async function echoed({ client }: Open<HttpVisit>, send: (request: Buffer) => Promise<Buffer>): Promise<void> {
  const sent = record(200);
  expectBytes('the output', await send(client.request(sent)), sent);
}

const ANSWERS: readonly ServerCase[] = [
  {
    name: 'http.first-post',
    section: 'C.3',
    level: 'wire',
    expects: 'A POST with the id 0 opens a session: 200, and the answer begins with its id, which is not 0.',
    run: async (context, scope) => {
      await context.serves(scope);
      const client = await context.connectHttp(scope);
      await client.exchange(clientHello(), FLIGHT_BYTES);
      expect(client.id !== '0', 'the id of the new session is 0');
      expect(Number(client.id) <= 0xffff_ffff, `the id is ${client.id}`);
      return undefined;
    },
  },
  {
    name: 'http.answer-format',
    section: 'C.2',
    level: 'wire',
    expects: 'The body of an answer is the id and base64 texts, a blank before each; together they are the output.',
    run: async (context, scope) => {
      const { client, session } = await context.openHttp(scope);
      session.echo = (bytes) => [...piecesOf(bytes, 50)];
      const sent = record(170);
      const answer = await client.send(client.request(sent));
      const { id, output } = textsOf(answer);
      expect(id === client.id, `the id is ${id}, not ${client.id}`);
      expectBytes('the output', output.length < sent.length ? await client.collect(answer, sent.length) : output, sent);
      return undefined;
    },
  },
  {
    name: 'http.content-length',
    section: 'C.3',
    level: 'wire',
    expects: 'An answer tells where it ends: by its length, by chunks, or by the end of its connection.',
    run: async (context, scope) => {
      const { client } = await context.openHttp(scope);
      const { headers } = await client.send(client.request(record(20)));
      const told = headers['content-length'] !== undefined || headers['transfer-encoding'] === 'chunked' || client.http.pipe.over;
      expect(told || headers.connection === 'close', 'nothing tells where the body ends');
      return undefined;
    },
  },
  {
    name: 'http.new-connections',
    section: 'C.3',
    level: 'wire',
    expects: 'Each POST may come over a connection of its own, as an original client’s.',
    run: async (context, scope) => {
      const { client } = await context.openHttp(scope, false);
      for (let posts = 0; posts < 3; posts++) {
        client.http.pipe.end();
        await client.reconnect();
        await context.echoes(client);
      }
      return undefined;
    },
  },
  {
    name: 'http.split-bytes',
    section: 'C.3',
    level: 'wire',
    expects: 'A POST may come byte by byte.',
    run: async (context, scope) => {
      const open = await context.openHttp(scope);
      await echoed(open, async (request) => {
        await open.client.http.pipe.writePieces(piecesOf(request, 1));
        return open.client.collect(await open.client.http.answer(), 205);
      });
      return undefined;
    },
  },
  {
    name: 'http.split-body',
    section: 'C.3',
    level: 'wire',
    expects: 'A body may be cut anywhere: behind the head, inside the id, inside four letters of base64.',
    run: async (context, scope) => {
      const open = await context.openHttp(scope);
      for (const at of [0, 1, 2, open.client.id.length + 1, open.client.id.length + 3, open.client.id.length + 6]) {
        await echoed(open, async (request) => {
          const head = request.indexOf('\r\n\r\n') + 4 + at;
          await open.client.http.pipe.writePieces([request.subarray(0, head), request.subarray(head)]);
          return open.client.collect(await open.client.http.answer(), 205);
        });
      }
      return undefined;
    },
  },
  {
    name: 'http.pipelined',
    section: 'C.6',
    level: 'wire',
    expects: 'A Server that sends x-veracruz-max-body-bytes takes several POSTs at once, and keeps their order.',
    run: async (context, scope) => {
      const { client, session } = await context.openHttp(scope);
      if (client.limit === undefined) throw new CaseSkipped('needs a Server that announces it');
      const records = [record(100), record(100), record(100)];
      const before = session.received.length;
      client.http.pipe.write(Buffer.concat(records.map((bytes) => client.request(bytes))));
      const outputs: Buffer[] = [];
      for (const _ of records) outputs.push(textsOf(await client.http.answer()).output);
      const all = Buffer.concat(records);
      expectBytes('what the manager got', session.received.subarray(before), all);
      const missing = all.length - Buffer.concat(outputs).length;
      if (missing > 0) outputs.push(await client.exchange(Buffer.alloc(0), missing));
      expectBytes('the output', Buffer.concat(outputs), all);
      return undefined;
    },
  },
  {
    name: 'http.poll',
    section: 'C.7',
    level: 'wire',
    expects: 'A Server that sends x-veracruz-max-body-bytes takes a POST without data: its answer has what output there is.',
    run: async (context, scope) => {
      const { client, session } = await context.openHttp(scope);
      if (client.limit === undefined) throw new CaseSkipped('needs a Server that announces it');
      const late = record(40);
      session.output.push(late);
      const answer = await client.send(post(`${client.id} `, { headers: client.headers }));
      expectBytes('the output', await client.collect(answer, late.length), late);
      return undefined;
    },
  },
];

/** Bytes of the longest body that the kit makes. */
const MAX_TRIED_BYTES = 16 * 2 ** 20;
/** Bytes that are too many for a Server that announces no limit. */
const UNLIMITED_BYTES = 2 ** 26;

const LIMITS: readonly ServerCase[] = [
  {
    name: 'limit.original-body',
    section: 'C.3',
    level: 'wire',
    expects: 'A body of 262144 bytes is taken: it is what an original Server takes.',
    run: async (context, scope) => {
      const { client, session } = await context.openHttp(scope);
      const room = Math.floor((ORIGINAL_BODY_BYTES - client.id.length - 1) / 4) * 3;
      const records = recordsOf(room);
      const before = session.received.length;
      await client.exchange(records, records.length);
      expectBytes('what the manager got', session.received.subarray(before), records);
      return undefined;
    },
  },
  {
    name: 'limit.announced-body',
    section: 'C.6',
    level: 'wire',
    expects: 'A body of as many bytes as x-veracruz-max-body-bytes says is taken.',
    run: async (context, scope) => {
      const { client, session } = await context.openHttp(scope);
      if (client.limit === undefined) throw new CaseSkipped('needs a Server that announces it');
      const records = recordsOf(Math.floor((Math.min(client.limit, MAX_TRIED_BYTES) - client.id.length - 1) / 4) * 3);
      session.echo = () => [];
      const before = session.received.length;
      const { status } = await client.send(client.request(records));
      expect(status === 200, `answered with ${status}`);
      await scope.until('whole body at the manager', () => session.received.length - before >= records.length);
      return undefined;
    },
  },
  {
    name: 'limit.over',
    section: 'C.5',
    level: 'robust',
    expects: 'A body over the limit is refused (413; 4xx or 5xx, or the end of the connection), and others are served.',
    run: async (context, scope) => {
      const { client } = await context.openHttp(scope);
      const size = (client.limit ?? UNLIMITED_BYTES) + 1;
      if (size > UNLIMITED_BYTES + 1) throw new CaseSkipped(`a limit of ${client.limit} bytes is more than the kit sends`);
      client.http.pipe.write(Buffer.from(`POST /runtime_manager HTTP/1.1\r\nHost: x\r\n${client.headers}Content-Length: ${size}\r\n\r\n`));
      client.http.pipe.write(`${client.id} `);
      client.http.pipe.write(Buffer.alloc(size - client.id.length - 1, 0x41));
      const answer = await client.http.refusal();
      expect(answer === undefined || answer.status >= 400, `answered with ${answer?.status}`);
      await context.serves(scope);
      return passed(answer === undefined ? 'the connection ended' : String(answer.status));
    },
  },
];

/** Whole records of about `bytes` bytes in all. */
function recordsOf(bytes: number): Buffer {
  const pieces: Buffer[] = [];
  for (let left = bytes; left > 5; ) {
    const length = Math.min(16_384, left - 5);
    pieces.push(record(length));
    left -= length + 5;
  }
  return Buffer.concat(pieces);
}

/** Bodies that are malformed: `id` is that of a session that is there, `text` base64 of a record. */
const MALFORMED: Readonly<Record<string, (id: string, text: string) => string | Buffer>> = {
  empty: () => '',
  blank: () => ' \r\n',
  'data-only': (_, text) => text,
  'no-blank': (id, text) => `${id}${text}`,
  'id-negative': (id, text) => `-${id} ${text}`,
  'id-hex': (_, text) => `0x5 ${text}`,
  'id-2pow32': (_, text) => `4294967296 ${text}`,
  'id-fraction': (id, text) => `${id}.0 ${text}`,
  'id-letters': (_, text) => `five ${text}`,
  'bad-letter': (id, text) => `${id} ${text.slice(0, 4)}*${text.slice(5)}`,
  'url-alphabet': (id) => `${id} -_8=`,
  'padding-inside': (id) => `${id} aA==aA==`,
  'too-much-padding': (id) => `${id} aGVsbG8==`,
  'one-letter': (id) => `${id} a`,
  'trailing-bits': (id) => `${id} aGVsbG9=`,
  'not-utf8': (id, text) => Buffer.concat([Buffer.from(`${id} ${text}`), Buffer.of(0xff)]),
};

const BROKEN: readonly ServerCase[] = Object.entries(MALFORMED).map(([what, bodyOf]) => ({
  name: `malformed.${what}`,
  section: 'C.2',
  level: 'robust',
  expects: 'A malformed body is refused (400; 500 by the original), and others are served.',
  run: async (context, scope) => {
    const { client } = await context.openHttp(scope);
    const answer = await client.send(post(bodyOf(client.id, record(20).toString('base64')), { headers: client.headers }));
    expect(answer.status >= 400, `answered with ${answer.status}`);
    await context.serves(scope);
    return passed(String(answer.status));
  },
}));

/** What the original takes, and ours may refuse. */
const LENIENT: Readonly<Record<string, (id: string, text: string) => string>> = {
  'id-plus': (id, text) => `+${id} ${text}`,
  'id-leading-zeros': (id, text) => `000${id} ${text}`,
  'third-field': (id, text) => `${id} ${text} aGk=`,
  'tabs-and-newlines': (id, text) => `\t${id}\r\n ${text}\n`,
  nbsp: (id, text) => `${id}\u00a0${text}`,
  'no-padding': (id, text) => `${id} ${text.replace(/=+$/, '')}`,
};

const ODD: readonly ServerCase[] = Object.entries(LENIENT).map(([what, bodyOf]) => ({
  name: `lenient.${what}`,
  section: 'C.2',
  level: 'wire',
  expects: 'The original takes it. Stricter: it is refused.',
  run: async (context, scope) => {
    const { client, session } = await context.openHttp(scope);
    // 22 bytes: their base64 ends with padding.
    const sent = record(17);
    const answer = await client.send(post(bodyOf(client.id, sent.toString('base64')), { headers: client.headers }));
    if (answer.status >= 400) return stricter(String(answer.status));
    await scope.until('record at the manager', () => session.received.includes(sent));
    return undefined;
  },
}));

const REFUSALS: readonly ServerCase[] = [
  {
    name: 'refusal.unknown-session',
    section: 'C.5',
    level: 'robust',
    expects: 'A POST for a session that is not there is refused (404; 500 by the original).',
    run: async (context, scope) => {
      const { client } = await context.openHttp(scope);
      const other = String((Number(client.id) + 77_777) % 0xffff_ffff || 1);
      const { status } = await (await context.connectHttp(scope)).send(client.request(record(20), other));
      expect(status >= 400, `answered with ${status}`);
      return passed(String(status));
    },
  },
  ...(
    [
      ['path', { path: '/nothing' }],
      ['method', { method: 'PUT' }],
    ] as const
  ).map(
    ([what, shape]): ServerCase => ({
      name: `refusal.unknown-${what}`,
      section: 'C.5',
      level: 'wire',
      expects: `A ${what} that is none is refused (404 or 405; any other 4xx or 5xx).`,
      run: async (context, scope) => {
        await context.serves(scope);
        const client = await context.connectHttp(scope);
        const { status } = await client.http.send(post(`0 ${clientHello().toString('base64')}`, shape));
        expect(status >= 400, `answered with ${status}`);
        return passed(String(status));
      },
    }),
  ),
  {
    name: 'refusal.no-hello',
    section: 'C.3',
    level: 'wire',
    expects: 'The original relays whatever a session begins with. Stricter: only a ClientHello is.',
    run: async (context, scope) => {
      await context.serves(scope);
      const { status } = await (await context.connectHttp(scope)).send(
        post(`0 ${Buffer.from('hello, this is no TLS').toString('base64')}`),
      );
      return status >= 400 ? stricter(String(status)) : undefined;
    },
  },
  {
    name: 'refusal.truncated',
    section: 'C.3',
    level: 'robust',
    expects: 'A connection that ends inside a POST harms nobody else.',
    run: async (context, scope) => {
      const { client } = await context.openHttp(scope);
      client.http.pipe.write(client.request(record(300)).subarray(0, -50));
      client.leave();
      await context.serves(scope);
      return undefined;
    },
  },
];

const TRUST: readonly ServerCase[] = [
  {
    name: 'trust.ids',
    section: 'C.3',
    level: 'trust',
    expects: 'Session ids cannot be guessed. Weaker: they count up, as the original’s.',
    run: async (context, scope) => {
      const [one, two] = [(await context.openHttp(scope)).client.id, (await context.openHttp(scope)).client.id];
      expect(one !== two, `two sessions have the id ${one}`);
      return Number(two) - Number(one) === 1 ? weaker(`${one}, ${two}`) : undefined;
    },
  },
  {
    name: 'trust.theft',
    section: 'C.6',
    level: 'trust',
    expects:
      'Who knows a session’s id alone cannot use it, once its client has shown its secret. Weaker: the id is enough, as in the original.',
    run: async (context, scope) => {
      const { client, session } = await context.openHttp(scope);
      await context.echoes(client);
      const stolen = record(30);
      const { status } = await (await context.connectHttp(scope)).http.send(post(`${client.id} ${stolen.toString('base64')}`));
      if (status < 400 || session.received.includes(stolen)) return weaker(`answered with ${status}`);
      await context.echoes(client);
      return passed(String(status));
    },
  },
  {
    name: 'trust.delete',
    section: 'C.4',
    level: 'wire',
    expects: 'DELETE closes a session, and the manager hears of it; an original Server answers with an error.',
    run: async (context, scope) => {
      const { client, session } = await context.openHttp(scope);
      await context.echoes(client);
      const request = post('', { method: 'DELETE', path: `/runtime_manager/${client.id}`, headers: client.headers });
      const { status } = await client.send(request);
      if (status >= 400) return passed(`not offered: ${status}`);
      await scope.until('CloseTlsSession', () => session.closed);
      return passed(String(status));
    },
  },
];

export const HTTP_CASES: readonly Case<ServerContext>[] = [...ANSWERS, ...LIMITS, ...BROKEN, ...ODD, ...REFUSALS, ...TRUST].map((item) => ({
  ...item,
  dialects: OF_2207,
}));

/** Broken clients: one of node's own TLS without a layer of ours, in head; and ours behind a proxy, in 2207. */
import { once } from 'node:events';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { makeIdentity } from '../../../lib/attestation/identity.js';
import type { StartClient } from '../../../lib/conformance/index.js';
import { clientTls } from '../../../lib/conformance/peers/tls.js';
import { prefixed } from '../../../lib/conformance/peers/visitor.js';
import { decodeMessage, encodeMessage, type Sent } from '../../../lib/layers/protobuf/index.js';
import { CIPHER_SUITES } from '../../../lib/layers/tls/index.js';
import { material, ourClient, tryClient } from '../support.js';
import type { Break, More } from './breaks.js';
import { type HttpFlaws, httpProxy } from './http.js';

interface ClientFlaws {
  readonly tls?: ConnectionOptions;
  /** Pieces of a request, each in a record of its own. */
  readonly cut?: (request: Buffer) => readonly Buffer[];
  /** Sends all of its requests at once. */
  readonly hasty?: boolean;
  /** Takes what comes first for the whole answer. */
  readonly rash?: boolean;
  /** Does not look at an answer. */
  readonly blind?: boolean;
  /** Ends at an answer with a context, or with a field that it does not know. */
  readonly strict?: boolean;
  /** Keeps its last session here, and resumes it. */
  readonly ticket?: { session?: Buffer };
}

const REQUESTS: readonly Sent<'RuntimeManagerRequest', Uint8Array>[] = [
  { oneof: 'request_policy_hash', fields: {} },
  { oneof: 'write_file', fields: { file_name: '/in', data: Buffer.alloc(3000, 7) } },
  { oneof: 'read_file', fields: { file_name: '/in' } },
];

/** What came and was not taken. */
interface Inbox {
  /** A chunk a TLS record. */
  records: Buffer[];
  over: boolean;
}

function inboxOf(socket: TLSSocket): Inbox {
  const inbox: Inbox = { records: [], over: false };
  socket.on('data', (chunk: Buffer) => {
    inbox.records.push(chunk);
  });
  socket.on('close', () => {
    inbox.over = true;
  });
  return inbox;
}

/** The next answer, without its prefix. */
async function answerOf(inbox: Inbox, rash: boolean): Promise<Buffer> {
  for (;;) {
    const [first] = inbox.records;
    if (rash && first !== undefined) {
      inbox.records.shift();
      return first.subarray(8);
    }
    const bytes = Buffer.concat(inbox.records);
    const length = bytes.length < 8 ? Number.NaN : Number(bytes.readBigUInt64BE());
    if (bytes.length >= 8 + length) {
      inbox.records = [bytes.subarray(8 + length)];
      return bytes.subarray(8, 8 + length);
    }
    if (inbox.over) throw new Error('the end');
    await new Promise((done) => setTimeout(done, 2));
  }
}

async function talk(socket: TLSSocket, { cut = (bytes) => [bytes], hasty, rash = false, blind, strict }: ClientFlaws): Promise<void> {
  const inbox = inboxOf(socket);
  const requests = REQUESTS.map((request) => prefixed(encodeMessage('RuntimeManagerRequest', request, { dialect: 'head' })));
  for (const request of requests) {
    for (const piece of cut(request)) {
      socket.write(piece);
      await new Promise((done) => setTimeout(done, 5));
    }
    if (hasty === true) continue;
    const bytes = await answerOf(inbox, rash);
    if (blind === true) continue;
    const answer = decodeMessage('RuntimeManagerResponse', bytes, { dialect: 'head' });
    if (answer.status !== 'SUCCESS') throw new Error(answer.status);
    if (strict === true && (answer.context !== 0 || bytes.includes(Buffer.of(0x78, 0x01)))) throw new Error('what is that?');
  }
}

/** Without a flaw it is as the original's, which looks at no hash. */
export const foreign =
  (flaws: ClientFlaws) =>
  (_: unknown, port: number): StartClient =>
  async (signal) => {
    const socket = connect({ host: '127.0.0.1', port, ...clientTls(material), ...flaws.tls, ...flaws.ticket });
    socket.on('session', (session) => {
      if (flaws.ticket !== undefined) flaws.ticket.session = session;
    });
    const end = () => socket.destroy();
    signal.addEventListener('abort', end, { once: true });
    socket.on('error', () => {});
    try {
      await Promise.race([once(socket, 'secureConnect'), once(socket, 'close').then(() => Promise.reject(new Error('no handshake')))]);
      await talk(socket, flaws);
      return { ok: true, said: '' };
    } catch (error) {
      return { ok: false, said: (error as Error).message };
    } finally {
      socket.destroy();
    }
  };

const client = (what: string, found: readonly string[], flaws: ClientFlaws, more: More = {}): Break => ({
  role: 'client',
  what,
  found,
  ...more,
  report: (_, trying) => tryClient('head', trying, foreign(flaws)),
});

export const proxied = (what: string, found: readonly string[], flaws: HttpFlaws, more: More = {}): Break => ({
  role: 'client',
  what,
  found,
  waitMs: 4000,
  ...more,
  report: (t, trying) =>
    tryClient('2207', trying, (dialect, port) => async (signal) => {
      const proxy = await httpProxy(t, `http://127.0.0.1:${port}`, flaws);
      return ourClient(dialect, Number(proxy.split(':').at(-1)))(signal);
    }),
});

const body = (change: (text: string) => string): HttpFlaws => ({
  up: (exchange) => {
    if (exchange.method === 'POST') exchange.request = Buffer.from(change(exchange.request.toString('latin1')), 'latin1');
  },
});

const other = makeIdentity({ commonName: 'nobody' });

export const CLIENT_BREAKS: readonly Break[] = [
  client('speaks TLS 1.2 too', ['hello.version', 'trust.version-1.2'], {
    tls: { minVersion: 'TLSv1.2', ciphers: `${CIPHER_SUITES[0]}:ECDHE-ECDSA-AES256-GCM-SHA384` },
  }),
  client('has every suite', ['hello.suite', 'trust.other-suites'], { tls: { ciphers: CIPHER_SUITES.slice(0, 3).join(':') } }),
  client('says a server name', ['hello.no-name'], { tls: { servername: 'enclave.example' } }),
  client('trusts everybody', ['trust.other-authority', 'trust.same-named-authority', 'trust.self-signed'], {
    tls: { rejectUnauthorized: false },
  }),
  client('looks at no hash', ['trust.other-runtime-hash', 'trust.no-runtime-hash', 'trust.other-policy'], {}, { as: 'weaker' }),
  client('waits for a length that cannot be', ['refused.huge-prefix'], {}, { as: 'weaker' }),
  client('takes another answer for its own', ['refused.other-answer'], {}, { as: 'weaker' }),
  client('is somebody else', ['identity.principal'], { tls: { cert: other.certificate, key: other.key } }),
  client('sends its prefix in two records', ['message.whole-prefix'], { cut: (bytes) => [bytes.subarray(0, 3), bytes.subarray(3)] }),
  client('writes its prefix in little-endian', ['message.exact-bytes'], {
    cut: (bytes) => [Buffer.concat([Buffer.from(bytes.subarray(0, 8)).reverse(), bytes.subarray(8)])],
  }),
  client('does not wait for an answer', ['message.waits'], { hasty: true }),
  client('takes one record for one answer', ['answer.small-records', 'answer.split-prefix'], { rash: true }),
  client('takes half an answer for a whole one', ['refused.cut'], { rash: true, blind: true }),
  client('does not look at an answer', ['refused.denied', 'refused.no-protobuf'], { blind: true }),
  client('ends at what it does not know', ['answer.context', 'answer.unknown-field'], { strict: true }),
  proxied(
    'keeps the id 0',
    ['http.ids'],
    body((text) => text.replace(/^\d+/, '0')),
  ),
  proxied(
    'writes no padding',
    ['http.posts'],
    body((text) => text.replace(/=+$/, '')),
  ),
  proxied('posts elsewhere', ['http.posts'], {
    up: (exchange) => {
      exchange.path = '/';
    },
  }),
  proxied('tries again when it is refused', ['refused.status-500'], {
    down: (exchange) => {
      if (exchange.status === 500) exchange.status = 200;
      if (exchange.answer.includes('Status')) exchange.answer = Buffer.alloc(0);
      return undefined;
    },
  }),
];

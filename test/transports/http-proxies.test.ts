/** The client's end of an HTTP exchange, and proxies on the way that close connections or refuse bodies. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { BOUNDARY } from '../../lib/core/unit.js';
import { HttpExchange, type HttpExchangeOptions } from '../../lib/transports/http-client.js';
import { tcpServer, within } from '../support/foreign.js';
import { type Manners, proxyWith } from '../support/proxy.js';

const SAYS_SO = { 'x-veracruz-max-body-bytes': '4194304' };

/** Cuts a body into parts that begin with its first byte. */
function split(body: Buffer, maxBytes: number): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 1; at < body.length; at += maxBytes - 1)
    parts.push(Buffer.concat([body.subarray(0, 1), body.subarray(at, at + maxBytes - 1)]));
  return parts;
}

/** A server that answers each body with its first and last byte and its length, behind a proxy. */
async function behind(t: Test, manners: Manners, options: Partial<HttpExchangeOptions> = {}) {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      bodies.push(body);
      response.writeHead(200, SAYS_SO).end(`<${body[0]}${body.at(-1)}${body.length}>`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const proxy = await proxyWith(t, (server.address() as { port: number }).port, manners);
  const exchange = new HttpExchange({ url: `${proxy.url}/x`, ...options }).setMaxListeners(0);
  t.teardown(() => exchange.destroy());
  const failed = new Promise<Error & { code?: string }>((resolve) => exchange.once('error', resolve));
  return { exchange, proxy, bodies, failed };
}

function send(exchange: HttpExchange, body: string): void {
  exchange.write(Buffer.from(body));
  exchange.write(BOUNDARY);
}

/** All answers, when the exchange has come to its end. */
async function answersOf(exchange: HttpExchange): Promise<string[]> {
  const answers: string[] = [];
  let pieces: Buffer[] = [];
  const all = (async () => {
    for await (const item of exchange as AsyncIterable<Buffer | typeof BOUNDARY>) {
      if (item !== BOUNDARY) pieces.push(item);
      else {
        answers.push(Buffer.concat(pieces).toString());
        pieces = [];
      }
    }
    return answers;
  })();
  return within('the end of the exchange', all);
}

const LETTERS = [...'abcdefghijklmnopqrstuvwxyz'];

void t.test('connections that are closed after every n answers: each body is processed once, in order', async (t) => {
  for (const closeAfter of [1, 2, 3, 7]) {
    const { exchange, proxy, bodies } = await behind(t, { closeAfter });
    for (const letter of LETTERS) send(exchange, letter.repeat(20_000));
    exchange.end();
    const answers = await answersOf(exchange);
    t.same(
      answers,
      LETTERS.map((letter) => `<${letter}${letter}20000>`),
      `after ${closeAfter}`,
    );
    t.same(
      bodies.map((body) => body[0]),
      LETTERS,
    );
    t.equal(proxy.connections, Math.ceil(LETTERS.length / closeAfter));
    t.equal(exchange.posts, LETTERS.length);
    t.ok(exchange.wireBytes.bytesOut > LETTERS.length * 20_000, 'bytes of all connections are counted');
  }
});

void t.test('a peer that closes its answers is not pipelined to', async (t) => {
  let open = 0;
  let most = 0;
  const sockets: Socket[] = [];
  const { port } = await tcpServer(t, (socket) => {
    sockets.push(socket);
    let bytes = '';
    open = 0;
    socket.on('data', (piece: Buffer) => {
      bytes += piece.toString('latin1');
      const posts = bytes.split('POST /').length - 1;
      most = Math.max(most, posts - open);
      if (!bytes.endsWith('z') || open > 0) return;
      open++;
      socket.end('HTTP/1.1 200 OK\r\nx-veracruz-max-body-bytes: 4194304\r\nconnection: close\r\ncontent-length: 1\r\n\r\n1');
    });
  });
  const exchange = new HttpExchange({ url: `http://127.0.0.1:${port}/x` });
  t.teardown(() => exchange.destroy());
  for (let i = 0; i < 12; i++) send(exchange, `${i}z`);
  exchange.end();
  t.equal((await answersOf(exchange)).length, 12);
  t.equal(most, 1, 'never two on one connection');
  t.equal(sockets.length, 12);
});

void t.test('a connection that carried many answers may be pipelined on again', async (t) => {
  const { exchange, proxy } = await behind(t, { closeAfter: 150 });
  for (let i = 0; i < 400; i++) send(exchange, 'x');
  exchange.end();
  t.equal((await answersOf(exchange)).length, 400);
  t.equal(proxy.connections, 3);
});

void t.test('a connection that is lost behind an answer without a word of that: never sent again', async (t) => {
  let posts = 0;
  const { port } = await tcpServer(t, (socket) => {
    socket.on('data', (piece: Buffer) => {
      posts += piece.toString('latin1').split('POST /').length - 1;
      if (posts === 1) socket.write('HTTP/1.1 200 OK\r\nx-veracruz-max-body-bytes: 4194304\r\ncontent-length: 1\r\n\r\n1');
      if (posts === 4) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1');
    });
  });
  const exchange = new HttpExchange({ url: `http://127.0.0.1:${port}/x`, maxInFlight: 3 });
  t.teardown(() => exchange.destroy());
  exchange.resume();
  for (const body of ['a', 'b', 'c', 'd']) send(exchange, body);
  const [error] = (await within('the failure', once(exchange, 'error'))) as [Error & { code?: string }];
  t.equal(error.code, 'ERR_VC_OUTCOME_UNKNOWN');
  t.equal(posts, 4);
});

void t.test('bodies that are too long on the way are sent in smaller ones, in order, and so are all later ones', async (t) => {
  for (const keepsRefused of [false, true]) {
    const { exchange, proxy, bodies } = await behind(t, { maxBodyBytes: 100_000, keepsRefused }, { split });
    for (const letter of ['a', 'b', 'c', 'd', 'e', 'f']) send(exchange, letter.repeat(150_001));
    exchange.end();
    const answers = await answersOf(exchange);
    const sent = ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => letter.repeat(150_000)).join('');
    t.equal(bodies.map((body) => body.slice(1)).join(''), sent, keepsRefused ? 'refused on a connection that stays' : 'refused with it');
    t.equal(answers.length, bodies.length);
    t.equal(proxy.refused, 2, 'at 150,001 and at 131,072 bytes');
    t.ok(proxy.passed.every((bytes) => bytes <= 65_536));
    t.same([exchange.maxBodyBytes, exchange.bodyBytes <= 65_536], [65_536, true]);
  }
});

void t.test('a limit below what a body is made of: the refusal', async (t) => {
  for (const [maxBodyBytes, options] of [
    [10_000, { split }],
    [100_000, {}],
    [100_000, { split: () => undefined }],
  ] as const) {
    const { exchange, bodies, failed } = await behind(t, { maxBodyBytes }, options);
    exchange.resume();
    send(exchange, 'x'.repeat(150_000));
    t.match(await within('the failure', failed), { code: 'ERR_VC_LIMIT', got: 413, message: /too large|413/ });
    t.same(bodies, []);
  }
});

void t.test('a 413 of the server itself, and one behind which a body was taken, end the exchange', async (t) => {
  const own = 'HTTP/1.1 413 No\r\nx-veracruz-max-body-bytes: 70000\r\ncontent-length: 4\r\n\r\nno.\n';
  const others = 'HTTP/1.1 413 No\r\ncontent-length: 4\r\n\r\nno.\n';
  const ok = 'HTTP/1.1 200 OK\r\nx-veracruz-max-body-bytes: 4194304\r\ncontent-length: 1\r\n\r\n1';
  for (const [answers, lengths, posts] of [
    [[own], [100_000, 50], 1],
    // A body of that length was taken before, so another stands behind it.
    [[ok, ok, others, ok], [50, 100_000, 100_000, 50, 50], 5],
  ] as const) {
    let seen = 0;
    const { port } = await tcpServer(t, (socket) => {
      let bytes = '';
      socket.on('data', (piece: Buffer) => {
        bytes += piece.toString('latin1');
        for (; bytes.includes('z'); bytes = bytes.slice(bytes.indexOf('z') + 1)) socket.write(answers[seen++] ?? ok);
      });
    });
    const exchange = new HttpExchange({ url: `http://127.0.0.1:${port}/x`, split });
    t.teardown(() => exchange.destroy());
    exchange.resume();
    for (const length of lengths) send(exchange, `${'x'.repeat(length)}z`);
    const [error] = (await within('the failure', once(exchange, 'error'))) as [Error];
    t.match(error, { code: 'ERR_VC_LIMIT', got: 413 });
    t.ok(seen <= posts, 'and nothing is sent again');
  }
});

void t.test('a peer that sends something all the time, but never an answer, does not keep an exchange alive', async (t) => {
  for (const nothing of ['HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n', 'x']) {
    const { port } = await tcpServer(t, (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 103 Early Hints\r\nlink: ');
        if (nothing !== 'x') socket.write('</x>\r\n\r\n');
        const timer = setInterval(() => socket.write(nothing), 5);
        socket.on('close', () => clearInterval(timer));
      });
    });
    const exchange = new HttpExchange({ url: `http://127.0.0.1:${port}/x`, answerTimeoutMs: 200 });
    t.teardown(() => exchange.destroy());
    exchange.resume();
    send(exchange, 'a');
    const [error] = (await within('the failure', once(exchange, 'error'))) as [Error & { cause?: unknown }];
    t.match(error, { code: 'ERR_VC_OUTCOME_UNKNOWN' });
    if (nothing !== 'x') t.match(error.cause, { code: 'ERR_VC_TIMEOUT', limit: 200 });
  }
});

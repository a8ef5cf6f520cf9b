/** One POST as a byte pipe, before servers that are no servers of ours. */
import dns from 'node:dns';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import type { VeracruzError } from '../../lib/core/errors.js';
import { HttpExchange } from '../../lib/transports/http-client.js';
import { HTTP_POST_DEFAULTS, HttpPost, type HttpPostOptions } from '../../lib/transports/http-post.js';
import { tcpServer, until, within } from '../support/foreign.js';
import { collect, content } from '../support/roles.js';

type Script = (socket: Socket, seen: () => string) => void;

/** A server that answers, once the head is there, with what `script` writes. */
async function serve(t: Test, script: Script): Promise<{ url: string; seen: () => string; sockets: Set<Socket> }> {
  let text = '';
  const { port, sockets } = await tcpServer(t, (socket) => {
    let begun = false;
    socket.on('data', (piece) => {
      text += piece.toString('latin1');
      if (begun || !text.includes('\r\n\r\n')) return;
      begun = true;
      script(socket, () => text);
    });
  });
  return { url: `http://127.0.0.1:${port}/Start`, seen: () => text, sockets };
}

const says = (answer: string | Buffer) => (socket: Socket) => void socket.write(answer);

/** Posts `body` and gives the answer. */
async function exchange(t: Test, options: HttpPostOptions, body: Buffer = Buffer.from('body')): Promise<Buffer> {
  const post = new HttpPost(options);
  t.teardown(() => post.destroy());
  post.end(body);
  return within('the answer', collect(post as AsyncIterable<Buffer>));
}

async function failure(t: Test, options: HttpPostOptions, body?: Buffer): Promise<VeracruzError> {
  return exchange(t, options, body).then(
    () => t.fail('it succeeded') as never,
    (error: VeracruzError) => error,
  );
}

void t.test('the bytes on the wire', async (t) => {
  const { url, seen } = await serve(t, says('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer'));
  t.equal((await exchange(t, { url: `${url}?a=b` }, Buffer.from('a body'))).toString(), 'answer');
  const [head, body] = seen().split('\r\n\r\n');
  const [first, ...lines] = (head as string).toLowerCase().split('\r\n');
  t.equal(first, 'post /start?a=b http/1.1');
  const host = /http:\/\/([^/]+)/.exec(url)?.[1];
  t.same(lines.sort(), ['connection: close', 'content-length: 6', 'content-type: application/octet-stream', `host: ${host}`]);
  t.equal(body, 'a body');
});

void t.test('a body in pieces goes out whole, when it ends and not before', async (t) => {
  const { url, seen, sockets } = await serve(
    t,
    says('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n'),
  );
  const post = new HttpPost({ url });
  for (const letter of 'pieces') post.write(letter);
  await new Promise((go) => setImmediate(go));
  t.equal(sockets.size, 0, 'no connection yet');
  post.end();
  t.equal((await collect(post as AsyncIterable<Buffer>)).toString(), 'onetwo');
  t.match(seen(), /content-length: 6\r\n[\s\S]*\r\n\r\npieces$/i);
});

void t.test('no body, and no answer', async (t) => {
  const { url } = await serve(t, says('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  t.equal((await exchange(t, { url }, Buffer.alloc(0))).length, 0);
});

void t.test('interim answers do not count, and an answer may end with its connection', async (t) => {
  const { url } = await serve(t, (socket) => void socket.end('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\nall of it'));
  t.equal((await exchange(t, { url })).toString(), 'all of it');
});

void t.test('every status but 200 is a refusal', async (t) => {
  const cases: [string, number, RegExp][] = [
    ['403 Forbidden\r\nContent-Length: 19\r\n\r\nattestation failed\n', 403, /answered 403: attestation failed$/],
    ['500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nStatus(F\r\n5\r\nail)\n\r\n', 500, /answered 500: Status\(Fail\)$/],
    ['404 Not Found\r\nContent-Length: 0\r\n\r\n', 404, /answered 404$/],
    ['204 No Content\r\n\r\n', 204, /answered 204$/],
    ['201 Created\r\nContent-Length: 2\r\n\r\nok', 201, /answered 201: ok$/],
    ['302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n', 302, /answered 302$/],
    [`500 Oh\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(5000)}`, 500, /^the server answered 500: x{512}$/],
    ['500 Oh\r\nContent-Length: 100\r\n\r\n\x1b[31mred', 500, /answered 500$/],
    ['403 Forbidden\r\nContent-Length: 9\r\n\r\ncut off\n', 403, /answered 403: cut off$/],
  ];
  for (const [answer, got, message] of cases) {
    const { url, sockets } = await serve(t, (socket) => void socket.end(`HTTP/1.1 ${answer}`, 'latin1'));
    const error = await failure(t, { url });
    t.match(error, { code: 'ERR_VC_HTTP_STATUS', layer: 'http', expected: 200, got });
    t.match(error.message, message);
    await until('the connection is closed', () => sockets.size === 0);
  }
});

void t.test('a refusal that says why and never ends', async (t) => {
  const { url, sockets } = await serve(t, says('HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwhy\n\r\n'));
  t.match(await failure(t, { url }), { code: 'ERR_VC_HTTP_STATUS', got: 400, message: 'the server answered 400: why' });
  await until('the connection is closed', () => sockets.size === 0);
});

void t.test('an answer that nobody reads stays where it is', async (t) => {
  const size = 32 * 1024 * 1024;
  const server = createServer((request, response) => request.resume().on('end', () => response.end(Buffer.alloc(size))));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const post = new HttpPost({ url: `http://127.0.0.1:${(server.address() as { port: number }).port}/`, maxAnswerBytes: size });
  post.end('x');
  await once(post, 'readable');
  for (let turn = 0; turn < 200; turn++) await new Promise((go) => setImmediate(go));
  t.ok(post.readableLength <= 1024 * 1024, `${post.readableLength} bytes in memory`);
  t.equal((await collect(post as AsyncIterable<Buffer>)).length, size);
});

void t.test('a body at its limit, and one over it', async (t) => {
  const { url, seen, sockets } = await serve(t, says('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  await exchange(t, { url, maxBodyBytes: 10 }, Buffer.alloc(10));
  const before = seen();
  const error = await failure(t, { url, maxBodyBytes: 10 }, Buffer.alloc(11));
  t.match(error, { code: 'ERR_VC_LIMIT', layer: 'http', limit: 10, got: 11 });
  await until('the first is over', () => sockets.size === 0);
  t.equal(seen(), before, 'nothing of it went out');
});

void t.test('an answer at its limit, and one over it', async (t) => {
  const forms: Record<string, (bytes: number) => string> = {
    announced: (bytes) => `Content-Length: ${bytes}\r\n\r\n${'x'.repeat(bytes)}`,
    chunked: (bytes) => `Transfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(bytes)}0\r\n\r\n`,
    'ended by the connection': (bytes) => `\r\n${'x'.repeat(bytes)}`,
  };
  for (const [form, answer] of Object.entries(forms)) {
    for (const bytes of [100, 101]) {
      const { url } = await serve(t, (socket) => void socket.end(`HTTP/1.1 200 OK\r\n${answer(bytes)}`));
      if (bytes === 100) t.equal((await exchange(t, { url, maxAnswerBytes: 100 })).length, 100, form);
      else t.match(await failure(t, { url, maxAnswerBytes: 100 }), { code: 'ERR_VC_LIMIT', layer: 'http', limit: 100, got: 101 }, form);
    }
  }
});

void t.test('a length over the limit is refused before anything of it came', async (t) => {
  const { url } = await serve(t, says('HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n'));
  t.match(await failure(t, { url }), { code: 'ERR_VC_LIMIT', limit: HTTP_POST_DEFAULTS.maxAnswerBytes, got: 99_999_999_999 });
});

void t.test('answers that are cut off, or none', async (t) => {
  const cases: Record<string, Script> = {
    'no answer': (socket) => void socket.end(),
    'a reset': (socket) => void socket.resetAndDestroy(),
    'half a head': (socket) => void socket.end('HTTP/1.1 200 OK\r\nConte'),
    'half a body': (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'),
    'half a chunk': (socket) => void socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nf\r\nhalf'),
    'no last chunk': (socket) => void socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'),
    'no HTTP': says('SSH-2.0-OpenSSH_9.2\r\n\r\n'),
    'a head without end': says(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}`),
    'a head of 12 KB': says(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(12_000)}\r\nContent-Length: 0\r\n\r\n`),
    'two lengths': says('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx'),
    'another protocol': says('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
  };
  for (const [what, script] of Object.entries(cases)) {
    const { url } = await serve(t, script);
    const error = await failure(t, { url });
    t.match(error, { code: 'ERR_VC_TRANSPORT', layer: 'http' }, what);
    t.match(error.message, /^the POST failed: /, what);
  }
});

void t.test('nobody there', async (t) => {
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address() as { port: number };
  await new Promise((closed) => gone.close(closed));
  t.match(await failure(t, { url: `http://127.0.0.1:${port}/` }), { code: 'ERR_VC_TRANSPORT', message: /ECONNREFUSED/ });
});

void t.test('the deadline', async (t) => {
  const trickle = (socket: Socket, first: string) => {
    socket.write(first);
    const timer = setInterval(() => socket.write('x'), 5);
    socket.on('close', () => clearInterval(timer));
  };
  const cases: Record<string, Script> = {
    silence: () => {},
    'silence after the head': says('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n'),
    'a head that never ends': (socket) => trickle(socket, 'HTTP/1.1 200 OK\r\nX: '),
    'a body that never ends': (socket) => trickle(socket, 'HTTP/1.1 200 OK\r\n\r\n'),
    'a refusal that never ends': says('HTTP/1.1 500 Oh\r\nContent-Length: 10\r\n\r\n'),
  };
  for (const [what, script] of Object.entries(cases)) {
    const { url, sockets } = await serve(t, script);
    t.match(await failure(t, { url, timeoutMs: 60 }), { code: 'ERR_VC_TIMEOUT', layer: 'http', limit: 60 }, what);
    await until('the connection is closed', () => sockets.size === 0);
  }
});

void t.test('destroyed in the middle, it leaves no connection', async (t) => {
  const { url, seen, sockets } = await serve(t, says('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'));
  const post = new HttpPost({ url });
  post.end('x');
  await until('it is under way', () => seen() !== '');
  post.destroy();
  await until('the connection is closed', () => sockets.size === 0);
});

void t.test('an answer that is read slowly comes whole', async (t) => {
  const answer = content(200_000);
  const server = createServer((request, response) => request.resume().on('end', () => response.end(answer)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const post = new HttpPost({ url: `http://127.0.0.1:${(server.address() as { port: number }).port}/` });
  post.end('x');
  const pieces: Buffer[] = [];
  for await (const piece of post as AsyncIterable<Buffer>) {
    pieces.push(piece);
    await new Promise((go) => setImmediate(go));
  }
  t.ok(Buffer.concat(pieces).equals(answer));
});

void t.test('nobody at any address of a host: the message says so', async (t) => {
  const { lookup } = dns;
  t.teardown(() => Object.assign(dns, { lookup }));
  const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));
  Object.assign(dns, {
    lookup: (_host: string, _options: unknown, done: (error: null, found: typeof addresses) => void) => done(null, addresses),
  });
  const url = 'http://two.example:1/';
  t.match(await failure(t, { url }), { code: 'ERR_VC_TRANSPORT', message: 'the POST failed: ECONNREFUSED' });
  const several = new HttpExchange({ url });
  const failed = new Promise<Error>((resolve) => several.once('error', resolve));
  several.end(Buffer.from('x'));
  t.equal((await failed).message, 'cannot connect to two.example:1: ECONNREFUSED');
});

void t.test('options', async (t) => {
  const url = 'http://127.0.0.1:1/';
  for (const bad of ['', 'x', '127.0.0.1:80', 'https://127.0.0.1/', 'file:///etc/passwd', 'http://']) {
    t.throws(() => new HttpPost({ url: bad }), { code: 'ERR_VC_INVALID_OPTION' }, bad);
  }
  const secret = t.throws(() => new HttpPost({ url: 'http://me:secret@127.0.0.1/' }), { code: 'ERR_VC_INVALID_OPTION' });
  t.notMatch(String(secret && (secret as Error).message), 'secret');
  for (const [name, values] of Object.entries({
    maxBodyBytes: [-1, 0.5, 2 ** 31],
    maxAnswerBytes: [-1, Number.NaN],
    timeoutMs: [0, 2 ** 31],
  })) {
    for (const value of values) t.throws(() => new HttpPost({ url, [name]: value }), { code: 'ERR_VC_INVALID_OPTION' }, `${name} ${value}`);
  }
});

/** The client's end of an HTTP exchange, alone: before node:http, and before a bare socket. */
import dns from 'node:dns';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import t from 'tap';
import { BOUNDARY } from '../../lib/core/unit.js';
import { HttpExchange, type HttpExchangeOptions } from '../../lib/transports/http-client.js';
import { tcpServer, until, within } from '../support/foreign.js';

type T = Parameters<typeof tcpServer>[0];
const SAYS_SO = { 'x-veracruz-max-body-bytes': '4194304' };

async function httpServer(t: T, answer: (request: IncomingMessage, response: ServerResponse, body: string) => void) {
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => answer(request, response, Buffer.concat(pieces).toString('latin1')));
    request.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { server, url: `http://127.0.0.1:${(server.address() as { port: number }).port}/runtime_manager` };
}

/** A server on a bare socket; `seen` is what all connections said. */
async function rawServer(t: T, onHead: (socket: Socket, posts: number) => void) {
  const seen: string[] = [];
  let posts = 0;
  const { port, sockets } = await tcpServer(t, (socket) => {
    let text = '';
    socket.on('data', (piece: Buffer) => {
      text += piece.toString('latin1');
      seen.push(piece.toString('latin1'));
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const length = Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0);
        if (text.length < end + 4 + length) return;
        text = text.slice(end + 4 + length);
        onHead(socket, ++posts);
      }
    });
  });
  return { url: `http://127.0.0.1:${port}/runtime_manager`, seen, sockets, posts: () => posts };
}

function open(t: T, url: string, options: Partial<HttpExchangeOptions> = {}) {
  const exchange = new HttpExchange({ url, ...options }).setMaxListeners(0);
  t.teardown(() => exchange.destroy());
  const failed = new Promise<Error & { code?: string }>((resolve) => exchange.once('error', resolve));
  exchange.on('error', () => {});
  return { exchange, failed: () => within('the failure of the exchange', failed) };
}

const send = (exchange: HttpExchange, body: string) => {
  exchange.write(Buffer.from(body));
  exchange.write(BOUNDARY);
};

/** The next body that was answered. */
async function receive(exchange: HttpExchange): Promise<string> {
  const pieces: Buffer[] = [];
  for (;;) {
    const item = exchange.read() as Buffer | typeof BOUNDARY | null;
    if (item === BOUNDARY) return Buffer.concat(pieces).toString('latin1');
    if (item !== null) pieces.push(item);
    else
      await within(
        'an answer',
        Promise.race([once(exchange, 'readable'), once(exchange, 'close').then(() => Promise.reject(new Error('closed')))]),
      );
  }
}

void t.test('bodies go out as units, answers come back in their order, on one connection', async (t) => {
  const sockets = new Set<Socket>();
  const { url } = await httpServer(t, (request, response, body) => {
    sockets.add(request.socket);
    t.equal(request.method, 'POST');
    t.equal(request.url, '/runtime_manager');
    t.equal(request.headers['content-length'], String(body.length));
    response.writeHead(200, SAYS_SO).end(`<${body}>`);
  });
  const { exchange } = open(t, url);
  for (let i = 0; i < 20; i++) {
    exchange.write(Buffer.from(`${i}:`));
    exchange.write(Buffer.from('body'));
    exchange.write(BOUNDARY);
  }
  for (let i = 0; i < 20; i++) t.equal(await receive(exchange), `<${i}:body>`);
  t.equal(sockets.size, 1);
  t.equal(exchange.posts, 20);
  t.ok(exchange.wireBytes.bytesOut > 20 * 50 && exchange.wireBytes.bytesIn > 20 * 50);
});

void t.test('one POST at a time until the server says that it can do more; then as many as may be', async (t) => {
  for (const [headers, most] of [
    [{}, 1],
    [SAYS_SO, 3],
  ] as const) {
    const held: (() => void)[] = [];
    let arrived = 0;
    let first = true;
    const { url } = await rawServer(t, (socket) => {
      arrived++;
      const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      held.push(() => socket.write(`HTTP/1.1 200 OK\r\n${head.join('')}content-length: 2\r\n\r\nok`));
    });
    const { exchange } = open(t, url, { maxInFlight: 3 });
    for (let i = 0; i < 8; i++) send(exchange, `${i}`);
    let answered = 0;
    while (answered < 8) {
      const due = first ? 1 : Math.min(most, 8 - answered);
      await until('all that may be under way', () => arrived - answered === due);
      for (let turn = 0; turn < 10; turn++) await new Promise((go) => setImmediate(go));
      t.equal(arrived - answered, due, 'and no more');
      first = false;
      (held.shift() as () => void)();
      t.equal(await receive(exchange), 'ok');
      answered++;
    }
  }
});

void t.test('a status other than 200 ends it, with its own error and the text', async (t) => {
  const cases: [number, string][] = [
    [404, 'ERR_VC_SESSION_UNKNOWN'],
    [409, 'ERR_VC_SESSION_BUSY'],
    [413, 'ERR_VC_LIMIT'],
    [400, 'ERR_VC_HTTP_STATUS'],
    [500, 'ERR_VC_HTTP_STATUS'],
    [503, 'ERR_VC_HTTP_STATUS'],
    [204, 'ERR_VC_HTTP_STATUS'],
    [302, 'ERR_VC_HTTP_STATUS'],
  ];
  for (const [status, code] of cases) {
    let posts = 0;
    const { url } = await httpServer(t, (_request, response) => {
      posts++;
      response.writeHead(status, { location: '/elsewhere' }).end(status === 204 ? '' : `why ${'x'.repeat(2000)}`);
    });
    const { exchange, failed } = open(t, url);
    send(exchange, 'a');
    send(exchange, 'b');
    const error = await failed();
    t.match(error, { code, got: status, layer: 'http' });
    t.ok(error.message.length < 700);
    t.equal(posts, 1, 'nothing more is sent');
  }
});

void t.test('a refusal is one line of text, and need not end', async (t) => {
  const cases: [string, string][] = [
    ['content-length: 100\r\n\r\nbad luck\n\x1b[31mall is well', 'the server answered 500: bad luck'],
    ['content-length: 20\r\n\r\n\x1b[2Jcleared\n', 'the server answered 500'],
    ['transfer-encoding: chunked\r\n\r\n3\r\nwhy\r\n4\r\n not\r\n4\r\n so\n\r\n', 'the server answered 500: why not so'],
    [`\r\n${'x'.repeat(600)}`, `the server answered 500: ${'x'.repeat(512)}`],
  ];
  for (const [rest, message] of cases) {
    const { url } = await rawServer(t, (socket) => void socket.write(`HTTP/1.1 500 Oh\r\n${rest}`, 'latin1'));
    const { exchange, failed } = open(t, url);
    send(exchange, 'a');
    t.match(await failed(), { code: 'ERR_VC_HTTP_STATUS', got: 500, message });
  }
  const { url } = await rawServer(t, (socket) => void socket.end('HTTP/1.1 404 No\r\ncontent-length: 100\r\n\r\ncut'));
  const { exchange, failed } = open(t, url);
  send(exchange, 'a');
  t.match(await failed(), { code: 'ERR_VC_SESSION_UNKNOWN', message: 'the server answered 404: cut' }, 'and is not lost with its end');
});

void t.test('a connection that is lost with a POST under way: never sent again', async (t) => {
  const variants: Record<string, (socket: Socket) => void> = {
    'an end': (socket) => socket.end(),
    'a reset': (socket) => socket.resetAndDestroy(),
    'in the head of the answer': (socket) => socket.end('HTTP/1.1 200 O'),
    'in the body': (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab'),
    'in a chunked body': (socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n'),
    'no HTTP': (socket) => socket.end('hello\r\n\r\n'),
    'an answer and a half': (socket) =>
      socket.end('HTTP/1.1 200 OK\r\nx-veracruz-max-body-bytes: 4194304\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 20'),
  };
  for (const [what, end] of Object.entries(variants)) {
    const { url, posts, seen } = await rawServer(t, (socket) => end(socket));
    const { exchange, failed } = open(t, url);
    send(exchange, 'the only one');
    send(exchange, 'the next one');
    exchange.resume();
    t.equal((await failed()).code, 'ERR_VC_OUTCOME_UNKNOWN', what);
    for (let turn = 0; turn < 20; turn++) await new Promise((go) => setImmediate(go));
    t.ok(posts() <= 2);
    t.equal(seen.join('').split('the only one').length - 1, 1, 'sent once');
  }
});

void t.test('a connection that is lost with several POSTs under way: one failure, and none is sent again', async (t) => {
  for (const end of ['end', 'resetAndDestroy', 'destroy'] as const) {
    const { url, posts, sockets } = await rawServer(t, (socket, count) => {
      if (count === 1) socket.write('HTTP/1.1 200 OK\r\nx-veracruz-max-body-bytes: 4194304\r\ncontent-length: 2\r\n\r\nok');
      if (count === 4) socket[end]();
    });
    const { exchange, failed } = open(t, url, { maxInFlight: 3 });
    let errors = 0;
    exchange.on('error', () => errors++);
    send(exchange, 'first');
    t.equal(await receive(exchange), 'ok');
    for (const body of ['a', 'b', 'c', 'd']) send(exchange, body);
    t.equal((await failed()).code, 'ERR_VC_OUTCOME_UNKNOWN', end);
    await until('the connection is gone', () => sockets.size === 0);
    for (let turn = 0; turn < 20; turn++) await new Promise((go) => setImmediate(go));
    t.same([posts(), errors], [4, 1]);
  }
});

void t.test('nobody there, or somebody who does not answer', async (t) => {
  const { port, sockets } = await tcpServer(t, () => {});
  const silent = open(t, `http://127.0.0.1:${port}/`, { answerTimeoutMs: 50 });
  send(silent.exchange, 'x');
  t.equal((await silent.failed()).code, 'ERR_VC_OUTCOME_UNKNOWN');
  t.ok(sockets.size <= 1);
  const nobody = open(t, 'http://127.0.0.1:1/');
  send(nobody.exchange, 'x');
  t.equal((await nobody.failed()).code, 'ERR_VC_TRANSPORT', 'nothing was sent, so the outcome is known');
});

void t.test('destroyed while it connects: nothing is left of that', async (t) => {
  const { lookup } = dns;
  t.teardown(() => Object.assign(dns, { lookup }));
  // Whoever asks for this host's address never hears of it.
  const asked = new Promise<void>((resolve) => Object.assign(dns, { lookup: () => resolve() }));
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const { exchange } = open(t, 'http://nowhere.example/');
  send(exchange, 'x');
  await within('the question', asked);
  exchange.destroy();
  await once(exchange, 'close');
  for (let turn = 0; turn < 5; turn++) await new Promise((go) => setImmediate(go));
  t.ok(timers() <= before, 'no timer');
});

void t.test('a connection that the server closes between POSTs is opened again', async (t) => {
  let connections = 0;
  const { url, sockets } = await rawServer(t, (socket, posts) => {
    connections = Math.max(connections, posts);
    socket.end(`HTTP/1.1 200 OK\r\nconnection: ${posts % 2 === 0 ? 'close' : 'keep-alive'}\r\ncontent-length: 1\r\n\r\n${posts}`);
  });
  const { exchange } = open(t, url);
  for (let i = 1; i <= 6; i++) {
    send(exchange, `post ${i}`);
    t.equal(await receive(exchange), String(i));
    await until('the connection is closed', () => sockets.size === 0);
    for (let turn = 0; turn < 5; turn++) await new Promise((go) => setImmediate(go));
  }
  t.equal(connections, 6);
});

void t.test('a connection that the server closes with an answer: bodies that wait for their turn go over the next', async (t) => {
  for (const head of ['HTTP/1.1 200 OK\r\nconnection: close', 'HTTP/1.1 200 OK\r\nkeep-alive: timeout=1', 'HTTP/1.0 200 OK']) {
    for (const more of ['', '\r\nx-veracruz-max-body-bytes: 4194304']) {
      const { url, seen } = await rawServer(t, (socket, posts) => socket.end(`${head}${more}\r\ncontent-length: 1\r\n\r\n${posts}`));
      const { exchange } = open(t, url, { maxInFlight: 1 });
      for (let i = 1; i <= 5; i++) send(exchange, `body ${i}.`);
      for (let i = 1; i <= 5; i++) t.equal(await receive(exchange), String(i));
      const sent = [...seen.join('').matchAll(/body \d\./g)].map(String);
      t.same(sent, ['body 1.', 'body 2.', 'body 3.', 'body 4.', 'body 5.'], `${head}: each once, in order`);
      t.equal(exchange.posts, 5);
    }
  }
});

void t.test('a connection that the server closes with an answer, and a POST behind it: that one is sent again', async (t) => {
  const { url, seen } = await rawServer(t, (socket, posts) => {
    if (posts === 1) socket.write('HTTP/1.1 200 OK\r\nx-veracruz-max-body-bytes: 4194304\r\ncontent-length: 2\r\n\r\nok');
    // The third was read by this socket only, and was not processed.
    if (posts === 3) socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 6\r\n\r\nsecond');
    if (posts > 3) socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n${posts}`);
  });
  const { exchange } = open(t, url, { maxInFlight: 2 });
  send(exchange, 'first');
  t.equal(await receive(exchange), 'ok');
  for (const body of ['second', 'third', 'fourth']) send(exchange, body);
  for (const answer of ['second', '4', '5']) t.equal(await receive(exchange), answer);
  t.same(seen.join('').match(/first|second|third|fourth/g), ['first', 'second', 'third', 'third', 'fourth']);
  t.equal(exchange.posts, 4, 'a POST that is sent again counts once');
});

void t.test('polls: when asked, when nothing is under way, and only as long as there is a body', async (t) => {
  const bodies: string[] = [];
  const { url } = await httpServer(t, (_request, response, body) => {
    bodies.push(body);
    response.writeHead(200, SAYS_SO).end('');
  });
  let left = 0;
  const { exchange } = open(t, url, { poll: () => (left-- > 0 ? Buffer.from('poll') : undefined) });
  exchange.resume();
  send(exchange, 'a');
  await until('the POST', () => bodies.length === 1);
  for (let turn = 0; turn < 50; turn++) await new Promise((go) => setImmediate(go));
  t.same(bodies, ['a'], 'nobody awaits anything');
  left = 3;
  exchange.expectAnswer();
  await until('the polls', () => bodies.length === 4);
  await until('the poll that is none', () => left < 0);
  t.same(bodies, ['a', 'poll', 'poll', 'poll']);
  const never = open(t, url);
  never.exchange.expectAnswer();
  send(never.exchange, 'b');
  await receive(never.exchange);
  never.exchange.expectAnswer();
  for (let turn = 0; turn < 50; turn++) await new Promise((go) => setImmediate(go));
  t.equal(bodies.length, 5, 'the default is never');
});

void t.test('polls: none after the end, and none while the reader has enough to do', async (t) => {
  const { url } = await httpServer(t, (_request, response) => response.writeHead(200, SAYS_SO).end('ok'));
  let asked = 0;
  const poll = () => {
    asked++;
    return Buffer.from('poll');
  };
  const { setTimeout: wait } = globalThis;
  const ended = open(t, url, { poll }).exchange;
  ended.expectAnswer();
  ended.end();
  ended.expectAnswer();
  await new Promise((go) => wait(go, 30));
  t.equal(asked, 0);

  const { exchange } = open(t, url, { poll });
  exchange.expectAnswer();
  await until('the reader has enough', () => exchange.readableLength >= exchange.readableHighWaterMark);
  await new Promise((go) => wait(go, 30));
  let timers = 0;
  t.teardown(() => Object.assign(globalThis, { setTimeout: wait }));
  const count = (...[call, ms]: Parameters<typeof wait>) => {
    // Not those of undici, which are longer.
    if ((ms ?? 0) < 30) timers++;
    return wait(call, ms);
  };
  Object.assign(globalThis, { setTimeout: count });
  await new Promise((go) => wait(go, 30));
  Object.assign(globalThis, { setTimeout: wait });
  t.ok(timers <= 1, 'nobody looks again and again');
  const before = asked;
  exchange.resume();
  await until('the polls go on', () => asked > before);
});

void t.test('back-pressure: an answer that nobody reads is not taken in, and comes whole when it is read', async (t) => {
  const SIZE = 64 * 2 ** 20;
  let sent = 0;
  const { url } = await httpServer(t, (_request, response) => {
    response.writeHead(200, SAYS_SO);
    const piece = Buffer.alloc(65_536, 'x');
    const more = () => {
      while (sent < SIZE) {
        sent += piece.length;
        if (!response.write(piece)) {
          response.once('drain', more);
          return;
        }
      }
      response.end();
    };
    more();
  });
  const { exchange } = open(t, url);
  send(exchange, 'a');
  let last = -1;
  await until('the server is made to wait', async () => {
    const still = sent === last && sent > 0;
    last = sent;
    await new Promise((go) => setTimeout(go, 30));
    return still;
  });
  t.ok(sent < SIZE, `${sent} bytes of ${SIZE} were taken`);
  let bytes = 0;
  for (;;) {
    const item = exchange.read() as Buffer | typeof BOUNDARY | null;
    if (item === BOUNDARY) break;
    if (item === null) await within('more of the answer', once(exchange, 'readable'));
    else {
      if (item.length === 0) t.fail('an empty piece');
      bytes += item.length;
      // A slow reader: every piece in a turn of its own.
      await new Promise((go) => setImmediate(go));
    }
  }
  t.equal(bytes, SIZE);
});

void t.test('back-pressure: paused at the very end of what has come, and then resumed', async (t) => {
  let peer: Socket | undefined;
  const { url } = await rawServer(t, (socket) => {
    peer = socket;
    socket.write('HTTP/1.1 200 OK\r\nx-veracruz-max-body-bytes: 4194304\r\ncontent-length: 40\r\n\r\n');
  });
  const { exchange } = open(t, url);
  send(exchange, 'a');
  await until('the POST', () => peer !== undefined);
  exchange.read(0);
  for (let i = 0; i < 8; i++) {
    peer?.write('x');
    await until(`piece ${i}`, () => exchange.readableLength === i + 1);
  }
  let bytes = 0;
  const all = (async () => {
    for await (const item of exchange) {
      if (item === BOUNDARY) return;
      bytes += (item as Buffer).length;
      if (bytes === 8) peer?.write('y'.repeat(32));
    }
  })();
  await within('the rest', all);
  t.equal(bytes, 40);
});

void t.test('back-pressure: a POST that is not answered holds up the writer', async (t) => {
  const { url, posts } = await rawServer(t, () => {});
  const { exchange } = open(t, url);
  let written = 0;
  for (let i = 0; i < 50; i++) {
    exchange.write(Buffer.alloc(1000), () => written++);
    exchange.write(BOUNDARY);
  }
  await until('the first POST', () => posts() === 1);
  for (let turn = 0; turn < 20; turn++) await new Promise((go) => setImmediate(go));
  t.equal(posts(), 1);
  t.ok(written <= 2);
  t.ok(exchange.writableNeedDrain);
});

void t.test('back-pressure: a server that says what it takes, and then answers no more', async (t) => {
  const { url, posts } = await rawServer(t, (socket, posts) => {
    if (posts === 1) socket.write('HTTP/1.1 200 OK\r\nx-veracruz-max-body-bytes: 1000000\r\ncontent-length: 2\r\n\r\nok');
  });
  const { exchange } = open(t, url);
  send(exchange, 'first');
  t.equal(await receive(exchange), 'ok');
  let taken = 0;
  for (let i = 0; i < 50; i++) {
    exchange.write(Buffer.alloc(1000));
    exchange.write(BOUNDARY, () => taken++);
  }
  await until('the POSTs that may be under way', () => posts() === 5);
  for (let turn = 0; turn < 20; turn++) await new Promise((go) => setImmediate(go));
  t.equal(posts(), 5, 'four under way');
  t.equal(taken, 5, 'two bodies are ready, the second of which holds up the writer');
  t.ok(exchange.writableNeedDrain);
});

void t.test('the end: of what was written, then of what is read', async (t) => {
  const { url } = await httpServer(t, (_request, response, body) => response.writeHead(200, SAYS_SO).end(body));
  const { exchange } = open(t, url);
  send(exchange, 'a');
  exchange.write(Buffer.from('b'));
  exchange.end();
  const items: unknown[] = [];
  for await (const item of exchange) items.push(item === BOUNDARY ? '|' : String(item));
  t.equal(items.join(''), 'a|b|');
  const idle = open(t, url);
  idle.exchange.end();
  idle.exchange.resume();
  await within('the end of an exchange that had nothing to say', once(idle.exchange, 'end'));
  const answered = open(t, url);
  send(answered.exchange, 'c');
  t.equal(await receive(answered.exchange), 'c');
  answered.exchange.end();
  answered.exchange.resume();
  await within('the end after the last answer', once(answered.exchange, 'end'));
});

void t.test('how much the server takes', async (t) => {
  for (const [said, expected] of [
    ['1000000', 1_000_000],
    ['x', 262_144],
    ['-5', 262_144],
    ['63', 262_144],
    ['64', 64],
    ['1.5', 262_144],
  ] as const) {
    const { url } = await httpServer(t, (_request, response) => response.writeHead(200, { 'X-Veracruz-Max-Body-Bytes': said }).end());
    const { exchange } = open(t, url);
    t.equal(exchange.maxBodyBytes, 262_144, 'what an original takes, until it is told');
    send(exchange, 'a');
    await receive(exchange);
    t.equal(exchange.maxBodyBytes, expected, said);
  }
});

void t.test('options out of range', async (t) => {
  for (const bad of ['', 'x', '127.0.0.1:80', 'https://127.0.0.1/', 'http://', 'http://me:secret@127.0.0.1/']) {
    t.throws(() => new HttpExchange({ url: bad }), { code: 'ERR_VC_INVALID_OPTION', layer: 'http', message: /^(?!.*secret)/ }, bad);
  }
  for (const bad of [{ maxInFlight: 0 }, { maxInFlight: 17 }, { connectTimeoutMs: 0 }, { answerTimeoutMs: -1 }, { answerTimeoutMs: 1.5 }]) {
    t.throws(() => new HttpExchange({ url: 'http://127.0.0.1/', ...bad }), { code: 'ERR_VC_INVALID_OPTION' }, JSON.stringify(bad));
  }
});

void t.test('polls back off while answers have no data in them, whether they are empty or say the id', async (t) => {
  for (const nothing of ['', '71 ', '4294967295 ']) {
    let polls = 0;
    const { url } = await httpServer(t, (_request, response) => {
      polls++;
      response.end(nothing);
    });
    const timers = t.capture(globalThis, 'setTimeout', globalThis.setTimeout);
    const { exchange } = open(t, url, { poll: () => Buffer.from('71 ') });
    exchange.resume();
    exchange.expectAnswer();
    await until('six polls', () => polls >= 6);
    exchange.destroy();
    timers.restore();
    const delays = timers()
      .map(({ args }) => args[1] as number)
      .filter((ms) => [2, 4, 8, 16, 32, 64].includes(ms));
    t.same(delays.slice(0, 6), [2, 4, 8, 16, 32, 64], JSON.stringify(nothing));
  }
});

void t.test('a text and any bytes may be a body; something else is an error', async (t) => {
  const bodies: string[] = [];
  const { url } = await httpServer(t, (_request, response, body) => {
    bodies.push(body);
    response.end('0 ');
  });
  const exchange = new HttpExchange({ url });
  t.teardown(() => exchange.destroy());
  exchange.resume().write('text,');
  exchange.write(Uint8Array.from([1, 2]));
  await within('the end', new Promise((resolve) => exchange.end(resolve)));
  t.same(bodies, ['text,\u0001\u0002']);
  for (const wrong of [5, {}, ['x']]) {
    const other = new HttpExchange({ url });
    const failed = once(other, 'error');
    other.write(wrong);
    t.match(await within('the error', failed), [{ code: 'ERR_VC_INVALID_ARGUMENT', layer: 'http' }]);
  }
});

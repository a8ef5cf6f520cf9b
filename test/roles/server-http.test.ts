/** The Server as HTTP clients of another make see it: curl, and bare sockets. Behind it a manager that is not ours either. */
import { execFile, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import type { ServerOptions } from '../../lib/roles/server/server.js';
import {
  type Behaviour,
  dial,
  echoing,
  type ForeignManager,
  foreignManager,
  HELLO,
  NO_TLS,
  post,
  RawHttp,
  tell,
  until,
  within,
} from '../support/foreign.js';
import { content, freshFolder, portOf, startServer } from '../support/roles.js';
import '../support/processes.js';
import { patience } from '../support/time.js';

const text = (data: Buffer | string) => Buffer.from(data).toString('base64');
/** The id and the ciphertext of an answer. */
function open(body: string): { id: number; data: Buffer } {
  const [id, ...items] = body.split(' ');
  return { id: Number(id), data: Buffer.concat(items.map((item) => Buffer.from(item, 'base64'))) };
}

type T = Parameters<typeof startServer>[0];

async function serve(t: T, behave: Behaviour = echoing(), options: Partial<ServerOptions> = {}) {
  const manager = await foreignManager(t, behave);
  const server = await startServer(t, manager.address, { ...NO_TLS, ...options });
  const connect = () => RawHttp.connect(t, portOf(server));
  /** A connection with a session on it. */
  const session = async () => {
    const http = await connect();
    const answer = await http.send(post(`0 ${text(HELLO)}`));
    return { http, id: open(answer.body).id };
  };
  return { manager, server, connect, session };
}

const closed = (manager: ForeignManager) => manager.requests.filter(({ kind }) => kind === 'close').map(({ session }) => session);

void t.test('curl', { skip: spawnSync('curl', ['--version']).status === 0 ? false : 'there is no curl' }, async (t) => {
  const { server } = await serve(t);
  const curl = async (...args: string[]) => (await promisify(execFile)('curl', ['-s', '-m', '20', ...args], { maxBuffer: 2 ** 24 })).stdout;
  const url = `${server.url}/runtime_manager`;
  const first = await curl('-d', `0 ${text(HELLO)}`, url);
  t.match(first, /^[1-9][0-9]* FgMBAgABAAH8AwNoZWxsbw==$/);
  const { id } = open(first);
  t.equal(await curl('-d', `${id} d29ybGQ=`, url), `${id} d29ybGQ=`);
  t.equal(await curl('-d', `${id} `, url), `${id} `, 'a poll');
  const large = text(content(600_000));
  const file = join(freshFolder(t), 'body');
  writeFileSync(file, `${id} ${large}`);
  const same = (body: string) => open(body).id === id && open(body).data.equals(content(600_000));
  t.ok(same(await curl('-H', 'Expect: 100-continue', '-H', 'Transfer-Encoding: chunked', '--data-binary', `@${file}`, url)), 'chunked');
  t.ok(same(await curl('--http1.0', '--data-binary', `@${file}`, url)), 'HTTP/1.0');
  const status = (...args: string[]) => curl('-o', '/dev/null', '-w', '%{http_code}', ...args);
  t.equal(await status('-d', 'hello', url), '400');
  t.equal(await status('-d', '4294967295 aGVsbG8=', url), '404');
  t.equal(await status('-d', '0 aGVsbG8=', `${server.url}/veracruz_server`), '404');
  t.equal(await status(url), '405');
  t.equal(await status('-X', 'DELETE', `${url}/${id}`), '204');
  t.equal(await status('-d', `${id} aGVsbG8=`, url), '404');
});

void t.test('400, and every session lives on', async (t) => {
  const { session, server } = await serve(t);
  const { id, http } = await session();
  const bodies = ['', ' ', '1', 'x', '-1 aGVsbG8=', '+1 aGVsbG8=', '01 aGVsbG8=', '4294967296 aGVsbG8=', '0x7 aGVsbG8=', 'aGVsbG8=', '\0'];
  for (const body of [
    ...bodies,
    `${id} QUJ$D`,
    `${id} QQ==QQ==`,
    `${id} QR==`,
    `${id} QQ=`,
    `${id} Q`,
    `${id} aGVsbG8= aGVsbG8=`,
    `${id} aGVs\u00e9`,
  ]) {
    const answer = await http.send(post(body));
    t.equal(answer.status, 400, JSON.stringify(body));
    t.match(answer.body, /^[^\n]+\n$/, 'one plain line');
    t.match(answer.headers['content-type'], /^text\/plain/);
    t.notOk(answer.body.includes('aGVs'), 'without payload');
    t.not(answer.headers.connection, 'close', 'its body was all there: the connection goes on');
    const after = await http.send(post(`${id} ${text(HELLO)}`));
    t.same([after.status, open(after.body)], [200, { id, data: HELLO }], 'the session is as it was');
  }
  t.equal(server.sessions, 1);
});

void t.test('400 late in a body: what came before it has reached TLS, so the session is over', async (t) => {
  const { session, manager, server, connect } = await serve(t);
  const { http, id } = await session();
  const good = text(content(1_200_000));
  const body = `${id} ${good}$$$$`;
  http.write(`POST /runtime_manager HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`);
  http.write(body.slice(0, 1_500_000));
  await until('the good part reaches the manager', () => manager.requests.filter(({ kind }) => kind === 'send').length > 1);
  http.write(body.slice(1_500_000));
  t.equal((await http.answer()).status, 400);
  await until('the manager is told', () => closed(manager).length === 1);
  t.equal(server.sessions, 0);
  t.equal((await (await connect()).send(post(`${id} ${text(HELLO)}`))).status, 404);
});

void t.test('a good body and a bad one in one piece: no answer claims that nothing was fed', async (t) => {
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let needed = 0;
  const inner = echoing();
  const { session, manager } = await serve(t, async (request, socket) => {
    if (request.kind === 'needed' && ++needed > 2) await held;
    return inner(request, socket);
  });
  const { http, id } = await session();
  http.write(Buffer.concat([post(`${id} ${text('good')}`), post(`${id} QUJ$`)]));
  const first = http.answer();
  await until('the good body is at the manager', () => manager.requests.some(({ data }) => data.equals(Buffer.from('good'))));
  release();
  const statuses = [(await first).status, (await http.answer()).status];
  if (statuses[0] === 200) t.equal(statuses[1], 400);
  else {
    await until('the session ends with its lost answer', () => closed(manager).length === 1);
    t.not(statuses[0], 200);
  }
});

void t.test('404, 405, and the ids', async (t) => {
  const { connect, session, server } = await serve(t);
  const opened = await session();
  const { id } = opened;
  let { http } = opened;
  const send = async (bytes: Buffer | string) => {
    const answer = await http.send(bytes);
    http = await http.next(t, answer);
    return answer;
  };
  for (const path of [
    '/',
    '/runtime_manager/',
    '/?/runtime_manager',
    '/veracruz_server',
    '/runtime_managerx',
    '//runtime_manager',
    'http:///runtime_manager',
  ]) {
    t.equal((await send(post(`${id} ${text(HELLO)}`, { path }))).status, 404, path);
  }
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    const answer = await send(`${method} /runtime_manager HTTP/1.1\r\nHost: x\r\n\r\n`);
    t.same([answer.status, answer.headers.allow], [405, 'POST'], method);
  }
  for (const path of ['/runtime_manager?', '/runtime_manager?a=/b?c', 'http://x/runtime_manager', 'HTTP://[::1]:3011/runtime_manager?x']) {
    t.equal((await send(post(`${id} `, { path }))).status, 200, `${path} (RFC 9112 §3.2.2)`);
  }
  t.equal((await send('DELETE http://x/runtime_manager/1?x HTTP/1.1\r\nHost: x\r\n\r\n')).status, 404);
  const other = id === 1 ? 2 : 1;
  t.equal((await send(post(`${other} ${text(HELLO)}`))).status, 404);
  for (const name of ['0', String(other), `0${id}`, `${id}x`, '', '99999999999', '..', `${id}/..`]) {
    t.equal((await send(`DELETE /runtime_manager/${name} HTTP/1.1\r\nHost: x\r\n\r\n`)).status, 404, name);
  }
  t.equal((await send(post(`${id} ${text(HELLO)}`))).status, 200);
  const ids = new Set([id]);
  for (let i = 0; i < 20; i++) ids.add(open((await (await connect()).send(post(`0 ${text(HELLO)}`))).body).id);
  t.equal(ids.size, 21);
  t.ok([...ids].every((drawn) => Number.isInteger(drawn) && drawn > 0 && drawn < 2 ** 32));
  t.ok(
    [...ids].some((drawn) => drawn > 1000 && !ids.has(drawn + 1)),
    'drawn, not counted',
  );
  t.equal(server.sessions, 21);
});

void t.test('every answer carries the id; a poll fetches, and may have nothing', async (t) => {
  const queue = [Buffer.from('one'), Buffer.from('two')];
  const get = () => {
    const item = queue.shift();
    return item === undefined ? tell.fail : tell.data(item);
  };
  const { session } = await serve(t, echoing({ send: () => tell.success, needed: () => tell.needed(queue.length > 0), get }));
  const { http, id } = await session();
  t.equal((await http.send(post(`${id} ${text(HELLO)}`))).body, `${id} `);
  queue.push(Buffer.from('three'), Buffer.from('four'));
  t.equal((await http.send(post(`${id} `))).body, `${id} ${text('three')} ${text('four')}`, 'one item a TlsData');
  for (const poll of [`${id} `, ` ${id}\r\n`]) {
    const answer = await http.send(post(poll));
    t.same([answer.status, answer.body], [200, `${id} `], JSON.stringify(poll));
    t.match(answer.headers['x-veracruz-max-body-bytes'], /^\d+$/);
  }
});

void t.test('409: a session belongs to one connection while a POST is under way', async (t) => {
  let release = () => {};
  let held = false;
  const inner = echoing();
  const { session, connect, manager } = await serve(t, async (request, socket) => {
    if (request.kind === 'get' && held) {
      held = false;
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    }
    return inner(request, socket);
  });
  const { http, id } = await session();
  held = true;
  http.write(post(`${id} ${text('first')}`));
  await until('the manager works on the first', () => !held);
  const other = await connect();
  for (const body of [`${id} ${text('second')}`, `${id} `, `${id} $$$`]) {
    const refused = await other.send(post(body));
    t.equal(refused.status, 409);
    t.not(refused.headers.connection, 'close');
  }
  release();
  t.same(open((await http.answer()).body), { id, data: Buffer.from('first') });
  t.same(open((await other.send(post(`${id} ${text('third')}`))).body), { id, data: Buffer.from('third') }, 'afterwards it may move');
  t.same(
    manager.requests.filter(({ kind }) => kind === 'send').map(({ data }) => String(data)),
    [String(HELLO), 'first', 'third'],
    'nothing of the refused ones was fed',
  );
});

void t.test('413: by the announced length, and by counting', async (t) => {
  const { session, connect, manager } = await serve(t, echoing(), { maxBodyBytes: 1000 });
  const { http, id } = await session();
  const head = `${id} `;
  const fits = text(Buffer.alloc(Math.floor((1000 - head.length) / 4) * 3, 1));
  const filled = `${head}${' '.repeat(1000 - head.length - fits.length)}${fits}`;
  t.equal(filled.length, 1000);
  t.equal((await http.send(post(filled))).status, 200, 'at the limit');
  const before = manager.requests.length;
  const refused = await connect();
  refused.write(`POST /runtime_manager HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n`);
  const answer = await refused.answer();
  t.same([answer.status, answer.headers.connection], [413, 'close'], 'before anything of it came');
  await refused.closed();
  t.equal(manager.requests.length, before, 'the session is not touched');
  const chunked = await connect();
  chunked.write('POST /runtime_manager HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
  const chunk = (piece: string) => chunked.write(`${piece.length.toString(16)}\r\n${piece}\r\n`);
  chunk(filled.slice(0, 600));
  chunk(filled.slice(600));
  chunk(' ');
  t.equal((await chunked.answer()).status, 413, 'one over, counted');
  const digits = await connect();
  t.equal((await digits.send(post(`${'1'.repeat(900)} x`))).status, 400, 'an id that does not end');
  const blanks = await serve(t);
  t.equal((await (await blanks.connect()).send(post(' '.repeat(100_000)))).status, 413, 'white space that does not end');
});

void t.test('503: no room, no manager', async (t) => {
  const { session, connect, manager, server } = await serve(t, echoing(), { maxSessions: 2 });
  const { http, id } = await session();
  const second = await session();
  t.equal((await (await connect()).send(post(`0 ${text(HELLO)}`))).status, 503);
  t.equal((await http.send(`DELETE /runtime_manager/${second.id} HTTP/1.1\r\nHost: x\r\n\r\n`)).status, 204);
  const third = await session();
  t.equal(server.sessions, 2);
  manager.requests.length = 0;
  for (const link of manager.links) link.destroy();
  await until('the sessions are gone with the manager', () => server.sessions === 0);
  t.equal((await third.http.send(post(`${third.id} ${text(HELLO)}`))).status, 404);
  t.equal((await http.send(post(`${id} ${text(HELLO)}`))).status, 404);
});

void t.test('503: sessions that are being opened count', async (t) => {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const inner = echoing();
  const { connect, server } = await serve(
    t,
    async (request, socket) => {
      if (request.kind === 'open') await opened;
      return inner(request, socket);
    },
    { maxSessions: 2 },
  );
  const statuses: number[] = [];
  const posts = Array.from({ length: 5 }, async () => {
    statuses.push((await (await connect()).send(post(`0 ${text(HELLO)}`))).status);
  });
  await until('three are refused', () => statuses.length === 3);
  t.same(statuses, [503, 503, 503]);
  open();
  await within('the others', Promise.all(posts));
  t.same(statuses.slice(3), [200, 200]);
  t.equal(server.sessions, 2);
});

void t.test('a client that goes away before its id is nobody', async (t) => {
  const refused: unknown[] = [];
  const log = (_level: string, _event: string, { code }: Readonly<Record<string, unknown>> = {}) => void refused.push(code);
  const { connect, server } = await serve(t, echoing(), { log });
  const http = await connect();
  http.write('POST /runtime_manager HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n');
  await new Promise((go) => setImmediate(go));
  http.socket.destroy();
  await until('the Server has noticed', () => refused.includes('ERR_VC_SESSION_TEXT'));
  t.equal(server.sessions, 0);
});

void t.test('DELETE, also of a session that is busy', async (t) => {
  const inner = echoing();
  let held = false;
  const { session, connect, manager } = await serve(t, (request, socket) =>
    held && request.kind === 'needed' ? new Promise<never>(() => {}) : inner(request, socket),
  );
  const { http, id } = await session();
  held = true;
  http.write(post(`${id} ${text(HELLO)}`));
  await until('the POST is under way', () => manager.requests.filter(({ kind }) => kind === 'send').length === 2);
  const other = await connect();
  const deleted = await other.send(`DELETE /runtime_manager/${id} HTTP/1.1\r\nHost: x\r\n\r\n`);
  t.same([deleted.status, deleted.body], [204, '']);
  t.equal((await http.answer()).status, 404, 'the POST under way hears it');
  t.equal((await other.send(post(`${id} ${text(HELLO)}`))).status, 404);
});

void t.test('a session without a POST is closed at the manager, too', async (t) => {
  const { session, manager, server } = await serve(t, echoing(), { idleTimeoutMs: 50 });
  await session();
  await until('CloseTlsSession', () => closed(manager).length === 1);
  t.equal(server.sessions, 0);
});

void t.test('a POST of a session that was idle too long: 404, on the connection that it had', async (t) => {
  const { session, server } = await serve(t, echoing(), { idleTimeoutMs: 50 });
  const { http, id } = await session();
  await until('the session is over', () => server.sessions === 0);
  // The connection used to be closed in the same moment.
  await new Promise((go) => setTimeout(go, 100));
  t.equal((await http.send(post(`${id} ${text(HELLO)}`))).status, 404);
});

void t.test('empty POSTs keep a session that was answered once, and no other', async (t) => {
  const { session, connect } = await serve(t, echoing(), { idleTimeoutMs: patience(1000) });
  const answered = await session();
  const http = await connect();
  const { id } = open((await http.send(post('0 '))).body);
  await until('the end of the other', async () => {
    t.equal((await answered.http.send(post(`${answered.id} `))).status, 200);
    return (await http.send(post(`${id} `))).status === 404;
  });
});

void t.test('503: no more sessions of one address than may be', async (t) => {
  const { session, connect, server, manager } = await serve(t, echoing(), { maxSessionsPerAddress: 2, direct: 'tcp://127.0.0.1:0' });
  const { http, id } = await session();
  await session();
  const refused = await (await connect()).send(post(`0 ${text(HELLO)}`));
  t.same([refused.status, refused.body], [503, 'all 2 sessions of one address are taken\n']);
  const direct = new RawHttp(await dial(t, (server.directAddress as { port: number }).port));
  t.equal((await direct.closed()).length, 0, 'nor without HTTP');
  await http.send(`DELETE /runtime_manager/${id} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await session();
  t.equal(server.sessions, 2);
  for (const link of manager.links) link.destroy();
  await until('the sessions are gone with the manager', () => server.sessions === 0);
  await until('the link', () => server.managers[0]?.up === true);
  await session();
  await session();
  const many = await serve(t, echoing(), { maxSessionsPerAddress: 0 });
  for (let count = 0; count < 260; count++) await many.session();
  t.equal(many.server.sessions, 260, '0 is no limit');
  await t.rejects(serve(t, echoing(), { maxSessionsPerAddress: -1 }), { code: 'ERR_VC_INVALID_OPTION' });
});

void t.test('a connection without HTTP is idle when it was answered last, or never said a word', async (t) => {
  const inner = echoing();
  const quiet = Buffer.concat([HELLO, Buffer.from('no answer')]);
  let waits = 0;
  const { server } = await serve(
    t,
    (request, socket) => {
      if (!request.data.equals(quiet)) return inner(request, socket);
      waits++;
      return tell.success;
    },
    { idleTimeoutMs: 100, direct: 'tcp://127.0.0.1:0' },
  );
  const connect = async () => new RawHttp(await dial(t, (server.directAddress as { port: number }).port));
  const [silent, answered, waiting] = [await connect(), await connect(), await connect()];
  waiting.write(quiet);
  answered.write(HELLO);
  await until('the request that is not answered', () => waits === 1);
  t.equal((await silent.closed()).length, 0);
  t.same(await answered.closed(), HELLO);
  t.equal((await (await connect()).closed()).length, 0, 'one that came later');
  t.equal(server.sessions, 1, 'who waits for an answer still does');
  waiting.write(HELLO);
  t.same(await waiting.closed(), HELLO);
});

void t.test('POSTs pipelined in one segment, and cut anywhere: fed in order, answered in order', async (t) => {
  const { session, manager } = await serve(t);
  const { http, id } = await session();
  for (let round = 0; round < 12; round++) {
    manager.requests.length = 0;
    const pieces = Array.from({ length: 5 }, (_, i) => content(randomInt(1, round < 6 ? 300 : 90_000), round * 5 + i + 1));
    const stream = Buffer.concat(pieces.map((piece) => post(`${id} ${text(piece)}`)));
    if (round === 0) http.write(stream);
    else {
      const cuts = Array.from({ length: 8 }, () => randomInt(stream.length)).sort((a, b) => a - b);
      for (const [i, cut] of [...cuts, stream.length].entries()) {
        http.write(stream.subarray(cuts[i - 1] ?? 0, cut));
        await new Promise((go) => setImmediate(go));
      }
    }
    const answers: Buffer[] = [];
    for (const _ of pieces) {
      const answer = await http.answer();
      t.equal(answer.status, 200);
      const { id: said, data } = open(answer.body);
      t.equal(said, id);
      answers.push(data);
    }
    const fed = Buffer.concat(manager.requests.filter(({ kind }) => kind === 'send').map(({ data }) => data));
    t.ok(fed.equals(Buffer.concat(pieces)), `round ${round}: fed in order`);
    t.ok(Buffer.concat(answers).equals(Buffer.concat(pieces)), `round ${round}: answered in order`);
  }
});

void t.test('more POSTs than may wait', async (t) => {
  const inner = echoing();
  let held = false;
  const { session } = await serve(
    t,
    (request, socket) => (held && request.kind === 'needed' ? new Promise<never>(() => {}) : inner(request, socket)),
    {
      maxPipelinedPosts: 2,
    },
  );
  const { http, id } = await session();
  held = true;
  http.write(Buffer.concat(Array.from({ length: 3 }, () => post(`${id} ${text(HELLO)}`))));
  for (let i = 0; i < 3; i++) t.equal((await http.answer()).status, 413);
});

void t.test('a client that goes away in the middle of a POST ends its own session, and no other', async (t) => {
  const inner = echoing();
  const slow = { open: false, needed: false };
  const holds: (() => void)[] = [];
  const { session, connect, manager, server } = await serve(t, async (request, socket) => {
    if ((request.kind === 'open' && slow.open) || (request.kind === 'needed' && slow.needed))
      await new Promise<void>((go) => holds.push(go));
    return inner(request, socket);
  });
  const honest = await session();
  const cases: [string, (http: RawHttp, id: number) => Promise<void>][] = [
    [
      'in the body',
      async (http, id) => {
        http.write(`POST /runtime_manager HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n${id} aGVs`);
        await until('the body is being read', () => server.sessions === 2);
        await new Promise((go) => setTimeout(go, 20));
        http.socket.destroy();
      },
    ],
    [
      'while its answer is awaited',
      async (http, id) => {
        slow.needed = true;
        http.write(post(`${id} ${text(HELLO)}`));
        await until('the manager is asked', () => holds.length === 1);
        http.socket.destroy();
        slow.needed = false;
      },
    ],
  ];
  for (const [what, leave] of cases) {
    const { http, id } = await session();
    manager.requests.length = 0;
    await leave(http, id);
    await until(`its session ends: ${what}`, () => server.sessions === 1);
    for (const go of holds.splice(0)) go();
    await until('and the manager is told', () => closed(manager).length === 1);
    t.equal(open((await honest.http.send(post(`${honest.id} ${text(HELLO)}`))).body).id, honest.id, what);
  }
  slow.open = true;
  const hasty = await connect();
  hasty.write(post(`0 ${text(HELLO)}`));
  await until('a session is being opened', () => holds.length === 1);
  hasty.socket.destroy();
  await new Promise((go) => setTimeout(go, 50));
  slow.open = false;
  manager.requests.length = 0;
  for (const go of holds.splice(0)) go();
  await until('a session whose client left before it was there is closed again', () => closed(manager).length === 1);
  t.equal(server.sessions, 1);
  const two = await connect();
  const [a, b] = [await session(), await session()];
  slow.needed = true;
  two.write(Buffer.concat([post(`${a.id} ${text(HELLO)}`), post(`${b.id} ${text(HELLO)}`)]));
  await until('two sessions are asked for on one connection', () => holds.length === 1);
  two.socket.destroy();
  await until('both end with it', () => server.sessions === 1);
  slow.needed = false;
  for (const go of holds.splice(0)) go();
});

void t.test('the edges of HTTP', async (t) => {
  const { session, connect } = await serve(t);
  const { id } = await session();
  const good = post(`${id} ${text(HELLO)}`);
  const old = await connect();
  const answer = await old.send(post(`${id} ${text(HELLO)}`, { version: '1.0' }));
  t.same(open(answer.body), { id, data: HELLO });
  await within('the end of an HTTP/1.0 connection', old.closed());
  const long = await connect();
  t.equal((await long.send(`POST /runtime_manager HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(9000)}\r\n\r\n`)).status, 431);
  await long.closed();
  for (const bad of [
    'hello\r\n\r\n',
    'POST /runtime_manager HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n',
    'POST /runtime_manager HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n',
    'POST /runtime_manager HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
  ]) {
    const http = await connect();
    t.equal((await http.send(bad)).status, 400, JSON.stringify(bad.slice(0, 90)));
    await http.closed();
  }
  const chunked = await connect();
  chunked.write('POST /runtime_manager HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
  t.equal((await chunked.send('xyz\r\n')).status, 400, 'a chunk without a size');
  const asking = await connect();
  const body = `${id} ${text(HELLO)}`;
  asking.write(`POST /runtime_manager HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`);
  t.equal((await asking.answer()).status, 100);
  t.same(open((await asking.send(body)).body), { id, data: HELLO });
  t.equal((await asking.send(good)).status, 200, 'and the connection is kept');
});

void t.test('a head, or a body, that never ends', async (t) => {
  const { connect, session, server } = await serve(t, echoing(), { headTimeoutMs: 200, postTimeoutMs: 400 });
  const honest = await session();
  const head = await connect();
  head.write('POST /runtime_manager HTTP/1.1\r\nHost: x\r\n');
  t.equal((await head.answer()).status, 408);
  const body = await connect();
  body.write('POST /runtime_manager HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n0 aGVs');
  await within('a POST that stops in the middle', body.closed());
  await until('its session is gone', () => server.sessions === 1);
  t.equal((await honest.http.send(post(`${honest.id} ${text(HELLO)}`))).status, 200);
});

/** Strangers before a Server: they fill its tables, hold its handshakes, and guess ids. Real sockets from addresses of loopback. */
import { once } from 'node:events';
import { connect as connectNet } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import t, { type Test } from 'tap';
import { completeOptions, SERVER_DEFAULTS, type ServerOptions } from '../../lib/roles/server/options.js';
import { countRequests, dial, echoing, foreignManager, HELLO, NO_TLS, post, RawHttp, until, within } from '../support/foreign.js';
import '../support/long.js';
import { alice, content, portOf, startRoles, startServer } from '../support/roles.js';

const text = (data: Buffer | string) => Buffer.from(data).toString('base64');
const idOf = (body: string) => Number(body.split(' ')[0]);

/** A connection from `127.0.0.<host>`. */
async function from(t: Pick<Test, 'teardown'>, port: number, host: number): Promise<RawHttp> {
  const socket = connectNet({ host: '127.0.0.1', port, localAddress: `127.0.0.${host}`, noDelay: true });
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return new RawHttp(socket);
}

async function serve(t: Test, options: Partial<ServerOptions> = {}) {
  const manager = await foreignManager(t, echoing());
  const server = await startServer(t, manager.address, { ...NO_TLS, ...options });
  const opens = () => manager.requests.filter(({ kind }) => kind === 'open').length;
  return { manager, server, opens, from: (host: number) => from(t, portOf(server), host) };
}

void t.test('no manager hears of a session before its ClientHello, and no such session stays', async (t) => {
  const { server, opens, from } = await serve(t, { helloTimeoutMs: 300, direct: 'tcp://127.0.0.1:0' });
  const slow = await from(2);
  const first = await slow.send(post(`0 ${text(HELLO.subarray(0, 1))}`));
  t.same([first.status, first.body], [200, `${idOf(first.body)} `]);
  t.equal((await slow.send(post('0 '))).status, 200);
  const whole = await from(2);
  const id = idOf((await whole.send(post(`0 ${text(HELLO.subarray(0, 10))}`))).body);
  t.same([server.sessions, opens()], [3, 0]);
  t.equal((await whole.send(post(`${id} ${text(HELLO.subarray(10))}`))).body, `${id} ${text(HELLO)}`, 'begun in two pieces');
  const direct = await dial(t, (server.directAddress as { port: number }).port);
  const closed = once(direct.resume(), 'close');
  direct.write(HELLO.subarray(0, 3));
  await until('the one that has begun is alone', () => server.sessions === 1);
  t.equal(opens(), 1);
  await within('the end of the connection', closed);
  t.equal((await slow.send(post(`${idOf(first.body)} ${text(HELLO.subarray(1))}`))).status, 404);
});

void t.test('what is no ClientHello is refused at its first wrong byte', async (t) => {
  const { server, opens, from } = await serve(t);
  for (const bytes of ['hello', '\x17\x03\x03', '\x16\x03\x00', '\x16\x03\x01\x40\x01', '\x16\x03\x01\x00\x30\x02']) {
    const answer = await (await from(2)).send(post(`0 ${Buffer.from(bytes.padEnd(11, '\0'), 'latin1').toString('base64')}`));
    t.equal(answer.status, 400, JSON.stringify(bytes));
  }
  t.same([server.sessions, opens()], [0, 0]);
});

void t.test('a trickled ClientHello does not make its time longer', async (t) => {
  const { server, from } = await serve(t, { helloTimeoutMs: 300 });
  const http = await from(2);
  http.write(`POST /runtime_manager HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n0 FgMB`);
  await until('the session', () => server.sessions === 1);
  const trickle = setInterval(() => http.write(' '), 20);
  t.teardown(() => clearInterval(trickle));
  t.equal((await http.answer()).status, 408);
  t.equal(server.sessions, 0);
});

void t.test('forty addresses that fill the table keep no honest client out', async (t) => {
  const table = { maxSessions: 100, maxSessionsPerAddress: 8, maxUnadmittedSessions: 60, maxUnadmittedSessionsPerAddress: 4 };
  // Without this limit they would be put off, and there would be no crowd.
  const limits = { ...table, maxUnadmittedSessionsPerSecond: 0 };
  const roles = await startRoles(t, { server: limits });
  const honest = await roles.connect();
  for (let host = 10; host < 50; host++) {
    const http = await from(t, portOf(roles.server), host);
    for (let count = 0; count < 6; count++) await http.send(post(`0 ${text(HELLO.subarray(0, 1))}`));
  }
  t.ok(roles.server.sessions <= 61, `${roles.server.sessions} sessions`);
  await honest.writeFile('/f', content(100_000));
  for (let count = 0; count < 3; count++) {
    const another = await roles.connect();
    await another.writeFile(`/f${count}`, content(1000, count));
  }
});

void t.test('an address whose sessions are never admitted is put off; others are served', async (t) => {
  const roles = await startRoles(t, { server: { maxUnadmittedSessionsPerAddress: 2, direct: 'tcp://127.0.0.1:0' } });
  const direct = (roles.server.directAddress as { port: number }).port;
  // So many, all at once, that they are more than time forgives meanwhile.
  const strangers = await Promise.all(Array.from({ length: 60 }, () => from(t, portOf(roles.server), 10)));
  const asked = strangers.map((http) => http.send(post(`0 ${text(HELLO.subarray(0, 1))}`)));
  await Promise.race(asked);
  const ends = Array.from({ length: 10 }, async () => {
    const socket = connectNet({ host: '127.0.0.1', port: direct, localAddress: '127.0.0.10' });
    t.teardown(() => socket.destroy());
    await once(socket.on('error', () => {}).resume(), 'close');
  });
  await within('the end of one without HTTP', Promise.race(ends));
  const honest = await roles.connect();
  await honest.writeFile('/f', content(1000));
  const answers = await within('the answers', Promise.all(asked));
  const refused = answers.filter(({ status }) => status === 503);
  t.ok(answers.length - refused.length >= 2, `${refused.length} of 60 were refused`);
  t.match(refused[0], {
    headers: { 'retry-after': '1', connection: 'keep-alive' },
    body: 'too many sessions of this address were not admitted: try again later\n',
  });
});

void t.test('silent strangers with all handshake places keep nobody out for long', async (t) => {
  const roles = await startRoles(t, { server: { maxHandshakes: 4 } });
  for (let host = 10; host < 15; host++) {
    for (let count = 0; count < 4; count++) {
      const http = await from(t, portOf(roles.server), host);
      http.write(post(`0 ${text(HELLO)}`));
    }
  }
  // On a busy machine the first of them have lost their places again before the last are there.
  await until('more are there than there are places', () => roles.server.sessions > 4);
  const honest = await within('an honest client', roles.connect());
  await honest.writeFile('/f', content(1000));
});

void t.test('too many bytes before the end of the handshake', async (t) => {
  const { from } = await serve(t, { maxHandshakeBytes: 1000 });
  const http = await from(2);
  t.equal((await http.send(post(`0 ${text(Buffer.concat([HELLO, content(900)]))}`))).status, 200);
  const over = await from(2);
  t.equal((await over.send(post(`0 ${text(Buffer.concat([HELLO, content(1000)]))}`))).status, 413);
});

void t.test('guesses: answered so many times, then not at all; the right id is always served', async (t) => {
  const { from } = await serve(t);
  const home = await from(2);
  const first = await home.send(post(`0 ${text(HELLO)}`));
  const secret = first.headers['x-veracruz-session-secret'] ?? '';
  const id = idOf(first.body);
  const thief = await from(3);
  const statuses: number[] = [];
  let last = first;
  for (let guess = 1; guess <= 25; guess++) {
    last = await thief.send(post(`${guess} ${text('x')}`));
    statuses.push(last.status);
    t.equal((await home.send(post(`${id} ${text('mine')}`, { headers: `x-veracruz-session-secret: ${secret}\r\n` }))).status, 200);
  }
  t.same([statuses.slice(0, 20), statuses.slice(20)], [Array(20).fill(404), Array(5).fill(429)]);
  t.match(last.headers['retry-after'], /^1$/);
  for (const header of ['', `x-veracruz-session-secret: ${'x'.repeat(22)}\r\n`]) {
    const own = await from(2);
    t.equal((await own.send(post(`${id} ${text('x')}`, { headers: header }))).status, 404, 'not without its secret');
    const deletion = `DELETE /runtime_manager/${id} HTTP/1.1\r\nHost: x\r\n${header}\r\n`;
    t.equal((await own.send(deletion)).status, 404);
  }
});

void t.test('a client without the secret: slow and bad bodies from elsewhere neither block nor end its session', async (t) => {
  const { server, from, manager } = await serve(t);
  const home = await from(2);
  const id = idOf((await home.send(post(`0 ${text(HELLO)}`))).body);
  const slow = await from(3);
  slow.write(`POST /runtime_manager HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n${id} QUJD`);
  const bad = await from(3);
  t.equal((await bad.send(post(`${id} ${text('good')}QUJ$`))).status, 400);
  t.equal((await (await from(3)).send(`DELETE /runtime_manager/${id} HTTP/1.1\r\nHost: x\r\n\r\n`)).status, 404);
  const answer = await (await from(2)).send(post(`${id} ${text('mine')}`));
  t.equal(answer.body, `${id} ${text('mine')}`);
  t.equal(server.sessions, 1);
  t.same(
    manager.requests.filter(({ kind }) => kind === 'send').map(({ data }) => String(data)),
    [String(HELLO), 'mine'],
  );
  t.equal((await (await from(3)).send(post(`${id} ${text('moved')}`))).body, `${id} ${text('moved')}`, 'as in the original');
  const bound = await serve(t, { bindSessions: 'address' });
  const other = idOf((await (await bound.from(2)).send(post(`0 ${text(HELLO)}`))).body);
  t.equal((await (await bound.from(3)).send(post(`${other} ${text('x')}`))).status, 404);
  t.equal((await (await bound.from(2)).send(post(`${other} ${text('x')}`))).status, 200);
});

void t.test('a body from elsewhere that was begun before the secret was shown is not taken after it', async (t) => {
  const { from, manager } = await serve(t);
  const home = await from(2);
  const first = await home.send(post(`0 ${text(HELLO)}`));
  const id = idOf(first.body);
  const thief = await from(3);
  const body = `${id} ${text('ABC')}`;
  thief.write(`POST /runtime_manager HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, -4)}`);
  await until('its beginning', () => thief.socket.bytesWritten > 0);
  // It was read when one behind it on the same way was answered.
  t.equal((await (await from(3)).send(post(`${id} ${text('as in the original')}`))).status, 200);
  const secret = `x-veracruz-session-secret: ${first.headers['x-veracruz-session-secret']}\r\n`;
  t.equal((await home.send(post(`${id} ${text('mine')}`, { headers: secret }))).status, 200);
  thief.write(body.slice(-4));
  t.equal((await thief.answer()).status, 404);
  t.notOk(manager.requests.some(({ data }) => String(data) === 'ABC'));
});

void t.test('bodies from elsewhere that are never whole: more than may wait are refused', async (t) => {
  const { server, from } = await serve(t, { maxForeignBytes: 4 * 1000 });
  const home = await from(2);
  const id = idOf((await home.send(post(`0 ${text(HELLO)}`))).body);
  const slow = await from(3);
  slow.write(`POST /runtime_manager HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n${id} ${'A'.repeat(700)}`);
  const more = await from(3);
  more.write(`POST /runtime_manager HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n${id} ${'A'.repeat(700)}`);
  const refused = await Promise.race([slow.answer(), more.answer()]);
  t.equal(refused.status, 503);
  t.match(refused.body, /too many bodies that are from elsewhere/);
  t.equal((await home.send(post(`${id} ${text('mine')}`))).body, `${id} ${text('mine')}`);
  t.equal(server.sessions, 1);
});

void t.test('no id and no secret stands in the log', async (t) => {
  const lines: string[] = [];
  const log: ServerOptions['log'] = (level, event, figures) => void lines.push(JSON.stringify({ level, event, ...figures }));
  const { server, from } = await serve(t, { log, maxSessions: 1, helloTimeoutMs: 10_000 });
  const http = await from(2);
  const first = await http.send(post(`0 ${text(HELLO)}`));
  const id = String(idOf(first.body));
  const secret = first.headers['x-veracruz-session-secret'] ?? '';
  t.match(secret, /^[\w-]{22}$/);
  await (await from(2)).send(post(`0 ${text(HELLO)}`));
  await http.send(post(`${id} ${text('x')}`, { headers: `x-veracruz-session-secret: ${secret}x\r\n` }));
  await http.send(post(`${id} $$$`));
  await server.reset(server.managers[0]?.address ?? '');
  await within('the end', server.closed);
  t.ok(lines.length >= 3, lines.join('\n'));
  t.same(
    lines.filter((line) => line.includes(id) || line.includes(secret)),
    [],
  );
});

void t.test('who has come in stays when the time for handshakes is over, and who has not does not', async (t) => {
  const roles = await startRoles(t, { server: { handshakeTimeoutMs: 4000, direct: 'tcp://127.0.0.1:0' } });
  const { port } = roles.server.directAddress as { port: number };
  const asks = await roles.connect();
  // It has finished its handshake and says nothing: only the manager knows that it was let in.
  const silent = connectTls({ host: '127.0.0.1', port, cert: alice.certificate, key: alice.key, rejectUnauthorized: false });
  t.teardown(() => silent.destroy());
  silent.on('error', () => {});
  await once(silent, 'secureConnect');
  // Its ClientHello is whole, and nothing follows.
  const half = connectNet({ host: '127.0.0.1', port });
  t.teardown(() => half.destroy());
  const hello = new Duplex({ read: () => {}, write: (chunk: Buffer, _encoding, done) => void half.write(chunk, done) });
  connectTls({ socket: hello, rejectUnauthorized: false }).on('error', () => {});
  const closed = once(half.resume(), 'close');
  await until('all three', () => roles.server.sessions === 3);
  await within('the end of the one', closed);
  t.equal(roles.server.sessions, 2);
  await asks.writeFile('/f', content(1000));
  t.equal(silent.destroyed, false);
});

void t.test('of thousands of requests in one piece no more are parsed than may be under way', async (t) => {
  const { server, from } = await serve(t);
  const parsed = countRequests(t);
  const flood = await from(2);
  flood.write('GET /runtime_manager HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1200));
  await within('the end of the connection', flood.closed());
  t.equal(parsed(), 129);
  const http = await from(3);
  t.equal((await http.send(post(`0 ${text(HELLO)}`))).status, 200);
  t.equal(server.sessions, 1);
});

void t.test('options', async (t) => {
  const wrong: Partial<ServerOptions>[] = [
    { maxUnadmittedSessions: 0 },
    { maxUnadmittedSessionsPerAddress: -1 },
    { maxUnadmittedSessionsPerSecond: -1 },
    { helloTimeoutMs: 0 },
    { handshakeTimeoutMs: 0 },
    { handshakeTimeoutMs: 2 ** 31 },
    { maxHandshakeBytes: -1 },
    { maxHandshakes: 0 },
    { maxMissesPerSecond: -1 },
    { maxForeignBytes: -1 },
    { maxConnections: 0 },
    { maxConnectionsPerAddress: -1 },
    { unreadTimeoutMs: -1 },
    { bindSessions: 'nothing' as 'secret' },
  ];
  for (const options of wrong) t.throws(() => completeOptions(options), { code: 'ERR_VC_INVALID_OPTION' }, JSON.stringify(options));
  const { maxUnadmittedSessions, maxUnadmittedSessionsPerAddress, maxConnectionsPerAddress } = completeOptions({});
  t.same(
    { ...SERVER_DEFAULTS, maxUnadmittedSessions, maxUnadmittedSessionsPerAddress, maxConnectionsPerAddress },
    SERVER_DEFAULTS,
    'what follows from others',
  );
  t.match(completeOptions({ maxSessionsPerAddress: 0 }), { maxUnadmittedSessionsPerAddress: 0, maxConnectionsPerAddress: 0 });
  t.match(completeOptions({ maxSessionsPerAddress: 3, maxSessions: 10 }), {
    maxUnadmittedSessions: 3,
    maxUnadmittedSessionsPerAddress: 2,
    maxConnectionsPerAddress: 64,
  });
});

/** What the kit keeps of a peer's bytes is bounded, and what was too much fails a case. */
import { PassThrough } from 'node:stream';
import t from 'tap';
import { Http } from '../../lib/conformance/peers/http.js';
import { MAX_PIPE_BYTES, Pipe } from '../../lib/conformance/peers/pipe.js';
import { PlayedManager } from '../../lib/conformance/peers/played-manager.js';
import { Scope } from '../../lib/conformance/scope.js';
import { Deframer, dial, framed, tcpServer, until } from '../support/foreign.js';
import { HANG_MS } from '../support/time.js';

const scopeOf = (t: Pick<typeof import('tap').t, 'teardown'>) => {
  const scope = new Scope(HANG_MS);
  t.teardown(() => scope.end());
  return scope;
};

void t.test('a pipe gives what came, in any pieces', async (t) => {
  const stream = new PassThrough();
  const pipe = new Pipe(stream, scopeOf(t), 10);
  for (const piece of ['one', 'two', 'six', '!']) stream.write(piece);
  t.equal(String(await pipe.take(4, 'a beginning')), 'onet');
  t.equal(String(pipe.bytes), 'wosix!');
  pipe.drop(2);
  stream.write('1234');
  t.equal(String(await pipe.take(8, 'the rest')), 'six!1234', 'ten bytes at a time, and more in all');
  t.equal(pipe.bytes.length, 0);
});

void t.test('a pipe keeps no more than its limit: the peer is cut off, and every wait fails', async (t) => {
  const stream = new PassThrough();
  const pipe = new Pipe(stream, scopeOf(t), 10);
  stream.write(Buffer.alloc(10));
  await until('ten bytes are there', () => pipe.bytes.length === 10);
  stream.write('x');
  const flood = /^the peer sent more than 10 bytes that nobody had asked for$/;
  await t.rejects(pipe.take(1, 'anything'), { message: flood });
  await t.rejects(pipe.ends(), { message: flood });
  await t.rejects(
    pipe.comes(() => false),
    { message: flood },
  );
  t.ok(stream.destroyed);
  t.equal(pipe.bytes.length, 0, 'and nothing is kept');
});

void t.test('a peer that answers without end is cut off at the default limit', async (t) => {
  let sent = 0;
  const { port } = await tcpServer(t, (socket) => {
    const pour = () => {
      while (!socket.destroyed && socket.write(Buffer.alloc(65_536, 0x20))) sent += 65_536;
    };
    socket.on('drain', pour);
    pour();
  });
  const pipe = await Pipe.connect(`tcp://127.0.0.1:${port}`, scopeOf(t));
  await t.rejects(pipe.ends(), { message: new RegExp(`more than ${MAX_PIPE_BYTES} bytes`) });
  t.ok(sent < 2 * MAX_PIPE_BYTES, `${sent} bytes were sent`);
});

void t.test('what is no HTTP, or no head or body of it, is told at once', async (t) => {
  const cases: Record<string, RegExp> = {
    'SSH-2.0-OpenSSH_9.6\r\n': /no answer of HTTP\/1: 21 bytes 5353/,
    [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}`]: /a head of more than 65536 bytes/,
    'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n': /the content-length is -5/,
    'HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n': /the content-length is many/,
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-14-14\r\n': /the size of a chunk is -14-14/,
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n': /the size of a chunk is $/,
  };
  for (const [answer, message] of Object.entries(cases)) {
    const stream = new PassThrough();
    const http = new Http(new Pipe(stream, scopeOf(t)));
    stream.write(answer);
    await t.rejects(http.answer(), { message }, JSON.stringify(answer.slice(0, 60)));
  }
  const stream = new PassThrough();
  stream.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=1\r\nabc\r\n2 \r\nde\r\n0\r\n\r\n');
  t.equal(String((await new Http(new Pipe(stream, scopeOf(t))).answer()).body), 'abcde', 'chunks with extensions are read');
});

void t.test('the manager that the kit plays keeps no ciphertext in its list, and takes no frame of any length', async (t) => {
  const end = new AbortController();
  t.teardown(() => end.abort());
  const manager = await PlayedManager.start('tcp-listen://127.0.0.1:0', { dialect: '2207', frame: 'tcp9' }, end.signal);
  const { port } = manager.address as { port: number };
  const socket = await dial(t, port);
  const answers: Buffer[] = [];
  const deframer = new Deframer();
  socket.on('data', (chunk: Buffer) => answers.push(...deframer.push(chunk)));
  const send = Buffer.from('0700000001000000' + '0500000000000000' + '68656c6c6f', 'hex');
  socket.write(Buffer.concat([framed(Buffer.from('05000000', 'hex')), framed(send)]));
  await until('both are answered', () => answers.length === 2);
  t.match(manager.requests, [{ kind: 'NewTlsSession' }, { kind: 'SendTlsData', session: 1, data: [] }]);
  t.equal(String(manager.sessions.get(1)?.received), 'hello');
  socket.write(Buffer.concat([Buffer.alloc(8, 0xff), Buffer.of(0)]));
  await until('the link is over', () => !manager.linked);
  t.match(manager.faults, [/^a frame of 18446744073709552000 bytes/]);
});

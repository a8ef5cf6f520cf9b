/** `inspect --layer http`: saved exchanges, byte by byte, and the traces of curl. */
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { annotate } from '../../lib/cli/inspect/annotate.js';
import { fromCurlTrace } from '../../lib/cli/inspect/curl-trace.js';
import { readingsOf } from '../../lib/cli/inspect/reading.js';
import type { Fault, Row } from '../../lib/cli/inspect/region.js';
import { encodeBase64 } from '../../lib/layers/base64/index.js';
import { encodePrefix } from '../../lib/layers/frame/index.js';
import { encodeMessage } from '../../lib/layers/protobuf/index.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { freshFolder } from '../support/roles.js';
import '../support/processes.js';
import { HANG_MS } from '../support/time.js';

const [READING] = readingsOf({ layer: 'http', dialect: '2207', frame: 'tcp9' });

function read(text: string): { rows: Row[]; fault: Fault | undefined } {
  const items = [...annotate(Buffer.from(text, 'latin1'), READING as NonNullable<typeof READING>)];
  return {
    rows: items.filter((one): one is Row => one.kind !== 'fault'),
    fault: items.find((one): one is Fault => one.kind === 'fault'),
  };
}

/** `layer field = value` of each field and group, without the headers. */
const told = ({ rows }: { rows: readonly Row[] }) =>
  rows
    .filter(({ kind, field }) => kind === 'group' || !/^[A-Z]/.test(field))
    .map(
      ({ layer, field, value, length }) =>
        `${layer} ${field}${value === undefined || Buffer.isBuffer(value) ? ` (${length})` : ` = ${value}`}`,
    );

/** Fields lie side by side and cover all of the input; each group holds its rows. */
function covers(t: Test, text: string, rows: readonly Row[]): void {
  let end = 0;
  const fields = rows.filter(({ kind, decoded }) => kind === 'field' && !decoded);
  for (const { offset, length, field } of fields) {
    if (offset !== end) t.fail(`${field} begins at ${offset}, not at ${end}`);
    end = offset + length;
  }
  t.equal(end, text.length);
  const open: Row[] = [];
  for (const row of rows.filter(({ decoded }) => !decoded)) {
    while (open.length > 0 && (open.at(-1) as Row).depth >= row.depth) open.pop();
    const around = open.at(-1);
    if (around !== undefined && (row.offset < around.offset || row.offset + row.length > around.offset + around.length)) {
      t.fail(`${row.field} is not in ${around.field}`);
    }
    if (row.kind === 'group') open.push(row);
  }
}

const head = (first: string, ...headers: string[]) => `${[first, ...headers].join('\r\n')}\r\n\r\n`;
const post = (path: string, body: string) => `${head(`POST ${path} HTTP/1.1`, 'Host: h', `Content-Length: ${body.length}`)}${body}`;
const answer = (body: string, status = '200 OK') => `${head(`HTTP/1.1 ${status}`, `content-length:${body.length}`)}${body}`;
const RECORD = encodeBase64(Buffer.from('1603010000', 'hex')).toString();

void t.test('a request and its response, down to the records', async (t) => {
  const text = post('/runtime_manager', `0 ${RECORD}`) + answer(`5 ${RECORD} `);
  const seen = read(text);
  t.equal(seen.fault, undefined);
  covers(t, text, seen.rows);
  const record = [
    'base64 decoded (5)',
    'records record 1 (5)',
    'records type = 22',
    'records version = 769',
    'records length = 0',
    'records ciphertext (0)',
  ];
  t.same(told(seen), [
    'http request 1 (63)',
    'http request line = POST /runtime_manager HTTP/1.1',
    'http end of the head (2)',
    'http body (10)',
    'session request body (10)',
    'session session id = 0',
    'session white space (1)',
    'base64 text (8)',
    ...record,
    'http response 2 (38)',
    'http status line = HTTP/1.1 200 OK',
    'http content-length = 11',
    'http end of the head (2)',
    'http body (11)',
    'session response body (11)',
    'session session id = 5',
    'session white space (1)',
    'base64 text (8)',
    'session white space (1)',
    ...record,
  ]);
  t.match(
    seen.rows.find(({ field }) => field === 'Host'),
    { value: 'h', length: 9 },
  );
});

void t.test('a body in chunks, an interim response, and a refusal', async (t) => {
  const chunks = `6;x=y\r\n5 ${RECORD.slice(0, 4)}\r\n5\r\n${RECORD.slice(4)} \r\n0\r\n\r\n`;
  const text =
    post('/runtime_manager', `0 ${RECORD}`) +
    post('/runtime_manager', `5 ${RECORD}`) +
    head('HTTP/1.1 100 Continue') +
    `${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}${chunks}` +
    answer('no such session', '404 Not Found') +
    head('HTTP/1.1 204 No Content');
  const seen = read(text);
  t.equal(seen.fault, undefined);
  covers(t, text, seen.rows);
  const all = told(seen);
  t.ok(all.includes('http chunks (30)') && all.includes('session session id = 5'), all.join('\n'));
  t.ok(all.includes('http text = no such session'));
});

void t.test('the attestation server, and a path that is nobody’s', async (t) => {
  const message = encodeMessage('ProxyAttestationServerRequest', {
    oneof: 'start_msg',
    fields: { protocol: 'psa', firmware_version: '0.3.0' },
  });
  const body = encodeBase64(Buffer.concat([encodePrefix(message.length), message])).toString();
  const text = post('/Start', body) + answer('oops', '403 Forbidden') + post('/elsewhere', 'any text') + head('GET /health HTTP/1.0');
  const seen = read(text);
  t.equal(seen.fault, undefined);
  covers(t, text, seen.rows);
  t.ok(seen.rows.some(({ layer, value }) => layer === 'protobuf' && value === 'psa'));
  t.ok(told(seen).includes('http text = any text'));
});

void t.test('a response alone: of a session where it is one, else a text; without its chunks, as curl -i has it', async (t) => {
  const session = read(`${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}5 ${RECORD}`);
  t.equal(session.fault, undefined);
  t.ok(told(session).includes('session session id = 5'));
  const other = read(`${head('HTTP/1.1 200 OK')}hello`);
  t.equal(other.fault, undefined);
  t.same(told(other).slice(-2), ['http body (5)', 'http text = hello']);
});

void t.test('what is broken is pointed at', async (t) => {
  const good = post('/runtime_manager', `0 ${RECORD}`);
  const chunked = head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked');
  const cases: [string, RegExp, number][] = [
    ['nonsense\r\n', /no HTTP\/1\.1 message begins here$/, 0],
    ['nonsense', /no HTTP\/1\.1 message begins here$/, 0],
    ['== Info: Trying\n', /for a trace of curl: --input curl$/, 0],
    [head('HTTP/2 200'), /no HTTP\/1\.1 message/, 0],
    [`${good}\r\n`, /no HTTP\/1\.1 message begins here$/, good.length],
    ['GET / HTTP/1.1\r\nHost: a', /^a line of 7 bytes has no end$/, 23],
    ['GET / HTTP/1.1\r\n no header\r\n\r\n', /^the line is no header$/, 16],
    [head('POST / HTTP/1.1', 'Content-Length: many'), /^content-length is no number$/, 41],
    [good.slice(0, -3), /^the body is cut: 7 of 10 bytes$/, good.length - 3],
    [`${chunked}5\r\nabc`, /^the chunk is cut: 3 of 5 bytes$/, chunked.length + 6],
    [`${chunked}3\r\nabcd\r\n`, /^no line ends behind the chunk$/, chunked.length + 6],
    [`${chunked}3\r\nabc\r\nxyz\r\n`, /^the line is no size of a chunk$/, chunked.length + 8],
    [post('/runtime_manager', `0 ${RECORD} x`), /field too many/, 74],
  ];
  for (const [text, message, offset] of cases) {
    const { rows, fault } = read(text);
    t.match(fault?.error.message ?? 'none', message, JSON.stringify(text));
    t.equal(fault?.offset, offset, message.source);
    covers(t, text, rows);
  }
});

void t.test('every cut of an exchange is told, and never more than what is there', async (t) => {
  const text =
    post('/runtime_manager', `0 ${RECORD}`) +
    `${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}2\r\n5 \r\n8\r\n${RECORD}\r\n0\r\n\r\n`;
  const first = post('/runtime_manager', `0 ${RECORD}`).length;
  for (let length = 1; length < text.length; length++) {
    const { rows, fault } = read(text.slice(0, length));
    if ((fault === undefined) !== (length === first)) t.fail(`${length} bytes: ${fault?.error.message}`);
    covers(t, text.slice(0, length), rows);
  }
});

const noCurl = spawnSync('curl', ['--version']).status === 0 ? false : 'no curl';

void t.test('what curl --trace and --trace-ascii write', { skip: noCurl }, async (t) => {
  const folder = freshFolder(t);
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.write(`5 ${RECORD.slice(0, 3)}`);
      response.end(RECORD.slice(3));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const text = encodeBase64(Buffer.concat([Buffer.from('1603010400', 'hex'), Buffer.alloc(1024, 0x5a)]));
  const body = `0 ${text.toString()}`;
  const kinds = [['--trace'], ['--trace-ascii'], ['--trace-time', '--trace-ascii']];
  for (const flags of kinds) {
    const path = join(folder, 'trace');
    const args = ['-s', '-o', join(folder, 'answer'), '-H', 'Expect: 100-continue', '--data-binary', body, ...flags, path];
    await curl([...args, `http://127.0.0.1:${port}/runtime_manager`]);
    const exchange = fromCurlTrace(readFileSync(path, 'latin1')).toString('latin1');
    t.match(exchange, /^POST \/runtime_manager HTTP\/1\.1\r\nHost: /);
    t.ok(exchange.includes(`\r\n\r\n${body}HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n`), 'what was sent, then what was received');
    const { fault, rows } = read(exchange);
    t.equal(fault, undefined);
    t.same(
      rows.filter(({ field }) => field === 'session id').map(({ value }) => value),
      [0, 5],
    );
    const main = join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'main.js');
    const cli = (...more: string[]) =>
      spawnSync(process.execPath, [main, 'inspect', path, '--layer', 'http', ...more], { encoding: 'utf8', timeout: HANG_MS });
    t.equal(cli('--input', 'curl').status, 0);
    t.match(cli().stdout, '--input curl');
  }
});

/** curl, while this process answers it. */
function curl(args: readonly string[]): Promise<unknown> {
  return promisify(execFile)('curl', args, { timeout: HANG_MS });
}

void t.test('texts that are no trace of curl', async (t) => {
  const section = '=> Send data, 5 bytes (0x5)\n';
  const cases: [string, RegExp][] = [
    ['', /line 1: it has no header or data/],
    ['== Info: Trying\n', /line 1: it has no header or data/],
    ['hello\n', /line 1: it has no offset/],
    ['0000: abc\n', /line 1: it has no offset/],
    [`${section}0000: abcde\nxyz\n`, /line 3: it has no offset/],
    [`${section}0000: abcd\n`, /line 2: it should have 5 bytes/],
    [`${section}0000: abcdefgh\n`, /line 2: it should have 5 bytes/],
    [`${section}0001: abcd\n`, /line 1: 4 bytes follow/],
    [section, /line 1: 0 bytes follow/],
    ['=> Send data, 6 bytes (0x6)\n0000: 61 62 63 64 65          abcde\n', /line 2: it does not have 6 bytes/],
  ];
  for (const [text, message] of cases) t.throws(() => fromCurlTrace(text), { code: 'ERR_VC_INVALID_ARGUMENT', message }, text);
  t.equal(fromCurlTrace(`${section}0000: abc\n`).toString(), 'abc\r\n');
  t.equal(
    fromCurlTrace(`=> Send SSL data, 5 bytes (0x5)\n0000: .....\n${section}0000: abcde\n`).toString(),
    'abcde',
    'bytes of TLS are left out',
  );
});

void t.test('a trace that is too large', async (t) => {
  const path = join(freshFolder(t), 'big');
  writeFileSync(path, 'x'.repeat(100));
  const args = [
    join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'main.js'),
    'inspect',
    path,
    '--layer',
    'http',
    '--input',
    'curl',
    '--max-bytes',
    '99',
  ];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: HANG_MS });
  t.equal(status, 1);
  t.match(stderr, 'ERR_VC_LIMIT');
});

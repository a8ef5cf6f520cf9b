/** The attestation server's HTTP: what is malformed, too large, too much, too slow, or asked the wrong way. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { DeviceRegistry } from '../../lib/attestation/registry/index.js';
import { encodePrefix } from '../../lib/layers/frame/index.js';
import { encodeMessage } from '../../lib/layers/protobuf/index.js';
import { AttestationServer, type AttestationServerOptions } from '../../lib/roles/attestation-server/server.js';
import { databaseFolder } from '../support/databases.js';
import { countRequests, dial, post, RawHttp, until, within } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { seeded } from '../support/splits.js';
import { authority, bodyOf, Device, http, messageOf, Pas } from './attestation-server-support.js';
import '../support/processes.js';

const noCurl = spawnSync('curl', ['--version']).status === 0 ? false : 'no curl program on this machine';
const noProtoc = spawnSync('protoc', ['--version']).status === 0 ? false : 'no protoc program on this machine';

const registry = await DeviceRegistry.open({ folder: await databaseFolder() });
t.teardown(() => registry.close());
const start = (t: Pick<Test, 'teardown'>, options: Partial<AttestationServerOptions> = {}) => Pas.start(t, { registry, ...options });
const pas = await start(t);

const START = bodyOf({ oneof: 'start_msg', fields: { protocol: 'psa', firmware_version: '0.0' } });
const SERVICES = ['/Start', '/PSA', '/PSA/AttestationToken', '/Nitro', '/Nitro/AttestationToken', '/VerifyPAT'];
const raw = (bytes: Buffer | string) => Buffer.from(bytes).toString('base64');

/** A body of exactly `length` letters: a token that is none. */
function bodyOfLength(length: number): string {
  for (let token = Math.floor(length * 0.75) - 40; ; token++) {
    const body = bodyOf({
      oneof: 'native_psa_attestation_token',
      fields: { token: Buffer.alloc(token), device_id: 1, csr: Buffer.alloc(9) },
    });
    if (body.length === length) return body;
    if (body.length > length) throw new Error(`no body has ${length} letters`);
  }
}

void t.test('the status line of the original’s client, to the letter; two requests on one connection', async (t) => {
  const peer = await RawHttp.connect(t, pas.port);
  for (let i = 0; i < 2; i++) {
    const { status, headers, body } = await peer.send(post(START, { path: '/Start' }));
    t.equal(status, 200);
    t.equal(headers['content-length'], String(body.length));
    t.match(body, /^AAAA[A-Za-z0-9+/]+=*$/);
  }
  peer.write(Buffer.concat([post(START, { path: '/Start' }), post(START, { path: '/Start' })]));
  t.equal((await peer.answer()).status, 200, 'pipelined');
  t.equal((await peer.answer()).status, 200);
  const line = await RawHttp.connect(t, pas.port);
  line.write(post(START, { path: '/Start', headers: 'Connection: close\r\n' }));
  t.match((await line.closed()).toString('latin1'), /^HTTP\/1\.1 200 OK\r\n/);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  for (let i = 0; i < 3; i++) t.equal((await http(pas.server.url, { path: '/Start', body: START, agent })).status, 200);
});

void t.test('one byte at a time, and chunked', async (t) => {
  const slow = await RawHttp.connect(t, pas.port);
  for (const byte of post(START, { path: '/Start' })) {
    if (!slow.socket.write(Buffer.of(byte))) await once(slow.socket, 'drain');
  }
  t.equal((await slow.answer()).status, 200);
  const chunks = [...START].map((letter) => `1\r\n${letter}\r\n`).join('');
  const chunked = await RawHttp.connect(t, pas.port);
  t.equal((await chunked.send(`POST /Start HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`)).status, 200);
});

void t.test('curl, with and without Expect: 100-continue', { skip: noCurl }, async (t) => {
  for (const headers of [[], ['-H', 'Expect: 100-continue'], ['-H', 'Content-Type: application/octet-stream'], ['--http1.0']]) {
    const flags = ['-sS', '-i', '--data-binary', '@-', ...headers, `${pas.server.url}/Start`];
    const child = await spawned('curl', flags, START);
    t.match(child, /HTTP\/1\.1 200 OK\r\n/, headers.join(' '));
    const [, body = ''] = child.slice(child.lastIndexOf('HTTP/1.1 200')).split('\r\n\r\n');
    t.equal(messageOf({ status: 200, headers: {}, body: Buffer.from(body) }).oneof, 'psa_attestation_init');
  }
});

void t.test('bodies that protoc makes, answers that protoc reads', { skip: noProtoc }, async (t) => {
  const protoc = (mode: string, input: string | Buffer) => {
    const flags = ['--proto_path=proto', mode, 'transport_protocol.proto'];
    const { status, stdout, stderr } = spawnSync('protoc', flags, { cwd: PROJECT_ROOT, input });
    if (status !== 0) throw new Error(stderr.toString());
    return stdout;
  };
  const ask = async (path: string, text: string) => {
    const bytes = protoc('--encode=transport_protocol.ProxyAttestationServerRequest', text);
    const { status, body } = await pas.post(path, raw(Buffer.concat([encodePrefix(bytes.length), bytes])));
    t.equal(status, 200, path);
    return protoc(
      '--decode=transport_protocol.ProxyAttestationServerResponse',
      Buffer.from(body.toString('latin1'), 'base64').subarray(8),
    ).toString();
  };
  const escaped = (bytes: Buffer) => [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  const unescaped = (text: string) => {
    const bytes = [...text.matchAll(/\\([0-7]{3})|\\(.)|([^\\])/gs)].map(([, octal, special, plain]) => {
      if (octal !== undefined) return Number.parseInt(octal, 8);
      if (special !== undefined) return ({ n: 10, r: 13, t: 9 } as Record<string, number>)[special] ?? special.charCodeAt(0);
      return (plain as string).charCodeAt(0);
    });
    return Buffer.from(bytes);
  };
  const device = new Device();
  await registry.enrollKey(device.point);
  await registry.allowRuntime('linux', device.runtimeHash);
  const init = await ask('/Start', 'start_msg { protocol: "psa" firmware_version: "0.0" }');
  const [, challenge = '', id] = /^psa_attestation_init \{\n {2}challenge: "(.*)"\n {2}device_id: (\d+)\n\}\n$/.exec(init) ?? [];
  t.equal(unescaped(challenge).length, 32);
  const token = device.token(unescaped(challenge));
  const chain = await ask(
    '/PSA/AttestationToken',
    `native_psa_attestation_token { token: "${escaped(token)}" device_id: ${id} csr: "${escaped(device.csr)}" }`,
  );
  const [, root = ''] = /^cert_chain \{\n {2}root_cert: "(.*)"\n {2}enclave_cert: "(?:.*)"\n\}\n$/.exec(chain) ?? [];
  t.ok(unescaped(root).equals(authority.certificateDer));
});

void t.test('400: what is no body of one message', async (t) => {
  const bytes = encodeMessage('ProxyAttestationServerRequest', { oneof: 'start_msg', fields: { protocol: 'psa' } });
  const whole = Buffer.concat([encodePrefix(bytes.length), bytes]);
  const bodies: Record<string, string> = {
    nothing: '',
    'a letter outside the alphabet': `${START.slice(0, 8)}!${START.slice(9)}`,
    'a line end after it': `${START}\n`,
    'no padding': raw(Buffer.concat([whole, Buffer.of(0)])).replace(/=+$/, ''),
    'half a prefix': raw(whole.subarray(0, 5)),
    'a prefix alone': raw(encodePrefix(5)),
    'a message of nothing': raw(encodePrefix(0)),
    'a byte after it': raw(Buffer.concat([whole, Buffer.of(0)])),
    'two messages': raw(Buffer.concat([whole, whole])),
    'no protobuf': raw(Buffer.concat([encodePrefix(4), Buffer.from('ffffffff', 'hex')])),
    'a message of another service': bodyOf({ oneof: 'nitro_attestation_doc', fields: { doc: Buffer.of(1), device_id: 1 } }),
    JSON: '{"protocol":"psa"}',
  };
  for (const [what, body] of Object.entries(bodies)) {
    const answer = await pas.post('/Start', body);
    t.equal(answer.status, 400, what);
    t.match(answer.body.toString(), /^[^\n]+\n$/, 'one line');
  }
  for (let length = 1; length < whole.length; length++) {
    t.equal((await pas.post('/Start', raw(whole.subarray(0, length)))).status, 400, `${length} of ${whole.length} bytes`);
  }
  for (const path of SERVICES.slice(1)) t.equal((await pas.post(path, START)).status, 400, path);
  t.equal((await pas.post('/Start', START)).status, 200, 'nothing of it stays behind');
});

void t.test('any bytes: a plain refusal, never a fault of the server', async (t) => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => raw(Buffer.concat([encodePrefix(bytes.length), bytes]))),
    fc.base64String({ maxLength: 300 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...SERVICES), anything, async (path, body) => {
      const { status } = await pas.post(path, Buffer.from(body, 'latin1'));
      t.ok([400, 403, 413, 501].includes(status), `${path}: ${status}`);
    }),
    seeded(300),
  );
  t.same(
    pas.logs.filter(({ level }) => level === 'error'),
    [],
  );
});

void t.test('413: at the limit, and one over; announced, counted, and asked for first', async (t) => {
  const maxBodyBytes = 400;
  const small = await start(t, { maxBodyBytes });
  t.equal((await small.post('/PSA', bodyOfLength(400))).status, 403, 'read and judged');
  t.equal((await small.post('/PSA', bodyOfLength(404))).status, 413);
  const announced = await RawHttp.connect(t, small.port);
  const refused = await announced.send(`POST /PSA HTTP/1.1\r\nHost: x\r\nContent-Length: 401\r\n\r\n`);
  t.match(
    refused,
    { status: 413, headers: { connection: 'close' }, body: 'a body of 401 bytes passes the limit of 400\n' },
    'without a byte of it',
  );
  const counted = await RawHttp.connect(t, small.port);
  counted.write(`POST /PSA HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n194\r\n${bodyOfLength(404)}\r\n0\r\n\r\n`);
  t.equal((await counted.answer()).status, 413);
  const waiting = await RawHttp.connect(t, small.port);
  waiting.write('POST /PSA HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 401\r\n\r\n');
  t.match(await waiting.answer(), { status: 413 }, 'no 100 before it');
  const welcome = await RawHttp.connect(t, small.port);
  welcome.write('POST /PSA HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 400\r\n\r\n');
  t.equal((await welcome.answer()).status, 100);
  t.equal((await welcome.send(bodyOfLength(400))).status, 403);

  const huge = Buffer.alloc(8, 0xff);
  t.equal((await pas.post('/Start', raw(huge))).status, 413, 'a message that is announced as long as can be');
  t.equal((await pas.post('/Start', raw(encodePrefix(256 * 1024 + 1)))).status, 413);
  t.equal((await pas.post('/Start', raw(encodePrefix(256 * 1024)))).status, 400, 'at the limit it is merely cut short');
});

void t.test('404, 405, 501', async (t) => {
  for (const path of [
    '/',
    '/start',
    '/Start/',
    '/?/Start',
    '/PSA/Other',
    '/Nitro/x',
    '/SGX/Msg1',
    '//Start',
    '/runtime_manager',
    '/__proto__',
  ]) {
    t.equal((await pas.post(path, START)).status, 404, path);
  }
  const peer = await RawHttp.connect(t, pas.port);
  for (const path of ['/Start?', '/Start?x=/y?z', 'http://x/Start', 'https://[::1]:3010/Start?x']) {
    t.equal((await peer.send(post(START, { path }))).status, 200, `${path} (RFC 9112 §3.2.2)`);
  }
  const nowhere = await RawHttp.connect(t, pas.port);
  t.equal((await nowhere.send(post(START, { path: 'http:///Start' }))).status, 404, 'a URL without a host');
  t.equal((await peer.send('GET http://x/health?x HTTP/1.1\r\nHost: x\r\n\r\n')).status, 200);
  for (const path of SERVICES) {
    for (const method of ['GET', 'PUT', 'DELETE', 'HEAD']) {
      const answer = await http(pas.server.url, { path, method });
      t.equal(answer.status, 405, `${method} ${path}`);
      t.equal(answer.headers.allow, 'POST');
    }
  }
  for (const protocol of ['', 'PSA', 'sgx', 'psa\0', 'x'.repeat(1000)]) {
    const answer = await pas.send('/Start', { oneof: 'start_msg', fields: { protocol } });
    t.match({ ...answer, body: answer.body.toString() }, { status: 501, body: 'the protocol is psa or nitro\n' });
  }
});

void t.test('GET /health and /certificate', async (t) => {
  const health = await http(pas.server.url, { path: '/health', method: 'GET' });
  t.match({ ...health, body: health.body.toString() }, { status: 200, body: 'ok\n' });
  const certificate = await http(pas.server.url, { path: '/certificate', method: 'GET' });
  t.equal(certificate.body.toString(), authority.certificate);
  for (const path of ['/health', '/certificate'])
    t.match(await http(pas.server.url, { path, method: 'POST' }), { status: 405, headers: { allow: 'GET' } });
});

void t.test('429: at the rate, and one over, by a clock', async (t) => {
  const clock = { now: 0 };
  const slow = await start(t, { maxRequestsPerSecond: 3, clock: () => clock.now });
  const statuses = async (count: number) => {
    const list: number[] = [];
    for (let i = 0; i < count; i++) list.push((await slow.post('/Start', START)).status);
    return list;
  };
  t.same(await statuses(4), [200, 200, 200, 429]);
  const refused = await slow.post('/Start', START);
  t.match({ ...refused, body: refused.body.toString() }, { headers: { 'retry-after': '1' }, body: 'too many requests\n' });
  t.equal((await http(slow.server.url, { path: '/health', method: 'GET' })).status, 429, 'whatever it asks');
  clock.now = 1000;
  t.same(await statuses(4), [200, 200, 200, 429]);
  const usual = await start(t, { maxRequestsPerSecond: 10, clock: () => 0 });
  const flood = await Promise.all(Array.from({ length: 30 }, () => usual.post('/Start', START)));
  t.equal(flood.filter(({ status }) => status === 200).length, 10, 'all at once');
});

void t.test('503: more challenges than there may be; room again when they are late', async (t) => {
  const clock = { now: 0 };
  const small = await start(t, { maxChallenges: 50, maxConnectionsPerAddress: 0, clock: () => clock.now });
  const flood = await Promise.all(Array.from({ length: 200 }, () => small.post('/Start', START)));
  t.equal(flood.filter(({ status }) => status === 200).length, 50);
  t.equal(flood.filter(({ status }) => status === 503).length, 150);
  t.equal(small.server.challenges, 50);
  t.equal(flood.find(({ status }) => status === 503)?.body.toString(), '50 challenges are under way\n');
  clock.now = 60_001;
  t.equal((await small.post('/Start', START)).status, 200);
  t.equal(small.server.challenges, 1);
});

void t.test('slow ones are closed: a head, a body, a connection that says nothing', async (t) => {
  const impatient = await start(t, { headTimeoutMs: 50, requestTimeoutMs: 50, idleTimeoutMs: 50 });
  const head = await RawHttp.connect(t, impatient.port);
  head.write('POST /Start HTTP/1.1\r\nHost:');
  const body = await RawHttp.connect(t, impatient.port);
  body.write('POST /Start HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nAAAA');
  const idle = await RawHttp.connect(t, impatient.port);
  t.equal((await idle.send(post(START, { path: '/Start' }))).status, 200);
  for (const [name, peer] of Object.entries({ head, body })) {
    t.match((await within(name, peer.closed())).toString('latin1'), /^HTTP\/1\.1 408 /, name);
  }
  t.equal((await within('idle', idle.closed())).length, 0);
  t.equal((await impatient.post('/Start', START)).status, 200);
});

void t.test('a client that goes away in the middle: nothing stays', async (t) => {
  const own = await start(t);
  for (const cut of [`POST /Start HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nAAAA`, post(START, { path: '/Start' })]) {
    const peer = await RawHttp.connect(t, own.port);
    peer.write(cut);
    await new Promise<void>((resolve) => setImmediate(resolve));
    peer.socket.destroy();
  }
  await until('its log', () => own.logs.some(({ figures }) => figures.code === 'ERR_VC_TRANSPORT'));
  await within('the close', own.server.close());
});

void t.test('connections over the limit are closed', async (t) => {
  const few = await start(t, { maxConnections: 2 });
  const [first, second] = [await RawHttp.connect(t, few.port), await RawHttp.connect(t, few.port)];
  t.equal((await first.send(post(START, { path: '/Start' }))).status, 200);
  t.equal((await second.send(post(START, { path: '/Start' }))).status, 200);
  const third = await RawHttp.connect(t, few.port);
  t.equal((await within('the third', third.closed())).length, 0);
  first.socket.destroy();
  await until('room', async () => {
    const peer = await RawHttp.connect(t, few.port);
    peer.write(post(START, { path: '/Start', headers: 'Connection: close\r\n' }));
    return (await peer.closed()).length > 0;
  });
});

void t.test('connections over the limit of one address are closed', async (t) => {
  const few = await start(t, { maxConnectionsPerAddress: 1 });
  const first = await RawHttp.connect(t, few.port);
  t.equal((await first.send(post(START, { path: '/Start' }))).status, 200);
  t.equal((await within('the second', (await RawHttp.connect(t, few.port)).closed())).length, 0);
  t.equal((await first.send(post(START, { path: '/Start' }))).status, 200);
});

void t.test('who asks and never reads is closed, and others are served', async (t) => {
  const few = await start(t, { unreadTimeoutMs: 300 });
  const deaf = await dial(t, few.port);
  deaf.on('error', () => {}).pause();
  const ended = () => few.logs.filter(({ event }) => event === 'connection ended').map(({ figures }) => figures.reason);
  await until('the end of its connection', () => {
    deaf.write('GET /certificate HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50));
    return ended().length > 0;
  });
  t.same(ended(), ['unread']);
  t.equal((await few.post('/Start', START)).status, 200);
});

void t.test('of thousands of requests in one piece no more are parsed than may be under way', async (t) => {
  const parsed = countRequests(t);
  const flood = await RawHttp.connect(t, pas.port);
  flood.write('GET /certificate HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1500));
  await within('the end of the connection', flood.closed());
  t.equal(parsed(), 129);
  t.equal((await pas.post('/Start', START)).status, 200);
});

void t.test('close: what is being answered is answered, and then there is nobody', async (t) => {
  const own = await start(t);
  const peer = await RawHttp.connect(t, own.port);
  const bytes = post(START, { path: '/Start' });
  peer.write(bytes.subarray(0, -4));
  await until(
    'the request',
    async () => (await new Promise<number>((resolve) => setImmediate(() => resolve(peer.socket.bytesWritten)))) > 0,
  );
  t.equal((await own.post('/Start', START)).status, 200, 'by now the first has come too');
  const closed = own.server.close();
  peer.write(bytes.subarray(-4));
  t.equal((await peer.answer()).status, 200);
  await within('the close', closed);
  await within('closed', own.server.closed);
  await t.rejects(own.post('/Start', START), { code: 'ECONNREFUSED' });
  await registry.ping();
});

void t.test('options', async (t) => {
  const wrong: Partial<AttestationServerOptions>[] = [
    { days: 0 },
    { days: 1.5 },
    { certificateLifetimeMs: 999 },
    { certificateLifetimeMs: 3650 * 86_400_000 + 1 },
    { challengeLifetimeMs: 0 },
    { maxChallenges: 0 },
    { maxKeysTried: 0 },
    { maxBodyBytes: 63 },
    { maxRequestsPerSecond: -1 },
    { maxConnections: 0 },
    { maxConnectionsPerAddress: -1 },
    { unreadTimeoutMs: -1 },
    { headTimeoutMs: 0 },
    { listen: 'http://x' },
  ];
  for (const options of wrong) await t.rejects(start(t, options), { code: 'ERR_VC_INVALID_OPTION' }, JSON.stringify(options));
  await t.rejects(start(t, { authority: { certificate: 'x', key: 'y' } }), { code: 'ERR_VC_INVALID_ARGUMENT' });
  await t.rejects(start(t, { registry: {} }), { code: 'ERR_VC_INVALID_OPTION' });
  for (const [options, message] of [
    [{ listen: 'tcp://127.0.0.1:0' }, 'authority is missing'],
    [{ listen: 'tcp://127.0.0.1:0', authority }, 'registry is missing'],
  ] as const) {
    await t.rejects(AttestationServer.start(options as unknown as AttestationServerOptions), { code: 'ERR_VC_INVALID_OPTION', message });
  }
  await t.rejects(start(t, { listen: `tcp://127.0.0.1:${pas.port}` }), { code: 'ERR_VC_TRANSPORT' });
  await registry.ping();
});

async function spawned(program: string, flags: readonly string[], input: string): Promise<string> {
  const child = spawn(program, flags, { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stdin.end(input);
  await within(program, once(child, 'close'));
  return output;
}

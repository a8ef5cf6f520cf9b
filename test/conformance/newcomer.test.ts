/** The kit at a place where no such peer is: each case fails by its name, soon, and the run ends with a counted table. */
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { conform, type Report } from '../../lib/conformance/index.js';
// Half a minute, most of it silence.
import '../support/long.js';
import { tcpServer } from '../support/foreign.js';
import { material } from './support.js';

const WAITS = { waitMs: 1000, caseMs: 10_000 } as const;

async function tried(t: Test, onSocket: (socket: Socket) => void): Promise<{ readonly manager: Report; readonly attestation: Report }> {
  const { port } = await tcpServer(t, onSocket);
  const own = { dialect: '2207', material } as const;
  const place = `127.0.0.1:${port}`;
  const manager = { ...own, role: 'manager', address: `tcp://${place}`, frame: 'tcp9', attested: false, singleLink: false } as const;
  return {
    manager: await conform(manager, { ...WAITS, only: ['link.', 'tls.version-1.3', 'tls.stranger'] }),
    attestation: await conform({ ...own, role: 'attestation', address: `http://${place}` }, { ...WAITS, only: ['start.', 'body.'] }),
  };
}

const said = ({ results }: Report) => results.map(({ saw }) => saw).join('\n');
const failsAll = (t: Test, { manager, attestation }: { readonly manager: Report; readonly attestation: Report }) => {
  for (const { counts, results } of [manager, attestation]) t.equal(counts.failed, results.length, JSON.stringify(results, undefined, 2));
};

/** Writes the same for ever, as fast as it is taken. */
const pour = (socket: Socket, bytes: Buffer) => {
  const more = () => {
    while (!socket.destroyed && socket.write(bytes));
  };
  socket.on('drain', more);
  more();
};

void t.test('a peer that answers without end', async (t) => {
  const reports = await tried(t, (socket) => pour(socket.resume(), Buffer.alloc(65_536, 0x20)));
  failsAll(t, reports);
  t.match(said(reports.attestation), /no answer of HTTP\/1/);
});

void t.test('a peer whose answer has chunks without end', async (t) => {
  const reports = await tried(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    pour(socket.resume(), Buffer.from('5\r\nhello\r\n'.repeat(5000)));
  });
  failsAll(t, reports);
  t.match(said(reports.attestation), /bytes that nobody had asked for/);
});

void t.test('a peer that ends each connection at once', async (t) => failsAll(t, await tried(t, (socket) => socket.destroy())));

void t.test('a peer that speaks another protocol', async (t) => {
  const reports = await tried(t, (socket) => {
    socket.write('SSH-2.0-OpenSSH_9.6\r\n');
    socket.resume();
  });
  failsAll(t, reports);
  t.match(said(reports.manager), /a frame of \d+ bytes/);
  t.match(said(reports.attestation), /no answer of HTTP\/1: 21 bytes 5353482d/);
});

void t.test('a web server that has no such page', async (t) => {
  const page = 'HTTP/1.1 404 Not Found\r\nServer: nginx/1.24.0\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>';
  const { manager, attestation } = await tried(t, (socket) => socket.on('data', () => socket.end(page)));
  t.equal(manager.counts.passed, 0);
  t.equal(attestation.counts.passed, 0);
  t.match(said(attestation), /the status line is HTTP\/1.1 404 Not Found/);
});

void t.test('a place where nobody listens', async (t) => {
  const target = { role: 'manager', address: 'tcp://127.0.0.1:1', dialect: '2207', material } as const;
  const report = await conform({ ...target, frame: 'tcp9', attested: false, singleLink: false }, { ...WAITS, only: ['link.'] });
  t.equal(report.counts.failed, report.results.length);
  t.match(said(report), /no connection/);
});

void t.test('after three cases of silence each wait is short, and long again when the peer has said something', async (t) => {
  const waitMs = 1000;
  let speaks = false;
  const { port } = await tcpServer(t, (socket) => {
    socket.resume();
    if (speaks) socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n');
  });
  const milliseconds: number[] = [];
  const target = { role: 'attestation', address: `http://127.0.0.1:${port}`, dialect: '2207', material } as const;
  await conform(target, {
    waitMs,
    caseMs: 10_000,
    only: ['start.', 'body.'],
    onResult: (result) => {
      milliseconds.push(result.milliseconds);
      if (milliseconds.length === 5) speaks = true;
    },
  });
  const times = `${milliseconds.join(', ')} ms`;
  t.equal(milliseconds.length, 9);
  for (const i of [0, 1, 2]) t.ok((milliseconds[i] as number) >= waitMs, `the whole time: ${times}`);
  for (const i of [3, 4]) t.ok((milliseconds[i] as number) < waitMs, `a moment: ${times}`);
  for (const i of [6, 7, 8]) t.ok((milliseconds[i] as number) >= waitMs, `the whole time again, for half an answer: ${times}`);
});

void t.test('what is no address, and a client without a policy, is told before any case', async (t) => {
  const own = { dialect: '2207', material } as const;
  const trying = { ...WAITS, onResult: () => t.fail('a case was run') };
  const manager = { ...own, role: 'manager', frame: 'tcp9', attested: false, singleLink: false } as const;
  for (const address of ['foo', 'tcp://', 'tcp://127.0.0.1', 'tcp://127.0.0.1:99999', 'ssh://x:1', 'tcp-listen://127.0.0.1:0']) {
    await t.rejects(conform({ ...manager, address }, trying), { code: 'ERR_VC_INVALID_OPTION' }, address);
  }
  for (const address of ['foo', 'http://127.0.0.1', 'https://127.0.0.1:1']) {
    await t.rejects(conform({ ...own, role: 'attestation', address }, trying), { code: 'ERR_VC_INVALID_OPTION' }, address);
  }
  const link = { frame: 'tcp9', manager: 'tcp-listen://127.0.0.1:0', attestation: undefined, singleLink: false } as const;
  await t.rejects(conform({ ...own, role: 'server', address: 'foo', ...link }, trying), { code: 'ERR_VC_INVALID_OPTION' });
  const client = { role: 'client', address: 'tcp-listen://127.0.0.1:0', dialect: '2207', start: undefined, idleMs: 100 } as const;
  await t.rejects(conform({ ...client, material: {} }, trying), { code: 'ERR_VC_INVALID_OPTION', message: /a policy is needed/ });
});

void t.test('a client that ends without a connection fails its case at once, with what it said', async (t) => {
  const client = { role: 'client', address: 'tcp-listen://127.0.0.1:0', dialect: '2207', material, idleMs: 100 } as const;
  const start = () => Promise.resolve({ ok: false, said: 'not found' });
  const report = await conform({ ...client, start }, { waitMs: 3_600_000, caseMs: 3_600_000, only: ['hello.'] });
  t.equal(report.counts.failed, 4);
  t.match(said(report), /the client ended without a connection: not found/);
});

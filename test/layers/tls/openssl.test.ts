/** The openssl program as a foreign client, and as a foreign server, over TCP. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect as connectSocket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { makeIdentity } from '../../../lib/attestation/identity.js';
import { tls } from '../../../lib/layers/tls/index.js';
import { stack } from '../../../lib/pipeline/stack.js';
import { alice, authority, clientOptions, issued, serverOptions } from './pki.js';
import { type End, watch } from './talk.js';
import '../../support/processes.js';

const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'no openssl program on this machine';
const SUITES = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256', 'TLS_AES_128_CCM_SHA256'];

const folder = mkdtempSync(join(tmpdir(), 'vc-openssl-'));
t.teardown(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
};
const CA = file('ca.pem', authority.certificate);

function output(child: ChildProcess): () => string {
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return () => text;
}

/** Waits until what a child said has `pattern` in it, or it is gone. */
async function said(child: ChildProcess, text: () => string, pattern: RegExp): Promise<RegExpExecArray | null> {
  for (;;) {
    const match = pattern.exec(text());
    if (match !== null || child.exitCode !== null || child.signalCode !== null) return match;
    await Promise.race([
      once(child.stdout as NodeJS.ReadableStream, 'data'),
      once(child.stderr as NodeJS.ReadableStream, 'data'),
      once(child, 'close'),
    ]);
  }
}

void t.test('openssl s_client talks to us', { skip }, async (t) => {
  const rsa = makeIdentity({ commonName: 'rsa', algorithm: 'rsa' });
  const stranger = makeIdentity({ commonName: 'stranger' });
  const serverStack = stack(tls(serverOptions({ identities: [alice.certificate, rsa.certificate], cipherSuite: SUITES })));
  const listener = createServer({ allowHalfOpen: true });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  t.teardown(() => listener.close());
  const accepted = async (): Promise<End> => {
    const [socket] = (await once(listener, 'connection')) as [import('node:net').Socket];
    return watch(serverStack.over(socket));
  };
  const client = (identity: { key: string; certificate: string } | undefined, ...more: string[]) => {
    const own = identity === undefined ? [] : ['-cert', file('id.pem', identity.certificate), '-key', file('id.key', identity.key)];
    return spawn('openssl', [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-CAfile',
      CA,
      '-verify_return_error',
      '-quiet',
      ...own,
      ...more,
    ]);
  };
  for (const [i, suite] of SUITES.entries()) {
    const identity = i % 2 === 0 ? alice : rsa;
    const arrives = accepted();
    const child = client(identity, '-ciphersuites', suite);
    const text = output(child);
    child.stdin.write('hello from openssl\n');
    const end = await arrives;
    await end.heard(19);
    t.equal(end.bytes.toString(), 'hello from openssl\n', suite);
    t.equal(end.state.cipherSuite, suite);
    t.equal(end.state.principal, i % 2);
    end.channel.write(Buffer.from('hello from us\n'));
    t.ok(await said(child, text, /hello from us/), `${suite}: it hears us`);
    // Our close_notify makes it go.
    end.channel.end();
    await once(child, 'close');
    await end.closed;
    t.equal(child.exitCode, 0);
  }
  for (const [identity, code, more] of [
    [stranger, 'ERR_VC_CERTIFICATE', []],
    [undefined, 'ERR_VC_CERTIFICATE', []],
    [alice, 'ERR_VC_TLS_HANDSHAKE', ['-tls1_2']],
  ] as const) {
    const arrives = accepted();
    const child = client(identity, ...more);
    child.stdin.on('error', () => {});
    child.stdin.write('hello\n');
    const end = await arrives;
    await end.closed;
    t.equal(end.error?.code, code);
    t.equal(end.bytes.length, 0);
    child.kill();
    await once(child, 'close');
  }
});

void t.test('we talk to openssl s_server', { skip }, async (t) => {
  const manager = issued(authority, { subject: 'manager' });
  const own = ['-cert', file('server.pem', manager.certificate), '-key', file('server.key', manager.key)];
  for (const suite of SUITES) {
    // -rev answers each line reversed.
    const child = spawn('openssl', [
      's_server',
      ...['-accept', '127.0.0.1:0', '-tls1_3', '-ciphersuites', suite, '-rev'],
      ...['-CAfile', file('alice.pem', alice.certificate), '-Verify', '1', '-verify_return_error', ...own],
    ]);
    const text = output(child);
    const port = Number((await said(child, text, /ACCEPT 127\.0\.0\.1:(\d+)/))?.[1]);
    t.ok(port > 0, suite);
    const socket = connectSocket({ port, host: '127.0.0.1', allowHalfOpen: true });
    const clientStack = stack(tls(clientOptions(alice, { cipherSuite: suite.replace('TLS_', 'TLS1_3_'), truncation: 'report' })));
    const end = watch(clientStack.over(socket));
    end.channel.write(Buffer.from('abc\n'));
    await end.heard(4);
    t.equal(end.error, undefined, suite);
    t.equal(end.bytes.toString(), 'cba\n');
    t.equal(end.state.cipherSuite, suite);
    t.ok(await said(child, text, /depth=0 .*CN ?= ?alice/), 'it has verified us');
    end.channel.end();
    child.kill();
    await Promise.all([once(child, 'close'), end.closed]);
  }
  const stranger = makeIdentity({ commonName: 'stranger' });
  const child = spawn('openssl', [
    's_server',
    ...[
      '-accept',
      '127.0.0.1:0',
      '-tls1_3',
      '-rev',
      '-CAfile',
      file('alice.pem', alice.certificate),
      '-Verify',
      '1',
      '-verify_return_error',
      ...own,
    ],
  ]);
  const text = output(child);
  const port = Number((await said(child, text, /ACCEPT 127\.0\.0\.1:(\d+)/))?.[1]);
  const end = watch(stack(tls(clientOptions(stranger))).over(connectSocket(port, '127.0.0.1')));
  end.channel.write(Buffer.from('abc\n'));
  await end.closed;
  t.equal(end.error?.code, 'ERR_VC_PEER_REJECTED', 'its alert says that it refuses our certificate');
  t.match(end.error?.got, /ALERT/);
  t.equal(end.bytes.length, 0);
  child.kill();
  await once(child, 'close');
});

/** `server --policy` with real processes: attestation server, Runtime Manager, Server and client, each by its command. */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { InsecureSoftwareAttester } from '../../lib/attestation/evidence/index.js';
import { echoing, foreignManager, HELLO, post, RawHttp, until, within } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { alice, Child, content, freshFolder, policyOf } from '../support/roles.js';
import '../support/processes.js';
import { putDatabase } from '../support/databases.js';

const MAIN = join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'main.js');
const folder = freshFolder(t);
const state = join(folder, 'attestation');
const put = (name: string, text: string | Buffer) => {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
};

/** A command, and where it says that it listens. */
async function serve(t: Pick<Test, 'teardown'>, ...args: string[]): Promise<{ child: Child; at: string }> {
  const child = new Child(t, [MAIN, ...args]);
  return { child, at: (await child.line()).replace(/^listening at /, '') };
}

/** A command to its end. */
async function run(t: Pick<Test, 'teardown'>, ...args: string[]): Promise<{ code: number; stderr: string }> {
  const child = new Child(t, [MAIN, ...args]);
  const [code] = (await within(`the end of ${args[0]}`, child.exited)) as [number];
  return { code, stderr: child.stderr };
}

const oneLine = /^veracruz-streams: [^\n]+\n$/;

void t.test('four processes, attested', async (t) => {
  await putDatabase(join(state, 'registry'));
  const pas = await serve(t, 'attest', '--state', state, '--listen', 'tcp://127.0.0.1:0', '--log-level', 'error');
  const keyFile = join(folder, 'device.key');
  const { publicKeyPem, runtimeHash } = await InsecureSoftwareAttester.open({ keyFile });
  const hash = runtimeHash.toString('hex');
  const policy = policyOf({
    attestationUrl: pas.at.replace('http://', ''),
    runtimeHashes: { linux: hash },
    authority: readFileSync(join(state, 'ca.pem'), 'utf8'),
  });
  const policyFile = put('policy.json', policy);
  const manager = (...more: string[]) =>
    serve(
      t,
      ...['runtime', '--listen', 'tcp://127.0.0.1:0', '--store', join(folder, randomBytes(4).toString('hex')), '--log-level', 'error'],
      ...['--attester', 'software', '--device-key', keyFile, ...more],
    );
  const server = ['server', '--listen', 'tcp://127.0.0.1:0', '--policy', policyFile, '--log-level', 'silent', '--runtime'];
  const admin = (...args: string[]) => run(t, 'attest', ...args, '--state', state);
  const client = (url: string, ...args: string[]) =>
    run(
      t,
      ...['client', policyFile, '-i', put('alice.pem', alice.certificate), '-k', put('alice.key', alice.key), '--url', url, '-q', ...args],
    );

  const first = await manager();
  const refused = await run(t, ...server, first.at);
  t.equal(refused.code, 1, 'a device that nobody has enrolled');
  t.match(refused.stderr, oneLine);
  t.match(refused.stderr, /PSA\/AttestationToken: the server answered 403: attestation failed \(ERR_VC_HTTP_STATUS\)\n$/);

  t.equal((await admin('enroll', put('device.pem', publicKeyPem))).code, 0);
  t.equal((await run(t, ...server, first.at)).code, 1, 'a runtime that is not allowed');
  t.equal((await admin('allow', 'linux', hash)).code, 0);

  const good = await serve(t, ...server, first.at);
  const file = put('file', content(500_000));
  t.match(await client(good.at, '-d', `/input/a=${file}`, '-o', `/input/a=${file}.back`, '-n'), { code: 0, stderr: '' });
  t.ok(readFileSync(`${file}.back`).equals(content(500_000)));

  // Certified, but not the one that the policy promises.
  const other = randomBytes(32).toString('hex');
  const tampered = await manager('--measurement', other);
  t.equal((await run(t, ...server, tampered.at)).code, 1);
  t.equal((await admin('allow', 'linux', other)).code, 0);
  const fooled = await serve(t, ...server, tampered.at);
  const warned = await client(fooled.at, '-d', `/input/a=${file}`);
  t.equal(warned.code, 1, 'the client looks for itself');
  t.match(warned.stderr, /\(ERR_VC_CERTIFICATE\)\n$/);

  good.child.process.kill('SIGTERM');
  t.same(await within('the end of the Server', good.child.exited), [0, null]);
  first.child.process.kill('SIGTERM');
  pas.child.process.kill('SIGTERM');
  t.same(await within('the end of the others', Promise.all([first.child.exited, pas.child.exited])), [
    [0, null],
    [0, null],
  ]);
  await until('no word of it on standard error', () => good.child.stderr === '' && first.child.stderr === '');

  const gone = await run(t, ...server, tampered.at, '--start-timeout-ms', '1');
  t.equal(gone.code, 1, 'an attestation server that is not there');
  t.match(gone.stderr, /\/Start: the POST failed: .*ECONNREFUSED.* \(ERR_VC_TRANSPORT\)\n$/);
  const without = await serve(t, ...server, tampered.at, '--no-attestation');
  t.match(without.at, /^http:/, 'nobody is asked');
});

void t.test('wrong use', async (t) => {
  const policy = put('good.json', policyOf());
  const cases: [string[], number, RegExp][] = [
    [['--attestation', 'http://127.0.0.1:1'], 2, /needs a policy .*\(ERR_VC_INVALID_OPTION\)/],
    [['--policy', policy, '--attestation', 'ftp://127.0.0.1:1'], 2, /http:\/\/host:port.*\(ERR_VC_INVALID_OPTION\)/],
    [['--policy', join(folder, 'missing')], 2, /cannot read/],
    [['--policy', put('bad.json', '{}')], 1, /\(ERR_VC_POLICY\)/],
  ];
  for (const [flags, code, message] of cases) {
    const ended = await run(t, 'server', ...flags);
    t.equal(ended.code, code, flags.join(' '));
    t.match(ended.stderr, message);
  }
});

void t.test('--no-ask-ahead', async (t) => {
  for (const [flags, expected] of [
    [[], ['send', 'get', 'needed']],
    [['--no-ask-ahead'], ['send', 'needed']],
  ] as const) {
    // It says nothing to a question: what is asked by then was asked without an answer.
    const silent = () => new Promise<never>(() => {});
    const manager = await foreignManager(t, echoing({ needed: silent }));
    const { at } = await serve(
      t,
      'server',
      '--listen',
      'tcp://127.0.0.1:0',
      '--runtime',
      manager.address,
      '--log-level',
      'silent',
      ...flags,
    );
    const http = await RawHttp.connect(t, Number(new URL(at).port));
    http.write(post(`0 ${HELLO.toString('base64')}`));
    await until('a question', () => manager.requests.some(({ kind }) => kind === 'needed'));
    // The manager takes one request at a time; what has come is in its socket's bytes.
    const asked = () => Buffer.concat(manager.seen).length;
    const open = 9 + 4;
    const sizes = { send: 9 + 16 + HELLO.length, needed: 9 + 8, get: 9 + 8 };
    t.equal(
      asked(),
      expected.reduce((sum, kind) => sum + sizes[kind], open),
      expected.join(', '),
    );
  }
});

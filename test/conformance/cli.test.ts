/** The command: what it prints, how it exits, and that Ctrl-C ends it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { junitOf } from '../../lib/conformance/report/junit.js';
import { lineOf, tableOf } from '../../lib/conformance/report/table.js';
import { countsOf, type Result } from '../../lib/conformance/run.js';
import { tcpServer, until, within } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import '../support/processes.js';
import { freshFolder } from '../support/roles.js';
import { HANG_MS } from '../support/time.js';

const MAIN = join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'main.js');
/** A port of loopback where nobody listens. */
const NOBODY = 'tcp://127.0.0.1:1';

function kit(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'conformance', ...args], { encoding: 'utf8', timeout: HANG_MS });
  return { status, stdout, stderr };
}

void t.test('wrong use exits with 2', async (t) => {
  t.match(kit('manager'), { status: 2, stderr: /an address is needed/ });
  t.match(kit('manager', NOBODY, '--only', 'nothing.'), { status: 2, stderr: /no case or section nothing\./ });
  t.match(kit('manager', NOBODY, '--dialect', '2205'), { status: 2 });
  t.match(kit('manager', NOBODY, '--wait-ms', 'soon'), { status: 2, stderr: /--wait-ms must be a whole number/ });
});

void t.test('what is given is looked at before a port is taken, and before a long run', async (t) => {
  const { port } = await tcpServer(t, () => {});
  const folder = freshFolder(t);
  const put = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const good = join(folder, 'material');
  t.equal(kit('prepare', good).status, 0);
  const server = ['server', 'http://127.0.0.1:1', '--manager', `tcp-listen://127.0.0.1:${port}`];
  const client = ['client', `127.0.0.1:${port}`];
  const wrong: [string[], RegExp][] = [
    [
      [...server, '--material', join(folder, 'none')],
      /there is no folder .*none: "conformance prepare" makes one \(ERR_VC_INVALID_ARGUMENT\)/,
    ],
    [[...server, '--material', freshFolder(t)], /nothing in .* is what "conformance prepare" makes/],
    [[...server, '--ca-cert', join(good, 'ca.pem')], /--ca-cert and --ca-key belong together/],
    [[...server, '--runtime-hash', 'zz'], /--runtime-hash is 64 hexadecimal digits, got 2 characters/],
    [[...server, '--attestation', 'nonsense'], /attestation: no address: "nonsense"/],
    [[...server, '--junit', join(folder, 'no', 'report.xml')], /cannot write .*report\.xml: no such folder/],
    [[...server, '--only', 'nothing.'], /no case or section nothing\./],
    [['server', 'nonsense', ...server.slice(2)], /address: no address: "nonsense"/],
    [client, /to try a client, a policy is needed/],
    [[...client, '--material', join(folder, 'none')], /there is no folder/],
    [['manager', NOBODY, '--identity', join(good, 'alice.pem')], /--identity and --key belong together/],
    [['manager', 'nonsense'], /address: no address: "nonsense"/],
    [['attestation', 'http://127.0.0.1:1', '--device-key', put('device.key', 'none')], /deviceKey is no private key in PEM/],
    [['prepare', put('file', '')], /cannot make .*file: EEXIST/],
    // `mkdir` of Node never ends there.
    [['prepare', '/proc/nope/material'], /cannot make \/proc\/nope\/material: ENOENT/],
  ];
  for (const [args, says] of wrong) t.match(kit(...args), { status: 2, stdout: '', stderr: says }, args.join(' '));
  t.match(kit('manager', NOBODY, '--policy', put('policy.json', '{}')), { status: 1, stderr: /\(ERR_VC_POLICY\)/ });
  t.match(kit(...server, '--material', good), { status: 1, stderr: /cannot listen at .*\(ERR_VC_TRANSPORT\)/ }, 'the port is what is left');
});

void t.test('--list prints the cases of a dialect, and tries nothing', async (t) => {
  const { status, stdout } = kit('manager', '--list', '--dialect', 'head', '--only', 'D.8');
  t.equal(status, 0);
  t.match(stdout, /^§D\.8 {3}wire {4}link\.session: /m);
  t.notMatch(stdout, /unknown-needed/, 'head has no GetTlsDataNeeded');
  t.notMatch(stdout, /§[^D]/);
});

void t.test('a peer that is not there fails: status 1, JSON and JUnit say why', async (t) => {
  const junit = join(freshFolder(t), 'report.xml');
  const { status, stdout } = kit('manager', NOBODY, '--only', 'link.session', '--only', 'tls.stranger', '--json', '--junit', junit);
  t.equal(status, 1);
  const report = JSON.parse(stdout) as { counts: Record<string, number>; results: Result[] };
  t.same(report.counts, { passed: 0, failed: 1, stricter: 0, weaker: 0, skipped: 1 });
  t.match(report.results, [
    { name: 'link.session', verdict: 'failed', section: 'D.8', saw: /no connection/ },
    { name: 'tls.stranger', verdict: 'skipped', saw: /^needs a policy/ },
  ]);
  t.match(readFileSync(junit, 'utf8'), /<testcase classname="manager\.link" name="link\.session".*<failure message="no connection/);
});

void t.test('Ctrl-C ends a run that hangs, with what there is', async (t) => {
  let connections = 0;
  const { port } = await tcpServer(t, (socket) => {
    connections++;
    socket.resume();
  });
  const args = ['manager', `tcp://127.0.0.1:${port}`, '--only', 'link.', '--wait-ms', '3600000', '--case-ms', '3600000'];
  const child = spawn(process.execPath, [MAIN, 'conformance', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = once(child, 'close');
  await until('the kit is there', () => connections > 0);
  child.kill('SIGINT');
  const [code] = (await within('the end of the kit', ended)) as [number];
  t.equal(code, 130);
  t.match(said, /^all +0 +0 +0 +0 +0$/m, 'the case under way is not counted');
});

const result = (more: Partial<Result>): Result => ({
  ...{ name: 'link.split', section: 'D.4', level: 'wire', expects: 'It is <one> & the same.', verdict: 'passed', saw: '', milliseconds: 7 },
  ...more,
});

void t.test('the table counts, and shows what was expected where it did not pass', async (t) => {
  t.equal(lineOf(result({})), '§D.4   passed    link.split');
  t.equal(
    lineOf(result({ verdict: 'failed', saw: 'an\u001b[31m evil\nanswer' })),
    '§D.4   failed    link.split: an [31m evil answer\n                 expected: It is <one> & the same.',
  );
  const table = tableOf({ results: [result({}), result({ verdict: 'weaker' }), result({ name: 'tls.chain', verdict: 'stricter' })] });
  t.match(table, /^link +1 +0 +0 +1 +0$/m);
  t.match(table, /^tls +0 +0 +1 +0 +0$/m);
  t.match(table, /^all +1 +0 +1 +1 +0$/m);
});

void t.test('JUnit has a failure for what failed alone, and no letter of a peer as markup', async (t) => {
  const results = [
    result({ verdict: 'failed', saw: '"<&>' }),
    result({ verdict: 'skipped', saw: 'needs' }),
    result({ verdict: 'weaker', saw: 'so' }),
  ];
  const xml = junitOf({ target: 'manager', dialect: '2207', address: NOBODY, results, counts: countsOf(results) });
  t.match(xml, /tests="3" failures="1" errors="0" skipped="1"/);
  t.match(xml, '<failure message="&quot;&lt;&amp;&gt;">§D.4 It is &lt;one&gt; &amp; the same.</failure>');
  t.match(xml, '<skipped message="needs"/>');
  t.match(xml, '<system-out>weaker: so (');
});

/** What a command is given is checked, all of it, before the command makes or changes anything. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { tcpServer } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { alice, freshFolder, managerIdentity, policyOf } from '../support/roles.js';
import '../support/processes.js';
import { HANG_MS } from '../support/time.js';

const MAIN = join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'main.js');
/** An earlier trace: a command that has begun replaces it. */
const TRACE = '{"event":"trace","format":1}\n';

function run(cwd: string, args: readonly string[], main = MAIN) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { cwd, encoding: 'utf8', timeout: HANG_MS });
  return { status, stdout, stderr };
}

/** A folder with what commands need, and what is no such thing. */
function place(t: Test): string {
  const folder = freshFolder(t);
  const manager = managerIdentity();
  const files = {
    'policy.json': policyOf(),
    'alice.pem': alice.certificate,
    'alice.key': alice.key,
    'manager.pem': manager.certificate,
    'manager.key': manager.key,
    'trace.jsonl': TRACE,
    junk: 'junk',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  return folder;
}

const SOFTWARE = ['runtime', '--store', 'new-store', '--attester', 'software', '--device-key', 'new.key'];
const GIVEN = ['runtime', '--store', 'new-store', '--certificate', 'manager.pem', '--key', 'manager.key', '--policy'];
const LINK = ['--link-certificate', 'alice.pem', '--link-key', 'manager.key', '--link-authority', 'alice.pem'];
const CLIENT = ['client', 'policy.json', '-i', 'alice.pem', '-k', 'alice.key', '-s'];

/** A wrong option of each kind, behind those whose effect would be first. */
const WRONG: readonly (readonly [readonly string[], number, RegExp])[] = [
  [['attest', '--state', 'new-state', '--max-challenges', '0'], 2, /maxChallenges must be/],
  [['attest', '--state', 'new-state', '--listen', 'nonsense'], 2, /listen: no address/],
  [['attest', '--state', 'new-state', '--listen', 'memory://name'], 2, /memory:\/\/name is a name; no socket can listen there/],
  [['attest', '--state', 'new-state', '--nitro-root', 'junk'], 2, /nitroRoot must be a certificate/],
  [['attest', '--state', 'new-state', '--nitro-root', 'none'], 2, /cannot read none/],
  [['attest', '--state', 'new-state', '--database', 'mysql://x/y'], 2, /the URL of a database is postgres:/],
  [['attest', 'allow', 'sgx', 'ab'.repeat(32), '--state', 'new-state'], 2, /linux, nitro, icecap/],
  [['attest', 'allow', 'linux', 'ab', '--state', 'new-state'], 2, /got 2 characters/],
  [['attest', 'allow', 'linux', 'ab'.repeat(32), '--label', 'x'.repeat(129), '--state', 'new-state'], 2, /at most 128 characters/],
  [['attest', 'enroll', 'junk', '--state', 'new-state'], 2, /a device key is a P-256 public key/],
  [['attest', 'revoke', 'ab', '--state', 'new-state'], 2, /got 2 characters/],
  [['attest', 'revoke-key', 'ab', '--state', 'new-state'], 2, /a key id has 32 bytes/],
  [['attest', 'forget', 'soon', '--state', 'new-state'], 2, /days are a number/],
  [['attest', 'devices', '--limit', '0', '--state', 'new-state'], 2, /1 to 100000/],
  [[...SOFTWARE, '--max-links', '0'], 2, /maxLinks must be/],
  [[...SOFTWARE, '--niceness', '20'], 2, /niceness must be/],
  [[...SOFTWARE, '--policy', 'policy.json'], 2, /a manager needs an attester; or else/],
  [[...SOFTWARE, '--connect', 'serial:///dev/null'], 2, /connect takes a place to connect to/],
  [[...SOFTWARE, ...LINK], 2, /linkTls\.key is not the key of the first certificate/],
  [[...SOFTWARE, '--listen', 'nonsense'], 2, /listen: no address/],
  [[...GIVEN, 'junk'], 1, /\(ERR_VC_POLICY\)/],
  [[...GIVEN, 'policy.json', '--key', 'alice.key'], 2, /key is not the key of the first certificate/],
  [[...GIVEN, 'policy.json', '--expected-policy-hash', 'ab'.repeat(32)], 1, /the manager has another policy/],
  [['server', '--policy', 'junk'], 1, /\(ERR_VC_POLICY\)/],
  [['server', '--direct', 'serial:///dev/null'], 2, /is a device; no socket can listen there/],
  [['server', '--runtime', 'serial:///dev/null'], 2, /a Server does not sit behind a console/],
  [['server', ...LINK], 2, /linkTls\.key is not the key of the first certificate/],
  [['server', '--max-links', '0'], 2, /maxLinks must be/],
  [[...CLIENT, '--max-in-flight', '99'], 2, /maxInFlight must be/],
  [[...CLIENT, '--answer-timeout-ms', '9999999999'], 2, /answerTimeoutMs must be/],
  [[...CLIENT, '--compute-timeout-ms', '9999999999'], 2, /computeTimeoutMs must be/],
  [[...CLIENT, '--handshake-timeout-ms', '0'], 2, /handshakeTimeoutMs must be/],
  [[...CLIENT, '--max-message-bytes', '0'], 2, /maxMessageBytes must be/],
  [[...CLIENT, '--max-piece-bytes', '0'], 2, /maxPieceBytes must be/],
  [[...CLIENT, '--read-timeout-ms', '9999999999'], 2, /readTimeoutMs must be/],
  [[...CLIENT, '--url', 'nonsense'], 2, /a POST goes to http:\/\/host:port/],
  [[...CLIENT, '--direct', 'tcp://nonsense'], 2, /no address|port/],
  [['client', 'junk', ...CLIENT.slice(2)], 1, /\(ERR_VC_POLICY\)/],
  [[...CLIENT, '-k', 'manager.key'], 2, /identity\.key is not the key of identity\.certificate/],
];

void t.test('with a wrong option nothing is made, and nothing replaced', async (t) => {
  const folder = place(t);
  const before = readdirSync(folder).sort();
  for (const [args, status, says] of WRONG) {
    const recorded = args[0] === 'attest' && args[1] !== '--state' ? args : [...args, '--trace', 'trace.jsonl'];
    const ended = run(folder, recorded);
    t.match(ended, { status, stdout: '', stderr: says }, args.join(' '));
    t.notMatch(ended.stderr, / at .*\.js:\d+/, 'no stack');
    t.same(readdirSync(folder).sort(), before, args.join(' '));
  }
  t.equal(readFileSync(join(folder, 'trace.jsonl'), 'utf8'), TRACE, 'what was recorded before is as it was');
});

void t.test('it is told before a port that is taken is', async (t) => {
  const folder = place(t);
  const { port } = await tcpServer(t, () => {});
  const at = `tcp://127.0.0.1:${port}`;
  for (const [args, says] of [
    [['attest', '--state', 'new-state', '--listen', at, '--database', 'mysql://x/y'], /the URL of a database/],
    [[...GIVEN, 'junk', '--listen', at], /\(ERR_VC_POLICY\)/],
    [['server', '--listen', at, '--direct', 'serial:///dev/null'], /no socket can listen there/],
    [['server', '--listen', at, '--runtime', 'serial:///dev/null'], /does not sit behind a console/],
  ] as const) {
    t.match(run(folder, args).stderr, says, args.join(' '));
  }
});

/** The compiled command in a folder of its own, where the packages that few need cannot be found. */
function withoutPackages(t: Test): string {
  const home = freshFolder(t);
  const left = new Set(['@electric-sql', 'pg', 'serialport', '.package-lock.json']);
  mkdirSync(join(home, 'node_modules'));
  for (const name of readdirSync(join(PROJECT_ROOT, 'node_modules'))) {
    if (!left.has(name)) symlinkSync(join(PROJECT_ROOT, 'node_modules', name), join(home, 'node_modules', name));
  }
  cpSync(join(PROJECT_ROOT, 'dist', 'lib'), join(home, 'dist', 'lib'), { recursive: true });
  cpSync(join(PROJECT_ROOT, 'package.json'), join(home, 'package.json'));
  return join(home, 'dist', 'lib', 'cli', 'main.js');
}

void t.test('without a package that is needed nothing is made', async (t) => {
  const folder = place(t);
  const main = withoutPackages(t);
  const before = readdirSync(folder).sort();
  for (const [args, name] of [
    [['attest', '--state', 'new-state'], '@electric-sql/pglite'],
    [['attest', '--state', 'new-state', '--database', 'postgres://127.0.0.1:1/none'], 'pg'],
    [['attest', 'allow', 'linux', 'ab'.repeat(32), '--state', 'new-state'], '@electric-sql/pglite'],
    [['demo', '--size', '1M'], '@electric-sql/pglite'],
    [[...SOFTWARE, '--listen', 'serial:///dev/null'], 'serialport'],
  ] as const) {
    t.match(run(folder, args, main), { status: 1, stdout: '', stderr: `needs the package ${name}: npm install ${name} (ERR_VC_MISSING` });
    t.same(readdirSync(folder).sort(), before, args.join(' '));
  }
  t.notOk(existsSync(join(folder, 'new-state')));
});

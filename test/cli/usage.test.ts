/** What the command line says and exits with when it is used right and wrong. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { goodPolicy } from '../enclave/policy-support.js';
import { PROJECT_ROOT } from '../support/golden.js';
import '../support/processes.js';
import { HANG_MS } from '../support/time.js';

function run(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'main.js'), ...args], {
    encoding: 'utf8',
    timeout: HANG_MS,
  });
  return { code: status, stdout, stderr };
}

void t.test('--help and --version are asked for, and exit with 0', async (t) => {
  for (const command of [[], ['runtime'], ['server'], ['demo']]) {
    const { code, stdout, stderr } = run(...command, '--help');
    t.equal(code, 0);
    t.equal(stderr, '');
    t.match(stdout, `Usage: veracruz-streams ${command.join('')}`);
  }
  t.match(run('--help').stdout, 'Exit status: 0 done, 1 failed, 2 wrong use, 130 interrupted.');
  const { version } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as { version: string };
  t.same(run('--version'), { code: 0, stdout: `${version}\n`, stderr: '' });
});

const WRONG: [string, string[], RegExp][] = [
  ['no command', [], /^Usage: /],
  ['an unknown command', ['nosuch'], /^error: unknown command 'nosuch'$/m],
  ['an unknown flag', ['demo', '--nosuch'], /^error: unknown option '--nosuch'$/m],
  ['one argument too many', ['demo', 'a', 'b'], /^error: too many arguments for 'demo'/m],
  ['a flag that is missing', ['runtime'], /^error: required option '--store <folder>' not specified$/m],
  ['a choice that is none', ['server', '--log-level', 'loud'], /^error: option '--log-level <level>' argument 'loud' is invalid/m],
  ['a file and a size', ['demo', 'a', '--size', '1M'], /^veracruz-streams: give a file or --size, not both/],
  ['a size that is none', ['demo', '--size', '1 pound'], /^veracruz-streams: --size takes bytes like 100M or 2G, got 1 pound/],
  ['a size below zero', ['demo', '--size', '-1'], /-1/],
  ['a file that is not there', ['demo', '/no/such/file'], /^veracruz-streams: no such file: \/no\/such\/file/],
  ['a folder for a file', ['demo', '/'], /^veracruz-streams: no such file: \//],
  ['an address that is none', ['server', '--listen', 'nonsense'], /^veracruz-streams: listen: no address: "nonsense"/],
  ['two policies', ['server', 'a.json', '--policy', 'b.json'], /--policy b\.json and a\.json say the same thing: leave one out/],
  ['two places', ['client', 'p', '-i', 'i', '-k', 'k', '-s', '--url', 'u', '--direct', 'd'], /--url and --direct both say/],
  [
    'sessions of an address',
    ['server', '--max-sessions-per-address', '-1'],
    /^veracruz-streams: --max-sessions-per-address must be a whole number of 0 or more, got "-1"/,
  ],
  [
    'a number that is none',
    ['server', '--max-body-bytes', 'abc'],
    /^veracruz-streams: --max-body-bytes must be a whole number of 0 or more, got "abc"/,
  ],
];

for (const [what, args, says] of WRONG) {
  void t.test(`${what} exits with 2`, async (t) => {
    const { code, stdout, stderr } = run(...args);
    t.equal(code, 2);
    t.equal(stdout, '');
    t.match(stderr, says);
    t.notMatch(stderr, / at .*\.js:\d+/, 'no stack');
  });
}

/** Every command that prints, with what it takes for it to print. */
const folder = t.testdir({
  'policy.json': JSON.stringify(goodPolicy()),
  message: Buffer.from('070000000500000002000000000000001603', 'hex'),
});
const PRINTING: readonly (readonly string[])[] = [
  ['--help'],
  ['--version'],
  ['policy', 'create', '--help'],
  ['policy', 'schema'],
  ['policy', 'hash', join(folder, 'policy.json')],
  ['policy', 'check', join(folder, 'policy.json')],
  ['measure'],
  ['device', join(folder, 'device.key')],
  ['identity', 'someone', '--out', join(folder, 'someone'), '--force'],
  ['attest', 'allow', 'linux', 'ab'.repeat(32), '--state', join(folder, 'state')],
  ['inspect', join(folder, 'message'), '--layer', 'bincode'],
];
const LOST = /^veracruz-streams: cannot write to standard output: [^\n]+\n$/;
const main = join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'main.js');

void t.test(
  'what is printed and cannot be written is told in one line',
  { skip: existsSync('/dev/full') ? false : 'no /dev/full' },
  async (t) => {
    const full = openSync('/dev/full', 'w');
    t.teardown(() => closeSync(full));
    // A new key would be told besides.
    t.equal(run('device', join(folder, 'device.key')).code, 0);
    for (const args of PRINTING) {
      const { status, stderr } = spawnSync(process.execPath, [main, ...args], { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' });
      t.equal(status, 1, args.join(' '));
      t.match(stderr, LOST);
      t.match(stderr, 'no space left');
    }
  },
);

void t.test('so is what nobody reads; inspect, whose reader may have seen enough, says nothing', async (t) => {
  for (const args of PRINTING.filter(([command]) => command !== 'attest')) {
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const [status] = (await once(child, 'close')) as [number | null];
    t.equal(status, args[0] === 'inspect' ? 0 : 1, args.join(' '));
    t.match(stderr, args[0] === 'inspect' ? /^$/ : LOST);
  }
});

/** A limit on the size of files is the full disk that needs no disk. Only one block may be written. */
function onFullDisk(...args: string[]): { status: number | null; stderr: string } {
  const script = 'ulimit -f 0; exec "$0" "$@"';
  return spawnSync('bash', ['-c', script, process.execPath, main, ...args], { encoding: 'utf8', timeout: HANG_MS });
}

void t.test('a full disk is no wrong use: whatever is written, it is told in one line, and exits with 1', async (t) => {
  const trace = join(folder, 'trace.jsonl');
  const device = join(folder, 'existing.key');
  writeFileSync(trace, '{"event":"trace","format":1}\n');
  t.equal(run('device', device).code, 0);
  const someone = join(folder, 'someone.pem');
  const good = ['-c', someone, '-p', '/a:r', '-s', 'a:1', '-t', 'a:2', '-x', '2040-01-01T00:00:00Z', '--runtime-hash', 'ab'.repeat(32)];
  const writing: readonly (readonly string[])[] = [
    ['identity', 'other', '--out', join(folder, 'other')],
    ['device', join(folder, 'new.key')],
    ['device', device, '--out', join(folder, 'device.pem')],
    ['inspect', '--trace', trace, '--svg', join(folder, 'trace.svg')],
    ['attest', '--state', join(folder, 'authority'), '--listen', 'tcp://127.0.0.1:0'],
    ['policy', 'create', ...good, '--proxy-attestation-server-cert', someone, '-o', join(folder, 'new.json')],
    ['conformance', 'prepare', join(folder, 'material')],
  ];
  t.equal(run('identity', '--authority', 'someone', '--out', join(folder, 'someone'), '--force').code, 0);
  for (const args of writing) {
    const { status, stderr } = onFullDisk(...args);
    t.match(stderr, /^veracruz-streams: cannot [^\n]+EFBIG[^\n]+\(ERR_VC_LOCAL_FILE\)\n$/, args.join(' '));
    t.equal(status, 1, args.join(' '));
  }
  if (existsSync('/dev/full')) {
    const { code, stderr } = run('inspect', '--trace', trace, '--svg', '/dev/full');
    t.match({ code, stderr }, { code: 1, stderr: /^veracruz-streams: cannot write \/dev\/full: ENOSPC[^\n]+\(ERR_VC_LOCAL_FILE\)\n$/ });
  }
});

void t.test('and so is one that fails when it is read', { skip: existsSync('/proc/self/mem') ? false : 'no /proc' }, async (t) => {
  for (const args of [
    ['policy', 'hash', '/proc/self/mem'],
    ['inspect', '/proc/self/mem', '--layer', 'frame'],
    ['inspect', '--trace', '/proc/self/mem'],
    ['attest', 'enroll', '/proc/self/mem', '--state', join(folder, 'none')],
    ['conformance', 'manager', 'tcp://127.0.0.1:1', '--policy', '/proc/self/mem'],
  ]) {
    t.match(run(...args), { code: 1, stderr: /^veracruz-streams: cannot read \/proc\/self\/mem: EIO[^\n]+\(ERR_VC_LOCAL_FILE\)\n$/ });
  }
});

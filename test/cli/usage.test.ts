/** What the command line says and exits with when it is used right and wrong. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
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
  ['an address that is none', ['server', '--listen', 'nonsense'], /^veracruz-streams: no address: "nonsense"/],
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

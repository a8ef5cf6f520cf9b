/** Flags that set a limit or a deadline. */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import t, { type Test } from 'tap';
import { addNumberFlags, numbersOf } from '../../lib/cli/number-flags.js';
import { PROJECT_ROOT } from '../support/golden.js';
import '../support/processes.js';
import { freshFolder } from '../support/roles.js';
import { HANG_MS } from '../support/time.js';

void t.test('an option has a flag of its name, and is set only where the flag is given', async (t) => {
  const flags = { maxOpenThings: 'things at once', waitMs: 'milliseconds; default: half of that' };
  const command = addNumberFlags(new Command(), flags, { maxOpenThings: 7, waitMs: 9 }).exitOverride();
  const help = command.helpInformation().replace(/\s+/g, ' ');
  t.match(help, '--max-open-things <n> things at once; default: 7');
  t.match(help, '--wait-ms <n> milliseconds; default: half of that');
  t.notMatch(help, 'default: 9', 'not told twice');
  t.same(numbersOf(flags, command.parse([], { from: 'user' }).opts()), {});
  t.same(numbersOf(flags, command.parse(['--max-open-things', '0'], { from: 'user' }).opts()), { maxOpenThings: 0 });
  t.throws(() => command.parse(['--wait-ms', '1s'], { from: 'user' }), { code: 'ERR_VC_INVALID_OPTION', message: /--wait-ms must be/ });
});

function keyOf(t: Test): string {
  const path = join(freshFolder(t), 'device.pem');
  writeFileSync(path, generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }));
  return path;
}

void t.test('the roles get them', async (t) => {
  const state = join(freshFolder(t), 'state');
  const runtime = ['runtime', '--listen', 'tcp://127.0.0.1:0', '--store', join(freshFolder(t), 'store')];
  const software = [...runtime, '--attester', 'software', '--device-key', join(freshFolder(t), 'device.key')];
  const cases: [string, string, string[]][] = [
    ['maxMissesPerSecond', '--max-misses-per-second', ['server', '--listen', 'tcp://127.0.0.1:0']],
    ['maxLinks', '--max-links', ['server', '--listen', 'tcp://127.0.0.1:0']],
    ['maxBacklogBytes', '--max-backlog-bytes', software],
    ['niceness', '--niceness', runtime],
    ['unreadTimeoutMs', '--unread-timeout-ms', ['attest', 'serve', '--listen', 'tcp://127.0.0.1:0', '--state', state]],
    ['maxStoreBytes', '--max-store-bytes', software],
    ['maxFiles', '--max-files', software],
    ['maxFileNameBytes', '--max-file-name-bytes', software],
    ['maxDevices', '--max-devices', ['attest', 'serve', '--listen', 'tcp://127.0.0.1:0', '--state', state]],
    ['maxPerDevice', '--max-per-device', ['attest', '--state', state]],
    ['timeoutMs', '--database-timeout-ms', ['attest', '--state', state]],
    ['timeoutMs', '--database-timeout-ms', ['attest', 'keys', '--database', 'postgres://127.0.0.1:1/none']],
    ['maxKeys', '--max-keys', ['attest', 'enroll', keyOf(t), '--state', state]],
    ['maxRuntimes', '--max-runtimes', ['attest', 'allow', 'linux', 'ab'.repeat(32), '--state', state]],
  ];
  for (const [option, flag, command] of cases) {
    const main = join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'main.js');
    const args = [main, ...command, flag, '9999999999999999'];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: HANG_MS });
    t.match(stderr, new RegExp(`${option} must be a whole number from`), flag);
    t.equal(status, 2, flag);
  }
});

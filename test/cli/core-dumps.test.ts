/** A role that crashes leaves no keys behind. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { withoutCoreDumps } from '../../lib/cli/core-dumps.js';
import { startProcesses } from '../support/roles.js';
import '../support/processes.js';

/** Bytes that a core dump of the process may have: the soft and the hard limit. */
function limits(pid: number | undefined): string[] {
  const [, soft, hard] = /^Max core file size +(\S+) +(\S+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8')) ?? [];
  return [soft as string, hard as string];
}

function has(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const noPrlimit = process.platform !== 'linux' ? 'Linux only' : !has('prlimit') && 'no prlimit';

/** A process that could be the role, by its pid. */
async function idle(t: Test): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'console.log(); setInterval(() => {}, 1000)'], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  await once(child.stdout, 'data');
  return child.pid as number;
}

void t.test('roles of the command line leave no core dumps', { skip: noPrlimit }, async (t) => {
  const { manager, server } = await startProcesses(t);
  for (const role of [manager, server]) t.same(limits(role.process.pid), ['1', '1']);
});

void t.test('where it cannot be done, there is a warning, unless there are none anyway', { skip: noPrlimit }, async (t) => {
  const warned: string[] = [];
  const log = (level: string, event: string) => void warned.push(`${level} ${event}`);
  const pid = await idle(t);
  const before = limits(pid);
  await withoutCoreDumps(log, 'no-such-command', pid);
  t.equal(warned.length, before[0] === '0' || before[0] === '1' ? 0 : 1);
  t.match(warned.join(), before[0] === '0' || before[0] === '1' ? '' : /^warn .*core dump/);
  warned.length = 0;
  await withoutCoreDumps(log, 'prlimit', pid);
  t.same(limits(pid), ['1', '1']);
  await withoutCoreDumps(log, 'no-such-command', pid);
  t.same(warned, [], 'there is nothing to warn of');
});

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { messageOf } from '../core/message-of.js';
import type { Log } from '../roles/options.js';

/**
 * Bytes that a core dump may have. A file of so few bytes is never written. And 1, unlike 0, also keeps the kernel from
 * handing the dump to a program (`|…` in /proc/sys/kernel/core_pattern): it takes 1 for a crash of that program itself.
 */
const CORE_BYTES = 1;

/**
 * Switches core dumps of this process off, for good: its memory has private keys and plaintext, and a dump would leave them
 * on disk. Node has no call for it, so `prlimit` (util-linux) does it. Warns where that fails and dumps may be on.
 *
 * @param command the command in the place of `prlimit`
 * @param pid another process in the place of this one
 */
export async function withoutCoreDumps(log: Log, command = 'prlimit', pid = process.pid): Promise<void> {
  try {
    await promisify(execFile)(command, ['--pid', String(pid), `--core=${CORE_BYTES}:${CORE_BYTES}`]);
  } catch (thrown) {
    if (!(await dumps(pid))) return;
    log('warn', 'a crash may leave keys in a core dump: start it with ulimit -c 0, or LimitCORE=0', { reason: messageOf(thrown as Error) });
  }
}

/** Whether the process may leave a core dump, by its limit; true where that cannot be seen. */
async function dumps(pid: number): Promise<boolean> {
  const limits = await readFile(`/proc/${pid}/limits`, 'utf8').catch(() => '');
  const [, soft] = /^Max core file size +(\S+)/m.exec(limits) ?? [];
  return soft !== '0' && soft !== '1';
}

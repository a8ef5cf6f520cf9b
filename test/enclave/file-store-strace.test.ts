/** The system calls of a real process before it acknowledges something: the same as those of the traced disk. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { HANG_MS } from '../support/time.js';
import { freshFolder } from './store-support.js';
import '../support/processes.js';

const CHILD = fileURLToPath(new URL('./store-child.js', import.meta.url));
const STRACE = ['/usr/bin/strace', '/usr/local/bin/strace'].find((path) => existsSync(path));
const CALLS = 'fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,write,pwrite64,writev,pwritev,pwritev2';

/** The calls in the order in which they ended, by a short name and their last path in `root`; and what was said. */
function callsOf(trace: string, root: string): string[] {
  const begun = new Map<string, string>();
  return trace.split('\n').flatMap((line) => {
    const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (rest.includes('<unfinished ...>')) {
      begun.set(thread, rest.replace(' <unfinished ...>', ''));
      return [];
    }
    const whole = rest.startsWith('<... ') ? `${begun.get(thread)}${rest.replace(/^<\.\.\. \w+ resumed>/, '')}` : rest;
    const said = /^write\(1<[^"]*"(\w+)\\n"/.exec(whole);
    if (said !== null) return [`acknowledged: ${said[1]}`];
    const name = /^(\w+?)(at2?)?\(/.exec(whole)?.[1];
    const path = [...whole.matchAll(/[<"](\/[^>"]+)[>"]/g)].map(([, each]) => each as string).findLast((each) => each.startsWith(root));
    if (name === undefined || path === undefined) return [];
    return [`${name.replace(/^p?write(v|64|v2)?$/, 'write')} ${path.slice(root.length + 1).replace(/-\d+(-\d+)?$/, '-#')}`];
  });
}

/** Whether the account may trace at all, as it may not in many containers. */
const traces = STRACE !== undefined && spawnSync(STRACE, ['-o', '/dev/null', process.execPath, '--version']).status === 0;

void t.test('what is synced before an answer goes out', { skip: !traces && 'there is no strace that may trace' }, (t) => {
  const root = join(freshFolder(t), 'store');
  const out = join(freshFolder(t), 'trace');
  const args = ['-f', '-y', '-q', '-s', '16', '-e', `trace=${CALLS}`, '-o', out, process.execPath, CHILD, root, 'once'];
  const { status, stdout } = spawnSync(STRACE as string, args, { timeout: HANG_MS, encoding: 'utf8' });
  t.match({ status, stdout }, { status: 0, stdout: 'write\nappend\nremove\n' });
  const calls = callsOf(readFileSync(out, 'utf8'), root);
  const first = calls.findIndex((call) => call.startsWith('write pending/'));
  t.same(calls.slice(first, calls.indexOf('acknowledged: remove') + 1), [
    ...['write pending/w-#', 'fdatasync pending/w-#', 'rename files/+log', 'fsync files', 'acknowledged: write'],
    ...['link pending/a-#', 'fsync pending', 'write files/+log', 'fdatasync files/+log', 'unlink pending/a-#', 'fsync pending'],
    ...['acknowledged: append', 'unlink files/+log', 'fsync files', 'acknowledged: remove'],
  ]);
  t.end();
});

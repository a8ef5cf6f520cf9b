/** The runner of the WASI suite, on a suite of three programs. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { command } from '../enclave/compute-support.js';
import { runBench } from './run.js';

/** Reads the first byte of `f` of the root, and ends with it. */
const READS = `
  (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 80)))
  (i32.store (i32.const 96) (i32.const 128)) (i32.store (i32.const 100) (i32.const 1))
  (drop (call $fd_read (i32.load (i32.const 80)) (i32.const 96) (i32.const 1) (i32.const 104)))
  (call $proc_exit (i32.load8_u (i32.const 128)))`;
/** Ends with the number of its arguments. */
const COUNTS = '(drop (call $args_sizes_get (i32.const 0) (i32.const 4))) (call $proc_exit (i32.load (i32.const 0)))';

void t.test('what passes, what does not, and what must not pass', async (t) => {
  const suite = mkdtempSync(join(tmpdir(), 'vc-wasi-'));
  t.teardown(() => rmSync(suite, { recursive: true, force: true }));
  const put = (name: string, content: string | Buffer) => {
    const path = join(suite, 'tests', 'rust', 'testsuite', 'wasm32-wasip1', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  };
  put('reads.wasm', command(READS, '(data (i32.const 64) "f")'));
  put('reads.json', JSON.stringify({ root: 'files', exit_code: 'x'.charCodeAt(0) }));
  put('files/f', 'x');
  put('counts.wasm', command(COUNTS));
  put('counts.json', JSON.stringify({ args: ['one', 'two'], exit_code: 3 }));
  const good = await runBench('proof/wasi/main', [suite]);
  t.match(good, { code: 0, stdout: /\n2 of 2 pass\nno violation/ }, good.stderr);

  put('counts.json', JSON.stringify({ exit_code: 3 }));
  put('readlink.wasm', command('nop'));
  const bad = await runBench('proof/wasi/main', [suite]);
  t.match(bad, { code: 1, stdout: /\n2 of 3 pass\n2 violations/ });
  t.match(bad.stderr, /rust\/counts: ends with 1, not 3/);
  t.match(bad.stderr, /rust\/readlink: passes, though it is listed as refused/);
  t.match(await runBench('proof/wasi/main', [join(suite, 'none')]), { code: 1, stderr: /has no programs/ });
});

/** The supports of the tests themselves: what keeps the fast set fast, and deadlines that grow. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { PROJECT_ROOT } from './support/golden.js';
import './support/processes.js';
import { fastFiles, isMarked, testFiles, versionFiles } from './support/run.js';

const SUPPORT = join(PROJECT_ROOT, 'dist', 'test', 'support');
const urlOf = (name: string) => pathToFileURL(join(SUPPORT, name)).href;

/** A program as a test process runs it, behind the guard. */
function run(program: string, env: NodeJS.ProcessEnv = {}): { status: number | null; stdout: string; stderr: string } {
  const flags = ['--import', urlOf('guard.js'), '--input-type=module', '--eval', program];
  return spawnSync(process.execPath, flags, { cwd: PROJECT_ROOT, encoding: 'utf8', env: { ...process.env, ...env } });
}

const STARTS: Readonly<Record<string, string>> = {
  spawn: `(await import('node:child_process')).spawn(process.execPath, ['-e', '0'])`,
  execFile: `(await import('node:child_process')).execFile(process.execPath, ['-e', '0'])`,
  fork: `(await import('node:child_process')).fork('none.js').on('error', () => {})`,
  spawnSync: `(await import('node:child_process')).spawnSync(process.execPath, ['-e', '0'])`,
  execFileSync: `(await import('node:child_process')).execFileSync(process.execPath, ['-e', '0'])`,
  execSync: `(await import('node:child_process')).execSync('true')`,
};

void t.test('a file without the mark can start no process', async (t) => {
  for (const [name, program] of Object.entries(STARTS)) {
    t.match(run(`${program};`), { status: 1, stderr: /this test file starts a process: import test\/support\/processes\.js/ }, name);
  }
  t.match(run(`await import('${urlOf('processes.js')}'); ${STARTS.spawnSync}; console.log('marked');`), { status: 0, stdout: 'marked\n' });
});

void t.test('a file without the mark can open no database', async (t) => {
  const opens = `await (await import('@electric-sql/pglite')).PGlite.create()`;
  t.match(run(`${opens};`), { status: 1, stderr: /this test file opens a database/ });
});

void t.test('the fast set is every file without a mark, however far away the mark is', async (t) => {
  const fast = new Set(fastFiles());
  for (const path of testFiles()) {
    const text = readFileSync(path, 'utf8');
    const marked = /from 'node:child_process'|support\/(?:processes|long)\.js/.test(text);
    if (marked) t.notOk(fast.has(path), relative(SUPPORT, path));
  }
  t.ok(isMarked(join(PROJECT_ROOT, 'dist', 'test', 'cli', 'attest-usage.test.js')), 'by way of attest-support');
  t.ok(fast.has(join(PROJECT_ROOT, 'dist', 'test', 'core', 'byte-queue.test.js')));
  t.ok(fast.size > testFiles().length / 2, `${fast.size} files`);
});

void t.test('what other versions of Node run starts no process, and has layers, transports and roles in it', async (t) => {
  const names = versionFiles().map((path) => relative(join(PROJECT_ROOT, 'dist', 'test'), path));
  t.notOk(versionFiles().some((path) => isMarked(path)));
  for (const part of ['golden/', 'layers/tls/', 'pipeline/', 'transports/http', 'roles/http-session']) {
    t.ok(
      names.some((name) => name.startsWith(part)),
      part,
    );
  }
});

void t.test('TEST_TIME_FACTOR makes deadlines longer, and must be a number', async (t) => {
  const program = `const { HANG_MS, patience } = await import('${urlOf('time.js')}'); console.log(patience(1000), HANG_MS / patience(1));`;
  const at = (factor: string) => run(program, { TEST_TIME_FACTOR: factor });
  t.equal(at('1').stdout, '1000 120000\n');
  t.equal(at('2.5').stdout, `2500 ${300_000 / 3}\n`);
  for (const wrong of ['0', '-1', 'x', 'Infinity'])
    t.match(at(wrong), { status: 1, stderr: /TEST_TIME_FACTOR must be a number above 0/ }, wrong);
});

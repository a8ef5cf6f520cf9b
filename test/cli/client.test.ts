/** `client` as a process, facing roles of this one: what it says, what it exits with, and what it leaves undone. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Computation, ComputeEngine } from '../../lib/enclave/compute/engine.js';
import type { RuntimeManagerOptions } from '../../lib/roles/runtime-manager/runtime-manager.js';
import type { ServerOptions } from '../../lib/roles/server/server.js';
import { until, within } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { ALL_RIGHTS, alice, Child, freshFolder, policyOf, startRoles, stored } from '../support/roles.js';
import '../support/processes.js';
import { patience } from '../support/time.js';

const MAIN = join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'main.js');
const folder = freshFolder(t);
const path = (name: string) => join(folder, name);
const put = (name: string, text: string) => {
  writeFileSync(path(name), text, { mode: 0o600 });
  return path(name);
};
const POLICY = policyOf({ pipelines: [{ script: '{ /program/fails ; }', capabilities: ALL_RIGHTS }] });
const US = [put('policy.json', POLICY), '-i', put('alice.pem', alice.certificate), '-k', put('alice.key', alice.key)];

/** A client, told where the Server is in place of what the policy says. */
function client(t: Pick<Test, 'teardown'>, url: string, ...args: string[]): Child {
  return new Child(t, [MAIN, 'client', ...US, '--url', url, ...args]);
}

/** A client to its end. */
async function run(t: Pick<Test, 'teardown'>, url: string, ...args: string[]): Promise<{ code: number | string; stderr: string }> {
  return ended(client(t, url, ...args));
}

async function ended(child: Child): Promise<{ code: number | string; stderr: string }> {
  const [code, signal] = (await within('the end of the client', child.exited)) as [number | null, string | null];
  // 'exit' may come before the last of what was written.
  if (child.process.stderr?.readableEnded === false) await new Promise((resolve) => child.process.stderr?.once('end', resolve));
  return { code: code ?? (signal as string), stderr: child.stderr };
}

interface Given {
  readonly manager?: Partial<RuntimeManagerOptions>;
  readonly server?: Partial<ServerOptions>;
}

/** The roles, with programs that end as `behave` says; and what was run. */
async function start(t: Test, behave: (run: Computation) => Promise<number> | number, { manager, server }: Given = {}) {
  const ran: string[] = [];
  const compute: ComputeEngine = {
    run: async (computation) => {
      ran.push(computation.program);
      return behave(computation);
    },
    close: async () => {},
  };
  const roles = await startRoles(t, { manager: { policy: POLICY, compute, ...manager }, ...(server && { server }) });
  return { url: roles.server.url, store: roles.store, ran };
}

void t.test('a program that fails is the last thing done, and is told', async (t) => {
  const { url, ran } = await start(t, ({ program }) => (program === '/program/fails' ? 3 : 0));
  const data = put('data', 'some data');
  const good = await run(t, url, '-d', `/f=${data}`, '-c', '/program/good', '-o', `/f=${path('good')}`, '-n');
  t.same(good, {
    code: 0,
    stderr: 'writing /f\ncomputing /program/good\n/program/good ended with 0\nreading /f\n',
  });
  t.ok(existsSync(path('good')));
  ran.length = 0;

  // It is asked to end the service, and does not: the next one finds it there.
  const more = ['-c', '/program/good,/program/fails,/program/good', '-o', `/f=${path('bad')}`, '-s'];
  for (const [flags, stderr] of [
    [[], 'computing /program/good\n/program/good ended with 0\ncomputing /program/fails\n/program/fails ended with 3\n'],
    [['-q'], '/program/fails ended with 3\n'],
  ] as const) {
    t.same(await run(t, url, ...more, ...flags), { code: 1, stderr });
    t.same(ran.splice(0), ['/program/good', '/program/fails']);
  }
  const json = await run(t, url, ...more, '--json');
  t.equal(json.code, 1);
  t.same(JSON.parse(json.stderr), [
    { operation: 'compute', name: '/program/good', exitCode: 0 },
    { operation: 'compute', name: '/program/fails', exitCode: 3 },
  ]);
  t.notOk(existsSync(path('bad')));
});

void t.test('so is a pipeline', async (t) => {
  const { url, ran } = await start(t, () => 7, { manager: { dialect: 'head' }, server: { dialect: 'head' } });
  const failed = await run(t, url, '--dialect', 'head', '--pipeline', '0,0', '-o', `/f=${path('none')}`);
  t.same(failed, { code: 1, stderr: 'running pipeline 0\npipeline 0 ended with 7\n' });
  t.same(ran, ['/program/fails']);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  void t.test(`${signal} ends what is under way, at both ends, and is told by 130`, async (t) => {
    let begun = () => {};
    const running = new Promise<void>((resolve) => {
      begun = resolve;
    });
    let over = () => {};
    const aborted = new Promise<void>((resolve) => {
      over = resolve;
    });
    const { url } = await start(t, async ({ signal: end }) => {
      end.addEventListener('abort', () => over(), { once: true });
      begun();
      await aborted;
      return 0;
    });
    const child = client(t, url, '-c', '/program/endless', '-o', `/f=${path('none')}`);
    await within('the program', running);
    child.process.kill(signal);
    t.same(await ended(child), { code: 130, stderr: 'computing /program/endless\ninterrupted\n' });
    await within('the end of the program', aborted);
  });
}

void t.test('results are for who asked for them, unless he says otherwise', async (t) => {
  const { url } = await start(t, () => 0);
  const data = put('private', 'private');
  const modeOf = (name: string) => (statSync(path(name)).mode & 0o777).toString(8);
  const there = put('there', 'an older one, for all to read');
  chmodSync(there, 0o644);
  t.equal((await run(t, url, '-q', '-d', `/f=${data}`, '-o', `/f=${path('result')},/f=${there}`, '-n')).code, 0);
  t.same([modeOf('result'), modeOf('there')], ['600', '600'], 'whatever was there before');
  t.equal((await run(t, url, '-q', '-o', `/f=${path('shared')}`, '--output-mode', '664', '-n')).code, 0);
  t.equal(modeOf('shared'), '664', 'whatever the umask is');
  for (const mode of ['9', '8000', 'u+r', '1777']) {
    const { code, stderr } = await run(t, url, '-o', `/f=${path('none')}`, '--output-mode', mode);
    t.equal(code, 2, mode);
    t.match(stderr, /--output-mode is three octal digits like 640/);
  }
});

void t.test('a private key that others can read is warned of, whatever is kept quiet', async (t) => {
  const { url } = await start(t, () => 0);
  const data = put('plain', 'plain');
  const key = put('open.key', alice.key);
  const send = () => run(t, url, '-k', key, '-q', '-d', `/f=${data}`);
  for (const [mode, warned] of [
    [0o600, false],
    [0o400, false],
    [0o640, true],
    [0o604, true],
  ] as const) {
    chmodSync(key, mode);
    const stderr = warned ? `veracruz-streams: WARNING: others can read the private key ${key}: chmod 600 it\n` : '';
    t.same(await send(), { code: 0, stderr }, mode.toString(8));
  }
});

void t.test('what is on this side is looked at before anything is sent', async (t) => {
  const { url, store } = await start(t, () => 0);
  const data = put('first', 'first');
  mkdirSync(path('folder'));
  const wrong: [string[], RegExp][] = [
    [['-d', `/f=${data},/g=${path('nope')}`], /cannot read .*\/nope: ENOENT/],
    [['-d', `/f=${data}`, '--append', `/g=${path('folder')}`], /cannot read .*\/folder: it is a folder/],
    [['-d', `/f=${data}`, '-o', `/f=${path('nowhere/f')}`], /cannot write .*\/nowhere\/f: no such folder/],
    [['-d', `/f=${data}`, '-o', `/f=${data}/f`], /cannot write .*\/first\/f: no such folder/],
    [['-d', `/f=${data}`, '-o', `/f=${path('folder')}`], /cannot write .*\/folder: it is a folder/],
  ];
  for (const [flags, message] of wrong) {
    const { code, stderr } = await run(t, url, ...flags);
    t.equal(code, 2);
    t.match(stderr, message);
    t.match(stderr, /^veracruz-streams: [^\n]+ \(ERR_VC_INVALID_ARGUMENT\)\n$/);
  }
  t.equal(await stored(store, '/f'), undefined);
});

void t.test('a source may be a pipe', { skip: spawnSync('mkfifo', [path('pipe')]).status === 0 ? false : 'no mkfifo' }, async (t) => {
  const { url, store } = await start(t, () => 0);
  const child = client(t, url, '-d', `/piped=${path('pipe')}`, '-q');
  const writer = new Child(t, ['-e', `require('node:fs').writeFileSync(${JSON.stringify(path('pipe'))}, 'through a pipe')`]);
  t.same(await ended(child), { code: 0, stderr: '' });
  await writer.exited;
  t.equal(String(await stored(store, '/piped')), 'through a pipe');
});

/** A client whose standard output is a file, opened with these flags. */
async function runInto(t: Pick<Test, 'teardown'>, output: string, flags: string, url: string, ...args: string[]) {
  const descriptor = openSync(output, flags);
  try {
    return await ended(new Child(t, [MAIN, 'client', ...US, '--url', url, ...args], descriptor));
  } finally {
    closeSync(descriptor);
  }
}

const noFull = existsSync('/dev/full') ? false : 'no /dev/full';

void t.test('a result that cannot be written is told, and the service is not ended', { skip: noFull }, async (t) => {
  const { url, store } = await start(t, () => 0);
  t.match(await run(t, url, '-d', `/f=${put('five', '12345')}`, '-q'), { code: 0, stderr: '' });
  const full = await runInto(t, '/dev/full', 'w', url, '-o', '/f=-');
  t.same(full, { code: 1, stderr: 'reading /f\nveracruz-streams: cannot write to standard output: no space left\n' });
  const closed = await ended(readerGone(client(t, url, '-o', '/f=-')));
  t.match(closed, { code: 1, stderr: /^reading \/f\nveracruz-streams: cannot write to standard output: [^\n]+\n$/ });
  const device = await run(t, url, '-o', '/f=/dev/full');
  t.match(device, { code: 1, stderr: /^reading \/f\nveracruz-streams: cannot write \/dev\/full: no space left \(ERR_VC_LOCAL_FILE\)\n$/ });
  // The manager is there still, or this would fail.
  t.match(await run(t, url, '-d', `/g=${path('five')}`, '-q'), { code: 0, stderr: '' });
  t.equal(String(await stored(store, '/g')), '12345');
});

/** Nobody reads what the child prints. */
function readerGone(child: Child): Child {
  child.process.stdout?.destroy();
  return child;
}

const mkfifo = (name: string) => spawnSync('mkfifo', [path(name)]).status === 0;
const noFifo = mkfifo('probe') ? false : 'no mkfifo';

void t.test('a result may go to a device, a FIFO, a descriptor, and through a symbolic link', { skip: noFifo }, async (t) => {
  const { url } = await start(t, () => 0);
  const text = 'some text. '.repeat(50_000);
  t.match(await run(t, url, '-d', `/f=${put('source', text)}`, '-q'), { code: 0, stderr: '' });
  t.match(await run(t, url, '-o', '/f=/dev/null', '-n'), { code: 0 });
  t.ok(lstatSync('/dev/null').isCharacterDevice(), 'it is there still');

  mkfifo('fifo');
  const child = client(t, url, '-o', `/f=${path('fifo')}`, '-n');
  const reader = new Child(t, ['-e', `process.stderr.write(String(require('fs').readFileSync(${JSON.stringify(path('fifo'))}).length))`]);
  t.match(await ended(child), { code: 0 });
  t.match(await ended(reader), { code: 0, stderr: String(text.length) });
  t.ok(lstatSync(path('fifo')).isFIFO(), 'it is there still');

  for (const name of ['-', '/dev/stdout', '/dev/fd/1', '/proc/self/fd/1']) {
    put('printed', 'before\n');
    t.match(await runInto(t, path('printed'), 'a', url, '-o', `/f=${name}`, '-n'), { code: 0 });
    t.equal(readFileSync(path('printed'), 'utf8'), `before\n${text}`, name);
  }
  put('errors', 'before\n');
  symlinkSync('/proc/self/fd/1', path('a link to a descriptor'));
  t.match(await runInto(t, path('errors'), 'a', url, '-o', `/f=${path('a link to a descriptor')}`, '-n'), { code: 0 });
  t.equal(readFileSync(path('errors'), 'utf8'), `before\n${text}`);

  mkdirSync(path('elsewhere'));
  put('elsewhere/old', 'old');
  for (const name of ['old', 'new']) {
    symlinkSync(`elsewhere/${name}`, path(`link to ${name}`));
    t.match(await run(t, url, '-o', `/f=${path(`link to ${name}`)}`, '-n'), { code: 0 });
    t.ok(lstatSync(path(`link to ${name}`)).isSymbolicLink(), 'the link stays');
    t.equal(readFileSync(path(`elsewhere/${name}`), 'utf8'), text);
  }
  symlinkSync('circle', path('circle'));
  t.match(await run(t, url, '-o', `/f=${path('circle')}`, '-n'), { code: 2, stderr: /lead in a circle/ });
});

void t.test('a client that waits for the reader of a FIFO can be interrupted', { skip: noFifo }, async (t) => {
  const { url } = await start(t, () => 0);
  t.match(await run(t, url, '-d', `/f=${put('source', 'x')}`, '-q'), { code: 0 });
  mkfifo('unread');
  const child = client(t, url, '-o', `/f=${path('unread')}`, '--log-level', 'info');
  await until('reading', () => child.stderr.includes('reading /f'));
  child.process.kill('SIGINT');
  t.match(await ended(child), { code: 130, stderr: /interrupted\n$/ });
});

void t.test('nobody reads an output, or standard output: the wait has an end, and can be interrupted', { skip: noFifo }, async (t) => {
  const { url } = await start(t, () => 0);
  // More than a pipe holds, and less than the client keeps in memory.
  t.match(await run(t, url, '-d', `/f=${put('source', 'x'.repeat(200_000))}`, '-q'), { code: 0 });
  mkfifo('full');
  const both = openSync(path('full'), constants.O_RDWR | constants.O_NONBLOCK);
  t.teardown(() => closeSync(both));
  const wait = ['--read-timeout-ms', String(patience(300)), '-n'];
  for (const [output, says] of [
    ['-', /nothing of 200000 bytes was taken by standard output for \d+ ms \(ERR_VC_TIMEOUT\)\n$/],
    [path('full'), /nothing of 200000 bytes was taken by .*full for \d+ ms \(ERR_VC_TIMEOUT\)\n$/],
  ] as const) {
    const late = await ended(new Child(t, [MAIN, 'client', ...US, '--url', url, '-o', `/f=${output}`, ...wait], both));
    t.match(late, { code: 1, stderr: says }, output);
  }
  for (const output of ['-', path('full')]) {
    const child = new Child(t, [MAIN, 'client', ...US, '--url', url, '-o', `/f=${output}`, '-n'], both);
    await until('reading', () => child.stderr.includes('reading /f'));
    child.process.kill('SIGINT');
    t.match(await ended(child), { code: 130, stderr: /interrupted\n$/ }, output);
  }
});

void t.test('a client that waits for the writer of a FIFO can be interrupted', { skip: noFifo }, async (t) => {
  const { url } = await start(t, () => 0);
  mkfifo('unwritten');
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const child = client(t, url, '-d', `/f=${path('unwritten')}`);
    await until('writing', () => child.stderr.includes('writing /f'));
    child.process.kill(signal);
    t.match(await ended(child), { stderr: /interrupted\n$/ });
    t.equal(child.process.exitCode ?? child.process.signalCode, 'SIGINT', 'which a shell calls 130');
  }
});

void t.test(
  'a source may be a file of /proc, which says that it is empty',
  { skip: existsSync('/proc/version') ? false : 'no /proc' },
  async (t) => {
    const { url, store } = await start(t, () => 0);
    t.match(await run(t, url, '-d', `/v=/proc/version,/e=${put('empty', '')}`, '-q'), { code: 0, stderr: '' });
    t.equal(String(await stored(store, '/v')), readFileSync('/proc/version', 'utf8'));
    t.equal(String(await stored(store, '/e')), '');
  },
);

void t.test('--result and --results are other names of --output, and end the service as it does', async (t) => {
  const { url, store } = await start(t, () => 0);
  t.match(await run(t, url, '-d', `/f=${put('source', 'x')}`, '-q'), { code: 0 });
  t.equal(String(await stored(store, '/f')), 'x');
  const flags = ['--result', `/f=${path('one')}`, '--results', `/f=${path('two')},/f=${path('three')}`];
  const { code, stderr } = await run(t, url, ...flags, '--json', '-q');
  t.equal(code, 0, stderr);
  for (const name of ['one', 'two', 'three']) t.equal(readFileSync(path(name), 'utf8'), 'x');
  t.match(stderr, /"operation":"shutdown"/);
});

void t.test('host:port is enough for an address', async (t) => {
  const { url, store } = await start(t, () => 0);
  t.match(await run(t, url.replace('http://', ''), '-d', `/f=${put('source', 'x')}`, '-q'), { code: 0, stderr: '' });
  t.equal(String(await stored(store, '/f')), 'x');
});

void t.test('a file that is not there is told by its name', async (t) => {
  const { url } = await start(t, () => 0);
  t.match(await run(t, url, '-o', `/no/such=${path('none')}`), {
    code: 1,
    stderr:
      /^reading \/no\/such\nveracruz-streams: the manager answered FAILED_GENERIC to read_file "\/no\/such" \(ERR_VC_REQUEST_FAILED\)\n$/,
  });
});

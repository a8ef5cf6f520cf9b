/** What holds a program that has broken out of the engine: code that calls the host directly, in the place of the engine's. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { completed } from '../../lib/enclave/compute/options.js';
import { type Chosen, chooseSandbox } from '../../lib/enclave/compute/sandbox/choose.js';
import { KEEP, systemLimits } from '../../lib/enclave/compute/sandbox/guardian.js';
import { launch } from '../../lib/enclave/compute/sandbox/launch.js';
import { nodeFence } from '../../lib/enclave/compute/sandbox/node-fence.js';
import { type Sandbox, unshared } from '../../lib/enclave/compute/sandbox/sandbox.js';
import { seccompFilter } from '../../lib/enclave/compute/sandbox/seccomp.js';
import { until, within } from '../support/foreign.js';
import { assemble, command, contents, place, policyWith, programProcesses, run, says, script } from './compute-support.js';
import type { Attempt, Tried } from './hostile/main.js';
import { freshFolder, put } from './store-support.js';
import '../support/processes.js';

const HOSTILE = dirname(fileURLToPath(new URL('./hostile/main.js', import.meta.url)));
const HOST = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
const SECRET = 'PRIVATE KEY canary';

const bwrap: Chosen | string = await chooseSandbox('bwrap').catch((thrown: Error) => thrown.message);
const skip = typeof bwrap === 'string' ? bwrap : false;
const bubblewrap = (): Sandbox => (bwrap as Chosen).sandbox;

/** Runs hostile code in a sandbox, and gives how its attempts went. */
async function attempt(t: Test, sandbox: Sandbox, attempts: readonly Attempt[], fenced = false): Promise<readonly Tried[]> {
  const folder = freshFolder(t);
  for (const name of ['world', 'streams']) mkdirSync(join(folder, name));
  const at = { node: process.execPath, code: HOSTILE, folder };
  const seen = sandbox.seen(at);
  const child = launch(sandbox, {
    ...at,
    flags: fenced ? nodeFence(seen.code, seen.folder) : [],
    entry: 'main.js',
    args: [],
    niceness: 0,
    limits: systemLimits(completed({}), 16, 0),
  });
  t.teardown(() => child.stdin?.end(KEEP));
  t.same(await within('the process', once(child, 'message')), ['up', undefined]);
  child.send(attempts);
  const [tried] = (await within('the attempts', once(child, 'message'))) as [Tried[]];
  const gone = once(child, 'exit');
  child.stdin?.end(KEEP);
  await within('its end', gone);
  return tried;
}

/** A secret file, a service on TCP and one on a path, and an innocent process. */
async function victims(t: Test) {
  const folder = freshFolder(t);
  writeFileSync(join(folder, 'key'), SECRET, { mode: 0o600 });
  const connections: string[] = [];
  const addresses: string[] = [];
  for (const path of [undefined, join(folder, 'socket'), '\0veracruz-test-abstract']) {
    const server = createServer((socket) => {
      connections.push(path ?? 'tcp');
      socket.destroy();
    });
    server.listen(path === undefined ? { host: '127.0.0.1', port: 0 } : { path });
    await once(server, 'listening');
    addresses.push(path ?? `127.0.0.1:${(server.address() as AddressInfo).port}`);
    t.teardown(() => server.close());
  }
  return { folder, key: join(folder, 'key'), connections, addresses };
}

void t.test('in bubblewrap, hostile code reads, writes, connects and signals nothing', { skip }, async (t) => {
  const { folder, key, connections, addresses } = await victims(t);
  let signals = 0;
  const count = () => signals++;
  process.on('SIGTERM', count);
  t.teardown(() => process.off('SIGTERM', count));
  const attempts: Attempt[] = [
    ...[key, `/proc/${process.pid}/environ`, '/proc/self/root/etc/passwd', '/etc/passwd', '/run/../etc/passwd'].map(
      (on) => ({ kind: 'read', on }) as const,
    ),
    ...['/proc', '/home', '/tmp', '/etc', '/dev', '/sys', folder].map((on) => ({ kind: 'list', on }) as const),
    ...[join(folder, 'new'), key, '/new', '/code/main.js', '/node', '/lib64/new', '/tmp/new'].map((on) => ({ kind: 'write', on }) as const),
    { kind: 'link', on: key },
    ...addresses.map((on) => ({ kind: 'connect', on }) as const),
    { kind: 'listen', on: '' },
    ...[process.pid, process.ppid, -1].map((pid) => ({ kind: 'signal', on: String(pid) }) as const),
    ...['/node', '/bin/sh', process.execPath].map((on) => ({ kind: 'execute', on }) as const),
    { kind: 'become', on: '0' },
  ];
  const tried = await attempt(t, bubblewrap(), attempts);
  for (const { kind, on, got, error } of tried) {
    t.equal(got, undefined, `${kind} ${on.replace(folder, '…')}`);
    t.match(error, /^E[A-Z]+$/, `${kind}: the system refuses it`);
  }
  t.equal(tried.length, attempts.length);
  t.same(connections, [], 'nobody was connected to');
  t.equal(signals, 0, 'no signal came');
  t.equal(readFileSync(key, 'utf8'), SECRET);
  t.same(readdirSync(folder).sort(), ['key', 'socket']);
});

void t.test('in bubblewrap, what hostile code sees of the machine', { skip }, async (t) => {
  const kinds = ['uid', 'host', 'interfaces', 'environment'] as const;
  const tried = await attempt(t, bubblewrap(), [
    ...kinds.map((kind) => ({ kind, on: '' })),
    { kind: 'list', on: '/' },
    { kind: 'write', on: '/run/world/f' },
  ]);
  const got = Object.fromEntries(tried.map((one) => [one.kind, one.got]));
  t.equal(got.uid, '65534');
  t.equal(got.host, 'program');
  t.notOk(got.interfaces, 'not one network interface is up');
  t.same(
    got.environment?.split(' ').filter((name) => name !== 'PWD'),
    [],
    'no environment',
  );
  t.ok(
    got.list?.split(' ').every((name) => /^(code|lib\w*|node|run|usr|package\.json)$/.test(name)),
    `the root has ${got.list}`,
  );
  t.equal(got.write, 'written', 'the folder of the run is its own');
});

void t.test('by unshare, hostile code connects and signals nothing', async (t) => {
  const unshare = ['/usr/bin/unshare', '/bin/unshare'].find((path) => existsSync(path));
  const works =
    unshare !== undefined && spawnSync(unshare, ['--user', '--map-current-user', '--net', '--pid', '--fork', 'true']).status === 0;
  if (!works) {
    t.comment('unshare does not work here');
    return;
  }
  const { connections, addresses } = await victims(t);
  // A socket in the file system is no matter of the network.
  const [tcp, , abstract] = addresses as [string, string, string];
  const tried = await attempt(t, unshared(unshare, undefined), [
    { kind: 'connect', on: tcp },
    { kind: 'connect', on: abstract },
    { kind: 'signal', on: String(process.pid) },
  ]);
  t.same(
    tried.map(({ got }) => got),
    [undefined, undefined, undefined],
  );
  t.same(connections, []);
});

void t.test("without a sandbox, Node's own fence keeps JavaScript from files and from other programs", async (t) => {
  const { folder, key } = await victims(t);
  const { sandbox, warning } = await chooseSandbox('none');
  t.equal(sandbox.kind, 'none');
  t.match(warning, /file system and the network/, 'and it is said what is missing');
  const attempts: Attempt[] = [
    { kind: 'read', on: key },
    { kind: 'read', on: '/etc/passwd' },
    { kind: 'list', on: folder },
    { kind: 'write', on: join(folder, 'new') },
    { kind: 'execute', on: '/bin/sh' },
  ];
  for (const one of await attempt(t, sandbox, attempts, true))
    t.equal(one.error, 'ERR_ACCESS_DENIED', `${one.kind} ${one.on.replace(folder, '…')}`);
});

// ── The limits of the system ─────────────────────────────────────────────────────────────────────────────────────────

const LOOP = command('(loop $l (br $l))');

void t.test('core dumps are off, and processor time, files and memory are bounded', async (t) => {
  for (const sandbox of ['auto', 'none'] as const) {
    const at = await place(t, { sandbox, maxOutputBytes: 1_000_000, timeLimitMs: 200_000, maxMemoryMib: 64 });
    await at.engine.ready();
    await put(at.store, '/in/f', 'x'.repeat(3000));
    const ending = new AbortController();
    const running = run(at, LOOP, policyWith({}), { signal: ending.signal }).catch(() => {});
    await until('the program', () => programProcesses().length > 0);
    const [pid] = programProcesses() as [number];
    const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
    const limitOf = (name: string) =>
      new RegExp(`^Max ${name}  +(\\d+|unlimited)  +(\\d+|unlimited)`, 'm').exec(limits)?.slice(1).map(Number);
    t.same(limitOf('core file size'), [0, 0]);
    const blocks = 512 * Math.ceil((1_000_000 + 3000) / 512);
    t.same(limitOf('file size'), [blocks, blocks]);
    t.ok((limitOf('cpu time')?.[0] ?? 0) > 200, 'more than the time limit');
    t.ok((limitOf('data size')?.[0] ?? 0) > 64 * 1024 ** 2, 'more than its memory');
    if (sandbox === 'auto' && bwrap !== undefined && typeof bwrap !== 'string') {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      t.match(status, /^NoNewPrivs:\t1$/m);
      t.match(status, /^CapEff:\t0+$/m, 'no capabilities');
      t.match(status, seccompFilter() === undefined ? /^Seccomp:/m : /^Seccomp:\t2$/m);
    }
    ending.abort();
    await running;
  }
});

/** What the kernel does with a filter, for a call: `allow`, `kill`, or the number of an error. */
function judged(filter: Buffer, machine: number, number: number, first = 0): string | number {
  let value = 0;
  for (let at = 0; at < filter.length; at += 8) {
    const [code, yes, no, k] = [filter.readUInt16LE(at), filter[at + 2] as number, filter[at + 3] as number, filter.readUInt32LE(at + 4)];
    if (code === 0x06) return k === 0x7fff0000 ? 'allow' : k === 0x80000000 ? 'kill' : k & 0xffff;
    if (code === 0x20) value = { 0: number, 4: machine, 16: first }[k] as number;
    const holds = { 21: value === k, 53: value >= k, 69: (value & k) !== 0 }[code];
    if (holds !== undefined) at += 8 * (holds ? yes : no);
  }
  throw new Error('the filter has no end');
}

void t.test('the filter of system calls, for each machine that it is there for', async (t) => {
  const [EPERM, ENOSYS] = [1, 38];
  const machines = {
    x64: { audit: 0xc000003e, write: 1, openat: 257, socket: 41, ptrace: 101, mount: 165, clone: 56, execve: 59 },
    arm64: { audit: 0xc00000b7, write: 64, openat: 56, socket: 198, ptrace: 117, mount: 40, clone: 220, execve: 221 },
  };
  for (const [arch, { audit, ...calls }] of Object.entries(machines)) {
    const filter = seccompFilter(arch as NodeJS.Architecture) as Buffer;
    const on = (call: number, first?: number) => judged(filter, audit, call, first);
    for (const call of ['write', 'openat', 'execve'] as const) t.equal(on(calls[call]), 'allow', `${arch}: ${call}`);
    for (const call of ['socket', 'ptrace', 'mount'] as const) t.equal(on(calls[call]), EPERM, `${arch}: ${call}`);
    t.equal(on(calls.clone, 0x003d0f00), 'allow', 'a thread');
    t.equal(on(calls.clone, 17), EPERM, 'a process');
    t.equal(on(435), ENOSYS, 'clone3, whose flags a filter cannot see');
    t.equal(on(0x40000000 + calls.write), EPERM, 'calls of x32');
    t.equal(judged(filter, audit + 1, calls.write), 'kill', 'calls of another machine');
  }
  t.equal(seccompFilter('mips'), undefined);
});

// ── The choice ───────────────────────────────────────────────────────────────────────────────────────────────────────

void t.test('a path with a * opens no fence', async (t) => {
  const scratch = join(freshFolder(t), 'a*b');
  mkdirSync(scratch);
  const none = await place(t, { scratch, sandbox: 'none' });
  await t.rejects(run(none, command('nop'), policyWith({})), { code: 'ERR_VC_COMPUTE', message: /cannot be fenced/ });
  t.same(readdirSync(scratch), [], 'and nothing is left');
  if (skip) return;
  const confined = await place(t, { scratch, sandbox: 'bwrap' });
  t.equal(await run(confined, command('(call $proc_exit (i32.const 7))'), policyWith({})), 7, 'in a sandbox the path is another');
});

void t.test('what is in force is told, and what was demanded and does not work fails', async (t) => {
  const at = await place(t, { sandbox: 'none' });
  t.match(await at.engine.ready(), { sandbox: 'none', warning: /Node alone, as it was asked for/ });
  t.equal(await run(at, command('(call $proc_exit (i32.const 3))'), policyWith({})), 3);
  const asked = spawnSync(process.execPath, [fileURLToPath(new URL('./compute-ready.js', import.meta.url))], {
    encoding: 'utf8',
    env: { PATH: '/nowhere' },
  });
  const [bwrapped, auto] = asked.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>);
  t.match(bwrapped, { code: 'ERR_VC_COMPUTE', message: 'the sandbox bwrap does not work here: there is no bwrap' });
  t.match(auto, { sandbox: 'none', warning: /neither bubblewrap \(there is no bwrap\) nor unshare \(there is no unshare\) works here/ });
});

void t.test('an engine that gets ready removes what killed managers left', async (t) => {
  const at = await place(t);
  const left = join(at.scratch, `veracruz-run-${HOST}-999999999-1-0-abcdef`);
  mkdirSync(left);
  await at.engine.ready();
  t.same(readdirSync(at.scratch), []);
});

// ── Last words ───────────────────────────────────────────────────────────────────────────────────────────────────────

const TRAPS = script([says(1, 'some '), says(2, 'the last '), says(2, 'words\n')], '(unreachable)');

void t.test('the last words of a program that traps, up to their limit, where it may write them', async (t) => {
  const at = await place(t, { maxLastWordsBytes: 20 });
  await put(at.store, 'stderr', 'old');
  await t.rejects(run(at, TRAPS, policyWith({ '/out': 'w', stderr: 'w' })), { code: 'ERR_VC_COMPUTE' });
  t.same(await contents(at.store), { stderr: 'trapped: unreachable\n'.slice(-20) });
  const none = await place(t, { maxLastWordsBytes: 0 });
  await t.rejects(run(none, TRAPS, policyWith({ stdout: 'w', stderr: 'w' })), { code: 'ERR_VC_COMPUTE' });
  t.same(await contents(none.store), {}, 'none are kept');
  const mute = await place(t);
  await t.rejects(run(mute, TRAPS, policyWith({})), { code: 'ERR_VC_COMPUTE' });
  t.same(await contents(mute.store), {}, 'without a right there are none');
  const all = await place(t);
  await t.rejects(run(all, TRAPS, policyWith({ stderr: 'w' })), { code: 'ERR_VC_COMPUTE' });
  t.same(await contents(all.store), { stderr: 'the last words\nthe program trapped: unreachable\n' });
});

void t.test('the last words of a program that is ended', async (t) => {
  const at = await place(t, { timeLimitMs: 5000 });
  const speaks = script([says(2, 'on my way')], '(loop $l (br $l))');
  await t.rejects(run(at, speaks, policyWith({ stderr: 'w' })), { code: 'ERR_VC_COMPUTE', limit: 5000 });
  t.same(await contents(at.store), { stderr: 'on my way' });
});

void t.test('what a program cannot import is told to its client alone', async (t) => {
  const at = await place(t);
  const own = '(memory (export "memory") 1) (func (export "_start"))';
  const foreign = assemble(`(module (import "env" "SECRET\\n" (func)) (import "wasi_unstable" "fd_write" (func)) ${own})`);
  const error = await run(at, foreign, policyWith({ stderr: 'w' })).catch((thrown: Error) => thrown);
  t.match(error, { code: 'ERR_VC_COMPUTE', message: /imports 2 things .*, but of wasi_unstable/ });
  t.notMatch((error as Error).message, /SECRET|env/);
  const { stderr } = await contents(at.store);
  t.match(
    stderr,
    /^the program imports 2 things .*\n {2}it imports function "env\.SECRET\\n"\n {2}it imports function "wasi_unstable\.fd_write"\n$/,
  );
});

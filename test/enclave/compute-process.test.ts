/** The processes that programs run in: how they are bounded, how they end, and that nothing of them stays behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { DirectoryStore } from '../../lib/enclave/store/file-store.js';
import { until, within } from '../support/foreign.js';
import {
  command,
  contents,
  opens,
  type Place,
  PROGRAM,
  passes,
  place,
  policyWith,
  programFamilies,
  programProcesses,
  reads,
  run,
  says,
  script,
} from './compute-support.js';
import { freshFolder, get, openBelow, put } from './store-support.js';
import '../support/processes.js';

const LOOP = command('(loop $l (br $l))');
/** Makes a file, and goes on for ever. */
const WRITES_AND_LOOPS = script([opens('out/f', 'write'), says({ fd: 0 }, 'x')], '(loop $l (br $l))');
/** Grows its memory as far as it goes; the exit code is its pages. */
const GROWS = command(
  '(block $b (loop $l (br_if $b (i32.eq (memory.grow (i32.const 1)) (i32.const -1))) (br $l))) (call $proc_exit (memory.size))',
  '',
  1,
);
const OUT = { '/out': 'w', stdout: 'w' };

function checkGone(t: Test, { scratch }: Place): void {
  t.same(readdirSync(scratch), [], 'no folder of a run');
  t.same(programFamilies(), [], 'no process of a run');
}

/** Resolves when a program's process is there, with its pid. */
async function started(besides: readonly number[] = []): Promise<number> {
  const others = () => programProcesses().filter((pid) => !besides.includes(pid));
  await until('a process of a program', () => others().length > 0);
  return others()[0] as number;
}

/** It may go while it is looked at. */
function isGone(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return true;
  }
}

/** What the scheduler knows of a process, as long as it is there. */
function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
const priorityOf = (pid: number) => ifThere(() => getPriority(pid));
const groupOf = (pid: number) => ifThere(() => readFileSync(`/proc/${pid}/autogroup`, 'latin1'));

// ── Time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

void t.test('a program that does not end is ended', async (t) => {
  const at = await place(t, { timeLimitMs: 300 });
  await t.rejects(run(at, WRITES_AND_LOOPS, policyWith(OUT)), { code: 'ERR_VC_COMPUTE', limit: 300 });
  const { stdout, ...others } = await contents(at.store);
  t.same(others, {}, 'and leaves nothing but the last words');
  checkGone(t, at);
  const sleeps = command(
    '(drop (call $poll_oneoff (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))',
    '(data (i32.const 24) "\\ff\\ff\\ff\\ff\\ff\\ff\\00\\00")',
  );
  const clock = policyWith({}, (policy) => {
    policy.enable_clock = true;
  });
  await t.rejects(run(at, sleeps, clock), { code: 'ERR_VC_COMPUTE', limit: 300 }, 'also when it sleeps');
  checkGone(t, at);
});

void t.test('an endless program does not hold up anything else', async (t) => {
  const at = await place(t);
  const ending = new AbortController();
  const running = run(at, LOOP, policyWith({}), { signal: ending.signal }).catch((error: unknown) => error);
  await started();
  await put(at.store, '/in/f', 'x');
  for (let i = 0; i < 100; i++) await new Promise((turn) => setImmediate(turn));
  t.equal(await run(at, command('nop'), policyWith({}), { program: '/other' }), 0, 'another one runs beside it');
  t.equal(String(await get(at.store, '/in/f')), 'x');
  ending.abort();
  t.match(await running, { code: 'ERR_VC_ABORTED' });
});

void t.test('an abort ends a run wherever it is', async (t) => {
  const at = await place(t, { maxConcurrent: 1 });
  const policy = policyWith(OUT);
  const aborted = { code: 'ERR_VC_ABORTED', layer: 'compute', cause: 'why' };

  const before = AbortSignal.abort('why');
  await t.rejects(run(at, LOOP, policy, { signal: before }), aborted, 'before it begins');
  checkGone(t, at);

  const ending = new AbortController();
  const running = run(at, WRITES_AND_LOOPS, policy, { signal: ending.signal });
  const waiting = new AbortController();
  await started();
  const second = run(at, command('nop'), policy, { signal: waiting.signal, program: '/other' });
  waiting.abort('why');
  await t.rejects(second, aborted, 'while it waits for its turn');
  ending.abort('why');
  await t.rejects(running, aborted, 'while the program runs');
  t.same(await contents(at.store).then(({ '/other': _, ...others }) => others), {});
  checkGone(t, at);

  for (const step of ['list', 'stat'] as const) {
    const own = new AbortController();
    const store = new Proxy(at.store, {
      get(target, key) {
        if (key === step) own.abort('why');
        return (Reflect.get(target, key) as () => void).bind?.(target);
      },
    });
    const computation = { program: PROGRAM, principal: { kind: 'program', path: PROGRAM } as const, policy, store, signal: own.signal };
    await put(at.store, PROGRAM, script([opens('out/f', 'write')]));
    await t.rejects(at.engine.run(computation), aborted, `at ${step}`);
    t.notOk('/out/f' in (await contents(at.store)));
    checkGone(t, at);
  }
  t.equal(await run(at, command('nop'), policy), 0, 'the next one has its turn');
});

void t.test('closing ends what runs and what waits', async (t) => {
  const at = await place(t, { maxConcurrent: 1 });
  const closed = { code: 'ERR_VC_CLOSED', layer: 'compute' };
  const runs = [run(at, LOOP, policyWith({}))];
  await started();
  runs.push(run(at, LOOP, policyWith({})));
  const settled = Promise.allSettled(runs);
  await at.engine.close();
  checkGone(t, at);
  for (const one of await settled) t.match(one, { status: 'rejected', reason: closed });
  await t.rejects(run(at, LOOP, policyWith({})), closed);
  await at.engine.close();
});

void t.test('a process that somebody kills', async (t) => {
  const at = await place(t);
  const running = run(at, WRITES_AND_LOOPS, policyWith(OUT));
  const failed = t.rejects(running, { code: 'ERR_VC_COMPUTE', got: 'SIGKILL', message: /ended before it did, by SIGKILL/ });
  process.kill(await started(), 'SIGKILL');
  await failed;
  t.same(await contents(at.store), {});
  checkGone(t, at);
});

void t.test('signals of a terminal are for the manager', async (t) => {
  const at = await place(t);
  const ending = new AbortController();
  const running = run(at, LOOP, policyWith({}), { signal: ending.signal }).catch((error: unknown) => error);
  const pid = await started();
  const mask = (name: string) =>
    BigInt(`0x${new RegExp(`${name}:\\s*([0-9a-f]+)`).exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]}`);
  await until('the handlers', () => (mask('SigCgt') & 0x4003n) === 0x4003n);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal);
  await until('the signals to have come', () => isGone(pid) || mask('ShdPnd') === 0n);
  t.notOk(isGone(pid));
  ending.abort();
  t.match(await running, { code: 'ERR_VC_ABORTED' });
});

void t.test('a program gives way to the manager, to whichever group the scheduler has put it in', async (t) => {
  for (const [sandbox, niceness] of [
    ['auto', 7],
    ['none', 7],
    ['none', 0],
  ] as const) {
    const at = await place(t, { sandbox, niceness });
    const before = programProcesses();
    const ending = new AbortController();
    const running = run(at, LOOP, policyWith({}), { signal: ending.signal }).catch((error: unknown) => error);
    const expected = Math.min(19, getPriority() + niceness);
    await until('its priority', () => programProcesses().some((pid) => !before.includes(pid) && priorityOf(pid) === expected));
    const pid = await started(before);
    const group = () => (existsSync('/proc/self/autogroup') ? groupOf(pid) : ` nice ${niceness}\n`);
    if (niceness > 0) await until('that of its group', () => group()?.endsWith(` nice ${niceness}\n`) === true);
    ending.abort();
    t.match(await running, { code: 'ERR_VC_ABORTED' }, `${sandbox}, ${niceness}`);
  }
});

// ── Memory ───────────────────────────────────────────────────────────────────────────────────────────────────────────

void t.test('memory grows to the limit of the policy, or of the engine, and no further', async (t) => {
  const at = await place(t, { maxMemoryMib: 32 });
  const withMemory = (mib: number) =>
    policyWith({}, (policy) => {
      policy.max_memory_mib = mib;
    });
  for (const [mib, pages] of [
    [1, 16],
    [16, 256],
    [31, 496],
    [32, 512],
    [33, 512],
    [2 ** 32 - 1, 512],
  ] as const) {
    t.equal(await run(at, GROWS, withMemory(mib)), pages, `${mib} MiB`);
  }
  await t.rejects(run(at, GROWS, withMemory(0)), { code: 'ERR_VC_COMPUTE', limit: 0 });
  checkGone(t, at);
});

void t.test('what lies beside the memory is bounded too', async (t) => {
  const at = await place(t, { maxHeapMib: 32, timeLimitMs: 60_000 });
  const tables = Array.from({ length: 40 }, (_, i) => `(table $t${i} 1 funcref)`).join('');
  const grows = Array.from({ length: 40 }, (_, i) => `(drop (table.grow $t${i} (ref.null func) (i32.const 9999999)))`).join('');
  const bombs = {
    'one table': command('(loop $l (drop (table.grow $t (ref.null func) (i32.const 100000))) (br $l))', '(table $t 1 funcref)'),
    'many tables': command(grows, tables),
  };
  for (const [name, bomb] of Object.entries(bombs)) {
    await t.rejects(run(at, bomb, policyWith({})), { code: 'ERR_VC_COMPUTE', message: /limit of its heap|ended before it did/ }, name);
  }
  checkGone(t, at);
});

void t.test('the stack is as deep as it is said to be', async (t) => {
  const deep = command(
    '(call $down (i32.const 40000))',
    '(func $down (param i32) (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1))))) (drop (i32.load (local.get 0))))',
  );
  const shallow = await place(t, { maxStackMib: 1 });
  await t.rejects(run(shallow, deep, policyWith({})), { code: 'ERR_VC_COMPUTE', message: /nested too deep/ });
  t.equal(await run(await place(t, { maxStackMib: 32 }), deep, policyWith({})), 0);
});

void t.test('an endless output meets its limit', async (t) => {
  const at = await place(t, { maxOutputBytes: 100_000 });
  const floods = command(
    `(i32.store (i32.const 4) (i32.const 1000))
     (loop $l (br_if $l (i32.eqz (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))
     (call $proc_exit (i32.const 3))`,
  );
  t.equal(await run(at, floods, policyWith({ stdout: 'w' })), 3);
  t.equal((await at.store.stat('stdout')).length, 100_000);
});

// ── What the process has ─────────────────────────────────────────────────────────────────────────────────────────────

void t.test('the process has no environment and nothing open that is not its own', async (t) => {
  const at = await place(t);
  const { sandbox } = await at.engine.ready();
  await put(at.store, '/in/f', 'x');
  process.env.VC_COMPUTE_SECRET = 'secret';
  t.teardown(() => delete process.env.VC_COMPUTE_SECRET);
  const ending = new AbortController();
  const running = run(at, LOOP, policyWith({ '/in': 'r' }), { signal: ending.signal }).catch(() => {});
  const pid = await started();
  await until('the program', () => readdirSync(`/proc/${pid}/fd`).some((fd) => target(pid, fd)?.endsWith('/streams/stderr')));
  const environment = readFileSync(`/proc/${pid}/environ`, 'latin1')
    .split('\0')
    .filter((one) => one !== '' && one !== 'PWD=/');
  const report = ['NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE'];
  t.ok(
    environment.map((one) => one.split('=')[0]).every((name) => report.includes(name as string)),
    'but how to report',
  );
  const own = new Set(readdirSync('/proc/self/fd').map((fd) => target(process.pid, fd)));
  const open = readdirSync(`/proc/${pid}/fd`)
    .map((fd) => target(pid, fd))
    .filter((one) => one !== undefined);
  const [run1] = readdirSync(at.scratch);
  // In a sandbox the root is one of its own, and the folder of the run is /run there.
  const own1 = sandbox === 'bwrap' ? ['/run/', '/'] : [join(at.scratch, run1 as string)];
  for (const one of open.filter((path) => path.startsWith('/') && path !== '/dev/null')) {
    t.ok(one.startsWith(own1[0] as string) || own1.slice(1).includes(one), `${one.replace(at.scratch, '…')} belongs to the run`);
  }
  const inherited = open.filter((one) => /^(socket|pipe):/.test(one) && own.has(one));
  const leaked = new Set(
    readdirSync('/proc/self/fd')
      .filter((fd) => !closesOnExec(fd))
      .map((fd) => target(process.pid, fd)),
  );
  t.same(
    inherited.filter((one) => !leaked.has(one)),
    [],
    'no socket and no pipe of ours',
  );
  t.equal(readlinkSync(`/proc/${pid}/cwd`), '/');
  ending.abort();
  await running;
});

function target(pid: number, fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return undefined;
  }
}

/** What this process was itself started with, without that flag, passes to whatever it starts. */
function closesOnExec(fd: string): boolean {
  try {
    return (Number.parseInt(/flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '0', 8) & 0o2000000) !== 0;
  } catch {
    return true;
  }
}

void t.test('the process itself may read its own code and folder, and next to nothing else', async (t) => {
  const at = await place(t);
  const ending = new AbortController();
  const running = run(at, LOOP, policyWith({}), { signal: ending.signal }).catch(() => {});
  const pid = await started();
  const flags = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
  t.ok(flags.some((flag) => /^--(experimental-)?permission$/.test(flag)));
  const allowed = flags.filter((flag) => flag.startsWith('--allow-'));
  t.same(
    allowed.filter((flag) => !flag.startsWith('--allow-fs')),
    ['--allow-worker'],
  );
  for (const flag of allowed.filter((one) => one.startsWith('--allow-fs'))) {
    t.ok(
      flag.includes(at.scratch) || /\/compute\/child\/\*$|\/package\.json$|=\/(code|run)\/\*$/.test(flag),
      flag.replace(at.scratch, '…'),
    );
  }
  ending.abort();
  await running;
});

// ── Together and after ───────────────────────────────────────────────────────────────────────────────────────────────

void t.test('so many run at once, the others in the order in which they came', async (t) => {
  const at = await place(t, { maxConcurrent: 2 });
  const policy = policyWith({});
  const order: number[] = [];
  const endings = Array.from({ length: 5 }, () => new AbortController());
  const runs = endings.map((ending, i) =>
    run(at, LOOP, policy, { signal: ending.signal, program: `/program/${i}` }).catch(() => {
      order.push(i);
    }),
  );
  const running = () => readdirSync(at.scratch).length;
  await until('two runs', () => running() === 2);
  for (let i = 0; i < 20; i++) {
    await new Promise((turn) => setImmediate(turn));
    if (running() > 2) t.fail('more than two at once');
  }
  for (const [i, ending] of endings.entries()) {
    await until(`run ${i}`, () => running() === Math.min(2, 5 - i));
    ending.abort();
    await runs[i];
    t.same(
      order,
      Array.from({ length: i + 1 }, (_, k) => k),
    );
  }
  checkGone(t, at);
});

void t.test('who asks often waits for himself: turns go round, and nobody has all places', async (t) => {
  const at = await place(t, { maxConcurrent: 2, maxWaitingPerPrincipal: 2 });
  const policy = policyWith({});
  const ending = new AbortController();
  const loop = (i: number) => run(at, LOOP, policy, { signal: ending.signal, program: `/program/${i}`, askedBy: 'greedy' });
  const loops = [0, 1, 2].map((i) => loop(i).catch((error: unknown) => error));
  await started();
  t.equal(await run(at, command('nop'), policy, { program: '/other', askedBy: 'modest' }), 0, 'one place is left for others');
  t.equal(programFamilies().length, 1, 'of all who waited, none of the greedy one has it');
  await t.rejects(loop(3), { code: 'ERR_VC_BUSY', layer: 'compute', got: 2, limit: 2 });
  ending.abort();
  for (const one of await Promise.all(loops)) t.match(one, { code: 'ERR_VC_ABORTED' });
  checkGone(t, at);
});

void t.test('two at once do not mix', async (t) => {
  const at = await place(t, { maxConcurrent: 2 });
  const both = ['a', 'b'];
  for (const one of both) await put(at.store, `/in/${one}/f`, one.repeat(8000));
  for (let round = 0; round < 3; round++) {
    await Promise.all(
      both.map(async (one) => {
        const path = `/program/${one}.wasm`;
        await put(
          at.store,
          path,
          script([
            opens(`in/${one}/f`, 'read'),
            reads({ fd: 0 }),
            opens(`out/${one}`, 'write'),
            passes({ fd: 2 }),
            opens(`in/${one === 'a' ? 'b' : 'a'}/f`, 'read'),
          ]),
        );
        const policy = policyWith({ [`/in/${one}`]: 'r', '/out': 'w', stdout: 'w' });
        await at.engine.run({
          program: path,
          principal: { kind: 'program', path: PROGRAM },
          policy,
          store: at.store,
          signal: new AbortController().signal,
        });
      }),
    );
    for (const one of both) t.equal(String(await get(at.store, `/out/${one}`)), one.repeat(8000));
  }
  checkGone(t, at);
});

void t.test('fifty runs leave nothing behind', async (t) => {
  const at = await place(t);
  const policy = policyWith(OUT);
  const programs = [
    command('nop'),
    command('unreachable'),
    script([opens('out/f', 'write')]),
    Buffer.from('none'),
    command('(call $proc_exit (i32.const 1))'),
  ];
  const openFiles = () => readdirSync('/proc/self/fd').length;
  await run(at, command('nop'), policy);
  const before = openFiles();
  for (let i = 0; i < 50; i += 2) {
    await Promise.allSettled(
      [0, 1].map((k) => run(at, programs[(i + k) % programs.length] as Buffer, policy, { program: `/program/${k}` })),
    );
  }
  checkGone(t, at);
  t.equal(openFiles(), before, 'no descriptor');
  t.same(openBelow(at.scratch), []);
});

void t.test('the manager is killed: its program goes, and the files of the run', async (t) => {
  const folder = freshFolder(t);
  const [root, scratch] = [join(folder, 'store'), join(folder, 'scratch')];
  mkdirSync(scratch);
  const store = await DirectoryStore.open(root, { sync: 'none' });
  await put(store, PROGRAM, WRITES_AND_LOOPS);
  await put(store, '/in/secret', 'secret');
  await store.close();
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    const child = spawn(process.execPath, [fileURLToPath(new URL('./compute-child.js', import.meta.url)), root, scratch], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const [line] = (await within('the run', once(child.stdout, 'data'))) as [Buffer];
    const pid = Number(/running (\d+)/.exec(String(line))?.[1]);
    const [name] = readdirSync(scratch);
    await until('the program', () => existsSync(join(scratch, name as string, 'world', 'out', 'f')));
    t.ok(existsSync(join(scratch, name as string, 'world', 'in', 'secret')));
    child.kill(signal);
    await until('the end of the process', () => isGone(pid));
    await until(`${signal}: the folder to be gone too`, () => readdirSync(scratch).length === 0);
  }
});

void t.test('the manager and its program are killed together: the next run removes the files of theirs, and no others', async (t) => {
  const folder = freshFolder(t);
  const [root, scratch] = [join(folder, 'store'), join(folder, 'scratch')];
  mkdirSync(scratch);
  const store = await DirectoryStore.open(root, { sync: 'none' });
  await put(store, PROGRAM, LOOP);
  await store.close();
  const child = spawn(process.execPath, [fileURLToPath(new URL('./compute-child.js', import.meta.url)), root, scratch], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = (await within('the run', once(child.stdout, 'data'))) as [Buffer];
  t.match(String(line), /running/);
  const family = programFamilies(child.pid).flat();
  const [guardian] = family as [number];
  // Stopped, it does not see that its manager goes.
  process.kill(guardian, 'SIGSTOP');
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await within('the end of the manager', gone);
  process.kill(guardian, 'SIGKILL');
  await until('the end of all processes', () => family.every(isGone));
  const [left = ''] = readdirSync(scratch);
  t.ok(left.startsWith('veracruz-run-'), 'nobody removed it');

  const others = [left.replace(/run-./, (head) => `${head.slice(0, -1)}${head.endsWith('0') ? '1' : '0'}`), 'veracruz-run-x', 'other'];
  for (const name of others) mkdirSync(join(scratch, name));
  const file = `${left.slice(0, -6)}abcdef`;
  writeFileSync(join(scratch, file), '');
  const at = await place(t, { scratch });
  const running = run(at, LOOP, policyWith({}));
  const failed = t.rejects(running, { code: 'ERR_VC_CLOSED' });
  await started();
  const own = readdirSync(scratch).filter((name) => ![...others, file].includes(name));
  t.equal(own.length, 1);
  t.not(own[0], left);
  const second = await place(t, { scratch });
  t.equal(await run(second, command('nop'), policyWith({})), 0);
  t.same(new Set(readdirSync(scratch)), new Set([...others, file, ...own]), 'the run of a living manager stays, and so does all else');
  await at.engine.close();
  await failed;
});

void t.test('the manager is killed while the process starts', async (t) => {
  const folder = freshFolder(t);
  const [root, scratch] = [join(folder, 'store'), join(folder, 'scratch')];
  mkdirSync(scratch);
  const store = await DirectoryStore.open(root, { sync: 'none' });
  await put(store, PROGRAM, LOOP);
  await store.close();
  for (let i = 0; i < 6; i++) {
    const child = spawn(process.execPath, [fileURLToPath(new URL('./compute-child.js', import.meta.url)), root, scratch], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const [line] = (await within('the run', once(child.stdout, 'data'))) as [Buffer];
    const pid = Number(/running (\d+)/.exec(String(line))?.[1]);
    // From no time at all to about as long as it takes to start.
    for (let turn = 0; turn < i * 5; turn++) await new Promise((go) => setTimeout(go, 5));
    child.kill('SIGKILL');
    await until('the end of the process', () => isGone(pid));
    await until('the folder to be gone too', () => readdirSync(scratch).length === 0);
  }
});

void t.test('a process that nobody started ends', async (t) => {
  const main = fileURLToPath(new URL('../../lib/enclave/compute/child/main.js', import.meta.url));
  const child = spawn(process.execPath, [main, '64', '4'], { stdio: 'ignore' });
  t.same(await within('its end', once(child, 'exit')), [2, null]);
});

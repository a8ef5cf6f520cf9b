/** What a run gives and leaves: exit codes, files, streams, pins. Each is a process of its own. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import { ERRNO, OFLAG } from '../../lib/enclave/compute/child/preview1.js';
import { WASI_ENGINE_DEFAULTS, WasiEngine } from '../../lib/enclave/compute/index.js';
import { RIGHTS } from '../../lib/enclave/policy/index.js';
import { MAX_FILE_NAME_BYTES } from '../../lib/enclave/store/file-name.js';
import { DirectoryStore, type FileStore } from '../../lib/enclave/store/file-store.js';
import {
  answers,
  answersOf,
  assemble,
  command,
  contents,
  opens,
  type Place,
  PROGRAM,
  passes,
  place,
  policyWith,
  programProcesses,
  type Rights,
  ROOM,
  reads,
  run,
  type Step,
  says,
  script,
} from './compute-support.js';
import { freshFolder, get, noise, put } from './store-support.js';
import '../support/processes.js';

const { SUCCESS, ACCES, NOSPC, NOTCAPABLE } = ERRNO;
const NOENT = 44;
const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

/** Nothing of a run is left, neither on the disk nor in the table of processes. */
function checkGone(t: Test, { scratch }: Place): void {
  t.same(readdirSync(scratch), [], 'no folder of a run');
  t.same(programProcesses(), [], 'no process of a run');
}

void t.test('exit codes', async (t) => {
  const at = await place(t);
  const policy = policyWith({});
  for (const code of [0, 1, 7, 255, 256, 2 ** 31, 2 ** 32 - 1]) {
    t.equal(await run(at, command(`(call $proc_exit (i32.const ${code}))`), policy), code);
  }
  t.equal(await run(at, command('nop'), policy), 0, 'to return is to succeed');
  checkGone(t, at);
});

void t.test('a program reads what it may, and what it writes is in the store', async (t) => {
  const at = await place(t);
  await put(at.store, '/input/a', 'some bytes');
  const steps: Step[] = [
    opens('input/a', 'read'),
    opens('output/deep', 'read'),
    ['path_create_directory', 3, 'output/deep'],
    opens('output/deep/b', 'write'),
    reads({ fd: 0 }),
    passes({ fd: 3 }),
    says({ fd: 3 }, ', and more'),
  ];
  t.same(await answers(at, steps, { '/input/': 'r', '/output': 'rw' }), [SUCCESS, NOENT, SUCCESS, SUCCESS, SUCCESS, SUCCESS, SUCCESS]);
  const { stdout: _, ...files } = await contents(at.store);
  t.same(files, { '/input/a': 'some bytes', '/output/deep/b': 'some bytes, and more' });
  checkGone(t, at);
});

void t.test('descriptor 3 is the root, then come the listed directories', async (t) => {
  const at = await place(t);
  await put(at.store, '/b/f', 'text');
  const steps: Step[] = [
    ['fd_prestat_get', 3, ROOM],
    ['fd_prestat_get', 6, ROOM],
    ['fd_prestat_get', 7, ROOM],
    ['path_open', 5, 0, 'f', 0, 2n, 0n, 0],
    reads({ fd: 3 }),
    passes(1),
    ['path_open', 6, 0, 'f', 0, 2n, 0n, 0],
  ];
  t.same(await answersAfter(at, steps, { '/z': 'rw', '/b/': 'r', '/b/c/d': 'r' }, 'text'), [
    SUCCESS,
    SUCCESS,
    8,
    SUCCESS,
    SUCCESS,
    SUCCESS,
    NOENT,
  ]);
});

/** The answers of a script that wrote `text` to `stdout` itself. */
async function answersAfter(at: Place, steps: readonly Step[], rights: Rights, text: string): Promise<number[]> {
  await run(at, script(steps), policyWith({ stdout: 'w', ...rights }));
  const stdout = await get(at.store, 'stdout');
  if (!stdout.toString().startsWith(text)) throw new Error(`stdout does not begin with ${text}`);
  return answersOf(stdout.subarray(text.length));
}

void t.test('what it may not read is not there', async (t) => {
  const at = await place(t);
  for (const name of ['/secret/f', '/output/old', '/input/f', '/input/shut/f', '/program/other.wasm']) await put(at.store, name, name);
  const listing: Step[] = ['input', 'output', '.'].flatMap((path): Step[] => [['path_open', 3, 0, path, OFLAG.DIRECTORY, 0n, 0n, 0]]);
  const names: Step[] = [0, 1].map((i) => ['fd_readdir', { fd: i }, ROOM, 4000, 0n, 200]);
  const rights = { '/input': 'r', '/input/shut': 0, '/output': 'w' };
  const steps = [
    ...listing,
    ...names,
    opens('secret/f', 'read'),
    opens('output/old', 'read'),
    opens('input/shut/f', 'read'),
    opens('input/f', 'read'),
    opens(PROGRAM.slice(1), 'read'),
  ];
  t.same(await answers(at, steps, rights), [SUCCESS, SUCCESS, ACCES, SUCCESS, ACCES, ACCES, ACCES, ACCES, SUCCESS, ACCES]);
});

void t.test('rights on single files', async (t) => {
  const at = await place(t);
  await put(at.store, '/d/one', '1');
  await put(at.store, '/d/two', '2');
  const steps = [opens('d/one', 'read'), opens('d/two', 'read'), opens('d/three', 'write'), opens('d/four', 'write')];
  // A listed name of which there is no file becomes a directory, as every listed name does in the original.
  t.same(await answers(at, steps, { '/d/one': 'r', '/d/three': 'rw' }), [SUCCESS, ACCES, 31, ACCES]);
  t.same(await answers(at, [opens('d/one', 'write')], { '/d/one': 'rw' }), [SUCCESS]);
  t.equal((await contents(at.store))['/d/one'], '');
});

void t.test('a file that may be written and not read starts empty, and is replaced', async (t) => {
  const at = await place(t);
  await put(at.store, '/out/f', 'old contents');
  await put(at.store, '/out/g', 'old contents');
  t.same(await answers(at, [opens('out/f', 'append'), says({ fd: 0 }, 'new')], { '/out': 'w' }), [SUCCESS, SUCCESS]);
  t.match(await contents(at.store), { '/out/f': 'new', '/out/g': 'old contents' });
});

void t.test('a file that may be read and written is there, and is changed in place', async (t) => {
  const at = await place(t);
  await put(at.store, '/d/f', 'old');
  await put(at.store, '/d/same', 'old');
  t.same(
    await answers(at, [opens('d/f', 'append'), says({ fd: 0 }, ' new'), opens('d/same', 'read'), reads({ fd: 2 })], { '/d': 'rw' }),
    [0, 0, 0, 0],
  );
  t.match(await contents(at.store), { '/d/f': 'old new', '/d/same': 'old' });
});

void t.test('a file of the same length and content is not taken for unchanged', async (t) => {
  const at = await place(t);
  await put(at.store, '/d/f', 'aaaa');
  t.same(await answers(at, [['path_open', 3, 0, 'd/f', 0, 64n, 0n, 0], says({ fd: 0 }, 'bbbb')], { '/d': 'rw' }), [0, 0]);
  t.equal(String(await get(at.store, '/d/f')), 'bbbb');
});

void t.test('files are removed and renamed with the rights for it', async (t) => {
  const at = await place(t);
  for (const name of ['/d/a', '/d/b', '/d/c', '/d/keep']) await put(at.store, name, name);
  const steps: Step[] = [
    ['path_unlink_file', 3, 'd/a'],
    ['path_rename', 3, 'd/b', 3, 'e/b'],
    ['path_rename', 3, 'd/c', 3, 'd/keep'],
  ];
  t.same(await answers(at, steps, { '/d': 'rw', '/e': 'rw' }), [ACCES, ACCES, ACCES]);
  const more = RIGHTS.PATH_UNLINK_FILE | RIGHTS.PATH_RENAME_SOURCE | RIGHTS.PATH_RENAME_TARGET;
  t.same(await answers(at, steps, { '/d': 550_470 | more, '/e': 534_084 | RIGHTS.PATH_RENAME_TARGET }), [0, 0, 0]);
  const { stdout: _, ...files } = await contents(at.store);
  t.same(files, { '/e/b': '/d/b', '/d/keep': '/d/c' });
});

void t.test('streams', async (t) => {
  const at = await place(t);
  await put(at.store, 'stdin', 'asked');
  const echo = script([reads(0), passes(1), says(2, 'a word')]);
  await run(at, echo, policyWith({ stdin: 'r', stdout: 'w', stderr: 'w' }));
  t.match(String(await get(at.store, 'stdout')), /^asked/);
  t.equal(String(await get(at.store, 'stderr')), 'a word');

  await run(at, command('nop'), policyWith({ stdin: 'r', stdout: 'w', stderr: 'w' }));
  t.match(String(await get(at.store, 'stdout')), /^asked/, 'who says nothing replaces nothing');
  await run(at, script([says(1, 'again')]), policyWith({ stdout: 'w' }));
  t.match(String(await get(at.store, 'stdout')), /^again/, 'each run that says something replaces it');
  t.equal(String(await get(at.store, 'stderr')), 'a word');

  const denied = script([reads(0), says(2, 'x'), says(0, 'x')]);
  await run(at, denied, policyWith({ stdout: 'w', '/': 'rw' }));
  t.same(answersOf(await get(at.store, 'stdout')), [SUCCESS, ACCES, ACCES]);
  t.equal(String(await get(at.store, 'stderr')), 'a word');
  await run(at, echo, policyWith({ '/': 'rw' }));
  t.same(answersOf(await get(at.store, 'stdout')), [SUCCESS, ACCES, ACCES], 'no right, nothing said');
});

void t.test('the clock', async (t) => {
  const at = await place(t);
  const steps: Step[] = [
    ['clock_time_get', 0, 0n, ROOM],
    ['clock_res_get', 1, ROOM],
    ['random_get', ROOM, 16],
  ];
  for (const enabled of [false, true]) {
    const errno = enabled ? SUCCESS : ACCES;
    const got = await answers(at, steps, {}, (policy) => {
      policy.enable_clock = enabled;
    });
    t.same(got, [errno, errno, SUCCESS]);
  }
});

void t.test('the machine is out of reach', async (t) => {
  const at = await place(t);
  const paths = [
    '/etc/passwd',
    '../../../../etc/passwd',
    '../program',
    '../streams/stdin',
    'etc/passwd',
    'proc/self/environ',
    '../../store/files',
  ];
  const got = await answers(
    at,
    paths.map((path) => opens(path, 'read')),
    { '/': RIGHTS.PATH_OPEN | RIGHTS.FD_READ | RIGHTS.FD_READDIR },
  );
  t.same(got, [NOTCAPABLE, NOTCAPABLE, NOTCAPABLE, NOTCAPABLE, NOENT, NOENT, NOTCAPABLE]);
  const links: Step[] = [
    ['path_symlink', '/etc/passwd', 3, 'link'],
    ['path_link', 3, 0, PROGRAM.slice(1), 3, 'link'],
    ['sock_accept', 3, 0, ROOM],
    ['proc_raise', 9],
  ];
  t.same(await answers(at, links, { '/': 2 ** 29 - 1 }), [52, 52, ERRNO.NOTSOCK, 52]);
  const environment: Step[] = [
    ['environ_sizes_get', 8192, 8196],
    ['fd_write', 1, 128, 1, ROOM],
  ];
  await run(at, script(environment), policyWith({ stdout: 'w' }));
  checkGone(t, at);
});

void t.test('arguments and environment of the policy, in order, and of no other program', async (t) => {
  const at = await place(t);
  // The texts, which stand one behind the other from 16,384 on, as `args_get` and `environ_get` have put them.
  const tell: Step[] = [
    ['args_sizes_get', 8192, 8196],
    ['args_get', 12_288, 16_384],
    ['environ_sizes_get', 8200, 8204],
    ['environ_get', 12_544, 16_640],
    ['fd_write', 1, { vector: '' }, ROOM],
  ];
  const program = script(
    tell,
    '(i32.store (i32.const 0) (i32.const 16384)) (i32.store (i32.const 4) (i32.const 512)) (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))',
  );
  const told = async (change: (policy: any) => void) => {
    await run(at, program, policyWith({ stdout: 'w' }, change));
    const bytes = (await get(at.store, 'stdout')).subarray(4 * tell.length);
    const texts = (from: number) =>
      String(bytes.subarray(from, from + 256))
        .replace(/\0+$/, '')
        .split('\0');
    return [texts(0), texts(256)];
  };
  const given = {
    arguments: ['-v', '', 'zwei Wörter'],
    environment: [
      { name: 'LANG', value: 'C' },
      { name: 'EMPTY', value: '' },
    ],
  };
  t.same(await told((policy) => Object.assign(policy.programs[0], given)), [
    [PROGRAM, '-v', '', 'zwei Wörter'],
    ['LANG=C', 'EMPTY='],
  ]);
  t.same(
    await told((policy) => policy.programs.push({ ...policy.programs[0], ...given, program_file_name: '/program/other.wasm', id: 1 })),
    [[PROGRAM], ['']],
  );
});

// ── What cannot be run ───────────────────────────────────────────────────────────────────────────────────────────────

void t.test('programs that are none', async (t) => {
  const at = await place(t, { maxMemoryMib: 16 });
  const own = '(memory (export "memory") 1) (func (export "_start"))';
  const bad: [Buffer, RegExp, object][] = [
    [Buffer.alloc(0), /is no WebAssembly/, { offset: 0 }],
    [Buffer.from('#!/bin/sh\necho'), /is no WebAssembly: it cannot be compiled at byte 0/, { offset: 0 }],
    [command('nop').subarray(0, 20), /is no WebAssembly/, {}],
    [Buffer.concat([command('nop'), Buffer.from([5])]), /is no WebAssembly/, {}],
    [assemble(`(module (import "env" "f" (func)) ${own})`), /imports 1 things/, { got: 1 }],
    [assemble(`(module (import "wasi_snapshot_preview1" "thread_spawn" (func (param i32) (result i32))) ${own})`), /imports 1 things/, {}],
    [assemble(`(module (import "wasi_unstable" "fd_write" (func)) ${own})`), /imports 1 things/, {}],
    [assemble('(module (import "env" "memory" (memory 1)) (export "memory" (memory 0)) (func (export "_start")))'), /imports 1 things/, {}],
    [assemble(`(module (import "wasi_snapshot_preview1" "fd_write" (global i32)) ${own})`), /imports 1 things/, {}],
    [assemble(`(module (import "wasi_snapshot_preview1" "constructor" (func)) ${own})`), /imports 1 things/, {}],
    [assemble('(module (func (export "_start")))'), /is no command of WASI/, {}],
    [assemble('(module (memory (export "memory") 1))'), /is no command of WASI/, {}],
    [assemble(`(module ${own} (func (export "_initialize")))`), /is no command of WASI/, {}],
    [assemble(`(module ${own} (memory 1))`), /other memories/, { got: 2 }],
    [assemble('(module (memory (export "memory") i64 1) (func (export "_start")))'), /other memories/, {}],
    [assemble('(module (memory (export "memory") 1 2 shared) (func (export "_start")))'), /other memories/, {}],
    [command('nop', '', 257), /begins with 16.0625 MiB of memory, the limit is 16 MiB/, { got: 16.0625, limit: 16 }],
  ];
  for (const [program, message, figures] of bad) {
    await t.rejects(run(at, program, policyWith({})), { code: 'ERR_VC_COMPUTE', layer: 'compute', message, ...figures }, String(message));
  }
  t.equal(await run(at, command('nop', '', 256), policyWith({})), 0, 'at the limit');
  checkGone(t, at);
});

void t.test('messages hold nothing of the program', async (t) => {
  const at = await place(t);
  for (const program of [
    Buffer.from('SECRET program'),
    assemble('(module (import "SECRET" "SECRET" (func)))'),
    assemble('(module (func (export "SECRET")))'),
  ]) {
    const error = await run(at, program, policyWith({})).catch((thrown: Error) => thrown);
    t.ok(error instanceof Error);
    t.notMatch(JSON.stringify({ ...(error as Error), message: (error as Error).message, cause: String((error as Error).cause) }), /SECRET/);
  }
});

void t.test('traps', async (t) => {
  const at = await place(t);
  const traps: [string, RegExp][] = [
    ['unreachable', /trapped: unreachable/],
    ['(drop (i32.load (i32.const -1)))', /trapped: memory access out of bounds/],
    ['(drop (i32.div_u (i32.const 1) (i32.const 0)))', /trapped: divide by zero/],
    ['(call_indirect (i32.const 9))', /trapped: table index is out of bounds/],
    ['(call $again)', /trapped: its calls are nested too deep/],
  ];
  for (const [body, message] of traps) {
    const program = command(
      `(drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 3) (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 8))) ${body}`,
      '(table 1 funcref) (data (i32.const 100) "d/f") (func $again (call $again))',
    );
    await t.rejects(run(at, program, policyWith({ '/d': 'rw' })), { code: 'ERR_VC_COMPUTE', message }, body);
    t.same(await contents(at.store), {}, 'and leaves nothing');
  }
  await t.rejects(run(at, assemble('(module (tag $e) (memory (export "memory") 1) (func (export "_start") (throw $e)))'), policyWith({})), {
    code: 'ERR_VC_COMPUTE',
    message: /ended by an exception/,
  });
  const early = assemble(
    '(module (import "wasi_snapshot_preview1" "sched_yield" (func $y (result i32))) (memory (export "memory") 1) (func $f (drop (call $y))) (start $f) (func (export "_start")))',
  );
  await t.rejects(run(at, early, policyWith({})), { code: 'ERR_VC_COMPUTE' }, 'calls before the program is there');
  checkGone(t, at);
});

void t.test('a program that is not there', async (t) => {
  const at = await place(t);
  const computation = {
    program: '/none',
    principal: { kind: 'program', path: '/none' } as const,
    policy: policyWith({}),
    store: at.store,
    signal: new AbortController().signal,
  };
  await t.rejects(at.engine.run(computation), { code: 'ERR_VC_NOT_READY', got: '/none' });
  checkGone(t, at);
});

// ── Pins, and all or nothing ─────────────────────────────────────────────────────────────────────────────────────────

void t.test('what a pin forbids is not brought into the store, nor anything else of the run', async (t) => {
  const at = await place(t);
  const pin = (policy: any) => {
    policy.file_hashes = [{ file_path: '/out/b', hash: sha256('right') }];
  };
  await put(at.store, '/out/c', 'old');
  const steps = (text: string): Step[] =>
    ['a', 'b', 'c'].flatMap((name, i): Step[] => [opens(`out/${name}`, 'write'), says({ fd: 2 * i }, name === 'b' ? text : 'new')]);
  const more = { '/out': 550_470 | RIGHTS.PATH_UNLINK_FILE };
  const attempt = answers(at, [...steps('wrong'), ['path_unlink_file', 3, 'out/c']], more, pin);
  await t.rejects(attempt, { code: 'ERR_VC_ACCESS_DENIED', layer: 'compute', got: '/out/b', expected: sha256('right') });
  t.same(await contents(at.store), { '/out/c': 'old' });
  t.same(readdirSync(`${at.scratch}/../store/pending`), []);
  t.same(await answers(at, steps('right'), more, pin), [0, 0, 0, 0, 0, 0]);
  t.match(await contents(at.store), { '/out/a': 'new', '/out/b': 'right', '/out/c': 'new' });
  checkGone(t, at);
});

void t.test('what is pinned is looked at again before it is used', async (t) => {
  const at = await place(t);
  await put(at.store, '/in/f', 'other');
  const pinned = (path: string, bytes: Buffer | string) =>
    policyWith({ '/in': 'r' }, (policy) => {
      policy.file_hashes = [{ file_path: path, hash: sha256(bytes) }];
    });
  const program = command('nop');
  await t.rejects(run(at, program, pinned('/in/f', 'right')), { code: 'ERR_VC_ACCESS_DENIED', got: '/in/f' });
  await t.rejects(run(at, program, pinned(PROGRAM, 'right')), { code: 'ERR_VC_ACCESS_DENIED', got: PROGRAM });
  t.equal(await run(at, program, pinned('/in/f', 'other')), 0);
  t.equal(await run(at, program, pinned(PROGRAM, program)), 0);
});

void t.test('when the store refuses one file, it has none of them', async (t) => {
  const at = await place(t);
  const small = await DirectoryStore.open(freshFolder(t), { sync: 'none', maxFiles: 3 });
  t.teardown(() => small.close());
  const steps = ['a', 'b', 'c'].map((name) => opens(`out/${name}`, 'write'));
  await t.rejects(run({ ...at, store: small }, script(steps), policyWith({ '/out': 'w' })), { code: 'ERR_VC_LIMIT', limit: 3 });
  t.same(await contents(small), {});
  t.equal(small.usage.files, 1);
  checkGone(t, at);
});

void t.test('a store that fails in any of its calls', async (t) => {
  const at = await place(t);
  await put(at.store, '/in/f', 'x');
  const program = script([opens('out/a', 'write'), says({ fd: 0 }, 'x'), ['path_unlink_file', 3, 'in/f']]);
  const policy = policyWith({ '/in': 2 ** 29 - 1, '/out': 'w' });
  const broken = new Error('the disk is gone');
  const failing: Record<string, Partial<FileStore>> = {
    list: { list: () => Readable.from([]).destroy(broken) },
    read: { read: () => Promise.reject(broken) },
    stat: { stat: () => Promise.reject(broken) },
    write: {
      write: () => {
        throw broken;
      },
    },
    remove: { remove: () => Promise.reject(broken) },
  };
  for (const [call, own] of Object.entries(failing)) {
    const store = new Proxy(at.store, {
      get: (target, key) => (key in own ? own[key as keyof FileStore] : (Reflect.get(target, key) as () => void).bind?.(target)),
    });
    await put(at.store, PROGRAM, program);
    const computation = {
      program: PROGRAM,
      principal: { kind: 'program', path: PROGRAM } as const,
      policy,
      store,
      signal: new AbortController().signal,
    };
    // When the last call fails, what the program wrote is there already.
    const code = call === 'remove' ? 'ERR_VC_OUTCOME_UNKNOWN' : 'ERR_VC_COMPUTE';
    await t.rejects(at.engine.run(computation), { code, cause: broken }, call);
    if (call !== 'remove') t.notOk('/out/a' in (await contents(at.store)), `${call}: nothing is left`);
    checkGone(t, at);
  }
});

void t.test('a file where a directory must be', async (t) => {
  const at = await place(t);
  await put(at.store, '/in/a', 'x');
  await put(at.store, '/in/a/b', 'x');
  await t.rejects(run(at, command('nop'), policyWith({ '/in': 'r' })), { code: 'ERR_VC_COMPUTE', message: /program's world/ });
  t.equal(await run(at, command('nop'), policyWith({ '/in': 'w' })), 0, 'files that it may not read do not matter');
  checkGone(t, at);
});

void t.test(
  'a file whose path is too long for the system is not there, and hinders nothing',
  { skip: process.platform === 'linux' ? false : 'paths are shorter elsewhere' },
  async (t) => {
    const at = await place(t);
    const long = `/in/${Array.from({ length: 16 }, () => 'x'.repeat(254)).join('/')}`;
    t.ok(Buffer.byteLength(long) <= MAX_FILE_NAME_BYTES);
    await put(at.store, long, 'long');
    await put(at.store, '/in/a', 'x');
    const read: Step = ['path_open', 3, 0, long.slice(1), 0, BigInt(RIGHTS.FD_READ), 0n, 0];
    t.same(await answers(at, [read, opens('in/a', 'read')], { '/in': 'rw', [long]: 'rw' }), [ERRNO.NAMETOOLONG, SUCCESS]);
    t.equal(String(await get(at.store, long)), 'long', 'it is not taken for removed');
    checkGone(t, at);
  },
);

// ── Limits ───────────────────────────────────────────────────────────────────────────────────────────────────────────

void t.test('bytes of a program: at the limit and one over', async (t) => {
  const program = command('nop');
  const at = await place(t, { maxProgramBytes: program.length });
  t.equal(await run(at, program, policyWith({})), 0);
  const less = await place(t, { maxProgramBytes: program.length - 1 });
  await t.rejects(run(less, program, policyWith({})), { code: 'ERR_VC_COMPUTE', got: program.length, limit: program.length - 1 });
});

void t.test('a full disk', async (t) => {
  const at = await place(t, { maxOutputBytes: 1000, maxOutputFiles: 2 });
  const steps: Step[] = [
    opens('out/a', 'write'),
    says({ fd: 0 }, 'x'.repeat(900)),
    says({ fd: 0 }, 'x'.repeat(101)),
    opens('out/b', 'write'),
    opens('out/c', 'write'),
  ];
  t.same(await answers(at, steps, { '/out': 'w' }), [SUCCESS, SUCCESS, NOSPC, SUCCESS, NOSPC]);
  const { stdout: _, ...files } = await contents(at.store);
  t.same(files, { '/out/a': 'x'.repeat(900), '/out/b': '' }, 'what the program does about it is its own affair');
});

void t.test('files that may be changed: at the limit and one over', async (t) => {
  const at = await place(t, { maxOutputFiles: 2 });
  const names = ['a', 'b', 'c'];
  for (const name of names) await put(at.store, `/d/${name}`, 'old');
  const changes = (count: number) => names.slice(0, count).map((name) => opens(`d/${name}`, 'write'));
  await t.rejects(answers(at, changes(3), { '/d': 'rw' }), { code: 'ERR_VC_COMPUTE', got: 3, limit: 2 });
  t.same(await contents(at.store), { '/d/a': 'old', '/d/b': 'old', '/d/c': 'old' });
  t.same(await answers(at, changes(2), { '/d': 'rw' }), [SUCCESS, SUCCESS]);
  t.match(await contents(at.store), { '/d/a': '', '/d/b': '', '/d/c': 'old' });
});

void t.test('options out of range', async (t) => {
  const bad = [
    { maxMemoryMib: 0 },
    { maxMemoryMib: 4097 },
    { timeLimitMs: 0 },
    { timeLimitMs: 2 ** 31 },
    { maxConcurrent: 0 },
    { maxConcurrentPerPrincipal: 0 },
    { maxWaiting: -1 },
    { maxWaitingPerPrincipal: 1.5 },
    { maxProgramBytes: 0 },
    { maxOutputBytes: -1 },
    { maxOutputFiles: -1 },
    { maxOutputFiles: 65_537 },
    { maxLastWordsBytes: -1 },
    { sandbox: 'firejail' as 'none' },
    { maxHeapMib: 15 },
    { maxStackMib: 0 },
    { maxStackMib: 257 },
    { niceness: -1 },
    { niceness: 20 },
    { scratch: '' },
    { scratch: 'a\0b' },
    { timeLimitMs: 1.5 },
  ];
  for (const options of bad) t.throws(() => new WasiEngine(options), { code: 'ERR_VC_INVALID_OPTION' }, JSON.stringify(options));
  t.ok(Object.isFrozen(WASI_ENGINE_DEFAULTS));
  const nowhere = new WasiEngine({ scratch: '/nowhere' });
  const { store } = await place(t);
  await t.rejects(run({ store, engine: nowhere, scratch: '' }, command('nop'), policyWith({})), { code: 'ERR_VC_COMPUTE', got: 'ENOENT' });
});

void t.test('large files go through', async (t) => {
  const at = await place(t);
  const bytes = noise(40_000_000);
  await put(at.store, '/in/large', bytes);
  const copy = command(
    `(drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 8) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 8)))
     (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 110) (i32.const 3) (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 12)))
     (loop $more
       (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.const 1048576))
       (drop (call $fd_read (i32.load (i32.const 8)) (i32.const 0) (i32.const 1) (i32.const 4)))
       (drop (call $fd_write (i32.load (i32.const 12)) (i32.const 0) (i32.const 1) (i32.const 16)))
       (br_if $more (i32.load (i32.const 4))))`,
    '(data (i32.const 100) "in/large") (data (i32.const 110) "out")',
    18,
  );
  t.equal(await run(at, copy, policyWith({ '/in': 'r', '/': 'rw' })), 0);
  t.equal(sha256(await get(at.store, '/out')), sha256(bytes));
  checkGone(t, at);
});

/** Programs in WebAssembly text, and a store, a policy and an engine to run them with. */
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import loadWabt from 'wabt';
import { OFLAG, type Preview1, RIGHT } from '../../lib/enclave/compute/child/preview1.js';
import type { Computation } from '../../lib/enclave/compute/engine.js';
import { WasiEngine, type WasiEngineOptions } from '../../lib/enclave/compute/index.js';
import { type Policy, type Principal, parseRights, readPolicy } from '../../lib/enclave/policy/index.js';
import { DirectoryStore, type FileStore } from '../../lib/enclave/store/file-store.js';
import { changed } from './policy-support.js';
import { get, put } from './store-support.js';

// tap gives its own environment and loader to every process that is started. That of a program has none, and its fence
// keeps the loader out, so that it would not start.
const spawning = (globalThis as any)[Symbol.for('process-on-spawn@*:singletonId')];
if (spawning !== undefined) spawning.listeners = [];

const wabt = await loadWabt();

/** What wabt calls a few things, its types do not know yet. */
const FEATURES = { multi_memory: true, memory64: true, threads: true, exceptions: true } as object;

/** Assembles a module. */
export function assemble(text: string): Buffer {
  const module = wabt.parseWat('test.wat', text, FEATURES);
  try {
    return Buffer.from(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}

/** A module that exports a memory and `_start`. */
export const command = (start: string, more = '', pages = 2): Buffer =>
  assemble(`(module ${imports(`${start}${more}`)} (memory (export "memory") ${pages}) ${more} (func (export "_start") ${start}))`);

/** Calls and the types of what they take: I is i64, the others are i32. */
export const SIGNATURES: Readonly<Record<keyof Preview1, string>> = {
  args_get: 'ii',
  args_sizes_get: 'ii',
  environ_get: 'ii',
  environ_sizes_get: 'ii',
  clock_res_get: 'ii',
  clock_time_get: 'iIi',
  fd_advise: 'iIIi',
  fd_allocate: 'iII',
  fd_close: 'i',
  fd_datasync: 'i',
  fd_fdstat_get: 'ii',
  fd_fdstat_set_flags: 'ii',
  fd_fdstat_set_rights: 'iII',
  fd_filestat_get: 'ii',
  fd_filestat_set_size: 'iI',
  fd_filestat_set_times: 'iIIi',
  fd_pread: 'iiiIi',
  fd_prestat_get: 'ii',
  fd_prestat_dir_name: 'iii',
  fd_pwrite: 'iiiIi',
  fd_read: 'iiii',
  fd_readdir: 'iiiIi',
  fd_renumber: 'ii',
  fd_seek: 'iIii',
  fd_sync: 'i',
  fd_tell: 'ii',
  fd_write: 'iiii',
  path_create_directory: 'iii',
  path_filestat_get: 'iiiii',
  path_filestat_set_times: 'iiiiIIi',
  path_link: 'iiiiiii',
  path_open: 'iiiiiIIii',
  path_readlink: 'iiiiii',
  path_remove_directory: 'iii',
  path_rename: 'iiiiii',
  path_symlink: 'iiiii',
  path_unlink_file: 'iii',
  poll_oneoff: 'iiii',
  proc_exit: 'i',
  proc_raise: 'i',
  random_get: 'ii',
  sched_yield: '',
  sock_accept: 'iii',
  sock_recv: 'iiiiii',
  sock_send: 'iiiii',
  sock_shutdown: 'ii',
};
export const CALL_NAMES = Object.keys(SIGNATURES) as (keyof Preview1)[];

/** Imports of the calls that `text` mentions. */
function imports(text: string): string {
  return CALL_NAMES.filter((name) => text.includes(`$${name}`))
    .map((name) => {
      const types = [...SIGNATURES[name]].map((letter) => (letter === 'I' ? 'i64' : 'i32'));
      const result = name === 'proc_exit' ? '' : '(result i32)';
      return `(import "wasi_snapshot_preview1" "${name}" (func $${name} (param ${types.join(' ')}) ${result}))`;
    })
    .join('\n');
}

/** A text stands for a pointer and a length, `{ vector }` for a pointer to a vector of one such piece, and 1. */
type Argument = number | bigint | string | { readonly fd: number } | { readonly vector: string };
/** A call, and what it is given. `{ fd: i }` is the descriptor that step `i` opened. */
export type Step = readonly [call: keyof Preview1, ...given: Argument[]];

const TEXTS_AT = 4096;
const RESULTS_AT = 32_768;
const OPENED_AT = 36_864;
/** Where a script has room for what calls answer. */
export const ROOM = 40_960;
/** A vector of 8,192 bytes to read into, and one of what was read. */
const IN_AT = 64;
const OUT_AT = 72;
/** 49,152, as the data of a script has it. */
const BUFFER_AT = '\\00\\c0\\00\\00';

/** Opens a file below the root, to read or to write it anew. */
export const opens = (path: string, how: 'read' | 'write' | 'append'): Step =>
  how === 'read'
    ? ['path_open', 3, 0, path, 0, BigInt(RIGHT.FD_READ), 0n, 0]
    : [
        'path_open',
        3,
        0,
        path,
        how === 'write' ? OFLAG.CREAT | OFLAG.TRUNC : OFLAG.CREAT,
        BigInt(RIGHT.FD_WRITE),
        0n,
        how === 'append' ? 1 : 0,
      ];
export const says = (fd: number | { fd: number }, text: string): Step => ['fd_write', fd, { vector: text }, ROOM];
/** Reads up to 8,192 bytes, and writes what was read last. */
export const reads = (fd: number | { fd: number }): Step => ['fd_read', fd, IN_AT, 1, OUT_AT + 4];
export const passes = (fd: number | { fd: number }): Step => ['fd_write', fd, OUT_AT, 1, ROOM];

/**
 * A program that makes calls, one after the other, and then writes what each of them answered to `stdout`, a u32 each:
 * `answersOf` reads them. `path_open` needs no pointer for what it opens: that is kept for `{ fd }`.
 */
export function script(steps: readonly Step[], end = ''): Buffer {
  const data: string[] = [];
  let at = TEXTS_AT;
  const place = (bytes: Buffer): number => {
    data.push(`(data (i32.const ${at}) "${[...bytes].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')}")`);
    const start = at;
    at += (bytes.length + 15) & ~7;
    return start;
  };
  const words = (...values: number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer);
  data.push(`(data (i32.const ${IN_AT}) "${BUFFER_AT}\\00\\20\\00\\00${BUFFER_AT}")`);
  const expression = (value: Argument): string => {
    if (typeof value === 'bigint') return `(i64.const ${value})`;
    if (typeof value === 'number') return `(i32.const ${value})`;
    if (typeof value === 'string') return `(i32.const ${place(Buffer.from(value))}) (i32.const ${Buffer.byteLength(value)})`;
    if ('fd' in value) return `(i32.load (i32.const ${OPENED_AT + 4 * value.fd}))`;
    return `(i32.const ${place(words(place(Buffer.from(value.vector)), Buffer.byteLength(value.vector)))}) (i32.const 1)`;
  };
  const lines = steps.map(([call, ...given], i) => {
    const all = call === 'path_open' ? [...given, OPENED_AT + 4 * i] : given;
    return `(i32.store (i32.const ${RESULTS_AT + 4 * i}) (call $${call} ${all.map(expression).join(' ')}))`;
  });
  const tell = `
    (i32.store (i32.const 0) (i32.const ${RESULTS_AT})) (i32.store (i32.const 4) (i32.const ${4 * steps.length}))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))`;
  return command(`${lines.join('\n')}\n${tell}\n${end}`, data.join('\n'));
}

export function answersOf(stdout: Buffer): number[] {
  return Array.from({ length: stdout.length / 4 }, (_, i) => stdout.readUInt32LE(4 * i));
}

/** Rights as `name: 'rw'`, or as the number itself. */
export type Rights = Readonly<Record<string, string | number>>;

export const PROGRAM = '/program/test.wasm';
const SELF: Principal = { kind: 'program', path: PROGRAM };

export function fileRights(rights: Rights) {
  return Object.entries(rights).map(([file_name, value]) => ({
    file_name,
    rights: typeof value === 'number' ? value : parseRights(value),
  }));
}

/** A policy in which the program has these rights; `change` may change more of it. */
export function policyWith(rights: Rights, change: (policy: any) => void = () => {}): Policy {
  return readPolicy(
    changed((policy) => {
      policy.programs = [{ program_file_name: PROGRAM, id: 0, file_rights: fileRights(rights) }];
      policy.file_hashes = [];
      policy.pipelines = [];
      change(policy);
    }),
  );
}

/** Everything that a run needs, gone with the test. */
export interface Place {
  readonly store: DirectoryStore;
  readonly engine: WasiEngine;
  /** Where the engine has its runs; empty when none is running. */
  readonly scratch: string;
}

export async function place(t: Pick<Test, 'teardown'>, options: WasiEngineOptions = {}): Promise<Place> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'vc-compute-')));
  const scratch = mkdtempSync(join(folder, 'scratch-'));
  const store = await DirectoryStore.open(join(folder, 'store'), { sync: 'none' });
  const engine = new WasiEngine({ scratch, ...options });
  t.teardown(async () => {
    await engine.close();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { store, engine, scratch };
}

/** Puts the program into the store and runs it. */
export async function run({ store, engine }: Place, program: Buffer, policy: Policy, more: Partial<Computation> = {}): Promise<number> {
  await put(store, more.program ?? PROGRAM, program);
  return engine.run({ program: PROGRAM, principal: SELF, policy, store, signal: new AbortController().signal, ...more });
}

/** Runs a script that may write to `stdout`; gives what its calls answered. */
export async function answers(at: Place, steps: readonly Step[], rights: Rights, change?: (policy: any) => void): Promise<number[]> {
  await run(at, script(steps), policyWith({ stdout: 'w', ...rights }, change));
  return answersOf(await get(at.store, 'stdout'));
}

/** Every file of the store but the program, as text. */
export async function contents(store: FileStore): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const { name } of store.list()) if (name !== PROGRAM) files[name] = String(await get(store, name));
  return files;
}

/** A process as `/proc` has it. */
interface Running {
  readonly pid: number;
  readonly parent: number;
  readonly command: readonly string[];
}

function processes(): Running[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
        return state === 'Z' ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
      } catch {
        return [];
      }
    });
}

/** Processes that this one started to run programs, each with those below it, the guardian first: `[[pid, …], …]`. */
export function programFamilies(parent = process.pid): number[][] {
  const all = processes();
  const below = (pid: number): number[] => [pid, ...all.filter((one) => one.parent === pid).flatMap((one) => below(one.pid))];
  return all.filter((one) => one.parent === parent && one.command[3] === 'guardian').map(({ pid }) => below(pid));
}

/** Processes that run programs for this one, as `[pid, …]`: those of Node. */
export function programProcesses(parent = process.pid): number[] {
  const all = new Map(processes().map((one) => [one.pid, one]));
  const isNode = (pid: number) => /(^|\/)node$/.test(all.get(pid)?.command[0] ?? '');
  return programFamilies(parent)
    .flat()
    .filter((pid) => isNode(pid));
}

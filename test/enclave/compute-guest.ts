/** The calls without a process: a memory and a world in a folder, as a program has them. */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Budget } from '../../lib/enclave/compute/child/budget.js';
import { callsOf } from '../../lib/enclave/compute/child/calls.js';
import type { Descriptors } from '../../lib/enclave/compute/child/descriptors.js';
import { GuestMemory, type Memory } from '../../lib/enclave/compute/child/guest-memory.js';
import type { Preview1 } from '../../lib/enclave/compute/child/preview1.js';
import { type RightsList, RightsTable } from '../../lib/enclave/compute/child/rights-table.js';
import { openAtStart } from '../../lib/enclave/compute/child/run-program.js';
import { Instance, Module } from '../../lib/enclave/compute/child/webassembly.js';
import { assemble } from './compute-support.js';

const MODULE = new Module(assemble('(module (memory (export "memory") 2) (func (export "_start")))'));

/** Where `Guest` puts texts and vectors, and where calls may answer. */
const TEXT_AT = 1024;
const VECTOR_AT = 60_000;
export const ANSWER_AT = 64_000;
const OPENED_AT = 63_000;

export interface GuestOptions {
  rights: RightsList;
  files?: Readonly<Record<string, string>>;
  directories?: readonly string[];
  clock?: boolean;
  maxBytes?: number;
  maxFiles?: number;
}

export class Guest {
  readonly folder: string;
  readonly world: string;
  readonly calls: Preview1;
  readonly memory: Buffer;
  readonly #opened: Descriptors;

  constructor({ rights, files = {}, directories = [], clock = false, maxBytes = 1_000_000, maxFiles = 100 }: GuestOptions) {
    this.folder = mkdtempSync(join(tmpdir(), 'vc-guest-'));
    this.world = join(this.folder, 'world');
    mkdirSync(this.world);
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.world, name)), { recursive: true });
      writeFileSync(join(this.world, name), content);
      utimesSync(join(this.world, name), 0, 0);
    }
    for (const name of directories) mkdirSync(join(this.world, name), { recursive: true });
    const stream = (name: string) => join(this.folder, name);
    const streams = { stdin: stream('stdin'), stdout: stream('stdout'), stderr: stream('stderr') };
    writeFileSync(streams.stdin, '');
    const instance = new Instance(MODULE, {});
    const memory = new GuestMemory();
    memory.attach(instance.exports.memory as Memory);
    this.memory = Buffer.from((instance.exports.memory as Memory).buffer);
    const table = new RightsTable(rights);
    this.#opened = openAtStart(table, { streams, directories });
    this.calls = callsOf({
      memory,
      rights: table,
      descriptors: this.#opened,
      budget: new Budget(maxBytes, maxFiles),
      args: ['/program/test.wasm'],
      environment: ['LANG=C'],
      world: this.world,
      maxNameBytes: 4000,
      clock,
    });
  }

  /** A pointer to the text, and its length. */
  text(text: string | Buffer, at = TEXT_AT): [number, number] {
    const bytes = Buffer.from(text as string);
    bytes.copy(this.memory, at);
    return [at, bytes.length];
  }

  /** A pointer to a vector of one piece of `bytes` at `at`, and 1. */
  vector(bytes: number, at = ANSWER_AT): [number, number] {
    this.memory.writeUInt32LE(at, VECTOR_AT);
    this.memory.writeUInt32LE(bytes, VECTOR_AT + 4);
    return [VECTOR_AT, 1];
  }

  /** Opens below the root; the descriptor, or the error as a negative number. */
  open(path: string, rights: number | bigint, oflags = 0, fdflags = 0, fd = 3): number {
    const errno = this.calls.path_open(fd, 0, ...this.text(path), oflags, BigInt(rights), 0n, fdflags, OPENED_AT);
    return errno === 0 ? this.memory.readUInt32LE(OPENED_AT) : -errno;
  }

  write(fd: number, text: string): number {
    this.text(text, ANSWER_AT + 100);
    return this.calls.fd_write(fd, ...this.vector(Buffer.byteLength(text), ANSWER_AT + 100), ANSWER_AT);
  }

  /** What is read; the error as a number. */
  read(fd: number, bytes = 100): string | number {
    const errno = this.calls.fd_read(fd, ...this.vector(bytes, ANSWER_AT + 100), ANSWER_AT);
    return errno || this.memory.toString('utf8', ANSWER_AT + 100, ANSWER_AT + 100 + this.memory.readUInt32LE(ANSWER_AT));
  }

  /** Names in an open directory; the error as a number. */
  list(fd: number): string[] | number {
    const at = 70_000;
    const errno = this.calls.fd_readdir(fd, at, 30_000, 0n, ANSWER_AT);
    if (errno !== 0) return errno;
    const names: string[] = [];
    for (let i = at; i < at + this.memory.readUInt32LE(ANSWER_AT); ) {
      const length = this.memory.readUInt32LE(i + 16);
      names.push(this.memory.toString('utf8', i + 24, i + 24 + length));
      i += 24 + length;
    }
    return names.filter((name) => !/^\.\.?$/.test(name)).sort();
  }

  remove(): void {
    this.#opened.closeAll();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A guest that is gone after `work`. */
export function withGuest<T>(options: GuestOptions, work: (guest: Guest) => T): T {
  const guest = new Guest(options);
  try {
    return work(guest);
  } finally {
    guest.remove();
  }
}

import { closeSync } from 'node:fs';

interface Opened {
  /** Normal name that it was opened by; when a directory is renamed, that of what is in it follows. */
  name: string;
  /** Flags of WASI. The one that counts is FDFLAG_APPEND: writes go to the end, wherever the position is. */
  flags: number;
}

/** A file or a stream that a program has open. */
export interface OpenFile extends Opened {
  readonly kind: 'file' | 'stdin' | 'stdout' | 'stderr';
  /** What may be done with it; settled when it was opened. */
  rights: number;
  /** What the program has given up of them. */
  givenUp: number;
  /** The number that the system has for it. */
  readonly fd: number;
  /** Bytes from its start to where the next read or write is. The system's own position is not used. */
  position: number;
}

/** An entry of a directory. */
export interface Entry {
  readonly name: string;
  readonly isDirectory: boolean;
}

/** A directory that a program has open. Its rights are those of the policy on its name, looked up when they are needed. */
export interface OpenDirectory extends Opened {
  readonly kind: 'directory';
  /** It was open when the program began. */
  readonly preopened: boolean;
  /** What the program has not given up of its rights on it, and of those on what it opens below it. */
  base: number;
  inheriting: number;
  /** Its entries when the program began to list it. */
  listing: readonly Entry[];
}

/** What a program has open under a number. */
export type Descriptor = OpenFile | OpenDirectory;

/** Descriptors by their numbers. */
export class Descriptors {
  readonly #open = new Map<number, Descriptor>();

  constructor(open: readonly Descriptor[]) {
    for (const one of open) this.add(one);
  }

  /** A program's numbers are unsigned; WebAssembly hands the large ones over as negative. */
  get(number: number): Descriptor | undefined {
    return this.#open.get(number >>> 0);
  }

  /** Opens it under the lowest number that is free, and returns that. */
  add(descriptor: Descriptor): number {
    let number = 0;
    while (this.#open.has(number)) number++;
    this.#open.set(number, descriptor);
    return number;
  }

  /** Closes what is open there, if something is. */
  close(number: number): void {
    const open = this.get(number);
    this.#open.delete(number >>> 0);
    if (open !== undefined && open.kind !== 'directory') closeSync(open.fd);
  }

  /** A directory has another name now: so has what is open of it and below it. */
  renamed(from: string, to: string): void {
    for (const open of this.#open.values()) {
      if (open.kind !== 'directory' && open.kind !== 'file') continue;
      if (open.name === from || open.name.startsWith(`${from}/`)) open.name = to + open.name.slice(from.length);
    }
  }

  closeAll(): void {
    for (const number of [...this.#open.keys()]) this.close(number);
  }

  /** Closes what is open under `to`, and gives that number to what is open under `from`. */
  move(from: number, to: number): void {
    const moved = this.get(from);
    if (moved === undefined || from >>> 0 === to >>> 0) return;
    this.close(to);
    this.#open.delete(from >>> 0);
    this.#open.set(to >>> 0, moved);
  }
}

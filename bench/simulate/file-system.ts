import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { VirtualClock } from './clock.js';
import type { Disk, FileNode, Node } from './disk.js';
import { systemError } from './line.js';

/** Paths below it are of simulated disks: `/simulated/<number of the disk>/…`. */
const ROOT = '/simulated';
/** Descriptors from here on are of simulated files. */
const FIRST_DESCRIPTOR = 2 ** 30;
const { O_CREAT, O_EXCL } = fs.constants;

type AnyFunction = (...parameters: any[]) => any;

/** A file that is open. It has the methods of Node's FileHandle that the store uses. */
class SimulatedHandle {
  readonly fd: number;
  readonly node: Node;
  readonly #system: FileSystem;
  readonly #disk: Disk;

  constructor(system: FileSystem, disk: Disk, node: Node, fd: number) {
    this.#system = system;
    this.#disk = disk;
    this.node = node;
    this.fd = fd;
  }

  read(buffer: Buffer, offset: number, length: number, position: number) {
    return this.#do('read', () => ({ buffer, bytesRead: this.#file.data.copy(buffer, offset, position, position + length) }));
  }

  writev(chunks: readonly Buffer[], position: number) {
    return this.#do('write', () => {
      const bytes = Buffer.concat(chunks);
      // A system may write less than it was given; the rest is then written by another call.
      const bytesWritten = bytes.length > 1 && this.#disk.random.oneIn(16) ? this.#disk.random.integer(1, bytes.length - 1) : bytes.length;
      this.#put(bytes.subarray(0, bytesWritten), position);
      return { bytesWritten };
    });
  }

  writeFile(text: string) {
    return this.#do('write', () => this.#put(Buffer.from(text), 0));
  }

  truncate(length: number) {
    return this.#do('truncate', () => {
      const longer = Buffer.alloc(length);
      this.#file.data.copy(longer);
      this.#file.data = longer;
    });
  }

  datasync() {
    return this.sync();
  }

  sync() {
    return this.#do('fsync', () => this.#disk.sync(this.node));
  }

  stat() {
    return this.#do('stat', () => statsOf(this.node, false));
  }

  async close(): Promise<void> {
    this.#system.handles.delete(this.fd);
  }

  get #file(): FileNode {
    return this.node as FileNode;
  }

  /** Bytes are never changed where they are: what is durable may be the same Buffer. */
  #put(bytes: Buffer, position: number): void {
    const file = this.#file;
    const next = Buffer.alloc(Math.max(file.data.length, position + bytes.length));
    file.data.copy(next);
    bytes.copy(next, position);
    file.data = next;
  }

  #do<T>(call: string, work: () => T): Promise<T> {
    return this.#system.run(this.#disk, call, work);
  }
}

/** `node:fs` for simulated disks: whatever the store asks of the system, each call taking its time. */
export class FileSystem {
  /** Files that are open, by their descriptors. */
  readonly handles = new Map<number, SimulatedHandle>();
  /** Operations that are under way. */
  pending = 0;
  readonly #clock: VirtualClock;
  readonly #disks = new Map<string, Disk>();
  #descriptor = FIRST_DESCRIPTOR;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** Puts a disk into the file system. @returns the path of its root */
  mount(disk: Disk): string {
    const path = `${ROOT}/${this.#disks.size}`;
    this.#disks.set(path.slice(ROOT.length + 1), disk);
    return path;
  }

  /** Descriptors of a disk that are open. */
  openOn(disk: Disk): number {
    let count = 0;
    for (const { node } of this.handles.values()) if (holds(disk.root, node)) count++;
    return count;
  }

  /** Takes the place of the real functions, for paths below `ROOT`. @returns puts those back */
  install(): () => void {
    const undo = [
      ...Object.entries(this.#promised()).map(([name, work]) => replace(fs.promises as never, name, work)),
      ...Object.entries(this.#direct()).map(([name, work]) => replace(fs as never, name, work)),
    ];
    syncBuiltinESMExports();
    return () => {
      for (const each of undo) each();
      syncBuiltinESMExports();
    };
  }

  /** Runs an operation after the time that it takes. */
  run<T>(disk: Disk, call: string, work: () => T): Promise<T> {
    this.pending++;
    const caller = new Error(call);
    return new Promise((resolve, reject) => {
      this.#clock.after(disk.random.next() * disk.slowMs, () => {
        this.pending--;
        try {
          disk.check(call);
          resolve(work());
        } catch (error) {
          // The stack of the call, as Node gives it, too.
          reject(Object.assign(error as Error, { stack: `${(error as Error).message}\n${caller.stack}` }));
        }
      });
    });
  }

  #promised(): Record<string, AnyFunction> {
    const at = <A extends unknown[], T>(call: string, work: (disk: Disk, path: string, ...rest: A) => T) => {
      return (whole: string, ...rest: A) => {
        const [disk, path] = this.#place(whole);
        return this.run(disk, call, () => work(disk, path, ...rest));
      };
    };
    return {
      open: at('open', (disk, path, flags: number) => this.#open(disk, path, flags)),
      link: at('link', (disk, path, to: string) => disk.link(path, this.#place(to)[1])),
      rename: at('rename', (disk, path, to: string) => disk.rename(path, this.#place(to)[1])),
      unlink: at('unlink', (disk, path) => disk.unlink(path)),
      lstat: at('stat', (disk, path) => statsOf(nodeAt(disk, path), false)),
      stat: at('stat', (disk, path) => statsOf(nodeAt(disk, path), false)),
      readdir: at('readdir', (disk, path) => namesAt(disk, path)),
      opendir: at('readdir', (disk, path) => entriesOf(namesAt(disk, path))),
      readFile: at('open', (disk, path) => disk.file(path).data.toString('utf8')),
      realpath: async (path: string) => path,
      mkdir: at('mkdir', (disk, path, { recursive = false }: { recursive?: boolean } = {}) => {
        if (!recursive || disk.find(path).node === undefined) disk.makeFolder(path);
      }),
      rm: at('unlink', (disk, path) => {
        if (disk.find(path).node !== undefined) disk.unlink(path);
      }),
      writeFile: at('open', (disk, path, text: string, { flag = 'w' }: { flag?: string } = {}) => {
        const there = flag === 'w' && disk.find(path).node !== undefined;
        (there ? disk.file(path) : disk.create(path)).data = Buffer.from(text);
      }),
    };
  }

  #direct(): Record<string, AnyFunction> {
    return {
      fstatSync: (fd: number, { bigint = false }: { bigint?: boolean } = {}) => {
        const handle = this.handles.get(fd);
        if (handle === undefined) throw systemError('EBADF', 'fstat');
        return statsOf(handle.node, bigint);
      },
      lstatSync: (whole: string, { bigint = false, throwIfNoEntry = true }: { bigint?: boolean; throwIfNoEntry?: boolean } = {}) => {
        const [disk, path] = this.#place(whole);
        const { node } = disk.find(path);
        if (node === undefined && !throwIfNoEntry) return undefined;
        return statsOf(nodeAt(disk, path), bigint);
      },
      existsSync: (whole: string) => {
        const [disk, path] = this.#place(whole);
        return disk.find(path).node !== undefined;
      },
    };
  }

  #open(disk: Disk, path: string, flags: number): SimulatedHandle {
    const { node } = disk.find(path);
    const create = (flags & O_CREAT) !== 0;
    if (node !== undefined && create && (flags & O_EXCL) !== 0) throw systemError('EEXIST', 'open');
    const opened = node ?? (create ? disk.create(path) : undefined);
    if (opened === undefined) throw systemError('ENOENT', 'open');
    const handle = new SimulatedHandle(this, disk, opened, this.#descriptor++);
    this.handles.set(handle.fd, handle);
    return handle;
  }

  #place(whole: string): [Disk, string] {
    const [, , id = '', ...rest] = whole.split('/');
    const disk = this.#disks.get(id);
    if (disk === undefined) throw systemError('ENOENT', 'lookup');
    return [disk, rest.join('/')];
  }
}

/** Puts a function in the place of another, for what is simulated. @returns puts that back */
function replace(owner: Record<string, AnyFunction>, name: string, work: AnyFunction): () => void {
  const real = owner[name] as AnyFunction;
  owner[name] = (...parameters: unknown[]) => {
    const [first] = parameters;
    const simulated = typeof first === 'number' ? first >= FIRST_DESCRIPTOR : typeof first === 'string' && first.startsWith(`${ROOT}/`);
    return simulated ? work(...parameters) : (real.apply(owner, parameters) as unknown);
  };
  return () => {
    owner[name] = real;
  };
}

function nodeAt(disk: Disk, path: string): Node {
  const { node } = disk.find(path);
  if (node === undefined) throw systemError('ENOENT', 'stat');
  return node;
}

function namesAt(disk: Disk, path: string): string[] {
  const node = nodeAt(disk, path);
  if (node.kind !== 'folder') throw systemError('ENOTDIR', 'readdir');
  return [...node.entries.keys()];
}

async function* entriesOf(names: readonly string[]): AsyncGenerator<{ readonly name: string }> {
  for (const name of names) yield { name };
}

function holds(root: Node, node: Node): boolean {
  return root === node || (root.kind === 'folder' && [...root.entries.values()].some((entry) => holds(entry, node)));
}

function statsOf(node: Node, bigint: boolean) {
  const size = node.kind === 'file' ? node.data.length : 0;
  const links = node.kind === 'file' ? node.links : 1;
  return {
    isFile: () => node.kind === 'file',
    isDirectory: () => node.kind === 'folder',
    ino: bigint ? node.inode : Number(node.inode),
    size: bigint ? BigInt(size) : size,
    nlink: bigint ? BigInt(links) : links,
  };
}

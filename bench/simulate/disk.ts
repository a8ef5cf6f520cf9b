import { systemError } from './line.js';
import type { PlanRandom } from './random.js';

/** A file: what is written, and what of it would be there after the power has failed. */
export interface FileNode {
  readonly kind: 'file';
  readonly inode: bigint;
  data: Buffer;
  durable: Buffer;
  links: number;
}

export interface FolderNode {
  readonly kind: 'folder';
  readonly inode: bigint;
  readonly entries: Map<string, Node>;
}

export type Node = FileNode | FolderNode;

/** A change of names. It is durable when a folder that it concerns was synced, and so is each change before it. */
interface Change {
  readonly undo: () => void;
  readonly redo: () => void;
  readonly folders: readonly FolderNode[];
}

/** What goes wrong at a disk. */
export interface DiskFaults {
  /** One of so many operations fails with `code`; 0 none. */
  oneIn: number;
  code: 'EIO' | 'ENOSPC' | 'EMFILE';
}

/** Most milliseconds that an operation takes when nothing is wrong. */
export const USUAL_SLOW_MS = 0.5;

let inodes = 1n;

/**
 * A disk in memory with the promises of POSIX and no more. Written bytes are durable after `sync`, names after a sync of
 * their folder; names become durable in the order of the changes, as with a journal.
 */
export class Disk {
  readonly root: FolderNode = folder();
  readonly faults: DiskFaults = { oneIn: 0, code: 'EIO' };
  /** Most milliseconds that an operation takes. */
  slowMs = USUAL_SLOW_MS;
  readonly random: PlanRandom;
  /** Faults that were given so far. */
  failed = 0;
  readonly #changes: Change[] = [];

  constructor(random: PlanRandom) {
    this.random = random;
  }

  /** Throws where an operation fails now. */
  check(call: string): void {
    const { oneIn, code } = this.faults;
    if (oneIn === 0 || !this.random.oneIn(oneIn)) return;
    if (code === 'EMFILE' && call !== 'open') return;
    if (code === 'ENOSPC' && !['open', 'write', 'link', 'rename'].includes(call)) return;
    this.failed++;
    throw systemError(code, call);
  }

  /** The node at a path, and the folder that it is in. */
  find(path: string): { readonly parent: FolderNode; readonly name: string; readonly node: Node | undefined } {
    const parts = path.split('/').filter((part) => part !== '');
    const name = parts.pop() ?? '';
    let parent = this.root;
    for (const part of parts) {
      const next = parent.entries.get(part);
      if (next === undefined) throw systemError('ENOENT', 'lookup');
      if (next.kind !== 'folder') throw systemError('ENOTDIR', 'lookup');
      parent = next;
    }
    return { parent, name, node: name === '' ? parent : parent.entries.get(name) };
  }

  /** The file at a path. */
  file(path: string): FileNode {
    const { node } = this.find(path);
    if (node === undefined) throw systemError('ENOENT', 'open');
    if (node.kind !== 'file') throw systemError('EISDIR', 'open');
    return node;
  }

  makeFolder(path: string): void {
    const { parent, name, node } = this.find(path);
    if (node !== undefined) throw systemError('EEXIST', 'mkdir');
    this.#set(parent, name, folder());
  }

  create(path: string): FileNode {
    const { parent, name, node } = this.find(path);
    if (node !== undefined) throw systemError('EEXIST', 'open');
    const file: FileNode = { kind: 'file', inode: inodes++, data: Buffer.alloc(0), durable: Buffer.alloc(0), links: 0 };
    this.#set(parent, name, file);
    return file;
  }

  link(from: string, to: string): void {
    const { node: target } = this.find(from);
    const { parent, name, node } = this.find(to);
    if (target === undefined) throw systemError('ENOENT', 'link');
    if (node !== undefined) throw systemError('EEXIST', 'link');
    this.#set(parent, name, target);
  }

  unlink(path: string): void {
    const { parent, name, node } = this.find(path);
    if (node === undefined) throw systemError('ENOENT', 'unlink');
    this.#set(parent, name, undefined);
  }

  rename(from: string, to: string): void {
    const source = this.find(from);
    const target = this.find(to);
    if (source.node === undefined) throw systemError('ENOENT', 'rename');
    const removal = entryChange(source.parent, source.name, undefined);
    removal.redo();
    const entry = entryChange(target.parent, target.name, source.node);
    entry.redo();
    this.#changes.push({
      folders: [source.parent, target.parent],
      undo: () => {
        entry.undo();
        removal.undo();
      },
      redo: () => {
        removal.redo();
        entry.redo();
      },
    });
  }

  /** What was written to a file, or all changes of a folder and before them, are durable. */
  sync(node: Node): void {
    if (node.kind === 'file') {
      node.durable = node.data;
      return;
    }
    const last = this.#changes.findLastIndex(({ folders }) => folders.includes(node));
    this.#changes.splice(0, last + 1);
  }

  /**
   * The same disk as another process finds it, after the one that has used this is gone: whatever that still does is done to
   * the old one.
   *
   * @param powerFailed what was not synced may be lost, in part or as a whole
   */
  taken(powerFailed: boolean): Disk {
    const next = new Disk(this.random.branch());
    next.slowMs = this.slowMs;
    const lost = this.#changes.slice(powerFailed ? this.random.integer(0, this.#changes.length) : this.#changes.length);
    for (const change of lost.reverse()) change.undo();
    const copies = new Map<Node, Node>();
    for (const [name, node] of this.root.entries) next.root.entries.set(name, this.#copy(node, powerFailed, copies));
    for (const change of lost.reverse()) change.redo();
    return next;
  }

  #copy(node: Node, powerFailed: boolean, copies: Map<Node, Node>): Node {
    const before = copies.get(node);
    if (before !== undefined) return before;
    if (node.kind === 'folder') {
      const copy = folder();
      copies.set(node, copy);
      for (const [name, entry] of node.entries) {
        // Which processes are alive is known: the one that had the store is not.
        if (!name.startsWith('lock-')) copy.entries.set(name, this.#copy(entry, powerFailed, copies));
      }
      return copy;
    }
    const data = powerFailed ? this.#left(node) : node.data;
    const copy: FileNode = { ...node, inode: inodes++, data, durable: data };
    copies.set(node, copy);
    return copy;
  }

  /** What a failed power has left of a file: none, all, or a part of what was not synced. */
  #left({ data, durable }: FileNode): Buffer {
    if (data === durable || this.random.oneIn(3)) return durable;
    if (this.random.oneIn(3)) return data;
    // The new length, and of the new bytes only some: the rest reads as zeros.
    const torn = Buffer.alloc(data.length);
    const from = durable.copy(torn);
    data.copy(torn, from, from, this.random.integer(from, data.length));
    return torn;
  }

  #set(parent: FolderNode, name: string, node: Node | undefined): void {
    const change = entryChange(parent, name, node);
    change.redo();
    this.#changes.push(change);
  }
}

function folder(): FolderNode {
  return { kind: 'folder', inode: inodes++, entries: new Map() };
}

/** The change that puts a node, or nothing, at a name. */
function entryChange(parent: FolderNode, name: string, node: Node | undefined): Change {
  const before = parent.entries.get(name);
  return { folders: [parent], redo: () => place(parent, name, node), undo: () => place(parent, name, before) };
}

function place(parent: FolderNode, name: string, node: Node | undefined): void {
  const before = parent.entries.get(name);
  if (before?.kind === 'file') before.links--;
  if (node?.kind === 'file') node.links++;
  if (node === undefined) parent.entries.delete(name);
  else parent.entries.set(name, node);
}

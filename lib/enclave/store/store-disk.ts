import { type FileHandle, link, mkdir, open, rename, unlink } from 'node:fs/promises';

/** All calls by which a store changes what is on disk, or makes it durable. Tests give calls that record or fail. */
export interface StoreDisk {
  /** Makes a folder. */
  mkdir(path: string, options: { readonly mode: number }): Promise<void>;
  /** Opens a file. */
  open(path: string, flags: number, mode?: number): Promise<FileHandle>;
  /** Gives a file a second name. */
  link(existing: string, path: string): Promise<void>;
  /** Gives a file another name, and replaces the one that had it. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a name of a file. */
  unlink(path: string): Promise<void>;
}

/** The disk of the machine. The functions are looked up at each call, so that a simulation can put its own. */
export const machineDisk: StoreDisk = Object.freeze({
  mkdir: async (path: string, options: { readonly mode: number }) => void (await mkdir(path, options)),
  open: (path: string, flags: number, mode?: number) => open(path, flags, mode),
  link: (existing: string, path: string) => link(existing, path),
  rename: (from: string, to: string) => rename(from, to),
  unlink: (path: string) => unlink(path),
});

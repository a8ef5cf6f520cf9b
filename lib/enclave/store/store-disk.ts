import { type FileHandle, link, mkdir, open, rename, unlink } from 'node:fs/promises';

/** All calls by which a store changes what is on disk, or makes it durable. Tests give calls that record or fail. */
export interface StoreDisk {
  mkdir(path: string, options: { readonly mode: number }): Promise<void>;
  open(path: string, flags: number, mode?: number): Promise<FileHandle>;
  link(existing: string, path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
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

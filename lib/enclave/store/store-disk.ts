import { type FileHandle, link, mkdir, open, rename, unlink } from 'node:fs/promises';

/** All calls by which a store changes what is on disk, or makes it durable. Tests give calls that record or fail. */
export interface StoreDisk {
  mkdir(path: string, options: { readonly mode: number; readonly recursive?: boolean }): Promise<string | undefined>;
  open(path: string, flags: number, mode?: number): Promise<FileHandle>;
  link(existing: string, path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
}

/** The disk of the machine. */
export const machineDisk: StoreDisk = Object.freeze({ mkdir, open, link, rename, unlink });

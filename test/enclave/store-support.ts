import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { Test } from 'tap';
import type { FileStore } from '../../lib/enclave/store/file-store.js';

/** A folder that goes when the test is over. */
export function freshFolder(t: Pick<Test, 'teardown'>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'vc-store-')));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function pending(root: string): string[] {
  return readdirSync(join(root, 'pending'));
}

/** File descriptors of this process that point below `root`. */
export function openBelow(root: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(`${root}/`) ? [target] : [];
    } catch {
      return [];
    }
  });
}

export async function put(store: FileStore, name: string, bytes: Buffer | string, how: 'write' | 'append' = 'write'): Promise<void> {
  const sink = store[how](name);
  sink.end(bytes);
  await sink.commit();
}

export async function get(store: FileStore, name: string): Promise<Buffer> {
  const { length, stream } = await store.read(name);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  if (bytes.length !== length) throw new Error(`${bytes.length} bytes of ${length}`);
  return bytes;
}

/** Resolves when the bytes are in the file, so also when the sink has its place. */
export function written(sink: Writable, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    sink.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

export const noise = (bytes: number): Buffer => randomBytes(bytes);

/** Measures the code of a Runtime Manager where no hardware does it. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileFault } from '../../core/file-faults.js';

/** The compiled library: `dist/lib`, two folders above this file. Asked for late, because a CommonJS bundle has no such place. */
const compiled = (): string => fileURLToPath(new URL('../../', import.meta.url));
/** Files of the compiler that are never run. */
const NOT_RUN = /\.(d\.ts|map)$/;

/**
 * The runtime hash of this package on Linux, 32 bytes. It is the SHA-256 over the compiled files of the library, `dist/lib`,
 * except type declarations (`.d.ts`) and source maps (`.map`). For each file, in the byte order of the paths, it covers:
 *
 *     <path from dist/lib, with />  00  <length in bytes, decimal>  00  <contents>
 *
 * The same sources and the same compiler give the same hash in every checkout. Run `npm run clean` first, because files that
 * an older build left behind are measured too. The hash does not cover the packages in node_modules, Node, or the machine.
 * It identifies the library only to a reader who trusts the machine that computes it, since a changed library can report any
 * hash.
 *
 * `folder` is measured instead of `dist/lib` if given. Files are streamed. Throws `InvalidArgumentError` when a file cannot
 * be read or changes meanwhile, or an entry is neither file nor folder; `LocalFileError` when the system fails.
 */
export async function measureRuntime(folder: string = compiled()): Promise<Buffer> {
  const hash = createHash('sha256');
  try {
    for (const [path, name] of await filesOf(folder)) {
      const { size } = await stat(path);
      hash.update(`${name}\0${size}\0`);
      let read = 0;
      for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
        read += chunk.length;
        hash.update(chunk);
      }
      if (read !== size) throw new Error(`${name} changed while it was read`);
    }
  } catch (cause) {
    throw fileFault(`cannot measure ${folder}: ${(cause as Error).message}`, cause, 'measure');
  }
  return hash.digest();
}

/** Path and name of each measured file, in the byte order of the names. */
async function filesOf(folder: string): Promise<Array<readonly [path: string, name: string]>> {
  const files: Array<readonly [path: string, name: string]> = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = `${entry.parentPath}${sep}${entry.name}`;
    if (entry.isDirectory() || NOT_RUN.test(entry.name)) continue;
    if (!entry.isFile()) throw new Error(`${path} is no plain file`);
    files.push([path, relative(folder, path).split(sep).join('/')]);
  }
  if (files.length === 0) throw new Error('no files');
  return files.sort(([, a], [, b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

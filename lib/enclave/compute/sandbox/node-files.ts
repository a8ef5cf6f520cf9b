import { execFile } from 'node:child_process';
import { open, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';

/** A file of this machine, and where it is in the sandbox. */
export type Mount = readonly [source: string, target: string];

/** Bytes at the beginning of an executable in which the table of its segments is. */
const HEAD_BYTES = 4096;
/** ELF, 64 bits, little-endian: where the header says where the table is, how long an entry, and how many. */
const ELF = { MAGIC: 0x464c_457f, TABLE_AT: 32, ENTRY_BYTES_AT: 54, ENTRIES_AT: 56 };
/** A segment that names the loader; where the segment says where that name is, and how long. */
const SEGMENT = { LOADER: 3, OFFSET_AT: 8, BYTES_AT: 32 };

/**
 * What Node needs to run: itself, the loader that it names, and the libraries that the loader finds for it. They are asked
 * of the loader itself, as `ldd` does.
 */
export async function nodeFiles(node: string): Promise<readonly Mount[]> {
  const path = await realpath(node);
  const loader = await loaderOf(path);
  if (loader === undefined) return [[path, '/node']];
  const { stdout } = await promisify(execFile)(loader, ['--list', path], { env: {} });
  const libraries = [...stdout.matchAll(/=> (\/.+) \(0x/g)].map(([, library]) => library as string);
  const files = new Set([loader, ...libraries]);
  return [[path, '/node'], ...[...files].map((file): Mount => [file, file])];
}

/** The loader of an executable; undefined when it needs none. */
async function loaderOf(path: string): Promise<string | undefined> {
  const file = await open(path);
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    await file.read(head, 0, HEAD_BYTES, 0);
    if (head.readUInt32LE() !== ELF.MAGIC) return undefined;
    const [table, bytes, count] = [
      Number(head.readBigUInt64LE(ELF.TABLE_AT)),
      head.readUInt16LE(ELF.ENTRY_BYTES_AT),
      head.readUInt16LE(ELF.ENTRIES_AT),
    ];
    for (let at = table; at < table + bytes * count && at + bytes <= HEAD_BYTES; at += bytes) {
      if (head.readUInt32LE(at) !== SEGMENT.LOADER) continue;
      const name = Buffer.alloc(Number(head.readBigUInt64LE(at + SEGMENT.BYTES_AT)));
      await file.read(name, 0, name.length, Number(head.readBigUInt64LE(at + SEGMENT.OFFSET_AT)));
      // It ends with a NUL.
      return name.toString('utf8', 0, name.length - 1);
    }
    return undefined;
  } finally {
    await file.close();
  }
}

import { lstatSync } from 'node:fs';
import { type Host, placeOf } from './host.js';
import { resolvePath } from './paths.js';
import { ERRNO } from './preview1.js';

/**
 * The normal name of the path that a call is about, when the program has `needed` on it; otherwise the number of an
 * error, which says nothing of what is there.
 */
export function reach(host: Host, fd: number, pointer: number, bytes: number, needed: number): string | number {
  const open = host.descriptors.get(fd);
  if (open === undefined) return ERRNO.BADF;
  if (open.kind !== 'directory') return ERRNO.NOTDIR;
  const path = host.memory.text(pointer, bytes);
  if (path === undefined) return host.memory.bytes(pointer, bytes) === undefined ? ERRNO.FAULT : ERRNO.ILSEQ;
  const name = resolvePath(open.name, path);
  if (typeof name === 'number') return name;
  if ((host.rights.of(name) & needed) !== needed) return ERRNO.ACCES;
  if ((open.base & needed) !== needed) return ERRNO.NOTCAPABLE;
  if (Buffer.byteLength(name) > host.maxNameBytes) return ERRNO.NAMETOOLONG;
  return path.endsWith('/') && kindOf(host, name) === 'file' ? ERRNO.NOTDIR : name;
}

/** What stands in the program's world under a name. There are but files and directories. */
export function kindOf(host: Host, name: string): 'file' | 'directory' | undefined {
  try {
    const stats = lstatSync(placeOf(host, name), { throwIfNoEntry: false });
    return stats && (stats.isDirectory() ? 'directory' : 'file');
  } catch {
    // Too long for the system, which the call itself will be told.
    return undefined;
  }
}

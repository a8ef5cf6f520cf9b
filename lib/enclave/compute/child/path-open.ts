import { constants, openSync } from 'node:fs';
import type { OpenDirectory } from './descriptors.js';
import { attempt } from './errno.js';
import { type Host, placeOf } from './host.js';
import { ALL_RIGHTS, DIRECTORY_RIGHTS, ERRNO, FDFLAGS, OFLAG, type Preview1, RIGHT } from './preview1.js';
import { kindOf, reach } from './reach.js';

const { FD_ALLOCATE, FD_READ, FD_WRITE, FD_DATASYNC, FD_FILESTAT_SET_SIZE } = RIGHT;
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = constants;

/**
 * `path_open`. As in the original, a file is opened with those of the rights asked for that the program has there; but
 * where it asked to read or write and may do neither, it is refused.
 */
export function pathOpen(host: Host): Preview1['path_open'] {
  return (fd, _lookup, path, bytes, oflags, base, _inheriting, fdflags, opened) => {
    const name = reach(host, fd, path, bytes, RIGHT.PATH_OPEN);
    if (typeof name === 'number') return name;
    const wanted = Number(BigInt.asUintN(29, base));
    const kind = kindOf(host, name);
    const plan = kind === 'directory' ? directory(wanted, oflags) : file(host.rights.of(name), wanted, oflags, kind === undefined);
    if (typeof plan === 'number') return plan;
    const makes = kind === undefined && (oflags & OFLAG.CREAT) !== 0;
    if (makes && !host.budget.hasFile) return ERRNO.NOSPC;
    const from = host.descriptors.get(fd) as OpenDirectory;
    if (((plan.rights & ALL_RIGHTS) | plan.inheriting) & ~from.inheriting || neededOf(oflags) & ~from.base) return ERRNO.NOTCAPABLE;
    const answer = host.memory.bytes(opened, 4);
    if (answer === undefined) return ERRNO.FAULT;

    return attempt(() => {
      answer.writeUInt32LE(open(host, name, plan, oflags, fdflags & FDFLAGS));
      if (makes) host.budget.takeFile();
    });
  };
}

/** Opens it, and returns the program's number for it. */
function open(host: Host, name: string, { kind, rights, inheriting }: Plan, oflags: number, flags: number): number {
  const { descriptors } = host;
  if (kind === 'directory') return descriptors.add({ kind, name, flags, preopened: false, base: rights, inheriting, listing: [] });
  const fd = openSync(placeOf(host, name), accessOf(rights) | flagsOf(oflags), 0o600);
  return descriptors.add({ kind, name, flags, rights, givenUp: 0, fd, position: 0 });
}

/** How something is opened. */
interface Plan {
  readonly kind: 'file' | 'directory';
  /** What the program may do with it, and with what it opens below it. */
  readonly rights: number;
  readonly inheriting: number;
}

/** A directory is opened with all that one can have: its rights are looked up at each call, by path. */
function directory(wanted: number, oflags: number): Plan | number {
  if (wanted & FD_WRITE || oflags & (OFLAG.CREAT | OFLAG.TRUNC)) return ERRNO.ISDIR;
  return { kind: 'directory', rights: DIRECTORY_RIGHTS, inheriting: ALL_RIGHTS };
}

function file(allowed: number, wanted: number, oflags: number, missing: boolean): Plan | number {
  const rights = wanted & allowed;
  const access = FD_READ | FD_WRITE;
  if ((wanted & access) !== 0 && (rights & access) === 0) return ERRNO.ACCES;
  if (missing && oflags & OFLAG.CREAT) {
    if (oflags & OFLAG.DIRECTORY) return ERRNO.INVAL;
    if (!(allowed & RIGHT.PATH_CREATE_FILE)) return ERRNO.ACCES;
  }
  if (oflags & OFLAG.TRUNC && !(allowed & RIGHT.PATH_FILESTAT_SET_SIZE)) return ERRNO.ACCES;
  if (oflags & OFLAG.DIRECTORY) return missing ? ERRNO.NOENT : ERRNO.NOTDIR;
  return { kind: 'file', rights, inheriting: 0 };
}

function accessOf(rights: number): number {
  if (!(rights & (FD_WRITE | FD_ALLOCATE | FD_DATASYNC | FD_FILESTAT_SET_SIZE))) return O_RDONLY;
  return rights & FD_READ ? O_RDWR : O_WRONLY;
}

/** What a directory must not have given up for these flags. */
function neededOf(oflags: number): number {
  return (oflags & OFLAG.CREAT ? RIGHT.PATH_CREATE_FILE : 0) | (oflags & OFLAG.TRUNC ? RIGHT.PATH_FILESTAT_SET_SIZE : 0);
}

/** No link is followed: there is none in a program's world. */
function flagsOf(oflags: number): number {
  const flag = (given: number, system: number) => (oflags & given ? system : 0);
  return flag(OFLAG.CREAT, O_CREAT) | flag(OFLAG.EXCL, O_EXCL) | flag(OFLAG.TRUNC, O_TRUNC) | O_NOFOLLOW;
}

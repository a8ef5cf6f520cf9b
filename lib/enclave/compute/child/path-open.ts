import type { Host } from './host.js';
import { ALL_RIGHTS, DIRECTORY_RIGHTS, ERRNO, FDFLAG_APPEND, OFLAG, type Preview1, RIGHT } from './preview1.js';
import { kindOf, reach } from './reach.js';

const { FD_READ, FD_WRITE } = RIGHT;
/** What every file is opened with besides, so that the length of what is written can be watched. */
const WATCH_RIGHTS = RIGHT.FD_TELL | RIGHT.FD_FILESTAT_GET;

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

    const { own, rights, inheriting } = plan;
    const errno = host.real.path_open(fd, 0, path, bytes, oflags, BigInt(own), BigInt(inheriting), fdflags, opened);
    if (errno !== ERRNO.SUCCESS) return errno;
    if (makes) host.budget.takeFile();
    const number = host.memory.u32(opened) as number;
    host.descriptors.set(number, { kind: kind ?? 'file', name, rights, append: (fdflags & FDFLAG_APPEND) !== 0 });
    return errno;
  };
}

/** How something is opened. */
interface Plan {
  /** The rights that the program has on it. */
  readonly rights: number;
  /** The rights that `node:wasi` opens it with. */
  readonly own: number;
  readonly inheriting: number;
}

/** A directory is opened with all that one can have: its rights are looked up at each call, by path. */
function directory(wanted: number, oflags: number): Plan | number {
  if (wanted & FD_WRITE || oflags & (OFLAG.CREAT | OFLAG.TRUNC)) return ERRNO.ISDIR;
  return { rights: 0, own: DIRECTORY_RIGHTS, inheriting: ALL_RIGHTS };
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
  return { rights, own: (rights & ALL_RIGHTS) | WATCH_RIGHTS, inheriting: 0 };
}

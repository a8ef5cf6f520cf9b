import { ERRNO } from './preview1.js';

/** What the system says, by the names that Node has for it, and what a program is told. */
const ERRNO_OF: Readonly<Record<string, number>> = {
  EACCES: ERRNO.ACCES,
  EBADF: ERRNO.BADF,
  EBUSY: ERRNO.BUSY,
  EDQUOT: ERRNO.DQUOT,
  EEXIST: ERRNO.EXIST,
  EFBIG: ERRNO.FBIG,
  EINVAL: ERRNO.INVAL,
  EISDIR: ERRNO.ISDIR,
  ELOOP: ERRNO.LOOP,
  EMFILE: ERRNO.MFILE,
  ENAMETOOLONG: ERRNO.NAMETOOLONG,
  ENFILE: ERRNO.NFILE,
  ENOENT: ERRNO.NOENT,
  ENOMEM: ERRNO.NOMEM,
  ENOSPC: ERRNO.NOSPC,
  ENOTDIR: ERRNO.NOTDIR,
  ENOTEMPTY: ERRNO.NOTEMPTY,
  EPERM: ERRNO.PERM,
  EROFS: ERRNO.ROFS,
  EXDEV: ERRNO.XDEV,
  // Node's own fence around the process. No path that gets so far leads there.
  ERR_ACCESS_DENIED: ERRNO.NOTCAPABLE,
  ERR_OUT_OF_RANGE: ERRNO.INVAL,
};

/**
 * Does what asks the system for something; the number of an error where it refuses. What is thrown for another reason, a
 * stack that is full for one, is thrown on.
 */
export function attempt(work: () => void): number {
  try {
    work();
    return ERRNO.SUCCESS;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (typeof code !== 'string') throw thrown;
    return ERRNO_OF[code] ?? ERRNO.IO;
  }
}

import { lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { attempt } from './errno.js';
import { answerFilestat, setTimes } from './filestat.js';
import { type Host, placeOf } from './host.js';
import { pathOpen } from './path-open.js';
import { ERRNO, type Preview1, RIGHT } from './preview1.js';
import { kindOf, reach } from './reach.js';

type PathCalls = Pick<Preview1, Extract<keyof Preview1, `path_${string}`>>;

/** Calls by path. Each needs its right on the very path that it is about, whatever directory it starts from. */
export function pathCalls(host: Host): PathCalls {
  const { rights, budget } = host;
  const guarded = (fd: number, path: number, bytes: number, needed: number, call: (name: string) => number): number => {
    const name = reach(host, fd, path, bytes, needed);
    return typeof name === 'number' ? name : call(name);
  };

  return {
    path_create_directory: (fd, path, bytes) =>
      guarded(fd, path, bytes, RIGHT.PATH_CREATE_DIRECTORY, (name) => {
        if (!budget.hasFile) return ERRNO.NOSPC;
        const errno = attempt(() => mkdirSync(placeOf(host, name)));
        if (errno === ERRNO.SUCCESS) budget.takeFile();
        return errno;
      }),
    path_filestat_get: (fd, _lookup, path, bytes, stat) =>
      guarded(fd, path, bytes, RIGHT.PATH_FILESTAT_GET, (name) =>
        answerFilestat(host, stat, () => lstatSync(placeOf(host, name), { bigint: true })),
      ),
    path_filestat_set_times: (fd, _lookup, path, bytes, accessed, modified, flags) =>
      guarded(fd, path, bytes, RIGHT.PATH_FILESTAT_SET_TIMES, (name) => setTimes(host, name, { accessed, modified, flags })),
    // A second name for a file would have rights of its own. The original has no links either.
    path_link: () => ERRNO.NOSYS,
    path_symlink: () => ERRNO.NOSYS,
    path_readlink: () => ERRNO.NOSYS,
    path_open: pathOpen(host),
    path_remove_directory: (fd, path, bytes) =>
      guarded(fd, path, bytes, RIGHT.PATH_REMOVE_DIRECTORY, (name) =>
        name === '/' || rights.isListed(name) ? ERRNO.BUSY : attempt(() => rmdirSync(placeOf(host, name))),
      ),
    path_rename: (fd, path, bytes, toFd, toPath, toBytes) =>
      guarded(fd, path, bytes, RIGHT.PATH_RENAME_SOURCE, (from) =>
        guarded(toFd, toPath, toBytes, RIGHT.PATH_RENAME_TARGET, (to) => {
          const directory = kindOf(host, from) === 'directory';
          // A directory brings files, whatever is there.
          if ((directory || kindOf(host, to) === undefined) && !(rights.of(to) & RIGHT.PATH_CREATE_FILE)) return ERRNO.ACCES;
          return directory ? renameDirectory(host, from, to) : attempt(() => renameSync(placeOf(host, from), placeOf(host, to)));
        }),
      ),
    path_unlink_file: (fd, path, bytes) =>
      guarded(fd, path, bytes, RIGHT.PATH_UNLINK_FILE, (name) => attempt(() => unlinkSync(placeOf(host, name)))),
  };
}

/** Bytes of the longest name below a directory, counted from there. */
function longestBelow(host: Host, directory: string): number {
  let longest = 0;
  for (const name of readdirSync(placeOf(host, directory), { recursive: true, encoding: 'utf8' })) {
    longest = Math.max(longest, Buffer.byteLength(name));
  }
  return longest;
}

/**
 * With a directory go files. Where each of them has the rights of its directory at both ends, this is the same as renaming
 * them one by one; where the policy lists something below, it is not, and is refused.
 */
function renameDirectory(host: Host, from: string, to: string): number {
  const { rights, descriptors } = host;
  if (from === '/' || to === '/' || rights.isListed(from) || rights.isListed(to)) return ERRNO.BUSY;
  if (!rights.isUniform(from) || !rights.isUniform(to)) return ERRNO.NOTSUP;
  // What has a name that is too long afterwards could be neither kept nor removed.
  if (Buffer.byteLength(to) + 1 + longestBelow(host, from) > host.maxNameBytes) return ERRNO.NAMETOOLONG;
  const errno = attempt(() => renameSync(placeOf(host, from), placeOf(host, to)));
  if (errno === ERRNO.SUCCESS) descriptors.renamed(from, to);
  return errno;
}

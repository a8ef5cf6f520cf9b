import type { Descriptor, OpenDirectory, OpenFile } from './descriptors.js';
import { attempt } from './errno.js';
import { answerFilestat, setTimesOfOpen, statsOf } from './filestat.js';
import { type Host, opened, rightsOn } from './host.js';
import { listDirectory } from './list-directory.js';
import { ERRNO, FDFLAGS, FILETYPE, type Preview1, RIGHT } from './preview1.js';
import { seek } from './seek.js';
import { allocate, readInto, setSize, writeFrom } from './transfer.js';

type DescriptorCalls = Pick<Preview1, Extract<keyof Preview1, `fd_${string}`>>;

const MAX_ADVICE = 5;
const FDSTAT_BYTES = 24;
const PRESTAT_BYTES = 8;

/** Calls on what is open. What a file lets do was settled when it was opened; a directory is looked up each time. */
export function descriptorCalls(host: Host): DescriptorCalls {
  const { memory, descriptors } = host;
  const on = (fd: number, needed: number, call: (open: Descriptor) => number): number => {
    const open = opened(host, fd, needed);
    return typeof open === 'number' ? open : call(open);
  };
  /** For calls whose rights no directory has. */
  const onFile = (fd: number, needed: number, call: (file: OpenFile) => number): number =>
    on(fd, needed, (open) => (open.kind === 'directory' ? ERRNO.NOTCAPABLE : call(open)));
  const onPreopened = (fd: number, call: (directory: OpenDirectory) => number): number =>
    on(fd, 0, (open) => (open.kind === 'directory' && open.preopened ? call(open) : ERRNO.INVAL));

  return {
    fd_advise: (fd, _offset, _length, advice) => on(fd, RIGHT.FD_ADVISE, () => (advice >>> 0 > MAX_ADVICE ? ERRNO.INVAL : ERRNO.SUCCESS)),
    fd_allocate: (fd, offset, length) => onFile(fd, RIGHT.FD_ALLOCATE, (file) => allocate(host, file, offset, length)),
    fd_close: (fd) => on(fd, 0, () => attempt(() => descriptors.close(fd))),
    // Nothing has to reach a disk: the files are copies, and what becomes of them is up to the store.
    fd_datasync: (fd) => onFile(fd, RIGHT.FD_DATASYNC, () => ERRNO.SUCCESS),
    fd_fdstat_get: (fd, stat) => on(fd, 0, (open) => answerFdstat(host, open, stat)),
    fd_fdstat_set_flags: (fd, flags) =>
      on(fd, RIGHT.FD_FDSTAT_SET_FLAGS, (open) => {
        open.flags = flags & FDFLAGS;
        return ERRNO.SUCCESS;
      }),
    fd_fdstat_set_rights: (fd, base, inheriting) => on(fd, 0, (open) => giveUp(open, base, inheriting)),
    fd_filestat_get: (fd, stat) => on(fd, RIGHT.FD_FILESTAT_GET, (open) => answerFilestat(host, stat, () => statsOf(host, open))),
    fd_filestat_set_size: (fd, size) => onFile(fd, RIGHT.FD_FILESTAT_SET_SIZE, (file) => setSize(host, file, size)),
    fd_filestat_set_times: (fd, accessed, modified, flags) =>
      on(fd, RIGHT.FD_FILESTAT_SET_TIMES, (open) => setTimesOfOpen(host, open, { accessed, modified, flags })),
    fd_pread: (fd, iovs, count, offset, moved) =>
      onFile(fd, RIGHT.FD_READ | RIGHT.FD_SEEK, (file) => readInto(host, file, { iovs, count, moved }, BigInt.asUintN(64, offset))),
    fd_prestat_get: (fd, prestat) =>
      onPreopened(fd, ({ name }) => {
        const answer = memory.bytes(prestat, PRESTAT_BYTES);
        // The first word says that it is a directory: 0.
        answer?.fill(0).writeUInt32LE(Buffer.byteLength(name), 4);
        return answer === undefined ? ERRNO.FAULT : ERRNO.SUCCESS;
      }),
    fd_prestat_dir_name: (fd, path, bytes) =>
      onPreopened(fd, (directory) => {
        const name = Buffer.from(directory.name);
        if (name.length > bytes >>> 0) return ERRNO.NAMETOOLONG;
        const answer = memory.bytes(path, name.length);
        answer?.set(name);
        return answer === undefined ? ERRNO.FAULT : ERRNO.SUCCESS;
      }),
    fd_pwrite: (fd, iovs, count, offset, moved) =>
      onFile(fd, RIGHT.FD_WRITE | RIGHT.FD_SEEK, (file) => writeFrom(host, file, { iovs, count, moved }, BigInt.asUintN(64, offset))),
    fd_read: (fd, iovs, count, moved) => onFile(fd, RIGHT.FD_READ, (file) => readInto(host, file, { iovs, count, moved })),
    fd_readdir: (fd, buffer, bytes, cookie, used) =>
      on(fd, RIGHT.FD_READDIR, (open) =>
        open.kind === 'directory' ? listDirectory(host, open, buffer, bytes, cookie, used) : ERRNO.NOTDIR,
      ),
    fd_renumber(from, to) {
      const [moved, replaced] = [descriptors.get(from), descriptors.get(to)];
      if (moved === undefined || replaced === undefined) return ERRNO.BADF;
      return attempt(() => descriptors.move(from, to));
    },
    fd_seek: (fd, offset, whence, position) => onFile(fd, RIGHT.FD_SEEK, (file) => seek(host, file, offset, whence, position)),
    fd_sync: (fd) => on(fd, RIGHT.FD_SYNC, () => ERRNO.SUCCESS),
    fd_tell(fd, position) {
      const open = descriptors.get(fd);
      // Who may go anywhere may know where he is.
      const either = open !== undefined && rightsOn(host, open) & RIGHT.FD_SEEK ? RIGHT.FD_SEEK : RIGHT.FD_TELL;
      return onFile(fd, either, (file) => seek(host, file, 0n, 1, position));
    },
    fd_write: (fd, iovs, count, moved) => onFile(fd, RIGHT.FD_WRITE, (file) => writeFrom(host, file, { iovs, count, moved })),
  };
}

function answerFdstat({ memory }: Host, open: Descriptor, pointer: number): number {
  const answer = memory.bytes(pointer, FDSTAT_BYTES);
  if (answer === undefined) return ERRNO.FAULT;
  const isDirectory = open.kind === 'directory';
  answer.fill(0).writeUInt8(isDirectory ? FILETYPE.DIRECTORY : FILETYPE.REGULAR_FILE);
  answer.writeUInt16LE(open.flags, 2);
  answer.writeBigUInt64LE(BigInt(isDirectory ? open.base : open.rights), 8);
  answer.writeBigUInt64LE(BigInt(isDirectory ? open.inheriting : 0), 16);
  return ERRNO.SUCCESS;
}

/** Leaves something open with these rights only. There is no way back. */
function giveUp(open: Descriptor, base: bigint, inheriting: bigint): number {
  const [has, passes] = open.kind === 'directory' ? [open.base, open.inheriting] : [open.rights, 0];
  if ((base & ~BigInt(has)) !== 0n || (inheriting & ~BigInt(passes)) !== 0n) return ERRNO.NOTCAPABLE;
  if (open.kind === 'directory') Object.assign(open, { base: Number(base), inheriting: Number(inheriting) });
  else {
    open.givenUp |= open.rights & ~Number(base);
    open.rights = Number(base);
  }
  return ERRNO.SUCCESS;
}

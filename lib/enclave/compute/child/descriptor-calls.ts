import { check, FILESTAT_BYTES, type Host, rightsOn, settableTimes, veilTimes } from './host.js';
import { ERRNO, FDFLAG_APPEND, type Preview1, RIGHT } from './preview1.js';

type DescriptorCalls = Pick<Preview1, Extract<keyof Preview1, `fd_${string}`>>;

/** Where a filestat has the length of the file. */
const SIZE_AT = 32;

/** Calls on what is open. What a file lets do was settled when it was opened; a directory is looked up each time. */
export function descriptorCalls(host: Host): DescriptorCalls {
  const { real, memory, descriptors } = host;
  const guarded = (fd: number, needed: number, call: () => number): number => check(host, fd, needed) || call();

  return {
    fd_advise: (fd, offset, length, advice) => guarded(fd, RIGHT.FD_ADVISE, () => real.fd_advise(fd, offset, length, advice)),
    // As in the original; preview 1 itself let go of it later.
    fd_allocate: () => ERRNO.NOSYS,
    fd_close(fd) {
      const errno = guarded(fd, 0, () => real.fd_close(fd));
      if (errno === ERRNO.SUCCESS) descriptors.delete(fd >>> 0);
      return errno;
    },
    fd_datasync: (fd) => guarded(fd, RIGHT.FD_DATASYNC, () => real.fd_datasync(fd)),
    fd_fdstat_get(fd, stat) {
      const errno = guarded(fd, 0, () => real.fd_fdstat_get(fd, stat));
      const open = descriptors.get(fd >>> 0);
      if (errno === ERRNO.SUCCESS && open !== undefined && open.kind !== 'directory') {
        const rights = memory.bytes(stat + 8, 16);
        rights?.writeBigUInt64LE(BigInt(open.rights), 0);
        rights?.writeBigUInt64LE(0n, 8);
      }
      return errno;
    },
    fd_fdstat_set_flags(fd, flags) {
      const errno = guarded(fd, RIGHT.FD_FDSTAT_SET_FLAGS, () => real.fd_fdstat_set_flags(fd, flags));
      const open = descriptors.get(fd >>> 0);
      if (errno === ERRNO.SUCCESS && open !== undefined) open.append = (flags & FDFLAG_APPEND) !== 0;
      return errno;
    },
    fd_fdstat_set_rights(fd, base, inheriting) {
      const open = descriptors.get(fd >>> 0);
      if (open === undefined) return ERRNO.BADF;
      if (open.kind === 'directory') return real.fd_fdstat_set_rights(fd, base, inheriting);
      if ((base & ~BigInt(open.rights)) !== 0n || inheriting !== 0n) return ERRNO.NOTCAPABLE;
      open.rights = Number(base);
      return ERRNO.SUCCESS;
    },
    fd_filestat_get: (fd, stat) =>
      veilTimes(
        host,
        stat,
        guarded(fd, RIGHT.FD_FILESTAT_GET, () => real.fd_filestat_get(fd, stat)),
      ),
    fd_filestat_set_size: (fd, size) =>
      guarded(fd, RIGHT.FD_FILESTAT_SET_SIZE, () => charge(host, fd, BigInt.asUintN(64, size), 0) || real.fd_filestat_set_size(fd, size)),
    fd_filestat_set_times: (fd, accessed, modified, flags) =>
      guarded(fd, RIGHT.FD_FILESTAT_SET_TIMES, () =>
        settableTimes(flags) ? real.fd_filestat_set_times(fd, accessed, modified, flags) : ERRNO.INVAL,
      ),
    fd_pread: (fd, iovs, count, offset, read) =>
      guarded(fd, RIGHT.FD_READ | RIGHT.FD_SEEK, () => real.fd_pread(fd, iovs, count, offset, read)),
    fd_prestat_get: (fd, prestat) => guarded(fd, 0, () => real.fd_prestat_get(fd, prestat)),
    fd_prestat_dir_name: (fd, path, bytes) => guarded(fd, 0, () => real.fd_prestat_dir_name(fd, path, bytes)),
    fd_pwrite: (fd, iovs, count, offset, written) =>
      guarded(fd, RIGHT.FD_WRITE | RIGHT.FD_SEEK, () => {
        const start = writeStart(host, fd, BigInt.asUintN(64, offset));
        return charge(host, fd, start, memory.vectorBytes(iovs, count)) || real.fd_pwrite(fd, iovs, count, offset, written);
      }),
    fd_read: (fd, iovs, count, read) => guarded(fd, RIGHT.FD_READ, () => real.fd_read(fd, iovs, count, read)),
    fd_readdir: (fd, buffer, bytes, cookie, used) => guarded(fd, RIGHT.FD_READDIR, () => real.fd_readdir(fd, buffer, bytes, cookie, used)),
    fd_renumber(from, to) {
      const [moved, replaced] = [descriptors.get(from >>> 0), descriptors.get(to >>> 0)];
      if (moved === undefined || replaced === undefined) return ERRNO.BADF;
      if (moved.kind.startsWith('std') || replaced.kind.startsWith('std')) return ERRNO.NOTSUP;
      const errno = real.fd_renumber(from, to);
      if (errno === ERRNO.SUCCESS && from !== to) {
        descriptors.set(to >>> 0, moved);
        descriptors.delete(from >>> 0);
      }
      return errno;
    },
    fd_seek: (fd, offset, whence, position) => guarded(fd, RIGHT.FD_SEEK, () => real.fd_seek(fd, offset, whence, position)),
    fd_sync: (fd) => guarded(fd, RIGHT.FD_SYNC, () => real.fd_sync(fd)),
    fd_tell(fd, position) {
      const open = descriptors.get(fd >>> 0);
      // Who may go anywhere may know where he is.
      const either = open !== undefined && rightsOn(host, open) & RIGHT.FD_SEEK ? RIGHT.FD_SEEK : RIGHT.FD_TELL;
      return guarded(fd, either, () => real.fd_tell(fd, position));
    },
    fd_write: (fd, iovs, count, written) =>
      guarded(fd, RIGHT.FD_WRITE, () => {
        const start = writeStart(host, fd);
        return charge(host, fd, start, memory.vectorBytes(iovs, count)) || real.fd_write(fd, iovs, count, written);
      }),
  };
}

/**
 * Takes from the budget what it costs to put `bytes` at `from`: them, and the hole that is left between the end of the file
 * and `from`. A length that is set is that hole alone.
 */
function charge(host: Host, fd: number, from: bigint | undefined, bytes: number | undefined): number {
  const size = sizeOf(host, fd);
  if (size === undefined || from === undefined || bytes === undefined) return ERRNO.FAULT;
  const hole = from > size ? Number(from - size) : 0;
  return host.budget.takeBytes(hole + bytes) ? ERRNO.SUCCESS : ERRNO.NOSPC;
}

/** Where a write goes: to the end of what is open to append, whatever `offset` says; else there, or to where the file stands. */
function writeStart(host: Host, fd: number, offset?: bigint): bigint | undefined {
  if (host.descriptors.get(fd >>> 0)?.append) return sizeOf(host, fd);
  return (
    offset ??
    host.memory.ask(
      8,
      (pointer) => host.real.fd_tell(fd, pointer),
      (answer) => answer.readBigUInt64LE(),
    )
  );
}

function sizeOf({ real, memory }: Host, fd: number): bigint | undefined {
  return memory.ask(
    FILESTAT_BYTES,
    (pointer) => real.fd_filestat_get(fd, pointer),
    (stat) => stat.readBigUInt64LE(SIZE_AT),
  );
}

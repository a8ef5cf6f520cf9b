/** WASI preview 1 as it is on the binary level: numbers and calls (https://wasi.dev, wasi_snapshot_preview1.witx). */

/** The module that programs import from. */
export const WASI_MODULE = 'wasi_snapshot_preview1';

/** What a call answers. */
export const ERRNO = Object.freeze({
  SUCCESS: 0,
  ACCES: 2,
  BADF: 8,
  BUSY: 10,
  DQUOT: 19,
  EXIST: 20,
  FAULT: 21,
  FBIG: 22,
  ILSEQ: 25,
  INVAL: 28,
  IO: 29,
  ISDIR: 31,
  LOOP: 32,
  MFILE: 33,
  NAMETOOLONG: 37,
  NFILE: 41,
  NOENT: 44,
  NOMEM: 48,
  NOSPC: 51,
  NOSYS: 52,
  NOTDIR: 54,
  NOTEMPTY: 55,
  NOTSOCK: 57,
  NOTSUP: 58,
  PERM: 63,
  ROFS: 69,
  XDEV: 75,
  NOTCAPABLE: 76,
});

/** Rights of a descriptor or a path. A policy has the same bits (wire spec §E). */
export const RIGHT = Object.freeze({
  FD_DATASYNC: 1 << 0,
  FD_READ: 1 << 1,
  FD_SEEK: 1 << 2,
  FD_FDSTAT_SET_FLAGS: 1 << 3,
  FD_SYNC: 1 << 4,
  FD_TELL: 1 << 5,
  FD_WRITE: 1 << 6,
  FD_ADVISE: 1 << 7,
  FD_ALLOCATE: 1 << 8,
  PATH_CREATE_DIRECTORY: 1 << 9,
  PATH_CREATE_FILE: 1 << 10,
  PATH_OPEN: 1 << 13,
  FD_READDIR: 1 << 14,
  PATH_RENAME_SOURCE: 1 << 16,
  PATH_RENAME_TARGET: 1 << 17,
  PATH_FILESTAT_GET: 1 << 18,
  PATH_FILESTAT_SET_SIZE: 1 << 19,
  PATH_FILESTAT_SET_TIMES: 1 << 20,
  FD_FILESTAT_GET: 1 << 21,
  FD_FILESTAT_SET_SIZE: 1 << 22,
  FD_FILESTAT_SET_TIMES: 1 << 23,
  PATH_REMOVE_DIRECTORY: 1 << 25,
  PATH_UNLINK_FILE: 1 << 26,
  POLL_FD_READWRITE: 1 << 27,
});

/** Every right but that to accept connections. Each directory passes all of them on to what is opened below it. */
export const ALL_RIGHTS = 0x0fff_ffff;
/** Those of them that mean something on a directory. */
export const DIRECTORY_RIGHTS = 0x0fbf_fe98;

/** What must all be there before anything of a file may be changed: what writing it from outside needs. */
export const WRITE_RIGHTS = RIGHT.PATH_OPEN | RIGHT.PATH_FILESTAT_SET_SIZE | RIGHT.FD_WRITE | RIGHT.FD_SEEK;

/** Flags of `path_open`. */
export const OFLAG = Object.freeze({ CREAT: 1, DIRECTORY: 2, EXCL: 4, TRUNC: 8 });

export const FDFLAG_APPEND = 1;
/** All flags of a descriptor. The others are about when bytes reach a disk, which means nothing for copies. */
export const FDFLAGS = 31;

/** What something is, as a filestat, an fdstat and a directory's entry say it. */
export const FILETYPE = Object.freeze({ DIRECTORY: 3, REGULAR_FILE: 4 });

/** Flags of the calls that set times. */
export const FSTFLAG = Object.freeze({ ATIM: 1, ATIM_NOW: 2, MTIM: 4, MTIM_NOW: 8 });

/** The calls: 32-bit numbers are numbers (pointers may come as negative ones), 64-bit ones are bigints. */
export interface Preview1 {
  args_get(argv: number, buffer: number): number;
  args_sizes_get(count: number, bytes: number): number;
  environ_get(environ: number, buffer: number): number;
  environ_sizes_get(count: number, bytes: number): number;
  clock_res_get(id: number, resolution: number): number;
  clock_time_get(id: number, precision: bigint, time: number): number;
  fd_advise(fd: number, offset: bigint, length: bigint, advice: number): number;
  fd_allocate(fd: number, offset: bigint, length: bigint): number;
  fd_close(fd: number): number;
  fd_datasync(fd: number): number;
  fd_fdstat_get(fd: number, stat: number): number;
  fd_fdstat_set_flags(fd: number, flags: number): number;
  fd_fdstat_set_rights(fd: number, base: bigint, inheriting: bigint): number;
  fd_filestat_get(fd: number, stat: number): number;
  fd_filestat_set_size(fd: number, size: bigint): number;
  fd_filestat_set_times(fd: number, accessed: bigint, modified: bigint, flags: number): number;
  fd_pread(fd: number, iovs: number, count: number, offset: bigint, read: number): number;
  fd_prestat_get(fd: number, prestat: number): number;
  fd_prestat_dir_name(fd: number, path: number, bytes: number): number;
  fd_pwrite(fd: number, iovs: number, count: number, offset: bigint, written: number): number;
  fd_read(fd: number, iovs: number, count: number, read: number): number;
  fd_readdir(fd: number, buffer: number, bytes: number, cookie: bigint, used: number): number;
  fd_renumber(from: number, to: number): number;
  fd_seek(fd: number, offset: bigint, whence: number, position: number): number;
  fd_sync(fd: number): number;
  fd_tell(fd: number, position: number): number;
  fd_write(fd: number, iovs: number, count: number, written: number): number;
  path_create_directory(fd: number, path: number, bytes: number): number;
  path_filestat_get(fd: number, flags: number, path: number, bytes: number, stat: number): number;
  path_filestat_set_times(
    fd: number,
    lookup: number,
    path: number,
    bytes: number,
    accessed: bigint,
    modified: bigint,
    flags: number,
  ): number;
  path_link(fd: number, flags: number, path: number, bytes: number, toFd: number, toPath: number, toBytes: number): number;
  path_open(
    fd: number,
    lookup: number,
    path: number,
    bytes: number,
    oflags: number,
    base: bigint,
    inheriting: bigint,
    fdflags: number,
    opened: number,
  ): number;
  path_readlink(fd: number, path: number, bytes: number, buffer: number, bufferBytes: number, used: number): number;
  path_remove_directory(fd: number, path: number, bytes: number): number;
  path_rename(fd: number, path: number, bytes: number, toFd: number, toPath: number, toBytes: number): number;
  path_symlink(target: number, targetBytes: number, fd: number, path: number, bytes: number): number;
  path_unlink_file(fd: number, path: number, bytes: number): number;
  poll_oneoff(subscriptions: number, events: number, count: number, happened: number): number;
  proc_exit(code: number): void;
  proc_raise(signal: number): number;
  random_get(buffer: number, bytes: number): number;
  sched_yield(): number;
  sock_accept(fd: number, flags: number, accepted: number): number;
  sock_recv(fd: number, iovs: number, count: number, flags: number, received: number, outFlags: number): number;
  sock_send(fd: number, iovs: number, count: number, flags: number, sent: number): number;
  sock_shutdown(fd: number, how: number): number;
}

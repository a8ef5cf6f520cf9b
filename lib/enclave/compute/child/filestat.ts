import { type BigIntStats, fstatSync, lstatSync, utimesSync } from 'node:fs';
import type { Descriptor } from './descriptors.js';
import { attempt } from './errno.js';
import { type Host, placeOf } from './host.js';
import { ERRNO, FILETYPE, FSTFLAG } from './preview1.js';

/** Where a filestat has what it tells, and where it ends. */
const AT = { DEVICE: 0, INODE: 8, TYPE: 16, LINKS: 24, SIZE: 32, ACCESSED: 40, MODIFIED: 48, CHANGED: 56 };
const FILESTAT_BYTES = 64;
const NANOSECONDS = 1e9;

/** What the system knows of something that is open. */
export function statsOf(host: Host, open: Descriptor): BigIntStats {
  return open.kind === 'directory' ? lstatSync(placeOf(host, open.name), { bigint: true }) : fstatSync(open.fd, { bigint: true });
}

/** A time that was set, and what the system made of it: it takes them as a fraction of seconds, which loses some digits. */
interface SetTime {
  readonly set: bigint;
  readonly had: bigint;
}

/** Times that the program has set, by the numbers of the files. They hold as long as the system still has what it made of them. */
const set = new Map<bigint, { readonly atime: SetTime; readonly mtime: SetTime }>();

/** Writes a filestat to `pointer`. Without a clock it has no times, for a file's time is a clock too. */
export function answerFilestat({ memory, clock }: Host, pointer: number, look: () => BigIntStats): number {
  const answer = memory.bytes(pointer, FILESTAT_BYTES);
  if (answer === undefined) return ERRNO.FAULT;
  return attempt(() => {
    const stats = look();
    const put = (value: bigint, at: number) => answer.writeBigUInt64LE(BigInt.asUintN(64, value), at);
    answer.fill(0);
    put(stats.dev, AT.DEVICE);
    put(stats.ino, AT.INODE);
    answer.writeUInt8(stats.isDirectory() ? FILETYPE.DIRECTORY : FILETYPE.REGULAR_FILE, AT.TYPE);
    put(stats.nlink, AT.LINKS);
    put(stats.size, AT.SIZE);
    if (!clock) return;
    put(exactly(stats.ino, 'atime', stats.atimeNs), AT.ACCESSED);
    put(exactly(stats.ino, 'mtime', stats.mtimeNs), AT.MODIFIED);
    put(stats.ctimeNs, AT.CHANGED);
  });
}

/** A time of a file as the program knows it, which is `had` for the system. */
function exactly(inode: bigint, which: 'atime' | 'mtime', had: bigint): bigint {
  const known = set.get(inode)?.[which];
  return known?.had === had ? known.set : had;
}

/** What a call that sets times is given: nanoseconds since 1970, and which of them are meant. */
export interface Times {
  readonly accessed: bigint;
  readonly modified: bigint;
  readonly flags: number;
}

/** Sets the times of what stands under a name. */
export function setTimes(host: Host, name: string, times: Times): number {
  if (!areSettable(times.flags)) return ERRNO.INVAL;
  const { ATIM, ATIM_NOW, MTIM, MTIM_NOW } = FSTFLAG;
  const chosen = (given: number, now: number, value: bigint, old: bigint): bigint => {
    if (times.flags & now) return BigInt(Date.now()) * 1_000_000n;
    return times.flags & given ? BigInt.asUintN(64, value) : old;
  };
  return attempt(() => {
    const path = placeOf(host, name);
    const before = lstatSync(path, { bigint: true });
    const atime = chosen(ATIM, ATIM_NOW, times.accessed, exactly(before.ino, 'atime', before.atimeNs));
    const mtime = chosen(MTIM, MTIM_NOW, times.modified, exactly(before.ino, 'mtime', before.mtimeNs));
    utimesSync(path, Number(atime) / NANOSECONDS, Number(mtime) / NANOSECONDS);
    const { ino, atimeNs, mtimeNs } = lstatSync(path, { bigint: true });
    set.set(ino, { atime: { set: atime, had: atimeNs }, mtime: { set: mtime, had: mtimeNs } });
  });
}

/**
 * Sets the times of what is open. Node's fence knows names only and refuses `futimes`, so it is done by the name that the
 * file was opened by; where that file is gone or has another name by now, it is NOTSUP.
 */
export function setTimesOfOpen(host: Host, open: Descriptor, times: Times): number {
  if (!areSettable(times.flags)) return ERRNO.INVAL;
  if (open.kind.startsWith('std')) return ERRNO.NOTSUP;
  const same = () => lstatSync(placeOf(host, open.name), { bigint: true }).ino === statsOf(host, open).ino;
  let found = false;
  attempt(() => {
    found = same();
  });
  return found ? setTimes(host, open.name, times) : ERRNO.NOTSUP;
}

/** Whether these flags are known ones that do not contradict each other (a time given, and the time now). */
function areSettable(flags: number): boolean {
  const { ATIM, ATIM_NOW, MTIM, MTIM_NOW } = FSTFLAG;
  if ((flags & ~(ATIM | ATIM_NOW | MTIM | MTIM_NOW)) !== 0) return false;
  return [ATIM | ATIM_NOW, MTIM | MTIM_NOW].every((both) => (flags & both) !== both);
}

/**
 * The filter of system calls that a program's process runs under, as the classic BPF program that Linux takes
 * (seccomp(2)). It lets pass what is not listed. A process and its threads need neither of these: making another process,
 * making a socket, mounting, tracing, loading code into the kernel.
 */

interface Machine {
  /** How the kernel calls it (linux/audit.h). */
  readonly audit: number;
  readonly clone: number;
  /** System calls that are refused with EPERM. */
  readonly refused: readonly number[];
}

/** Calls that have the same number on every machine: pidfd_*, open_tree to fspick, mount_setattr. */
const REFUSED_EVERYWHERE = [424, 434, 438, 428, 429, 430, 431, 432, 433, 442];

/** By the names that Node has for machines. Numbers from asm/unistd_64.h and asm-generic/unistd.h. */
const MACHINES: Readonly<Partial<Record<NodeJS.Architecture, Machine>>> = {
  x64: {
    audit: 0xc000_003e,
    clone: 56,
    refused: [
      // fork, vfork, execveat
      ...[57, 58, 322],
      // socket, connect, accept, bind, listen, socketpair, accept4
      ...[41, 42, 43, 49, 50, 53, 288],
      // ptrace, process_vm_readv and _writev, perf_event_open, bpf, userfaultfd
      ...[101, 310, 311, 298, 321, 323],
      // add_key, request_key, keyctl
      ...[248, 249, 250],
      // mount, umount2, pivot_root, chroot, unshare, setns, mknod, mknodat, fanotify_init, quotactl, acct
      ...[165, 166, 155, 161, 272, 308, 133, 259, 300, 179, 163],
      // name_to_handle_at, open_by_handle_at
      ...[303, 304],
      // init_module, delete_module, finit_module, kexec_load, kexec_file_load, reboot, swapon, swapoff
      ...[175, 176, 313, 246, 320, 169, 167, 168],
      // syslog, settimeofday, clock_settime, adjtimex, personality, modify_ldt, iopl, ioperm
      ...[103, 164, 227, 159, 135, 154, 172, 173],
    ],
  },
  arm64: {
    audit: 0xc000_00b7,
    clone: 220,
    // In the same order; fork, vfork, mknod, modify_ldt, iopl and ioperm do not exist there.
    refused: [
      ...[281],
      ...[198, 203, 202, 200, 201, 199, 242],
      ...[117, 270, 271, 241, 280, 282],
      ...[217, 218, 219],
      ...[40, 39, 41, 51, 97, 268, 33, 262, 60, 89],
      ...[264, 265],
      ...[105, 106, 273, 104, 294, 142, 224, 225],
      ...[116, 170, 112, 171, 92],
    ],
  },
};

/** Refused as if the kernel did not have them, so that libraries use what they used before: clone3, io_uring_*. */
const UNKNOWN = [435, 425, 426, 427];

/** Where the kernel tells the number of the call, the machine, and the low half of the first argument. */
const DATA = { NUMBER: 0, MACHINE: 4, FIRST: 16 };
const LOAD = 0x20;
const IF_EQUAL = 0x15;
const IF_AT_LEAST = 0x35;
const IF_ANY_BIT = 0x45;
const ANSWER = 0x06;
const ALLOW = 0x7fff_0000;
const KILL = 0x8000_0000;
const ERROR = 0x0005_0000;
const EPERM = 1;
const ENOSYS = 38;
/** Numbers from here on are those of x32, a second set of calls of x64. */
const X32 = 0x4000_0000;
/** The flag of `clone` with which it makes a thread and no process. */
const CLONE_THREAD = 0x0001_0000;

/** Bytes for `bwrap --seccomp`; undefined for a machine whose calls are not known here. */
export function seccompFilter(arch: NodeJS.Architecture = process.arch): Buffer | undefined {
  const machine = MACHINES[arch];
  if (machine === undefined) return undefined;
  const refuse = (number: number, errno: number) => [step(IF_EQUAL, number, 0, 1), step(ANSWER, ERROR | errno)];
  return Buffer.concat([
    step(LOAD, DATA.MACHINE),
    step(IF_EQUAL, machine.audit, 1, 0),
    step(ANSWER, KILL),
    step(LOAD, DATA.NUMBER),
    step(IF_AT_LEAST, X32, 0, 1),
    step(ANSWER, ERROR | EPERM),
    ...UNKNOWN.flatMap((number) => refuse(number, ENOSYS)),
    ...[...REFUSED_EVERYWHERE, ...machine.refused].flatMap((number) => refuse(number, EPERM)),
    step(IF_EQUAL, machine.clone, 0, 3),
    step(LOAD, DATA.FIRST),
    step(IF_ANY_BIT, CLONE_THREAD, 1, 0),
    step(ANSWER, ERROR | EPERM),
    step(ANSWER, ALLOW),
  ]);
}

/** One instruction. A comparison goes on `yes` or `no` instructions further. */
function step(code: number, value: number, yes = 0, no = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code);
  bytes.writeUInt8(yes, 2);
  bytes.writeUInt8(no, 3);
  bytes.writeUInt32LE(value >>> 0, 4);
  return bytes;
}

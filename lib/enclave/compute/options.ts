import { tmpdir } from 'node:os';
import { definedOf, integerInRange, oneOf } from '../../core/check.js';
import { InvalidOptionError } from '../../core/errors.js';

/** See the option `sandbox`; the first is its default. */
export const SANDBOX_CHOICES = ['auto', 'bwrap', 'none'] as const;
/** What confines the process of a program: the best that works, bubblewrap, or nothing. */
export type SandboxChoice = (typeof SANDBOX_CHOICES)[number];

/** Options of a `WasiEngine`. */
export interface WasiEngineOptions {
  /**
   * An existing folder, in which each run has a folder of its own (mode 0700) while it lasts: the files that the program
   * may read are there, and those that it writes. It must be as well guarded as the store itself. The first run of an
   * engine removes what killed managers of this host left there; containers of one host name must not share it. Default:
   * the system's folder for temporary files.
   */
  scratch?: string;
  /**
   * What confines the process of a program, besides Node's own fence and limits of the system: `bwrap` (bubblewrap) or the
   * run fails; `auto`, the best of bubblewrap, namespaces by `unshare` and nothing that works here; `none`. `ready` tells
   * what is in force. Default `auto`.
   */
  sandbox?: SandboxChoice;
  /** Memory of a program, MiB, where the policy's `max_memory_mib` does not say less; up to 4,096. Default 4,096. */
  maxMemoryMib?: number;
  /** Milliseconds that a program may run; it is killed then. Default 300,000. */
  timeLimitMs?: number;
  /** Programs that run at once. More wait: those who asked take turns, each one's own programs in their order. Default 3. */
  maxConcurrent?: number;
  /**
   * Programs of one who asked (`Computation.askedBy`) that run at once. While it is less than `maxConcurrent`, nobody can
   * hold all places for as long as his programs last. Default one less than `maxConcurrent`, at least 1.
   */
  maxConcurrentPerPrincipal?: number;
  /** Programs that may wait for their turn. More are refused (BusyError). Default 256; 0 for none. */
  maxWaiting?: number;
  /** Programs of one who asked that may wait. Default 32; 0 for none. */
  maxWaitingPerPrincipal?: number;
  /** Bytes of a program. Default 64 MiB. */
  maxProgramBytes?: number;
  /**
   * Bytes that a program may write in one run, all its files and streams together, holes that it leaves in files
   * included; beyond them a write is ENOSPC for it. What it overwrites or removes counts too. Default 4 GiB.
   */
  maxOutputBytes?: number;
  /**
   * Files and directories that a program may make in one run; then ENOSPC. Also files that it may change: the run fails
   * that changed more. Default 1,000.
   */
  maxOutputFiles?: number;
  /**
   * Bytes that are kept of the end of `stdout` and of `stderr`, each, when a program traps or is ended: they replace the stream's file in
   * the store where the program may write it. Default 64 KiB; 0 keeps nothing.
   */
  maxLastWordsBytes?: number;
  /** Heap of V8 beside a program's memory, MiB: its tables live there. Default 128. */
  maxHeapMib?: number;
  /** Stack of a program, MiB. Default 4. */
  maxStackMib?: number;
  /**
   * How much less urgent programs are to the system than the process that runs them, as the command `nice` has it: the manager
   * answers others while programs take all the time that is left. 0, as urgent, to 19. Default 5.
   */
  niceness?: number;
}

/** Defaults of `WasiEngineOptions`. */
export const WASI_ENGINE_DEFAULTS = Object.freeze({
  maxMemoryMib: 4096,
  timeLimitMs: 300_000,
  maxConcurrent: 3,
  maxWaiting: 256,
  maxWaitingPerPrincipal: 32,
  maxProgramBytes: 64 * 1024 ** 2,
  maxOutputBytes: 4 * 1024 ** 3,
  maxOutputFiles: 1000,
  maxLastWordsBytes: 64 * 1024,
  maxHeapMib: 128,
  maxStackMib: 4,
  niceness: 5,
} satisfies Omit<Required<WasiEngineOptions>, 'scratch' | 'sandbox' | 'maxConcurrentPerPrincipal'>);

export type CompleteOptions = Readonly<Required<WasiEngineOptions>>;

export function completed(options: WasiEngineOptions): CompleteOptions {
  const given = { scratch: tmpdir(), sandbox: SANDBOX_CHOICES[0], ...WASI_ENGINE_DEFAULTS, ...definedOf(options) };
  const complete = { maxConcurrentPerPrincipal: Math.max(1, given.maxConcurrent - 1), ...given };
  integerInRange('maxMemoryMib', complete.maxMemoryMib, 1, 4096);
  integerInRange('timeLimitMs', complete.timeLimitMs, 1, 2 ** 31 - 1);
  integerInRange('maxConcurrent', complete.maxConcurrent, 1, 1024);
  integerInRange('maxConcurrentPerPrincipal', complete.maxConcurrentPerPrincipal, 1, 1024);
  integerInRange('maxWaiting', complete.maxWaiting, 0, 2 ** 20);
  integerInRange('maxWaitingPerPrincipal', complete.maxWaitingPerPrincipal, 0, 2 ** 20);
  integerInRange('maxProgramBytes', complete.maxProgramBytes, 1, 1024 ** 3);
  integerInRange('maxOutputBytes', complete.maxOutputBytes, 0, Number.MAX_SAFE_INTEGER);
  integerInRange('maxOutputFiles', complete.maxOutputFiles, 0, 65_536);
  integerInRange('maxLastWordsBytes', complete.maxLastWordsBytes, 0, 1024 ** 3);
  integerInRange('maxHeapMib', complete.maxHeapMib, 16, 65_536);
  integerInRange('maxStackMib', complete.maxStackMib, 1, 256);
  integerInRange('niceness', complete.niceness, 0, 19);
  oneOf('sandbox', complete.sandbox, SANDBOX_CHOICES);
  if (typeof complete.scratch !== 'string' || complete.scratch === '' || complete.scratch.includes('\0')) {
    throw new InvalidOptionError('scratch must be the path of a folder', { expected: 'a path' });
  }
  return Object.freeze(complete);
}

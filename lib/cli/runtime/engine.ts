import { type Command, Option } from 'commander';
import { definedOf } from '../../core/check.js';
import { SANDBOX_CHOICES, WASI_ENGINE_DEFAULTS, WasiEngine, type WasiEngineOptions } from '../../enclave/compute/index.js';
import type { Log } from '../../roles/options.js';
import { wholeNumber } from '../flags.js';
import { addNumberFlags, numbersOf } from '../number-flags.js';

/** Flags of limits that few need. */
const NUMBERS = {
  maxProgramBytes: 'bytes of a program',
  maxOutputFiles: 'files and directories that a program may make, and files that it may change',
  maxLastWordsBytes: 'bytes that are kept of the end of each stream when a program traps or is ended',
  maxHeapMib: 'heap of V8 beside the memory of a program, MiB',
  maxStackMib: 'stack of a program, MiB',
  niceness: 'how much programs give way to the manager, 0 to 19',
} satisfies Partial<Record<keyof WasiEngineOptions, string>>;

export interface EngineFlags extends Partial<Record<keyof typeof NUMBERS, number>> {
  /** False with `--no-compute`. */
  compute: boolean;
  scratch?: string;
  sandbox: Required<WasiEngineOptions>['sandbox'];
  timeLimitMs: number;
  maxConcurrent: number;
  maxConcurrentPerPrincipal?: number;
  maxWaiting: number;
  maxWaitingPerPrincipal: number;
  maxMemoryMib: number;
  maxOutputBytes: number;
}

/** The flags that say how programs are run. */
export function addEngineOptions(command: Command): Command {
  const { timeLimitMs, maxConcurrent, maxWaiting, maxWaitingPerPrincipal, maxMemoryMib, maxOutputBytes } = WASI_ENGINE_DEFAULTS;
  command
    .option('--no-compute', 'run no programs')
    .option('--scratch <folder>', 'where running programs have their files, guarded like the store; default: for temporary files')
    .addOption(
      new Option('--sandbox <kind>', 'what confines programs: bubblewrap, the best that works here, or nothing but Node')
        .choices(SANDBOX_CHOICES)
        .default(SANDBOX_CHOICES[0]),
    )
    .option('--time-limit-ms <n>', 'milliseconds that a program may run', wholeNumber('--time-limit-ms'), timeLimitMs)
    .option('--max-concurrent <n>', 'programs that run at once; more wait', wholeNumber('--max-concurrent'), maxConcurrent)
    .option(
      '--max-concurrent-per-principal <n>',
      'programs of one principal that run at once; default: one less than --max-concurrent',
      wholeNumber('--max-concurrent-per-principal'),
    )
    .option('--max-waiting <n>', 'programs that wait for their turn; more are refused', wholeNumber('--max-waiting'), maxWaiting)
    .option(
      '--max-waiting-per-principal <n>',
      'programs of one principal that wait',
      wholeNumber('--max-waiting-per-principal'),
      maxWaitingPerPrincipal,
    )
    .option(
      '--max-memory-mib <n>',
      'memory of a program, MiB, where the policy does not say less',
      wholeNumber('--max-memory-mib'),
      maxMemoryMib,
    )
    .option('--max-output-bytes <n>', 'bytes that a program may write', wholeNumber('--max-output-bytes'), maxOutputBytes);
  return addNumberFlags(command, NUMBERS, WASI_ENGINE_DEFAULTS);
}

/** The engine that the flags ask for; undefined for none. Throws InvalidOptionError. */
export function engineOf(flags: EngineFlags): WasiEngine | undefined {
  if (!flags.compute) return undefined;
  return new WasiEngine({
    ...(flags.scratch !== undefined && { scratch: flags.scratch }),
    sandbox: flags.sandbox,
    timeLimitMs: flags.timeLimitMs,
    maxConcurrent: flags.maxConcurrent,
    ...definedOf({ maxConcurrentPerPrincipal: flags.maxConcurrentPerPrincipal }),
    maxWaiting: flags.maxWaiting,
    maxWaitingPerPrincipal: flags.maxWaitingPerPrincipal,
    maxMemoryMib: flags.maxMemoryMib,
    maxOutputBytes: flags.maxOutputBytes,
    ...numbersOf(NUMBERS, flags),
  });
}

/** Gets the engine ready, and says in the log what confines programs. Throws ComputeError. */
export async function announceSandbox(engine: WasiEngine, log: Log): Promise<void> {
  const { sandbox, warning } = await engine.ready();
  log('info', 'programs are confined', { sandbox });
  if (warning !== undefined) log('warn', `the sandbox of programs is weak: ${warning}`, { sandbox });
}

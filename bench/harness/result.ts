/** What a run of the suite writes: one result a case. */
import { writeFileSync } from 'node:fs';
import { type Machine, thisMachine } from './machine.js';

export type SuiteName = 'layers' | 'files' | 'requests';

/** Who a case belongs to when it is ours. */
export const OURS = 'veracruz-streams';

export interface Result {
  readonly suite: SuiteName;
  /** What was measured; the same for ours and the peers that it is compared with in `layers`. */
  readonly name: string;
  /** `veracruz-streams`, or the peer. */
  readonly by: string;
  /** Bytes of payload that a run moved. */
  readonly bytes: number;
  /** Of one message (layers, requests). */
  readonly messageBytes?: number;
  /** Sessions, or connections, at once (files, requests). */
  readonly sessions?: number;
  /** Where the bytes came from and went to (files). */
  readonly medium?: 'memory' | 'disk';
  /** How often it was run; figures are medians. */
  readonly rounds: number;
  readonly seconds: number;
  /** Distance of the quartiles as a share of the median. */
  readonly spread: number;
  /** Millions of bytes a second. */
  readonly mbPerSecond: number;
  readonly messagesPerSecond?: number;
  readonly requestsPerSecond?: number;
  /** Milliseconds. */
  readonly latencyMs?: { readonly p50: number; readonly p99: number; readonly p999: number };
  /** By what factor it is faster than another case of the same run: by peer, or by our other way. */
  readonly ratioTo: Readonly<Record<string, number>>;
  /** Peak resident memory of each process in the worst round, millions of bytes. */
  readonly peakRssMb?: Readonly<Record<string, number>>;
  /** Processor time of each process, user and system. */
  readonly cpuSeconds?: Readonly<Record<string, number>>;
  readonly node: string;
  readonly cpu: string;
}

/** A result before it is known where it was made. */
export type Measured = Omit<Result, 'node' | 'cpu'>;

/** The contents of a JSON file of a run. */
export interface Run {
  readonly machine: Machine;
  /** The command line. */
  readonly flags: string;
  readonly results: readonly Result[];
}

/** @param flags the command line that made the results */
export function runOf(measured: readonly Measured[], flags: string): Run {
  const machine = thisMachine();
  const { node, cpu } = machine;
  return { machine, flags, results: measured.map((result) => ({ ...result, node, cpu })) };
}

export function writeRun(path: string, run: Run): void {
  writeFileSync(path, `${JSON.stringify(run, null, 2)}\n`);
}

/** Four significant digits: more would be noise. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

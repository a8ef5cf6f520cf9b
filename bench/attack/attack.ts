/** What an attack is, as the command knows it and as its processes carry it out. */
import type { Stage, Target } from './target.js';

export interface Attack {
  /** One line for the list: who does what. */
  readonly about: string;
  readonly stage?: Stage;
  /** Counts that must stay 0, and what it means when they do not. */
  readonly never?: Readonly<Record<string, string>>;
  /** Makes what `run` needs, in each of the attacking processes, before anything is measured. */
  prepare?(): unknown;
  /** Carries it out, in one of the attacking processes, until `task.signal` fires. */
  run(task: AttackTask): Promise<unknown>;
}

export interface AttackTask {
  readonly target: Target;
  /** Which of the attacking processes this is, from 0. */
  readonly number: number;
  /** A number from 0 to `below` - 1, the same in every run with one seed. */
  readonly random: (below: number) => number;
  readonly signal: AbortSignal;
  /** Counts what was done, and how the roles took it. */
  readonly count: (what: string) => void;
}

/** What an attack has done, by what it counts. */
export type Counts = Readonly<Record<string, number>>;

/** An address of loopback: any of 127.0.0.0/8 may be taken. `network` and `host` are from 0 to 200. */
export function address(network: number, host = 1): string {
  return `127.${network + 20}.0.${host + 1}`;
}

/** Does `work` again and again, `lanes` times at once, until `signal` fires. A fault is waited for a moment, and not told. */
export async function again(signal: AbortSignal, lanes: number, work: (lane: number) => Promise<unknown>): Promise<void> {
  const lane = async (index: number) => {
    while (!signal.aborted) await work(index).catch(() => pause(FAULT_PAUSE_MS, signal));
  };
  await Promise.all(Array.from({ length: lanes }, (_, index) => lane(index)));
}

const FAULT_PAUSE_MS = 20;

/** Waits `ms` milliseconds, or until `signal` fires. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

/** A line of the simulated network, and errors as the system reports them. */

/** How bytes travel between two places. */
export interface Line {
  /** Milliseconds from one end to the other, at least. */
  latencyMs: number;
  /** Up to as many milliseconds more for each piece; pieces of one direction stay in order. */
  jitterMs: number;
  /** Bytes a millisecond. */
  rate: number;
  /** What latency and rate are when nothing is wrong. */
  readonly usual: { readonly latencyMs: number; readonly rate: number };
  /** No byte arrives, and nobody is told: what was sent comes when the line is whole again. */
  silent: boolean;
}

/** An error as the system reports one. */
export function systemError(code: string, call: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${call} ${code}`), { code, syscall: call });
}

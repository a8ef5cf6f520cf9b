/** The clocks of WASI. */
const [REALTIME, MONOTONIC, PROCESS, THREAD] = [0, 1, 2, 3];
/** Nanoseconds that one step of a clock takes: of the calendar and of a process's time Node tells microseconds. */
const RESOLUTION = new Map([
  [REALTIME, 1000n],
  [MONOTONIC, 1n],
  [PROCESS, 1000n],
  [THREAD, 1000n],
]);

/** Nanoseconds of one step of the clock with this number; undefined when there is none. */
export function resolutionOf(id: number): bigint | undefined {
  return RESOLUTION.get(id >>> 0);
}

/** What the clock with this number shows, in nanoseconds; undefined when there is none. */
export function timeOf(id: number): bigint | undefined {
  switch (id >>> 0) {
    case REALTIME:
      return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;
    case MONOTONIC:
      return process.hrtime.bigint();
    case PROCESS:
    case THREAD: {
      // Nothing else runs in the process that would count.
      const { user, system } = process.cpuUsage();
      return BigInt(user + system) * 1000n;
    }
    default:
      return undefined;
  }
}

/** Memory and processor time of a process, as Linux counts them; undefined where the system does not tell. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** Seconds, all threads. */
export interface CpuTime {
  readonly user: number;
  readonly system: number;
}

/** Ticks of /proc/<pid>/stat a second: USER_HZ, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Peak resident memory in bytes since the process began, or since `forgetPeak`. VmHWM counts this program alone. */
export function peakRssOf(pid: number): number | undefined {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(read(pid, 'status'));
  return match === null ? undefined : Number(match[1]) * 1024;
}

/** Lets the peak begin anew at what is resident now. */
export function forgetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // Then the peak is that of the whole run: a bound from above.
  }
}

/** Resident memory in bytes now. */
export function rssOf(pid: number): number | undefined {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(read(pid, 'status'));
  return match === null ? undefined : Number(match[1]) * 1024;
}

/** Open descriptors. */
export function descriptorsOf(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}

export function cpuTimeOf(pid: number): CpuTime | undefined {
  // utime and stime are the 14th and 15th field; the second, in parentheses, may hold blanks.
  const fields = read(pid, 'stat')
    .replace(/^.*\) /s, '')
    .split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  return Number.isNaN(user + system) ? undefined : { user: user / TICKS_PER_SECOND, system: system / TICKS_PER_SECOND };
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** Options that all roles have in common. */

/** Writes one log line: a level, what happened, and figures such as session ids and byte counts, never payload. */
export type Log = (level: 'debug' | 'info' | 'warn' | 'error', event: string, figures?: Readonly<Record<string, unknown>>) => void;

/** Logs that a role has closed by itself and failed at that, which nobody else would hear of. */
export function logBadEnd(log: Log, { message: reason }: Error): void {
  log('error', 'not closed in good order', { reason });
}

/** A log that discards everything. */
export const noLog: Log = () => {};

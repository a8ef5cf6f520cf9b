/** Options that all roles have in common. */

/** Writes one log line: a level, what happened, and figures such as session ids and byte counts, never payload. */
export type Log = (level: 'debug' | 'info' | 'warn' | 'error', event: string, figures?: Readonly<Record<string, unknown>>) => void;

/** A log that discards everything. */
export const noLog: Log = () => {};

/** What the roles have in common. */

/** One line of a log: a level, what happened, and its figures (session ids and byte counts, never payload). */
export type Log = (level: 'debug' | 'info' | 'warn' | 'error', event: string, figures?: Readonly<Record<string, unknown>>) => void;

/** Says nothing. */
export const noLog: Log = () => {};

/** What the roles have in common. */

/** One line of a log: a level, what happened, and its figures (session ids and byte counts, never payload). */
export type Log = (level: 'debug' | 'info' | 'warn' | 'error', event: string, figures?: Readonly<Record<string, unknown>>) => void;

/** Says nothing. */
export const noLog: Log = () => {};

/** `T` with the keys that may be missing, but never undefined. */
type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** The options without those that were passed as undefined, so that they do not cover a default. */
export function definedOf<T extends object>(options: T): Defined<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Defined<T>;
}

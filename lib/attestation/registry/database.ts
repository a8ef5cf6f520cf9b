import { RegistryError, VeracruzError } from '../../core/errors.js';

/** Runs one statement. Parameters are `$1`, `$2`, …; rows come as objects. */
export type Query = <Row extends object>(sql: string, parameters?: readonly Parameter[]) => Promise<Row[]>;
export type Parameter = string | number | null;

/** What the registry needs of a PostgreSQL: the two engines are behind it. All reject with `RegistryError`. */
export interface Database {
  /** Where it is, for logs and messages: a path, or host and database, never a password. */
  readonly where: string;
  readonly query: Query;
  /** All of `run` or nothing of it. */
  transaction<T>(run: (query: Query) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Names the fault by its SQLSTATE or system code: a database's own text may quote what it was given. */
export function databaseError(thrown: unknown, what: string): VeracruzError {
  if (thrown instanceof VeracruzError) return thrown;
  const { code } = thrown as { code?: unknown };
  const reason = typeof code === 'string' ? ` (${code})` : '';
  return new RegistryError(`the registry's database ${what}${reason}`, {
    layer: 'registry',
    ...(typeof code === 'string' && { got: code }),
    cause: thrown,
  });
}

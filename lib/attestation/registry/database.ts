import { RegistryError, VeracruzError } from '../../core/errors.js';

/** Runs one SQL statement. Its parameters are `$1`, `$2`, …; rows are returned as objects. */
export type Query = <Row extends object>(sql: string, parameters?: readonly Parameter[]) => Promise<Row[]>;
export type Parameter = string | number | null;

/** A PostgreSQL database: embedded, or a server. All methods reject with `RegistryError`. */
export interface Database {
  /** Location for logs and messages: a path, or host and database; never a password. */
  readonly where: string;
  readonly query: Query;
  /** Runs all statements of `run` in one transaction. */
  transaction<T>(run: (query: Query) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** An error with the SQLSTATE or system code only, because the database's own text may quote its parameters. */
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

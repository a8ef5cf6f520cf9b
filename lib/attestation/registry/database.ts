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

/**
 * An error with the SQLSTATE or system code only, because the database's own text may quote its parameters. Where it refuses
 * or ends the connection (FATAL) there are none, and its text stands in the message.
 */
export function databaseError(thrown: unknown, what: string): VeracruzError {
  if (thrown instanceof VeracruzError) return thrown;
  const { code, severity, message } = thrown as { code?: unknown; severity?: unknown; message?: unknown };
  // Whoever refuses a connection says why, and a pooler has one code for all of it.
  const said = severity === 'FATAL' && typeof message === 'string' ? `: ${message.split('\n', 1)[0]}` : '';
  const reason = typeof code === 'string' ? ` (${code}${said})` : '';
  return new RegistryError(`the registry's database ${what}${reason}`, {
    layer: 'registry',
    ...(typeof code === 'string' && { got: code }),
    cause: thrown,
  });
}

import { BincodeError } from '../../core/errors.js';
import { DIALECTS, type Dialect } from '../formats/dialect.js';

/**
 * A message read in `dialect`. The error for bytes that are none says in which other dialects they are one, and which: a wrong
 * dialect at either end is the usual cause, and the bytes alone do not tell it.
 *
 * @param read reads the same bytes, to their end, in the dialect that it is given
 */
export function inDialect<M extends { readonly kind: string }>(dialect: Dialect, read: (dialect: Dialect) => M): M {
  try {
    return read(dialect);
  } catch (error) {
    if (!(error instanceof BincodeError)) throw error;
    throw withHint(error, dialect, readings(dialect, read));
  }
}

/** The kind of message in each other dialect that the bytes are a message of. */
function readings(dialect: Dialect, read: (dialect: Dialect) => { readonly kind: string }): [Dialect, string][] {
  return DIALECTS.filter((other) => other !== dialect).flatMap((other): [Dialect, string][] => {
    try {
      return [[other, read(other).kind]];
    } catch {
      return [];
    }
  });
}

function withHint(error: BincodeError, dialect: Dialect, found: readonly [Dialect, string][]): BincodeError {
  const [first] = found;
  if (first === undefined) return error;
  const { layer, offset, expected, got } = error;
  const others = found.map(([other]) => other).join(' and ');
  const hint = `not in the dialect ${dialect}; in ${others} these bytes are ${first[1]}: is the dialect right at both ends?`;
  return new BincodeError(`${error.message}, ${hint}`, { layer, offset, expected, got });
}

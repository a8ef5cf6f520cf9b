import { ComputeError, type ErrorFigures, VeracruzError } from '../../core/errors.js';

export const COMPUTE_LAYER = 'compute';

export function failed(message: string, figures: ErrorFigures = {}): ComputeError {
  return new ComputeError(message, { layer: COMPUTE_LAYER, ...figures });
}

/** Wraps what the system raised while `what` was tried; an error of the library stays what it is. */
export function computeError(what: string, thrown: unknown): VeracruzError {
  if (thrown instanceof VeracruzError) return thrown;
  const code = (thrown as NodeJS.ErrnoException | undefined)?.code ?? 'unknown';
  return failed(`cannot ${what}: ${code}`, { got: code, cause: thrown });
}

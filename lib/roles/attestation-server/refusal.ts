import { asVeracruzError, ClosedError, LimitError, RegistryError } from '../../core/errors.js';

const LAYER = 'attestation-server';

/** A status and the plain line that goes with it. */
export class Refusal extends Error {
  readonly status: number;

  /** @param cause what is worth a line of the log, if anything is */
  constructor(status: number, text: string, cause?: unknown) {
    super(text, { cause });
    this.status = status;
  }
}

/** Is it the server that cannot, and not the request that is wrong? */
export function isOurs(thrown: unknown): boolean {
  if (thrown instanceof RegistryError || thrown instanceof ClosedError) return true;
  return thrown instanceof LimitError && (thrown.layer === LAYER || thrown.layer === 'registry');
}

/** How a request is told what became of it. */
export function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown;
  const ours = isOurs(thrown);
  const error = asVeracruzError(thrown, { layer: LAYER });
  if (!ours) return new Refusal(error instanceof LimitError ? 413 : 400, error.message, error);
  return new Refusal(503, error instanceof LimitError ? error.message : 'the registry does not answer', error);
}

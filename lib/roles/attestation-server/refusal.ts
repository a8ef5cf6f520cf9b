import { asVeracruzError, ClosedError, LimitError, RegistryError } from '../../core/errors.js';

const LAYER = 'attestation-server';

/** An HTTP status and the text line that is sent with it. */
export class Refusal extends Error {
  readonly status: number;

  /** @param cause the error to log; undefined when nothing needs to be logged */
  constructor(status: number, text: string, cause?: unknown) {
    super(text, { cause });
    this.status = status;
  }
}

/** True when the server or its registry has failed, false when the request is wrong. */
export function isOurs(thrown: unknown): boolean {
  if (thrown instanceof RegistryError || thrown instanceof ClosedError) return true;
  return thrown instanceof LimitError && (thrown.layer === LAYER || thrown.layer === 'registry');
}

/** The answer for an error. */
export function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown;
  const ours = isOurs(thrown);
  const error = asVeracruzError(thrown, { layer: LAYER });
  if (!ours) return new Refusal(error instanceof LimitError ? 413 : 400, error.message, error);
  return new Refusal(503, error instanceof LimitError ? error.message : 'the registry does not answer', error);
}

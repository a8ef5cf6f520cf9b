/** What keeps a manager from service, and whether waiting helps. */
import { HttpStatusError, LinkError, TimeoutError, TransportError } from '../../core/errors.js';
import { isHopeless } from '../../transports/retry.js';

/** What is missing until a manager serves: it, the attestation server, the consent of one of them, or only time. */
export type Missing = 'manager' | 'attestation server' | 'consent' | 'initialising';
/** The same of a manager that may never serve again: it was drained or reset, or a principal has shut it down. */
export type Lack = Missing | 'leaving';

/** What clients and logs are told. */
export const TEXTS: Readonly<Record<Lack, string>> = Object.freeze({
  leaving: 'the Runtime Manager takes no new sessions',
  manager: 'the Runtime Manager is not there',
  'attestation server': 'the attestation server is not there',
  consent: 'the Runtime Manager could not be attested and initialised',
  initialising: 'the Runtime Manager is being attested and initialised',
});

/** The nearer to service, the later. */
const NEARNESS: readonly Lack[] = ['leaving', 'manager', 'consent', 'attestation server', 'initialising'];

/** Of what several managers lack, what the one lacks that is nearest to service. */
export function nearest(lacks: readonly Lack[]): Lack {
  return NEARNESS.findLast((each) => lacks.includes(each)) ?? 'manager';
}

/** HTTP statuses of an attestation server, or of a proxy before it, that will be another one later. */
const PASSING = new Set([429, 502, 503, 504]);

/** Whether a failure is that somebody is not there, or not yet: waiting helps. Otherwise somebody is there, and refuses. */
export function isAbsence(error: unknown): boolean {
  return (
    (error instanceof TransportError && !isHopeless(error)) ||
    error instanceof TimeoutError ||
    (error instanceof HttpStatusError && PASSING.has(Number(error.got))) ||
    // A link that ended. With an expectation it is an answer that makes no sense.
    (error instanceof LinkError && error.expected === undefined)
  );
}

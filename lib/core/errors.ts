/**
 * Every error that the library reports: one class for each kind of fault, each with a stable `code`.
 * Match on `code`, never on the message. A message carries figures, never bytes of payloads or keys.
 */

/** The figures that an error carries. Only those that apply to it are set. */
export interface ErrorFigures {
  /** Name of the layer (or of the part of a role) that noticed the fault, e.g. `length-prefix`. */
  layer?: string | undefined;
  /** The session that the fault ended: a session id, or the label given to `over()`. */
  session?: string | undefined;
  /** The expected value: bytes, a count, or a name. */
  expected?: number | bigint | string | undefined;
  /** The value that came instead. */
  got?: number | bigint | string | undefined;
  /** The limit that was exceeded, in the unit that the message names. */
  limit?: number | undefined;
  /** Offset in bytes, from the start of the message or unit, of the first bad byte. */
  offset?: number | undefined;
  /** The error of Node, OpenSSL or the operating system that caused this one. */
  cause?: unknown;
}

/** Base of all errors of this library. */
export class VeracruzError extends Error {
  /** A stable code that no other class has. */
  readonly code: string = 'ERR_VC';
  layer: string | undefined;
  session: string | undefined;
  readonly expected: number | bigint | string | undefined;
  readonly got: number | bigint | string | undefined;
  readonly limit: number | undefined;
  readonly offset: number | undefined;

  constructor(message: string, figures: ErrorFigures = {}) {
    super(message, figures.cause === undefined ? undefined : { cause: figures.cause });
    this.name = new.target.name;
    this.layer = figures.layer;
    this.session = figures.session;
    this.expected = figures.expected;
    this.got = figures.got;
    this.limit = figures.limit;
    this.offset = figures.offset;
  }
}

/** An option of a layer, transport or role is outside its range. Thrown by the constructor. */
export class InvalidOptionError extends VeracruzError {
  override readonly code = 'ERR_VC_INVALID_OPTION';
}

/** A value from the caller cannot be sent: wrong type, wrong order, or too large for the wire. */
export class InvalidArgumentError extends VeracruzError {
  override readonly code = 'ERR_VC_INVALID_ARGUMENT';
}

/** A source gave more or fewer bytes than were announced for it. */
export class LengthMismatchError extends VeracruzError {
  override readonly code = 'ERR_VC_LENGTH_MISMATCH';
}

/** The input ended inside a unit: of `expected` bytes, only `got` arrived. */
export class TruncatedError extends VeracruzError {
  override readonly code = 'ERR_VC_TRUNCATED';
}

/** A peer (or caller) announced or sent more than a `limit` allows. Nothing of it was kept. */
export class LimitError extends VeracruzError {
  override readonly code = 'ERR_VC_LIMIT';
}

/** The bytes are not a protobuf message of the schema (wire spec §A). */
export class ProtobufError extends VeracruzError {
  override readonly code = 'ERR_VC_PROTOBUF';
}

/** The bytes cannot be a TLS record (RFC 8446 §5.1). */
export class RecordError extends VeracruzError {
  override readonly code = 'ERR_VC_RECORD';
}

/** The text is not canonical, padded base64 of the standard alphabet. */
export class Base64Error extends VeracruzError {
  override readonly code = 'ERR_VC_BASE64';
}

/** An HTTP body does not have the form `<id> <b64>…` (wire spec §C). */
export class SessionTextError extends VeracruzError {
  override readonly code = 'ERR_VC_SESSION_TEXT';
}

/** An answer carries the id of another session. */
export class SessionMismatchError extends VeracruzError {
  override readonly code = 'ERR_VC_SESSION_MISMATCH';
}

/** The bytes are not a bincode value of the dialect (wire spec §D). */
export class BincodeError extends VeracruzError {
  override readonly code = 'ERR_VC_BINCODE';
}

/** TLS failed after the handshake: a record did not authenticate, or the peer sent an alert. */
export class TlsError extends VeracruzError {
  override readonly code = 'ERR_VC_TLS';
}

/** The TLS handshake failed; `cause` has OpenSSL's reason. */
export class TlsHandshakeError extends VeracruzError {
  override readonly code = 'ERR_VC_TLS_HANDSHAKE';
}

/** The TLS handshake was not over at its deadline (`limit`, milliseconds). */
export class TlsHandshakeTimeoutError extends VeracruzError {
  override readonly code = 'ERR_VC_TLS_HANDSHAKE_TIMEOUT';
}

/** The byte pipe ended without the peer's close_notify: what came before may be incomplete. */
export class TlsTruncatedError extends VeracruzError {
  override readonly code = 'ERR_VC_TLS_TRUNCATED';
}

/** The peer's certificate is missing, not trusted, expired or not yet valid, or refused by the hook. */
export class CertificateError extends VeracruzError {
  override readonly code = 'ERR_VC_CERTIFICATE';
}

/** The peer's certificate is trusted, but does not belong to a principal of the policy. */
export class PrincipalUnknownError extends VeracruzError {
  override readonly code = 'ERR_VC_PRINCIPAL_UNKNOWN';
}

/** The peer ended the session before its first answer: it has refused this end or its certificate. */
export class PeerRejectedError extends VeracruzError {
  override readonly code = 'ERR_VC_PEER_REJECTED';
}

/** The socket, HTTP exchange or console below the stack failed; `cause` has the system's error. */
export class TransportError extends VeracruzError {
  override readonly code = 'ERR_VC_TRANSPORT';
}

/** The stack, session or role is closed already. */
export class ClosedError extends VeracruzError {
  override readonly code = 'ERR_VC_CLOSED';
}

/** An HTTP answer other than 200; `got` is the status. */
export class HttpStatusError extends VeracruzError {
  override readonly code = 'ERR_VC_HTTP_STATUS';
}

/** No session has this id. */
export class SessionUnknownError extends VeracruzError {
  override readonly code = 'ERR_VC_SESSION_UNKNOWN';
}

/** Another connection is using this session. */
export class SessionBusyError extends VeracruzError {
  override readonly code = 'ERR_VC_SESSION_BUSY';
}

/** A request was sent and its answer was lost. The request may have taken effect or not, so it is never repeated. */
export class OutcomeUnknownError extends VeracruzError {
  override readonly code = 'ERR_VC_OUTCOME_UNKNOWN';
}

/** The link to the Runtime Manager failed, or its peer broke the request-and-answer order. */
export class LinkError extends VeracruzError {
  override readonly code = 'ERR_VC_LINK';
}

/** The peer answered a request with a status other than SUCCESS; `got` names it. */
export class RequestFailedError extends VeracruzError {
  override readonly code = 'ERR_VC_REQUEST_FAILED';
}

/** A deadline passed (`limit`, milliseconds). */
export class TimeoutError extends VeracruzError {
  override readonly code = 'ERR_VC_TIMEOUT';
}

/** The caller's AbortSignal ended the operation; `cause` is its reason. Its `name` is that of all aborts in Node: `AbortError`. */
export class AbortedError extends VeracruzError {
  override readonly code = 'ERR_VC_ABORTED';
  override readonly name = 'AbortError';
}

/** A file name would leave the store (`..`) or is invalid (NUL, too long). */
export class FileNameError extends VeracruzError {
  override readonly code = 'ERR_VC_FILE_NAME';
}

/** The store could not read or write a file; `cause` has the system's error. */
export class FileStoreError extends VeracruzError {
  override readonly code = 'ERR_VC_FILE_STORE';
}

/**
 * The system failed at a file on this side, whose path is a good one: the disk is full or broken, or the reader of a pipe has
 * left; `got` is the system's code, `cause` its error.
 */
export class LocalFileError extends VeracruzError {
  override readonly code = 'ERR_VC_LOCAL_FILE';
}

/** A text is not a policy, or its contents are invalid. The message has one line for each fault, with its key. */
export class PolicyError extends VeracruzError {
  override readonly code = 'ERR_VC_POLICY';
}

/** The policy forbids it: the principal lacks the right, or the contents are not the pinned ones. `got` is the file. */
export class AccessDeniedError extends VeracruzError {
  override readonly code = 'ERR_VC_ACCESS_DENIED';
}

/** A precondition is missing: the manager is not initialised, or a program is not provisioned. */
export class NotReadyError extends VeracruzError {
  override readonly code = 'ERR_VC_NOT_READY';
}

/**
 * As much is under way as may be, for this principal (or peer) or in all: sessions, or programs that wait (`limit`). Nothing
 * was done. The same may be tried again later.
 */
export class BusyError extends VeracruzError {
  override readonly code = 'ERR_VC_BUSY';
}

/** A program could not be run to its end: it is not WebAssembly, it trapped, or it exceeded a limit of memory or time. */
export class ComputeError extends VeracruzError {
  override readonly code = 'ERR_VC_COMPUTE';
}

/** The evidence is malformed (CBOR, COSE or claims), or of another kind than was asked for. */
export class EvidenceError extends VeracruzError {
  override readonly code = 'ERR_VC_EVIDENCE';
}

/** The evidence is not signed by the right key. */
export class EvidenceSignatureError extends VeracruzError {
  override readonly code = 'ERR_VC_EVIDENCE_SIGNATURE';
}

/** The certificates in the evidence do not lead to the pinned root, or are expired or not yet valid. */
export class EvidenceChainError extends VeracruzError {
  override readonly code = 'ERR_VC_EVIDENCE_CHAIN';
}

/** The challenge was never issued or was used before, or the evidence answers another challenge. */
export class ChallengeError extends VeracruzError {
  override readonly code = 'ERR_VC_CHALLENGE';
}

/** The challenge was answered after its lifetime (`limit`, milliseconds). */
export class ChallengeExpiredError extends VeracruzError {
  override readonly code = 'ERR_VC_CHALLENGE_EXPIRED';
}

/** The certificate signing request is malformed, not signed by its own key, or not the one that the evidence binds. */
export class CertificateRequestError extends VeracruzError {
  override readonly code = 'ERR_VC_CERTIFICATE_REQUEST';
}

/** The device is not registered, or is registered with another key. */
export class DeviceUnknownError extends VeracruzError {
  override readonly code = 'ERR_VC_DEVICE_UNKNOWN';
}

/** The evidence is from a Runtime Manager that is not allowed; `got` is its hash. */
export class RuntimeHashError extends VeracruzError {
  override readonly code = 'ERR_VC_RUNTIME_HASH';
}

/** The device registry's database failed; `cause` has its error. */
export class RegistryError extends VeracruzError {
  override readonly code = 'ERR_VC_REGISTRY';
}

/** Something needs an npm package that is not installed with this one; the message and `expected` name it. */
export class MissingPackageError extends VeracruzError {
  override readonly code = 'ERR_VC_MISSING_PACKAGE';
}

/** Every class of error. A test compares this list with the documentation. */
export const ERROR_CLASSES: ReadonlyArray<new (message: string, figures?: ErrorFigures) => VeracruzError> = Object.freeze([
  InvalidOptionError,
  InvalidArgumentError,
  LengthMismatchError,
  TruncatedError,
  LimitError,
  ProtobufError,
  RecordError,
  Base64Error,
  SessionTextError,
  SessionMismatchError,
  BincodeError,
  TlsError,
  TlsHandshakeError,
  TlsHandshakeTimeoutError,
  TlsTruncatedError,
  CertificateError,
  PrincipalUnknownError,
  PeerRejectedError,
  TransportError,
  ClosedError,
  HttpStatusError,
  SessionUnknownError,
  SessionBusyError,
  OutcomeUnknownError,
  LinkError,
  RequestFailedError,
  TimeoutError,
  AbortedError,
  FileNameError,
  FileStoreError,
  LocalFileError,
  PolicyError,
  AccessDeniedError,
  NotReadyError,
  BusyError,
  ComputeError,
  EvidenceError,
  EvidenceSignatureError,
  EvidenceChainError,
  ChallengeError,
  ChallengeExpiredError,
  CertificateRequestError,
  DeviceUnknownError,
  RuntimeHashError,
  RegistryError,
  MissingPackageError,
]);

/** Turns any thrown value into an error of this library. The original value becomes the `cause`. */
export function asVeracruzError(thrown: unknown, figures: ErrorFigures = {}): VeracruzError {
  if (thrown instanceof VeracruzError) {
    thrown.layer ??= figures.layer;
    thrown.session ??= figures.session;
    return thrown;
  }
  const aborted = thrown instanceof Error && (thrown.name === 'AbortError' || (thrown as NodeJS.ErrnoException).code === 'ABORT_ERR');
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return aborted ? new AbortedError(message, { ...figures, cause: thrown }) : new TransportError(message, { ...figures, cause: thrown });
}

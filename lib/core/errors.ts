/**
 * Every fault that the library reports: one class a kind of fault, each with a stable `code`.
 * Match on `code`, never on the message. A message carries figures, never payload or key bytes.
 */

/** The figures that belong to a fault. Only those that mean something for it are set. */
export interface ErrorFigures {
  /** Name of the layer (or role part) that noticed the fault, e.g. `length-prefix`. */
  layer?: string | undefined;
  /** The session that the fault ended: a session id, or the label given to `over()`. */
  session?: string | undefined;
  /** What was due: bytes, a count, or a name. */
  expected?: number | bigint | string | undefined;
  /** What was there instead. */
  got?: number | bigint | string | undefined;
  /** The limit that was passed, in the unit that the message names. */
  limit?: number | undefined;
  /** Offset in bytes, from the start of the message or unit, of the first bad byte. */
  offset?: number | undefined;
  /** The error of Node, OpenSSL or the operating system behind this one. */
  cause?: unknown;
}

/** Base of all errors of this library. */
export class VeracruzError extends Error {
  /** Stable and unique to the class. */
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

/** A value that the caller hands over cannot be sent: wrong type, wrong order, too large for the wire. */
export class InvalidArgumentError extends VeracruzError {
  override readonly code = 'ERR_VC_INVALID_ARGUMENT';
}

/** A source gave more or fewer bytes than were announced for it. */
export class LengthMismatchError extends VeracruzError {
  override readonly code = 'ERR_VC_LENGTH_MISMATCH';
}

/** The input ended inside a unit: `expected` bytes were due, `got` arrived. */
export class TruncatedError extends VeracruzError {
  override readonly code = 'ERR_VC_TRUNCATED';
}

/** Something a peer (or caller) announced or sent passes a `limit`; nothing of it was kept. */
export class LimitError extends VeracruzError {
  override readonly code = 'ERR_VC_LIMIT';
}

/** Bytes that are no protobuf message of the schema (wire spec §A). */
export class ProtobufError extends VeracruzError {
  override readonly code = 'ERR_VC_PROTOBUF';
}

/** Bytes that cannot be a TLS record (RFC 8446 §5.1). */
export class RecordError extends VeracruzError {
  override readonly code = 'ERR_VC_RECORD';
}

/** Text that is not canonical, padded base64 of the standard alphabet. */
export class Base64Error extends VeracruzError {
  override readonly code = 'ERR_VC_BASE64';
}

/** An HTTP body that is not `<id> <b64>…` (wire spec §C). */
export class SessionTextError extends VeracruzError {
  override readonly code = 'ERR_VC_SESSION_TEXT';
}

/** An answer carries the id of another session. */
export class SessionMismatchError extends VeracruzError {
  override readonly code = 'ERR_VC_SESSION_MISMATCH';
}

/** Bytes that are no bincode value of the dialect (wire spec §D). */
export class BincodeError extends VeracruzError {
  override readonly code = 'ERR_VC_BINCODE';
}

/** TLS failed after the handshake: a record that does not authenticate, an alert of the peer. */
export class TlsError extends VeracruzError {
  override readonly code = 'ERR_VC_TLS';
}

/** The TLS handshake did not come about; `cause` has OpenSSL's reason. */
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

/** The peer's certificate is missing, not trusted, out of its time, or refused by the hook. */
export class CertificateError extends VeracruzError {
  override readonly code = 'ERR_VC_CERTIFICATE';
}

/** The peer's certificate is trusted but is no principal of the policy. */
export class PrincipalUnknownError extends VeracruzError {
  override readonly code = 'ERR_VC_PRINCIPAL_UNKNOWN';
}

/** The peer ended the session before its first answer: it refused our certificate, or us. */
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

/** A request was sent and its answer was lost: it may or may not have taken effect. Never repeated. */
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

/** The caller's AbortSignal ended the operation; `cause` is its reason. */
export class AbortedError extends VeracruzError {
  override readonly code = 'ERR_VC_ABORTED';
}

/** A file name that leaves the store or cannot be one: `..`, NUL, too long. */
export class FileNameError extends VeracruzError {
  override readonly code = 'ERR_VC_FILE_NAME';
}

/** The store could not read or write a file; `cause` has the system's error. */
export class FileStoreError extends VeracruzError {
  override readonly code = 'ERR_VC_FILE_STORE';
}

/** A policy that is none, or that says what cannot be; the message has a line for each fault, with its key. */
export class PolicyError extends VeracruzError {
  override readonly code = 'ERR_VC_POLICY';
}

/** The policy does not let this principal do that: no right, or contents that are not those it pins. `got` is the file. */
export class AccessDeniedError extends VeracruzError {
  override readonly code = 'ERR_VC_ACCESS_DENIED';
}

/** Something that must be there first is not: the manager is not initialised, or a program is not provisioned. */
export class NotReadyError extends VeracruzError {
  override readonly code = 'ERR_VC_NOT_READY';
}

/** A program could not be run to its end: no WebAssembly, a trap, a limit of memory or time that it passed. */
export class ComputeError extends VeracruzError {
  override readonly code = 'ERR_VC_COMPUTE';
}

/** Evidence that is none: malformed CBOR, COSE or claims, or one of another kind than was asked for. */
export class EvidenceError extends VeracruzError {
  override readonly code = 'ERR_VC_EVIDENCE';
}

/** The evidence is not signed by the key that it must be signed by. */
export class EvidenceSignatureError extends VeracruzError {
  override readonly code = 'ERR_VC_EVIDENCE_SIGNATURE';
}

/** The certificates in the evidence do not lead to the pinned root, or are out of their time. */
export class EvidenceChainError extends VeracruzError {
  override readonly code = 'ERR_VC_EVIDENCE_CHAIN';
}

/** No such challenge (it was never given, or was used before), or the evidence answers another one. */
export class ChallengeError extends VeracruzError {
  override readonly code = 'ERR_VC_CHALLENGE';
}

/** The challenge was answered after its lifetime (`limit`, milliseconds). */
export class ChallengeExpiredError extends VeracruzError {
  override readonly code = 'ERR_VC_CHALLENGE_EXPIRED';
}

/** The certificate signing request is none, is not signed by its own key, or is not the one that the evidence binds. */
export class CertificateRequestError extends VeracruzError {
  override readonly code = 'ERR_VC_CERTIFICATE_REQUEST';
}

/** No such device, or it has another key. */
export class DeviceUnknownError extends VeracruzError {
  override readonly code = 'ERR_VC_DEVICE_UNKNOWN';
}

/** The evidence is of a Runtime Manager that is not allowed; `got` is its hash. */
export class RuntimeHashError extends VeracruzError {
  override readonly code = 'ERR_VC_RUNTIME_HASH';
}

/** The device registry's database failed; `cause` has its error. */
export class RegistryError extends VeracruzError {
  override readonly code = 'ERR_VC_REGISTRY';
}

/** Every class of fault, for documentation and for the test that compares the two. */
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
  PolicyError,
  AccessDeniedError,
  NotReadyError,
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
]);

/** Turns whatever was thrown into an error of this library, keeping the original as its cause. */
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

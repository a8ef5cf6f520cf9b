/** Turns the errors of node:tls into errors of this library. */
import type { TLSSocket } from 'node:tls';
import {
  CertificateError,
  type ErrorFigures,
  PeerRejectedError,
  TlsError,
  TlsHandshakeError,
  type VeracruzError,
} from '../../core/errors.js';

/** The state of a session at the time of an error. */
export interface Moment {
  readonly role: 'client' | 'server';
  /** The handshake is over and the peer is admitted. */
  readonly open: boolean;
  /** A byte of plaintext has come from the peer. */
  readonly heard: boolean;
  /** Node's code for what is wrong with the peer's certificate chain, e.g. `CERT_HAS_EXPIRED`. Undefined for a good chain. */
  readonly verdict: string | undefined;
}

/** Alerts with which a peer refuses our certificate. The prefix of these codes differs between versions of OpenSSL. */
const REFUSAL = /_ALERT_.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/;
/** Codes with which OpenSSL refuses the peer's certificate without a verdict on its chain. */
const BAD_CERTIFICATE = new Set(['ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', 'ERR_SSL_CERTIFICATE_VERIFY_FAILED']);

/** The error of this library for an error of the TLS socket. `got` is Node's code, `cause` is Node's error. */
export function tlsFault(error: Error, moment: Moment): VeracruzError {
  const code = (error as NodeJS.ErrnoException).code ?? error.name;
  const figures: ErrorFigures = { layer: 'tls', got: code, cause: error };
  const peer = moment.role === 'client' ? 'server' : 'client';
  if (!moment.open && moment.verdict !== undefined) {
    return new CertificateError(`the ${peer}'s certificate is refused: ${moment.verdict}`, { ...figures, got: moment.verdict });
  }
  if (BAD_CERTIFICATE.has(code)) return new CertificateError(`the ${peer}'s certificate is missing or refused: ${code}`, figures);
  if (!moment.heard && REFUSAL.test(code)) return new PeerRejectedError(`the ${peer} refuses our certificate: ${code}`, figures);
  return moment.open ? new TlsError(`TLS failed: ${code}`, figures) : new TlsHandshakeError(`the TLS handshake failed: ${code}`, figures);
}

/** Node's code for what is wrong with the peer's chain. It is a string (null before the check), although its type is Error. */
export function verdictOf(socket: TLSSocket | undefined): string | undefined {
  const verdict: unknown = socket?.authorizationError;
  if (verdict instanceof Error) return verdict.message;
  return typeof verdict === 'string' ? verdict : undefined;
}

import type { Dialect } from '../../layers/bincode/index.js';
import type { TlsClientOptions } from '../../layers/tls/index.js';

/** How far a transfer has come. */
export interface Progress {
  readonly operation: 'write' | 'append' | 'read';
  readonly name: string;
  /** Bytes so far, of the file alone. */
  readonly bytes: number;
  /** Bytes in all; undefined for a source of unknown length. */
  readonly total: number | undefined;
}

export interface ClientOptions {
  /** The Veracruz Server: `http://host:port`, or `tcp://host:port` where it takes TLS without HTTP (head dialect). */
  url: string;
  /** Who we are: certificate and private key, PEM. */
  identity: { readonly certificate: string; readonly key: string };
  /** Authorities that the Runtime Manager's certificate must come from, PEM (`proxy_service_cert` of the policy). */
  authority: string | readonly string[];
  /** The one cipher suite, in either spelling (wire spec §B). Default: Node's three TLS 1.3 suites. */
  cipherSuite?: string;
  /** Looks at the manager's certificate before a byte of data leaves; throws to refuse it. */
  verifyPeer?: TlsClientOptions['verifyPeer'];
  /** SHA-256 of the policy that the manager must run, 64 hex digits. Default: any. */
  expectedPolicyHash?: string;
  /** What the manager speaks. Default `2207`. */
  dialect?: Dialect;
  /** Bytes of file data in one message; a longer file goes out in pieces. Default 2^31 - 8,193 (wire spec §A: upstream parsers stop at 2^31 - 1). */
  maxPieceBytes?: number;
  /** Bytes that an answer may have, file included. Default 16 GiB. */
  maxMessageBytes?: number;
  /** Milliseconds for the TLS handshake. Default 10,000. */
  handshakeTimeoutMs?: number;
  /** Milliseconds between two signs of life of an answer. Default 60,000. */
  answerTimeoutMs?: number;
  /** Aborting ends the session. */
  signal?: AbortSignal;
}

/** Defaults of `ClientOptions`. */
export const CLIENT_DEFAULTS = Object.freeze({
  dialect: '2207',
  maxPieceBytes: 2 ** 31 - 8193,
  maxMessageBytes: 16 * 2 ** 30,
});

export interface TransferOptions {
  /** Ends the transfer, and with it the session: a message cannot be taken back half-way. */
  signal?: AbortSignal;
  /** Called as bytes go by; the client emits the same as `progress`. */
  onProgress?: (progress: Progress) => void;
}

export interface WriteOptions extends TransferOptions {
  /** Bytes of the source. Needed for a stream to be written as one file at once; without it, it goes out in pieces. */
  size?: number;
}

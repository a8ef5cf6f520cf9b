import { definedOf, integerInRange } from '../../core/check.js';
import type { Dialect } from '../../layers/formats/dialect.js';
import type { TlsClientOptions } from '../../layers/tls/index.js';
import type { AddressInput } from '../../transports/address.js';
import type { LocalFile } from './local-file.js';

/** How far a transfer has come. */
export interface Progress {
  readonly operation: 'write' | 'append' | 'read';
  readonly name: string;
  /** Bytes so far, of the file alone. */
  readonly bytes: number;
  /** Bytes in all; undefined for a source of unknown length. */
  readonly total: number | undefined;
}

/** Options of `VeracruzClient.connect`. */
export interface ClientOptions {
  /**
   * The policy's exact text. It says where the Server is, whose certificate the manager must have, the cipher suite, and
   * which manager and which policy are the right ones: each is checked before a byte of data leaves. What the other
   * options say comes first. Default none: then `url` and `authority` are needed, and only what is expected is checked.
   */
  policy?: string;
  /**
   * The Veracruz Server: `http://host:port`, its `url`; or `tcp://host:port` where it takes TLS without HTTP (head dialect), its
   * `directAddress`.
   */
  url?: AddressInput | URL;
  /** Who we are: one certificate, within its time, and its private key, PEM. */
  identity: { readonly certificate: string; readonly key: string };
  /** Authorities that the Runtime Manager's certificate must come from, PEM (`proxy_service_cert` of the policy). */
  authority?: string | readonly string[];
  /** The one cipher suite, in either spelling (wire spec §B). Default: the policy's; without one, Node's three of TLS 1.3. */
  cipherSuite?: string;
  /** Looks at the manager's certificate before a byte of data leaves; throws to refuse it. */
  verifyPeer?: TlsClientOptions['verifyPeer'];
  /** SHA-256 of the policy that the manager must run, 64 hex digits or 32 bytes. Default: that of `policy`. */
  expectedPolicyHash?: string | Uint8Array;
  /** Hashes of which the manager's certificate must carry one, 64 hex digits or 32 bytes each. Default: those in `policy`. */
  expectedRuntimeHashes?: readonly (string | Uint8Array)[];
  /** Talks to a manager that runs another policy than `policy`. Default false. */
  skipPolicyHash?: boolean;
  /** Talks to a manager of any code: then nothing says that it keeps the policy. Default false. */
  skipRuntimeHash?: boolean;
  /** What the manager speaks. Default `2207`. */
  dialect?: Dialect;
  /** Bytes of file data in one message; a longer file goes out in pieces. Default 2^31 - 8,193 (wire spec §A: upstream parsers stop at 2^31 - 1). */
  maxPieceBytes?: number;
  /** Bytes that an answer may have, file included. Default 16 GiB. */
  maxMessageBytes?: number;
  /**
   * Bytes of a file that `readFile` keeps in memory, so that the next request need not wait for its reader. Default 262,144;
   * 0 keeps none. It is a limit for each file that is not read yet.
   */
  maxBufferedBodyBytes?: number;
  /** Milliseconds for the TLS handshake. Default 10,000. */
  handshakeTimeoutMs?: number;
  /**
   * Milliseconds between two signs of life of an answer, and of bytes that are to leave. A sign of life is what the manager
   * has sent, not what the Server says: a Server that answers every POST with nothing does not keep a session alive. What
   * `compute` and `runPipeline` wait for has a limit of its own. A request that waits behind a body of which nothing is read
   * fails after as long. Default 60,000; 0 waits for ever.
   */
  answerTimeoutMs?: number;
  /**
   * Milliseconds in which something must be read of a body that `readFile` has returned; then the session ends. Slow readers
   * are no matter: each byte that is read counts. Where `to` is a FIFO or a device, its reader must come within this time, and
   * take something; otherwise `readFile` fails with `ERR_VC_TIMEOUT`. Default 600,000, ten minutes; 0 waits for ever.
   */
  readTimeoutMs?: number;
  /** Milliseconds that `compute` and `runPipeline` wait for their program. Default 86,400,000, a day; 0 waits for ever. */
  computeTimeoutMs?: number;
  /**
   * POSTs to the Server that may be open at once, 1 to 16, if the Server announces that it can and nobody on the way closes
   * connections. Default 4. It means nothing without HTTP.
   */
  maxInFlight?: number;
  /** Aborting ends the session, at both ends. */
  signal?: AbortSignal;
}

/** Defaults of `ClientOptions`. */
export const CLIENT_DEFAULTS = Object.freeze({
  dialect: '2207',
  maxPieceBytes: 2 ** 31 - 8193,
  maxMessageBytes: 16 * 2 ** 30,
  maxBufferedBodyBytes: 256 * 1024,
  readTimeoutMs: 600_000,
  outputMode: 0o600,
});

/** What of the options bounds a client itself, with the defaults. */
type ClientLimits = Readonly<Required<Pick<ClientOptions, 'dialect' | 'maxPieceBytes' | 'maxBufferedBodyBytes' | 'readTimeoutMs'>>>;

/** @throws InvalidOptionError */
export function clientLimits(options: ClientOptions): ClientLimits {
  const { dialect, maxPieceBytes, maxBufferedBodyBytes, readTimeoutMs } = { ...CLIENT_DEFAULTS, ...definedOf(options) };
  return {
    dialect,
    maxPieceBytes: integerInRange('maxPieceBytes', maxPieceBytes, 1, Number.MAX_SAFE_INTEGER),
    maxBufferedBodyBytes: integerInRange('maxBufferedBodyBytes', maxBufferedBodyBytes, 0, 2 ** 30),
    readTimeoutMs: integerInRange('readTimeoutMs', readTimeoutMs, 0, 2 ** 31 - 1),
  };
}

/** Options of a transfer, in either direction. */
export interface TransferOptions {
  /** Ends the transfer, and with it the session: a message cannot be taken back half-way. */
  signal?: AbortSignal;
  /** Called as bytes go by; the client emits the same as `progress`. */
  onProgress?: (progress: Progress) => void;
}

/** Where the file of an answer goes. */
export interface SaveOptions extends TransferOptions {
  /** The file on this side, `{ path }` or a `file:` URL. It appears when it is complete. */
  readonly to: LocalFile;
  /** Its mode, whatever the umask is. Default 0600: results are for their principal, and not for all users of a machine. */
  readonly mode?: number;
}

/** Options of `writeFile` and `appendFile`. */
export interface WriteOptions extends TransferOptions {
  /** Bytes of the source. Needed for a stream or iterable to be written as one file at once; without it, it goes out in pieces. */
  size?: number;
}

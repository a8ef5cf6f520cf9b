/** A session of the client that is tried, at the Runtime Manager that the kit plays: TLS, and answers to requests. */
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { createSecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';
import { ByteQueue } from '../../core/byte-queue.js';
import type { Dialect } from '../../layers/formats/dialect.js';
import { decodeMessage, encodeMessage, type Sent, type WholeMessage } from '../../layers/protobuf/index.js';
import { memoryPipe } from '../../transports/memory.js';
import { shown } from '../case.js';
import { prefixed } from '../peers/visitor.js';

export type Asked = WholeMessage<'RuntimeManagerRequest'>;
export type Told = Sent<'RuntimeManagerResponse', Uint8Array>;

/** A request that came. */
export interface Took {
  readonly message: Asked;
  readonly bytes: Buffer;
  /** Answers were still due when it came. */
  readonly early: boolean;
}

/** How an enclave behaves. */
export interface EnclaveManners {
  readonly tls: SecureContextOptions;
  /** What it answers instead; bytes are plaintext, with the prefix. `null`: nothing. */
  readonly answer?: (message: Asked, usual: Told, index: number) => Told | Buffer | null;
  /** What it answers to bytes that are no request. Default: nothing. */
  readonly malformed?: Told;
  /** Pieces of plaintext, each in a TLS record of its own. */
  readonly cut?: (plaintext: Buffer) => Iterable<Buffer>;
}

/** What is known of one session. */
export interface EnclaveLog {
  readonly took: Took[];
  readonly faults: string[];
  /** The first ciphertext of each client, as much as one ClientHello needs. */
  readonly hellos: Buffer[];
  /** Bytes of plaintext in the first records. */
  readonly records: number[];
  /** The client's certificates, DER, those of each session. */
  readonly certificates: Buffer[];
  /** Handshakes that were completed. */
  secured: number;
}

/** Bytes of a request that are taken. */
const MAX_REQUEST_BYTES = 64 * 2 ** 20;
/** Bytes of all requests of a session, which are kept until the run is over. */
const MAX_SESSION_BYTES = 128 * 2 ** 20;
/** Faults that are kept of a run. */
const MAX_FAULTS = 100;
const HELLO_BYTES = 4096;

export class Enclave {
  /** Ciphertext to and from the client. */
  readonly wire: Duplex;
  readonly tls: TLSSocket;
  readonly #dialect: Dialect;
  readonly #policyHash: string;
  readonly #manners: EnclaveManners;
  readonly #log: EnclaveLog;
  readonly #files = new Map<string, Buffer>();
  readonly #plaintext = new ByteQueue();
  /** Bytes of plaintext so far. */
  #heard = 0;
  #hello: number;

  constructor(dialect: Dialect, policyHash: string, manners: EnclaveManners, log: EnclaveLog) {
    const [near, far] = memoryPipe({ highWaterMark: 2 ** 26 });
    this.wire = far;
    this.#dialect = dialect;
    this.#policyHash = policyHash;
    this.#manners = manners;
    this.#log = log;
    this.#hello = log.hellos.push(Buffer.alloc(0)) - 1;
    far.on('error', () => {});
    this.tls = new TLSSocket(near, {
      isServer: true,
      secureContext: createSecureContext(manners.tls),
      requestCert: true,
      rejectUnauthorized: false,
    });
    this.tls.on('error', () => {});
    this.tls.on('secure', () => this.#secure());
    this.tls.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  /** Ciphertext of the client. */
  feed(bytes: Buffer): void {
    const hello = this.#log.hellos[this.#hello] as Buffer;
    if (hello.length < HELLO_BYTES) this.#log.hellos[this.#hello] = Buffer.concat([hello, bytes]).subarray(0, HELLO_BYTES);
    if (!this.wire.destroyed) this.wire.write(bytes);
  }

  /** Ciphertext for the client, all that is there. */
  fetch(): Buffer {
    return (this.wire.read() as Buffer | null) ?? Buffer.alloc(0);
  }

  #secure(): void {
    this.#log.secured++;
    const { raw, issuerCertificate } = this.tls.getPeerCertificate(true) as { raw?: Buffer; issuerCertificate?: { raw: Buffer } };
    if (raw !== undefined) this.#log.certificates.push(raw);
    if (issuerCertificate !== undefined && raw !== undefined && !issuerCertificate.raw.equals(raw)) {
      this.#log.certificates.push(issuerCertificate.raw);
    }
  }

  #take(chunk: Buffer): void {
    if (this.#log.records.length < 64) this.#log.records.push(chunk.length);
    this.#heard += chunk.length;
    if (this.#heard > MAX_SESSION_BYTES) return void this.#refuse(`more than ${MAX_SESSION_BYTES} bytes of requests`);
    this.#plaintext.push(chunk);
    for (let whole = this.#whole(); whole !== undefined; whole = this.#whole()) this.#request(whole, this.#plaintext.length > 0);
  }

  #whole(): Buffer | undefined {
    const plaintext = this.#plaintext;
    if (plaintext.length < 8) return undefined;
    const prefix = plaintext.peek(8);
    const length = Number(prefix.readBigUInt64BE());
    if (length > MAX_REQUEST_BYTES) {
      this.#refuse(`a prefix of ${length}: ${shown(prefix)}`);
      return undefined;
    }
    if (plaintext.length < 8 + length) return undefined;
    plaintext.skip(8);
    return plaintext.take(length);
  }

  /** Ends the session. */
  #refuse(fault: string): void {
    this.#fault(fault);
    this.tls.destroy();
  }

  #fault(fault: string): void {
    if (this.#log.faults.length < MAX_FAULTS) this.#log.faults.push(fault);
  }

  #request(bytes: Buffer, early: boolean): void {
    const { took } = this.#log;
    const { malformed } = this.#manners;
    try {
      const message = decodeMessage('RuntimeManagerRequest', bytes, { dialect: this.#dialect });
      const again = encodeMessage('RuntimeManagerRequest', message as Sent<'RuntimeManagerRequest', Uint8Array>, {
        dialect: this.#dialect,
      });
      if (!again.equals(bytes)) this.#fault(`not the bytes of ${message.oneof}: ${shown(bytes)}`);
      took.push({ message, bytes, early });
      const usual = this.#usual(message);
      const answer = this.#manners.answer === undefined ? usual : this.#manners.answer(message, usual, took.length - 1);
      if (answer !== null) this.#say(answer);
    } catch (error) {
      this.#fault(`no request: ${shown(bytes)} (${(error as Error).message})`);
      if (malformed !== undefined) this.#say(malformed);
    }
  }

  #say(answer: Told | Buffer): void {
    const { cut = (bytes: Buffer) => [bytes] } = this.#manners;
    const bytes = Buffer.isBuffer(answer) ? answer : toldBytes(answer, this.#dialect);
    for (const piece of cut(bytes)) this.tls.write(piece);
  }

  /** What a Runtime Manager answers to somebody who may do everything. */
  #usual(message: Asked): Told {
    switch (message.oneof) {
      case 'request_policy_hash':
        return { status: 'SUCCESS', oneof: 'policy_hash', fields: { data: Buffer.from(this.#policyHash) } };
      case 'write_file':
      case 'append_file': {
        const before = message.oneof === 'append_file' ? this.#files.get(message.fields.file_name) : undefined;
        this.#files.set(message.fields.file_name, Buffer.concat([before ?? Buffer.alloc(0), message.fields.data]));
        return { status: 'SUCCESS', oneof: null };
      }
      case 'read_file':
        return { status: 'SUCCESS', oneof: 'result', fields: { data: this.#files.get(message.fields.file_name) ?? randomBytes(64) } };
      case 'request_result':
      case 'request_pipeline':
        return { status: 'SUCCESS', oneof: 'result', fields: { data: Buffer.alloc(4) } };
      case 'request_shutdown':
        return { status: 'SUCCESS', oneof: null };
      default:
        return { status: 'FAILED_INVALID_REQUEST', oneof: null };
    }
  }
}

/** The bytes of an answer, with its prefix. */
export function toldBytes(answer: Told, dialect: Dialect): Buffer {
  return prefixed(encodeMessage('RuntimeManagerResponse', answer, { dialect }));
}

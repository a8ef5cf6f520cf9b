/** A Runtime Manager of parts of the kit, with the flaw that a test gives it. Without one it is as weak as the original. */
import { X509Certificate } from 'node:crypto';
import { posix } from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import type { Test } from 'tap';
import { type Asked, Enclave, type EnclaveLog, type EnclaveManners, type Told } from '../../../lib/conformance/client/enclave.js';
import { newLog } from '../../../lib/conformance/client/place.js';
import { managerCredentials, type Target } from '../../../lib/conformance/index.js';
import { PlayedManager, type Request, type Response } from '../../../lib/conformance/peers/played-manager.js';
import { suiteOf } from '../../../lib/conformance/peers/tls.js';
import { policyHash } from '../../../lib/enclave/policy/index.js';
import { joined } from '../../../lib/layers/bincode/index.js';
import { decodeMessage } from '../../../lib/layers/protobuf/index.js';
import { material } from '../support.js';

/** The request that is answered, and what can be done to its session. */
export interface Hearing {
  /** The bytes of the request, without its prefix. */
  readonly bytes: Buffer;
  /** Ends the session behind its answer. */
  readonly end: () => void;
}

export interface EnclaveFlaws {
  readonly dialect?: '2207' | 'head';
  /** It makes no evidence and no chain of its own, but each link begins with Attestation and Initialize. */
  readonly attested?: boolean;
  readonly tls?: SecureContextOptions;
  /** Lets everybody in. */
  readonly open?: boolean;
  /** The answer instead of the usual one. */
  readonly answer?: (message: Asked, usual: Told, hearing: Hearing) => Told | Buffer | null;
  /** What it says to bytes that are no request. Default: FAILED_INVALID_REQUEST. */
  readonly malformed?: Told;
  readonly cut?: NonNullable<EnclaveManners['cut']>;
  /** Changes what is fed. */
  readonly feed?: (bytes: Buffer) => Buffer;
  /** Made for each session: what is left of the plaintext of a record. Nothing: it is lost. `die` ends the link. */
  readonly hearing?: (die: () => void) => (record: Buffer) => Buffer;
  /** Another answer of the link; undefined: as ever. */
  readonly link?: (request: Request) => Response | undefined;
  /** Takes names for paths, and resolves `..` in them. */
  readonly resolves?: boolean;
  /** Keeps what has come of a file when its client ends. */
  readonly halves?: boolean;
  /** One TLS session for all: the one that was opened last. */
  readonly mixes?: boolean;
  /** TlsData is active for ever. */
  readonly endless?: boolean;
}

const UNREAD: Told = { status: 'FAILED_INVALID_REQUEST', oneof: null };
const tick = () => new Promise<void>((done) => setTimeout(done, 0));

/** Starts it, and gives the kit's view of it. */
export async function brokenEnclave(
  t: Pick<Test, 'teardown'>,
  flaws: EnclaveFlaws,
): Promise<Extract<Target, { readonly role: 'manager' }>> {
  const { dialect = '2207', attested = false } = flaws;
  const end = new AbortController();
  t.teardown(() => end.abort());
  const settings = { dialect, frame: 'tcp9' } as const;
  const manager = await PlayedManager.start('tcp-listen://127.0.0.1:0', settings, end.signal);
  const enclaves = new Enclaves(flaws);
  manager.manners = { answer: (request) => flaws.link?.(request) ?? enclaves.answer(request) };
  const { port } = manager.address as { port: number };
  return { role: 'manager', address: `tcp://127.0.0.1:${port}`, ...settings, material, attested, singleLink: false };
}

/** The sessions of such a manager. */
class Enclaves {
  readonly #flaws: EnclaveFlaws;
  readonly #head: boolean;
  readonly #tls: SecureContextOptions;
  readonly #identities = [material.alice, material.bob, material.carol].map((one) => new X509Certificate(one.certificate));
  readonly #files = new Map<string, Buffer>();
  readonly #sessions = new Map<number, Enclave>();
  #active = true;
  #dead = false;
  #ending = false;

  constructor(flaws: EnclaveFlaws) {
    this.#flaws = flaws;
    this.#head = flaws.dialect === 'head';
    const { certificate, key } = managerCredentials(material);
    const ca = this.#identities.map(String);
    this.#tls = {
      ...{ cert: certificate, key, ca, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ciphers: suiteOf(material) },
      ...flaws.tls,
    };
  }

  async answer(request: Request): Promise<Response | undefined> {
    if (request.kind === 'NewTlsSession') return this.#open();
    if (!('session' in request)) return undefined;
    const enclave = this.#sessions.get(this.#flaws.mixes === true ? this.#sessions.size : request.session);
    if (request.kind === 'CloseTlsSession') this.#sessions.delete(request.session);
    if (request.kind === 'CloseTlsSession') return { kind: 'Status', status: 'Success' };
    if (enclave === undefined) return { kind: 'Status', status: 'Fail' };
    if (request.kind === 'SendTlsData') return this.#send(enclave, joined(request.data));
    const { readableLength } = enclave.wire;
    if (enclave.tls.destroyed && readableLength === 0) return { kind: 'Status', status: 'Fail' };
    if (request.kind === 'GetTlsDataNeeded') return { kind: 'TlsDataNeeded', needed: readableLength > 0 };
    const active = this.#active || this.#flaws.endless === true;
    if (readableLength > 0) return { kind: 'TlsData', data: enclave.fetch(), active };
    return this.#head ? { kind: 'TlsData', data: Buffer.alloc(0), active } : { kind: 'Status', status: 'Fail' };
  }

  async #send(enclave: Enclave, bytes: Buffer): Promise<Response> {
    if (enclave.tls.destroyed) return { kind: 'Status', status: 'Fail' };
    enclave.feed(this.#flaws.feed?.(bytes) ?? bytes);
    for (let turn = 0; turn < 4; turn++) await tick();
    if (this.#ending) enclave.tls.destroy();
    this.#ending = false;
    if (this.#dead) {
      // The link is over, and the next one is another.
      this.#dead = false;
      die();
    }
    return { kind: 'Status', status: 'Success' };
  }

  #open(): Response {
    const { cut, malformed = UNREAD, dialect = '2207', open } = this.#flaws;
    const log = newLog();
    const manners: EnclaveManners = {
      tls: this.#tls,
      answer: (message, told) => this.#told(message, told, log),
      malformed,
      ...(cut && { cut }),
    };
    const enclave = new Enclave(dialect, policyHash(material.policy), manners, log);
    enclave.tls.on('secure', () => {
      const raw = (enclave.tls.getPeerCertificate() as { raw?: Buffer }).raw;
      const known = raw !== undefined && this.#identities.some((one) => one.raw.equals(raw));
      if (open !== true && !known) enclave.tls.destroy();
    });
    this.#listen(enclave);
    this.#sessions.set(this.#sessions.size + 1, enclave);
    return { kind: 'TlsSession', session: this.#sessions.size };
  }

  /** Puts the flaws of hearing between TLS and what reads its plaintext. */
  #listen({ tls }: Enclave): void {
    const hear = this.#flaws.hearing?.(() => {
      this.#dead = true;
    });
    const [take] = tls.listeners('data') as ((record: Buffer) => void)[];
    let last: Buffer = Buffer.alloc(0);
    tls.removeAllListeners('data').on('data', (record: Buffer) => {
      last = record;
      const left = hear?.(record) ?? record;
      if (left.length > 0) take?.(left);
    });
    tls.on('end', () => {
      if (this.#flaws.halves === true) this.#keepHalf(last);
    });
  }

  /** The last request was not whole: the rest is taken for zeros. */
  #keepHalf(plaintext: Buffer): void {
    const length = Number(plaintext.readBigUInt64BE());
    const half = Buffer.concat([plaintext.subarray(8), Buffer.alloc(length)]).subarray(0, length);
    const message = decodeMessage('RuntimeManagerRequest', half, { dialect: '2207' });
    if (message.oneof === 'write_file') this.#files.set(message.fields.file_name, message.fields.data);
  }

  #told(message: Asked, told: Told, { took }: EnclaveLog): Told | Buffer | null {
    if (message.oneof === 'request_shutdown') this.#active = false;
    const usual = this.#ofFiles(message, told);
    const end = () => {
      this.#ending = true;
    };
    return (this.#flaws.answer ?? ((_, one) => one))(message, usual, { bytes: took.at(-1)?.bytes as Buffer, end });
  }

  /** Files that all sessions have, and no policy. */
  #ofFiles(message: Asked, told: Told): Told {
    if (message.oneof === 'request_result' || message.oneof === 'request_pipeline') return { status: 'FAILED_GENERIC', oneof: null };
    if (message.oneof !== 'write_file' && message.oneof !== 'append_file' && message.oneof !== 'read_file') return told;
    const { file_name } = message.fields;
    const name = this.#flaws.resolves === true ? posix.normalize(file_name) : file_name;
    const before = this.#files.get(name);
    if (message.oneof !== 'read_file') {
      const kept = message.oneof === 'append_file' && before !== undefined ? [before] : [];
      this.#files.set(name, Buffer.concat([...kept, message.fields.data]));
      return told;
    }
    if (before === undefined) return { status: 'FAILED_GENERIC', oneof: null };
    return { status: 'SUCCESS', oneof: 'result', fields: { data: before } };
  }
}

/** The link is over: what is thrown here ends it. */
export function die(): never {
  throw new Error('a manager that is gone');
}

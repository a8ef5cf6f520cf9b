/** How a case reaches the Proxy Attestation Server that is tried. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { makeKey } from '../../attestation/certificate.js';
import { makePsaToken, type NewPsaToken, psaPoint } from '../../attestation/evidence/index.js';
import { makeRequest } from '../../attestation/request.js';
import { clock } from '../../core/clock.js';
import type { Dialect } from '../../layers/formats/dialect.js';
import { decodeMessage, encodeMessage, type Sent, type WholeMessage } from '../../layers/protobuf/index.js';
import { CaseFailed, expect, shown } from '../case.js';
import { type Material, need } from '../material.js';
import { Http, type HttpAnswer, type PostShape, post } from '../peers/http.js';
import { prefixed } from '../peers/visitor.js';
import type { Scope } from '../scope.js';

export type Ask = Sent<'ProxyAttestationServerRequest', Uint8Array>;
export type Told = WholeMessage<'ProxyAttestationServerResponse'>;

export interface AttestationTarget {
  /** `http://host:port` */
  readonly address: string;
  readonly dialect: Dialect;
  readonly material: Material;
}

/** What the authority said to evidence. */
export interface Issued {
  readonly root: Buffer;
  readonly certificate: Buffer;
}

const HEADERS = 'Content-Type: application/octet-stream\r\n';
/** Milliseconds to wait where an answer is 429 and does not say how long. */
const AGAIN_MS = 1000;
/** Milliseconds of 429 alone after which no further case waits for another answer. */
const MAX_BUSY_MS = 25_000;

/** A Runtime Manager that does not exist: its key, its request, and its device's tokens. */
export class Enclave {
  readonly key: KeyObject = makeKey('ec');
  readonly csr = makeRequest(this.key);
  readonly device: KeyObject;
  readonly runtimeHash: Buffer;
  readonly #shape: NewPsaToken['shape'];

  constructor({ deviceKey, runtimeHash }: Material, dialect: Dialect, device?: KeyObject) {
    this.device = device ?? createPrivateKey(need(deviceKey, 'the key of an enrolled device (--device-key or --material)'));
    this.runtimeHash = need(runtimeHash, 'an allowed runtime hash (--runtime-hash or --material)');
    this.#shape = dialect === 'head' ? 'head' : '2207';
  }

  /** The device's point, 65 bytes. */
  get point(): Buffer {
    return psaPoint(createPublicKey(this.device));
  }

  token(challenge: Buffer, changes: Partial<NewPsaToken> = {}): Buffer {
    const requestHash = createHash('sha256').update(this.csr).digest();
    return makePsaToken({ key: this.device, challenge, runtimeHash: this.runtimeHash, requestHash, shape: this.#shape, ...changes });
  }
}

export class AttestationContext {
  readonly target: AttestationTarget;
  /** When the first of the last answers came that were all 429, by `clock.monotonic`. */
  #busySince: number | undefined;

  constructor(target: AttestationTarget) {
    this.target = target;
  }

  enclave(device?: KeyObject): Enclave {
    return new Enclave(this.target.material, this.target.dialect, device);
  }

  connect(scope: Scope): Promise<Http> {
    return Http.connect(this.target.address, scope);
  }

  /** The body of a request: base64 of the message behind its prefix (wire spec §F.1). */
  bodyOf(message: Ask): string {
    return prefixed(encodeMessage('ProxyAttestationServerRequest', message, { dialect: this.target.dialect })).toString('base64');
  }

  /** One POST over a connection of its own. It comes again where there were too many: cases are many, and fast. */
  async post(scope: Scope, path: string, body: string | Buffer, more: PostShape = {}): Promise<HttpAnswer> {
    for (;;) {
      const answer = await (await this.connect(scope)).send(post(body, { path, headers: HEADERS, ...more }));
      if (answer.status !== 429) {
        this.#busySince = undefined;
        return answer;
      }
      this.#busySince ??= clock.monotonic();
      expect(clock.monotonic() - this.#busySince < MAX_BUSY_MS, `answered with 429 for more than ${MAX_BUSY_MS} ms`);
      const ms = Number(answer.headers['retry-after'] ?? 0) * 1000 || AGAIN_MS;
      await clock.sleep(Math.min(Math.max(ms, AGAIN_MS), MAX_BUSY_MS), { signal: scope.signal });
    }
  }

  send(scope: Scope, path: string, message: Ask): Promise<HttpAnswer> {
    return this.post(scope, path, this.bodyOf(message));
  }

  startMessage(protocol = 'psa'): Ask {
    const firmware = this.target.dialect === 'head' ? {} : { firmware_version: '0.0' };
    return { oneof: 'start_msg', fields: { protocol, ...firmware } };
  }

  /** The message of an answer, which must be 200 and exact. @throws CaseFailed */
  messageOf(answer: HttpAnswer): Told {
    expect(answer.line === 'HTTP/1.1 200 OK', `the status line is ${answer.line}, not HTTP/1.1 200 OK`);
    const bytes = Buffer.from(answer.body.toString('latin1'), 'base64');
    expect(bytes.toString('base64') === answer.body.toString('latin1'), `the body is no canonical base64: ${shown(answer.body)}`);
    expect(bytes.length >= 8 && bytes.readBigUInt64BE() === BigInt(bytes.length - 8), `the prefix is wrong: ${shown(bytes)}`);
    const { dialect } = this.target;
    const message = decodeMessage('ProxyAttestationServerResponse', bytes.subarray(8), { dialect });
    const again = encodeMessage('ProxyAttestationServerResponse', message, { dialect });
    expect(again.equals(bytes.subarray(8)), `the bytes of the message are not canonical: ${shown(bytes)}`);
    return message;
  }

  /** Asks for a challenge, and gets one. @throws CaseFailed */
  async start(scope: Scope, protocol = 'psa'): Promise<{ readonly challenge: Buffer; readonly deviceId: number }> {
    const message = this.messageOf(await this.send(scope, '/Start', this.startMessage(protocol)));
    if (message.oneof !== 'psa_attestation_init') throw new CaseFailed(`answered with ${message.oneof}`);
    const { challenge, device_id: deviceId } = message.fields;
    return { challenge, deviceId };
  }

  /** Hands evidence in. */
  hand(scope: Scope, deviceId: number, token: Buffer, csr: Buffer): Promise<HttpAnswer> {
    const fields = { token, device_id: deviceId, csr };
    return this.send(scope, '/PSA/AttestationToken', { oneof: 'native_psa_attestation_token', fields });
  }

  /** The certificates of an answer. @throws CaseFailed */
  issuedIn(answer: HttpAnswer): Issued {
    const message = this.messageOf(answer);
    if (message.oneof !== 'cert_chain') throw new CaseFailed(`answered with ${message.oneof}`);
    return { root: message.fields.root_cert, certificate: message.fields.enclave_cert };
  }

  /** The server still serves. @throws CaseFailed */
  async serves(scope: Scope): Promise<void> {
    await this.start(scope);
  }
}

/** @throws CaseFailed unless it is a refusal */
export function refused(what: string, { status }: HttpAnswer): string {
  expect(status >= 400 && status < 600, `${what} was answered with ${status}`);
  return String(status);
}

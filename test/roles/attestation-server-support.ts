/** An attestation server with its registry, devices that answer to it, and plain HTTP to it; gone with the test. */
import { createHash, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { type Agent, request as httpRequest } from 'node:http';
import type { Test } from 'tap';
import { makeAuthority } from '../../lib/attestation/authority.js';
import { makeKey } from '../../lib/attestation/certificate.js';
import { makePsaToken, type NewPsaToken, psaPoint } from '../../lib/attestation/evidence/index.js';
import { makeRequest } from '../../lib/attestation/request.js';
import { encodeBase64 } from '../../lib/layers/base64/index.js';
import { encodePrefix } from '../../lib/layers/frame/index.js';
import { decodeMessage, encodeMessage, type Sent, type WholeMessage } from '../../lib/layers/protobuf/index.js';
import { AttestationServer, type AttestationServerOptions } from '../../lib/roles/attestation-server/server.js';
import { within } from '../support/foreign.js';

type T = Pick<Test, 'teardown'>;
type Asked = Sent<'ProxyAttestationServerRequest', Uint8Array>;

export const authority = makeAuthority({ commonName: 'attestation tests' });
/** What everybody hears whose evidence does not pass. */
export const FAILED = 'attestation failed\n';

export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly figures: Readonly<Record<string, unknown>>;
}

/** A server of this process, and what it logged. No rate limit unless it is said. */
export class Pas {
  readonly server: AttestationServer;
  readonly logs: LogLine[];

  private constructor(server: AttestationServer, logs: LogLine[]) {
    this.server = server;
    this.logs = logs;
  }

  static async start(t: T, options: Partial<AttestationServerOptions> & Pick<AttestationServerOptions, 'registry'>): Promise<Pas> {
    const logs: LogLine[] = [];
    const log: NonNullable<AttestationServerOptions['log']> = (level, event, figures = {}) => logs.push({ level, event, figures });
    const server = await AttestationServer.start({ listen: 'tcp://127.0.0.1:0', authority, maxRequestsPerSecond: 0, log, ...options });
    t.teardown(() => server.close());
    return new Pas(server, logs);
  }

  get port(): number {
    return (this.server.address as { port: number }).port;
  }

  /** The code that the last refusal of evidence has in the log, and the device. */
  get refusal(): { code: unknown; device: unknown } {
    const { code, device } = this.logs.filter(({ event }) => event === 'attestation refused').at(-1)?.figures ?? {};
    return { code, device };
  }

  post(path: string, body: string | Buffer): Promise<HttpAnswer> {
    return http(this.server.url, { path, body });
  }

  send(path: string, message: Asked): Promise<HttpAnswer> {
    return this.post(path, bodyOf(message));
  }

  /** Asks for a challenge, and gets one. */
  async start(protocol: 'psa' | 'nitro' = 'psa'): Promise<{ challenge: Buffer; deviceId: number }> {
    const answer = messageOf(await this.send('/Start', { oneof: 'start_msg', fields: { protocol, firmware_version: '0.0' } }));
    if (answer.oneof !== 'psa_attestation_init') throw new Error(`no challenge: ${answer.oneof}`);
    return { challenge: answer.fields.challenge, deviceId: answer.fields.device_id };
  }

  psa(deviceId: number, token: Buffer, csr: Buffer, path = '/PSA/AttestationToken'): Promise<HttpAnswer> {
    return this.send(path, { oneof: 'native_psa_attestation_token', fields: { token, device_id: deviceId, csr } });
  }

  nitro(deviceId: number, doc: Buffer, path = '/Nitro/AttestationToken'): Promise<HttpAnswer> {
    return this.send(path, { oneof: 'nitro_attestation_doc', fields: { doc, device_id: deviceId } });
  }

  verify(deviceId: number, token: Buffer, pubkey: Buffer): Promise<HttpAnswer> {
    return this.send('/VerifyPAT', { oneof: 'proxy_psa_attestation_token', fields: { token, pubkey, device_id: deviceId } });
  }

  /** All of it: a challenge, a token that answers it, and the answer to that. */
  async attest(device: Device, changes: Partial<NewPsaToken> = {}): Promise<{ deviceId: number; token: Buffer; answer: HttpAnswer }> {
    const { challenge, deviceId } = await this.start();
    const token = device.token(challenge, changes);
    return { deviceId, token, answer: await this.psa(deviceId, token, device.csr) };
  }
}

/** A device that makes tokens: its key, the enclave's request, and its runtime. */
export class Device {
  readonly key: KeyObject = makeKey('ec');
  readonly point = psaPoint(this.key);
  readonly publicPem = createPublicKey(this.key).export({ type: 'spki', format: 'pem' }).toString();
  readonly enclaveKey: KeyObject;
  readonly csr: Buffer;
  readonly runtimeHash: Buffer;

  constructor(runtimeHash: Buffer = randomBytes(32), enclaveKey = makeKey('ec')) {
    this.runtimeHash = runtimeHash;
    this.enclaveKey = enclaveKey;
    this.csr = makeRequest(enclaveKey);
  }

  token(challenge: Buffer, changes: Partial<NewPsaToken> = {}): Buffer {
    const requestHash = createHash('sha256').update(this.csr).digest();
    return makePsaToken({ key: this.key, challenge, runtimeHash: this.runtimeHash, requestHash, shape: '2207', ...changes });
  }
}

/** The token as the original makes it: without a key id in the header that is not signed (wire spec §F). */
export function nameless(token: Buffer): Buffer {
  const named = token.indexOf(Buffer.from('a1045820', 'hex'));
  if (named < 0) throw new Error('the token has no key id');
  return Buffer.concat([token.subarray(0, named), Buffer.of(0xa0), token.subarray(named + 36)]);
}

/** base64 of the prefixed message. */
export function bodyOf(message: Asked): string {
  const bytes = encodeMessage('ProxyAttestationServerRequest', message);
  return encodeBase64(Buffer.concat([encodePrefix(bytes.length), bytes])).toString('latin1');
}

/** The message of an answer, which must be 200 and canonical. */
export function messageOf({ status, body }: HttpAnswer): WholeMessage<'ProxyAttestationServerResponse'> {
  if (status !== 200) throw new Error(`${status}: ${body.toString()}`);
  const bytes = Buffer.from(body.toString('latin1'), 'base64');
  if (bytes.toString('base64') !== body.toString('latin1')) throw new Error('no canonical base64');
  if (bytes.readBigUInt64BE() !== BigInt(bytes.length - 8)) throw new Error('the prefix is wrong');
  return decodeMessage('ProxyAttestationServerResponse', bytes.subarray(8));
}

export function chainOf(answer: HttpAnswer): { root: Buffer; certificate: Buffer } {
  const message = messageOf(answer);
  if (message.oneof !== 'cert_chain') throw new Error(`no chain: ${message.oneof}`);
  return { root: message.fields.root_cert, certificate: message.fields.enclave_cert };
}

export interface HttpAnswer {
  readonly status: number;
  /** Without the date. */
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

export interface HttpAsk {
  readonly path: string;
  readonly method?: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: a connection of its own. One that is kept may be closed while a test waits for a program and looks at nothing. */
  readonly agent?: Agent;
}

export function http(url: string, { path, method = 'POST', body = '', headers = {}, agent }: HttpAsk): Promise<HttpAnswer> {
  const answered = new Promise<HttpAnswer>((resolve, reject) => {
    const options = { method, headers: { 'content-length': Buffer.byteLength(body), ...headers }, agent: agent ?? false };
    const request = httpRequest(new URL(`${url}${path}`), options, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        const { date: _, ...rest } = response.headers;
        resolve({ status: response.statusCode as number, headers: rest, body: Buffer.concat(pieces) });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
  return within(`${method} ${path}`, answered);
}

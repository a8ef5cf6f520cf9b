/** A Proxy Attestation Server that the kit plays for the Server that is tried: it certifies every request (wire spec §F). */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Authority, issueEnclaveCertificate, makeAuthority } from '../../attestation/authority.js';
import type { Dialect } from '../../layers/formats/dialect.js';
import { decodeMessage, encodeMessage, type Sent, type WholeMessage } from '../../layers/protobuf/index.js';
import { parseAddress } from '../../transports/address.js';
import { boundAddress, listen } from '../../transports/socket.js';
import { shown } from '../case.js';
import { prefixed } from './visitor.js';

/** A request that came, and what was answered. */
export interface AttestationAsked {
  readonly path: string;
  readonly type: string | undefined;
  readonly message: WholeMessage<'ProxyAttestationServerRequest'>;
  readonly answer: Sent<'ProxyAttestationServerResponse', Uint8Array>;
}

/** What it knows of the manager that it vouches for. */
export interface Vouching {
  readonly dialect: Dialect;
  readonly authority: Authority | undefined;
  readonly runtimeHash: Buffer | undefined;
  /** The request of the manager's last evidence: in 2207-nitro it is in the document, and not in the message. */
  readonly csr: () => Buffer | undefined;
}

/** Requests that are kept, and faults. */
const MAX_KEPT = 10_000;
/** Bytes of a body that are taken. */
const MAX_BODY_BYTES = 2 ** 20;

export class PlayedAttestation {
  readonly asked: AttestationAsked[] = [];
  /** What was wrong with what came. */
  readonly faults: string[] = [];
  readonly #vouching: Vouching;
  readonly #authority: Authority;
  readonly #http: Server;
  #lastId = 0;

  private constructor(vouching: Vouching) {
    this.#vouching = vouching;
    this.#authority = vouching.authority ?? makeAuthority();
    this.#http = createServer((request, response) => void this.#serve(request, response));
  }

  /** Plays it at `tcp-listen://host:port` until `signal` fires. */
  static async start(address: string, vouching: Vouching, signal: AbortSignal): Promise<PlayedAttestation> {
    const played = new PlayedAttestation(vouching);
    await listen(played.#http, parseAddress(address));
    const stop = () => {
      played.#http.close();
      played.#http.closeAllConnections();
    };
    signal.addEventListener('abort', stop, { once: true });
    return played;
  }

  /** Where it listens. */
  addressOf(asked: string) {
    return boundAddress(this.#http, parseAddress(asked));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const message = this.#read(await bodyOf(request));
      if (this.asked.length >= MAX_KEPT) throw new Error(`more than ${MAX_KEPT} requests`);
      const answer = this.#answer(message);
      this.asked.push({ path: request.url ?? '', type: request.headers['content-type'], message, answer });
      const { dialect } = this.#vouching;
      response.end(prefixed(encodeMessage('ProxyAttestationServerResponse', answer, { dialect })).toString('base64'));
    } catch (error) {
      if (this.faults.length < MAX_KEPT) this.faults.push((error as Error).message);
      response.writeHead(400).end();
    }
  }

  #read(body: Buffer): AttestationAsked['message'] {
    const { dialect } = this.#vouching;
    const bytes = Buffer.from(body.toString('latin1'), 'base64');
    if (bytes.toString('base64') !== body.toString('latin1')) throw new Error(`a body that is no base64: ${shown(body)}`);
    if (bytes.length < 8 || bytes.readBigUInt64BE() !== BigInt(bytes.length - 8)) throw new Error(`a wrong prefix: ${shown(bytes)}`);
    // A Server of ours sends firmware_version in every dialect, and head skips it.
    const message = decodeMessage('ProxyAttestationServerRequest', bytes.subarray(8), { dialect });
    const again = encodeMessage('ProxyAttestationServerRequest', message, { dialect });
    if (dialect !== 'head' && !again.equals(bytes.subarray(8))) throw new Error(`not the bytes of its message: ${shown(bytes)}`);
    return message;
  }

  #answer(message: AttestationAsked['message']): AttestationAsked['answer'] {
    if (message.oneof === 'start_msg') {
      return { oneof: 'psa_attestation_init', fields: { challenge: randomBytes(32), device_id: ++this.#lastId } };
    }
    const request = message.oneof === 'native_psa_attestation_token' ? message.fields.csr : this.#vouching.csr();
    if (request === undefined) throw new Error(`evidence in ${message.oneof}`);
    const enclave_cert = issueEnclaveCertificate(this.#authority, { request, runtimeHash: this.#vouching.runtimeHash ?? Buffer.alloc(32) });
    return { oneof: 'cert_chain', fields: { root_cert: this.#authority.certificateDer, enclave_cert } };
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MAX_BODY_BYTES) throw new Error(`a body of more than ${MAX_BODY_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

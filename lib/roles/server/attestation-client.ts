import type { AttestationProtocol } from '../../attestation/evidence/attester.js';
import { asVeracruzError, InvalidOptionError, ProtobufError, TruncatedError } from '../../core/errors.js';
import type { Received, Sent } from '../../layers/protobuf/index.js';
import { type AddressInput, addressForm } from '../../transports/address.js';
import { HttpPost } from '../../transports/http-post.js';
import { attestationClientStack } from '../stacks.js';

const LAYER = 'attestation';

type Question = Sent<'ProxyAttestationServerRequest'>;
type Answer = Received<'ProxyAttestationServerResponse'>;
type Arm = Exclude<Answer['oneof'], null>;
type FieldsOf<A extends Arm> = Extract<Answer, { readonly oneof: A }>['fields'];

/** The challenge that a manager must put into its evidence. */
export interface Challenge {
  readonly challenge: Buffer;
  /** The attestation server's number for this handshake, an int32. */
  readonly deviceId: number;
}

/** A manager's evidence: a token and a CSR for `psa`; for `nitro` a document that contains the CSR. */
export interface Evidence {
  readonly token: Buffer;
  readonly csr: Buffer | undefined;
}

/** The certificates that the attestation server issued, both DER. */
export interface IssuedChain {
  readonly enclave: Buffer;
  readonly root: Buffer;
}

/** A message to the attestation server, its URL path, and the arm that the answer must have. */
interface Errand<A extends Arm> {
  readonly path: string;
  readonly expected: A;
  readonly question: Question;
}

/**
 * The base URL of an attestation server, without a slash at its end. Takes `host:port`, as policies write it, an `http:` URL,
 * or the TCP address of one. Throws InvalidOptionError for anything else, and for a URL with credentials, a query or a fragment.
 */
export function attestationUrl(place: AddressInput | URL): string {
  const text = place instanceof URL ? place.href : addressForm('attestation', place).replace(/^tcp:/, 'http:');
  const plain = text.includes('://') ? text : `http://${text}`;
  const url = URL.canParse(plain) ? new URL(plain) : undefined;
  if (url?.protocol === 'http:' && url.username + url.password + url.search + url.hash === '') return url.href.replace(/\/+$/, '');
  throw new InvalidOptionError('the attestation server is at http://host:port', { expected: 'http://host:port', got: url?.host ?? text });
}

/**
 * The Server's side of the exchange with a Proxy Attestation Server (wire spec §F): one POST for each message.
 *
 *     POST /Start                                            challenge and device id
 *     POST /PSA/AttestationToken, /Nitro/AttestationToken    certificates
 *
 * Throws the errors of the POST (HttpStatusError, TimeoutError, TransportError, LimitError), the errors of the layers in
 * `attestationClientStack` for a malformed answer, and AbortedError. The error messages begin with the URL.
 */
export class AttestationClient {
  readonly #url: string;
  readonly #timeoutMs: number;

  /** @param timeoutMs milliseconds for each POST and its answer */
  constructor(url: string, timeoutMs: number) {
    this.#url = url;
    this.#timeoutMs = timeoutMs;
  }

  /** Asks for a challenge. */
  async start(protocol: AttestationProtocol, firmwareVersion: string, signal: AbortSignal): Promise<Challenge> {
    const fields = { protocol, firmware_version: firmwareVersion };
    const exchange = { path: '/Start', expected: 'psa_attestation_init', question: { oneof: 'start_msg', fields } } as const;
    const { challenge, device_id: deviceId } = await this.#ask(exchange, signal);
    return { challenge, deviceId };
  }

  /** Sends the evidence and returns the certificates. */
  async certify(protocol: AttestationProtocol, deviceId: number, { token, csr }: Evidence, signal: AbortSignal): Promise<IssuedChain> {
    const question: Question =
      protocol === 'nitro'
        ? { oneof: 'nitro_attestation_doc', fields: { doc: token, device_id: deviceId } }
        : { oneof: 'native_psa_attestation_token', fields: { token, device_id: deviceId, csr: csr ?? Buffer.alloc(0) } };
    const path = protocol === 'nitro' ? '/Nitro/AttestationToken' : '/PSA/AttestationToken';
    const { enclave_cert: enclave, root_cert: root } = await this.#ask({ path, expected: 'cert_chain', question }, signal);
    return { enclave, root };
  }

  async #ask<A extends Arm>({ path, expected, question }: Errand<A>, signal: AbortSignal): Promise<FieldsOf<A>> {
    const url = `${this.#url}${path}`;
    const channel = attestationClientStack().over(new HttpPost({ url, timeoutMs: this.#timeoutMs }), { signal });
    const answers: Answer[] = [];
    try {
      channel.end(question);
      for await (const answer of channel as AsyncIterable<Answer>) answers.push(answer);
      return only(answers, expected);
    } catch (thrown) {
      const error = asVeracruzError(thrown, { layer: LAYER });
      error.message = `${url}: ${error.message}`;
      throw error;
    }
  }
}

/** The fields of the answer. Throws unless there is exactly one, and it has the expected arm. */
function only<A extends Arm>(answers: readonly Answer[], expected: A): FieldsOf<A> {
  const [answer] = answers;
  if (answer === undefined) throw new TruncatedError('an answer without a message', { layer: LAYER, expected: 1, got: 0 });
  if (answers.length > 1) {
    throw new ProtobufError(`${answers.length} messages in one answer`, { layer: LAYER, expected: 1, got: answers.length });
  }
  if (answer.oneof === expected) return answer.fields as FieldsOf<A>;
  const got = answer.oneof ?? 'nothing';
  throw new ProtobufError(`an answer with ${got}, not with ${expected}`, { layer: LAYER, expected, got });
}

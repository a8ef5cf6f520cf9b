/**
 * The stacks of the roles, top to wire. Each is a column of docs/pictures/stacks.svg.
 */
import { given, givenRecord } from '../core/check.js';
import type { DeferredBytes } from '../core/deferred-bytes.js';
import { base64 } from '../layers/base64/index.js';
import { bincode } from '../layers/bincode/index.js';
import type { Dialect } from '../layers/formats/dialect.js';
import { type FrameKind, frame, lengthPrefix } from '../layers/frame/index.js';
import { protobuf } from '../layers/protobuf/index.js';
import { records } from '../layers/records/index.js';
import { session } from '../layers/session/index.js';
import { type TlsClientOptions, type TlsServerOptions, tls } from '../layers/tls/index.js';
import { stack } from '../pipeline/stack.js';

/** Limit and dialect of messages. */
export interface MessageOptions {
  readonly dialect: Dialect;
  /** Most bytes of a message, including its file. */
  readonly maxMessageBytes: number;
}

/** What a Server and a Runtime Manager must agree on beforehand, because nothing on the wire tells it. */
export interface LinkOptions {
  readonly dialect: Dialect;
  /** `tcp9` on TCP and vsock (Linux, Nitro), `icecap4` on the console (IceCap). */
  readonly frame: FrameKind;
}

export interface ClientStackOptions extends MessageOptions {
  readonly tls: TlsClientOptions;
  /** Gives the most bytes of TLS records that one POST may have. */
  readonly batchBytes: () => number;
  /**
   * The transport encodes base64 itself, straight into its bodies, as HttpExchange does; see `Base64Options`. Default false.
   */
  readonly deferred?: boolean;
}

/** Veracruz Client. Below it: an HTTP exchange with the Server. */
export function clientStack(options: ClientStackOptions) {
  const { dialect, maxMessageBytes, batchBytes, deferred = false } = given('options', options);
  return stack(
    protobuf({ sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerResponse', dialect, maxMessageBytes }),
    lengthPrefix({ maxMessageBytes }),
    tls(options.tls),
    records({ batchBytes }),
    base64({ deferred }),
    session<DeferredBytes>({ end: 'client' }),
  );
}

/** Veracruz Client without HTTP, as in the head dialect. Below it: TCP to the Server. */
export function directClientStack(options: MessageOptions & { readonly tls: TlsClientOptions }) {
  const { dialect, maxMessageBytes } = given('options', options);
  return stack(
    protobuf({ sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerResponse', dialect, maxMessageBytes }),
    lengthPrefix({ maxMessageBytes }),
    tls(options.tls),
  );
}

/**
 * Veracruz Server, towards a client: ciphertext above it, the bodies of the client's POSTs below it.
 *
 * @param options `deferred` as in `ClientStackOptions`
 */
export function serverClientStack(id: number, options: { readonly deferred?: boolean } = {}) {
  const { deferred = false } = givenRecord('options', options);
  return stack(
    base64({ deferred }),
    session<DeferredBytes>({
      end: 'server',
      id,
      // The POST that opens the session carries id 0; its answer carries the new id.
      onId: (_asked, state) => {
        state.id = id;
      },
    }),
  );
}

/** Veracruz Server, towards a Runtime Manager. Below it: TCP or a Unix socket. */
export function serverManagerStack(options: LinkOptions) {
  const { dialect, frame: kind } = given('options', options);
  return stack(
    bincode({ dialect, sends: 'request', receives: 'response' }), //
    frame(kind),
  );
}

/** Runtime Manager, towards the Server. Below it: TCP, a Unix socket or a console. */
export function managerServerStack(options: LinkOptions) {
  const { dialect, frame: kind } = given('options', options);
  return stack(
    bincode({ dialect, sends: 'response', receives: 'request' }), //
    frame(kind),
  );
}

/** Runtime Manager, towards a client: inside the TLS session that the Server relays. */
export function managerClientStack(options: MessageOptions & { readonly tls: TlsServerOptions }) {
  const { dialect, maxMessageBytes } = given('options', options);
  return stack(
    protobuf({ sends: 'RuntimeManagerResponse', receives: 'RuntimeManagerRequest', dialect, maxMessageBytes, onMalformed: 'give' }),
    lengthPrefix({ maxMessageBytes }),
    tls(options.tls),
  );
}

/** Most bytes of a message to or from the Proxy Attestation Server, which has a few certificates and never a file. */
const ATTESTATION_MESSAGE_BYTES = 256 * 1024;

/** Veracruz Server, towards the Proxy Attestation Server. Below it: the body of a POST, and of its answer (wire spec §F). */
export function attestationClientStack() {
  return stack(
    protobuf({
      sends: 'ProxyAttestationServerRequest',
      receives: 'ProxyAttestationServerResponse',
      maxMessageBytes: ATTESTATION_MESSAGE_BYTES,
    }),
    lengthPrefix({ maxMessageBytes: ATTESTATION_MESSAGE_BYTES }),
    base64(),
  );
}

/** Proxy Attestation Server. Below it: HTTP. */
export function attestationServerStack() {
  return stack(
    protobuf({
      sends: 'ProxyAttestationServerResponse',
      receives: 'ProxyAttestationServerRequest',
      maxMessageBytes: ATTESTATION_MESSAGE_BYTES,
    }),
    lengthPrefix({ maxMessageBytes: ATTESTATION_MESSAGE_BYTES }),
    base64(),
  );
}

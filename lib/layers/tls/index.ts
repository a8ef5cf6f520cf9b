/** TLS 1.3 with certificates on both sides (wire spec §B). */
import type { Connection } from '../../core/connection.js';
import { InvalidOptionError } from '../../core/errors.js';
import type { Layer } from '../../core/layer.js';
import type { ByteChunk, CipherChunk } from '../../core/unit.js';
import { endpointOf } from './endpoint.js';
import { TlsEngine } from './engine.js';
import { HandshakeGate } from './gate.js';
import { settingsOf, type TlsOptions } from './options.js';
import { publishState } from './state.js';
import { TlsDecryptor, TlsEncryptor } from './streams.js';

export type { CertificateInput } from '../formats/certificates.js';
export { CIPHER_SUITES, type CipherSuite, cipherSuite } from '../formats/cipher-suite.js';
export { TLS_DEFAULTS, type TlsClientOptions, type TlsLimits, type TlsOptions, type TlsServerOptions } from './options.js';
export { expectRuntimeHash, RUNTIME_HASH_BYTES, runtimeHashOf } from './runtime-hash.js';
export { type Phase, type TlsState, tlsState } from './state.js';

/**
 * The TLS layer: plaintext above, ciphertext (cut anywhere) below. OpenSSL does it, through node:tls, and never sees a
 * socket: only these two Transforms.
 *
 * Not a byte of plaintext leaves before the peer is admitted, and none is given before that either. A client admits a
 * server whose chain leads to `authority`, if `verifyPeer` has nothing against it; a server admits the exact
 * certificates of `identities`. A client is *accepted* only when the first plaintext has come from the server
 * (`tlsState(connection).heard`): in TLS 1.3 its own handshake is over before it was judged.
 *
 * The deadline of the handshake starts when the gate lets it run: on a client when the layer is opened, on a server when
 * the whole first record has come, which has a deadline of its own from its first byte on. An idle connection costs
 * nothing, and its owner watches it.
 *
 * @throws InvalidOptionError for options out of range, certificates or keys that cannot be read or do not belong
 *   together, unknown suites; and by `outbound()` and `inbound()` without a connection, in which they meet.
 * @example
 * stack(lengthPrefix(), tls({ role: 'client', certificate, key, authority, cipherSuite: policy.ciphersuite })).over(socket);
 */
export function tls(options: TlsOptions): Layer<ByteChunk, CipherChunk> {
  const settings = settingsOf(options);
  const endpoint = endpointOf(options);
  const gate = new HandshakeGate(settings.maxHandshakes, settings.maxQueuedHandshakes);
  const { role, handshakeTimeoutMs, handshakeStallMs, maxHandshakes, maxQueuedHandshakes, maxIdleRecords, maxIdleBytes } = settings;

  const engineOf = (connection: Connection | undefined): [TlsEngine, Connection] => {
    if (connection === undefined)
      throw new InvalidOptionError('the tls layer needs a connection', { layer: 'tls', expected: 'Connection' });
    const engine = connection.share(layer, () => {
      const made = new TlsEngine(endpoint, gate, settings);
      publishState(connection, made);
      return made;
    });
    return [engine, connection];
  };
  const layer: Layer<ByteChunk, CipherChunk> = Object.freeze({
    name: 'tls',
    limits: Object.freeze({
      role,
      handshakeTimeoutMs,
      handshakeStallMs,
      maxHandshakes,
      maxQueuedHandshakes,
      maxIdleRecords,
      maxIdleBytes,
    }),
    outbound: (connection?: Connection) => new TlsEncryptor('tls', ...engineOf(connection)),
    inbound: (connection?: Connection) => new TlsDecryptor('tls', ...engineOf(connection)),
  });
  return layer;
}

/** TLS 1.3 with certificates on both sides (wire spec §B). */
import { given, optionsOf } from '../../core/check.js';
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
 * The TLS layer: plaintext above, ciphertext (cut anywhere) below. OpenSSL does the work through node:tls. It sees no socket,
 * only the two Transforms of this layer.
 *
 * No plaintext leaves before the peer is admitted, and none is given before that. A client admits a server if the server's
 * chain leads to `authority` and `verifyPeer` does not throw. A server admits exactly the certificates of `identities`. In
 * TLS 1.3 a client's handshake is over before the server has checked the client. So a client knows that it is *accepted* only
 * when the first plaintext comes from the server (`tlsState(connection).heard`).
 *
 * A handshake asks its gate for a place: on a client when the layer is opened, on a server when the first record is complete.
 * The deadline of the handshake starts when the gate lets it run. On a server the first record has a deadline of its own, from
 * its first byte on. What a client may send before it is admitted is bounded, too. An idle connection uses no resources here, and it is up to its owner to close it.
 *
 * @throws InvalidOptionError for options out of range, for certificates or keys that cannot be read or do not belong together,
 *   and for unknown suites. `outbound()` and `inbound()` throw it without a connection, because the two meet in the connection.
 * @example
 * stack(lengthPrefix(), tls({ role: 'client', certificate, key, authority, cipherSuite: policy.ciphersuite })).over(socket);
 */
export function tls(options: TlsOptions): Layer<ByteChunk, CipherChunk> {
  const [settings, endpoint] = optionsOf('tls', () => [settingsOf(given('options', options)), endpointOf(options)] as const);
  const gate = new HandshakeGate(settings);
  const { role, handshakeTimeoutMs, handshakeStallMs, maxHandshakes, maxQueuedHandshakes, maxHandshakeBytes } = settings;
  const { maxIdleRecords, maxIdleBytes } = settings;

  const engineOf = (connection: Connection | undefined): [TlsEngine, Connection] => {
    if (connection === undefined)
      throw new InvalidOptionError('the tls layer needs a connection', { layer: 'tls', expected: 'Connection' });
    const engine = connection.share(layer, () => {
      const made = new TlsEngine(endpoint, gate, settings, connection.origin);
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
      ...(role === 'server' ? { maxHandshakeBytes } : {}),
      maxIdleRecords,
      maxIdleBytes,
    }),
    outbound: (connection?: Connection) => new TlsEncryptor('tls', ...engineOf(connection)),
    inbound: (connection?: Connection) => new TlsDecryptor('tls', ...engineOf(connection)),
  });
  return layer;
}

import { createPrivateKey, createPublicKey, createSecretKey } from 'node:crypto';
import t from 'tap';
import { Connection } from '../../../lib/core/connection.js';
import { CIPHER_SUITES, cipherSuite, TLS_DEFAULTS, type TlsOptions, tls } from '../../../lib/layers/tls/index.js';
import { tlsState } from '../../../lib/layers/tls/state.js';
import { alice, authority, bob, clientOptions, serverOptions } from './pki.js';

void t.test('suites have three spellings', async (t) => {
  for (const suite of CIPHER_SUITES) {
    t.equal(cipherSuite(suite), suite);
    t.equal(cipherSuite(suite.replace('TLS_', 'TLS1_3_')), suite);
    t.equal(cipherSuite(suite.replace('TLS_', 'TLS1-3-').replaceAll('_', '-')), suite);
  }
  for (const name of [
    '',
    'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
    'TLS1_3_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256',
    'tls_aes_128_gcm_sha256',
    'HIGH',
    '@SECLEVEL=0',
  ]) {
    t.throws(() => cipherSuite(name), { code: 'ERR_VC_INVALID_OPTION', got: name, message: /TLS_AES_128_GCM_SHA256/ });
    t.throws(() => tls(clientOptions(alice, { cipherSuite: name })), { code: 'ERR_VC_INVALID_OPTION' });
  }
});

void t.test('bad options are refused at once, by name', async (t) => {
  const stray = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';
  const cases: [string, TlsOptions][] = [
    ['role', { ...clientOptions(), role: 'peer' as 'client' }],
    ['truncation', clientOptions(alice, { truncation: 'ignore' as 'error' })],
    ['handshakeTimeoutMs', clientOptions(alice, { handshakeTimeoutMs: 0 })],
    ['handshakeTimeoutMs', clientOptions(alice, { handshakeTimeoutMs: 2 ** 31 })],
    ['maxHandshakes', serverOptions({ maxHandshakes: 0 })],
    ['maxHandshakes', serverOptions({ maxHandshakes: 1.5 })],
    ['handshakeStallMs', serverOptions({ handshakeStallMs: 0 })],
    ['maxQueuedHandshakes', serverOptions({ maxQueuedHandshakes: -1 })],
    ['maxHandshakeBytes', serverOptions({ maxHandshakeBytes: 511 })],
    ['maxIdleRecords', serverOptions({ maxIdleRecords: 0 })],
    ['maxIdleBytes', serverOptions({ maxIdleBytes: 32_767 })],
    ['maxIdleBytes', serverOptions({ maxIdleBytes: Number.NaN })],
    ['cipherSuite', serverOptions({ cipherSuite: [] })],
    ['certificate', clientOptions({ key: alice.key, certificate: 'none' })],
    ['certificate', clientOptions({ key: alice.key, certificate: stray })],
    ['certificate', clientOptions(alice, { certificate: [] })],
    ['key', clientOptions({ key: 'none', certificate: alice.certificate })],
    ['key', clientOptions({ key: bob.key, certificate: alice.certificate })],
    ['key', clientOptions(alice, { key: createPublicKey(alice.key) })],
    ['key', clientOptions(alice, { key: createSecretKey(Buffer.alloc(32)) })],
    ['certificate', clientOptions(alice, { certificate: new Uint8Array(alice.certificateDer) as Buffer })],
    ['identities', serverOptions({ identities: alice.certificate as unknown as string[] })],
    ['authority', clientOptions(alice, { authority: '' })],
    ['authority', clientOptions(alice, { authority: [] })],
    ['authority', clientOptions(alice, { authority: Buffer.of(0x30, 0x01) })],
    ['identities', serverOptions({ identities: [] })],
    ['identities', serverOptions({ identities: [alice.certificate, stray] })],
    ['clientAuthorities', serverOptions({ clientAuthorities: [] })],
    ['certificate is missing', { role: 'client' } as TlsOptions],
    ['key is missing', { ...clientOptions(), key: undefined } as unknown as TlsOptions],
    ['key', { ...clientOptions(), key: {} } as TlsOptions],
    ['authority is missing', { ...clientOptions(), authority: undefined } as unknown as TlsOptions],
    ['identities is missing', { ...serverOptions(), identities: undefined } as unknown as TlsOptions],
  ];
  for (const [name, options] of cases) t.throws(() => tls(options), { code: 'ERR_VC_INVALID_OPTION', message: new RegExp(name) }, name);
});

void t.test('every form of certificates and keys', async (t) => {
  t.ok(tls(clientOptions(alice, { certificate: alice.certificateDer, key: createPrivateKey(alice.key) })));
  t.ok(
    tls(
      clientOptions(alice, { certificate: [alice.policyCertificate], key: Buffer.from(alice.key), authority: [authority.certificateDer] }),
    ),
  );
  t.ok(tls(clientOptions(alice, { certificate: Buffer.from(alice.certificate), authority: authority.certificate + bob.certificate })));
});

void t.test('undefined is the default; describe() shows the limits', async (t) => {
  const layer = tls({ ...clientOptions(), handshakeTimeoutMs: undefined as unknown as number });
  const { truncation, maxHandshakeBytes, ...limits } = TLS_DEFAULTS;
  t.equal(truncation, 'error');
  t.same(layer.limits, { role: 'client', ...limits });
  t.same(tls(serverOptions()).limits, { role: 'server', maxHandshakeBytes, ...limits });
  t.equal(layer.name, 'tls');
});

void t.test('a connection has one state, of its topmost TLS layer', async (t) => {
  const connection = new Connection();
  t.equal(tlsState(connection), undefined);
  const above = tls(serverOptions());
  const below = tls(serverOptions());
  const streams = [above.outbound(connection), below.outbound(connection), above.inbound(connection), below.inbound(connection)];
  const state = tlsState(connection);
  t.match(state, { role: 'server', phase: 'waiting', peerEnd: 'open', principal: undefined, heard: false });
  above.inbound(connection).destroy();
  t.equal(state?.phase, 'closed', 'that of the layer above');
  for (const stream of streams) stream.destroy();
});

/** Who gets in. RELIABILITY: the certificate matrix, 0 application bytes before a refusal. */
import { createPrivateKey, createPublicKey, randomBytes, type X509Certificate } from 'node:crypto';
import { connect, TLSSocket } from 'node:tls';
import t from 'tap';
import { issue, makeAuthority } from '../../../lib/attestation/authority.js';
import {
  type CertificateContent,
  makeCertificate,
  makeKey,
  nameOf,
  pemOf,
  publicKeyInfo,
  signed,
} from '../../../lib/attestation/certificate.js';
import { makeIdentity } from '../../../lib/attestation/identity.js';
import { signatureAlgorithm } from '../../../lib/attestation/signature.js';
import { integer, octets, oid, sequence, tagged, time, toDer } from '../../../lib/layers/formats/asn1.js';
import { expectRuntimeHash, type TlsClientOptions, type TlsServerOptions, tls } from '../../../lib/layers/tls/index.js';
import { memoryPipe } from '../../../lib/transports/memory.js';
import { alice, authority, bob, clientOptions, issued, RUNTIME_HASH, serverOptions } from './pki.js';
import { open, pattern, talk } from './talk.js';

const DAY = 86_400_000;
const SECRET = pattern(4000);
/** The option of node:tls by which OpenSSL compares whole certificates is of Node 20.18 and 22.9. */
const [MAJOR = 0, MINOR = 0] = process.versions.node.split('.').map(Number);
const EXACT = MAJOR > 22 || (MAJOR === 22 && MINOR >= 9) || (MAJOR === 20 && MINOR >= 18);
/** What OpenSSL says when nobody whom it trusts has issued a certificate. */
const NO_ISSUER = EXACT ? 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' : 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';
const skip = EXACT ? false : 'this Node lets in the first of them only';

/** Both ends say 4,000 bytes as soon as they can, and end. */
async function meet(client: TlsClientOptions, server: TlsServerOptions) {
  const pair = talk(client, server);
  pair.client.channel.end(SECRET);
  pair.server.channel.end(SECRET);
  await Promise.all([pair.client.closed, pair.server.closed]);
  return pair;
}

void t.test('principals get in, and are told apart', async (t) => {
  for (const [index, identity] of [alice, bob].entries()) {
    const { client, server } = await meet(clientOptions(identity), serverOptions());
    t.equal(client.error, undefined);
    t.equal(server.error, undefined);
    t.ok(server.bytes.equals(SECRET));
    t.ok(client.bytes.equals(SECRET));
    t.equal(server.state.principal, index);
    t.ok(server.state.certificate?.raw.equals(identity.certificateDer));
    t.equal(client.state.principal, undefined);
    t.ok(client.state.heard);
  }
});

void t.test('identities: RSA, in DER, the first of two equal ones, issued by an authority', async (t) => {
  const rsa = makeIdentity({ commonName: 'rsa', algorithm: 'rsa' });
  const guild = makeAuthority({ commonName: 'guild' });
  const member = issued(guild, { subject: 'member', usages: ['client'] });
  const server = serverOptions({
    identities: [bob.certificateDer, rsa.policyCertificate, rsa.certificate, member.certificate],
    clientAuthorities: guild.certificate,
  });
  for (const [identity, index] of [
    [bob, 0],
    [rsa, 1],
    [member, 3],
  ] as const) {
    const pair = await meet(clientOptions(identity), server);
    t.same([pair.server.error, pair.client.error], [undefined, undefined]);
    t.equal(pair.server.state.principal, index);
  }
  const other = issued(guild, { subject: 'member', usages: ['client'] });
  const refused = await meet(clientOptions(other), server);
  t.equal(refused.server.error?.code, 'ERR_VC_PRINCIPAL_UNKNOWN', 'the authority admits nobody by itself');
});

/** A self-signed certificate without key identifiers, as OpenSSL makes it when it is told to leave them out. */
function bare(commonName: string, more: Partial<CertificateContent> = {}) {
  const key = makeKey('ec');
  const name = nameOf({ commonName });
  const start = new Date((more.notBefore?.getTime() ?? Date.now()) - 60_000);
  const end = more.notAfter ?? new Date(Date.now() + DAY);
  const uses = (more.usages ?? []).map((use) => oid(use === 'client' ? '1.3.6.1.5.5.7.3.2' : '1.3.6.1.5.5.7.3.1'));
  const extensions = uses.length > 0 ? [tagged(3, sequence(sequence(oid('2.5.29.37'), octets(toDer(sequence(...uses))))))] : [];
  const der = signed(
    sequence(
      tagged(0, integer(Buffer.of(2))),
      integer(randomSerial()),
      signatureAlgorithm(key),
      name,
      sequence(time(start), time(end)),
      name,
      publicKeyInfo(createPublicKey(key)),
      ...extensions,
    ),
    key,
  );
  return { key: key.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate: pemOf(der), certificateDer: der };
}

const randomSerial = () => Buffer.concat([Buffer.of(0x40), randomBytes(7)]);

void t.test('identities of one subject, with key identifiers and without: each is let in as itself, no other is', { skip }, async (t) => {
  const bares = [bare('p'), bare('p'), bare('p')];
  const identified = [makeIdentity({ commonName: 'p' }), makeIdentity({ commonName: 'p' })];
  const all = [...bares, ...identified];
  for (const list of [bares, identified, all, all.toReversed()]) {
    const server = serverOptions({ identities: list.map(({ certificate }) => certificate) });
    for (const [index, identity] of list.entries()) {
      const { client, server: far } = await meet(clientOptions(identity), server);
      t.same([far.error?.code, client.error?.code], [undefined, undefined]);
      t.equal(far.state.principal, index);
      t.ok(far.bytes.equals(SECRET));
    }
    for (const stranger of [bare('p'), makeIdentity({ commonName: 'p' }), makeIdentity({ commonName: 'p', isCa: true })]) {
      const { client, server: far } = await meet(clientOptions(stranger), server);
      t.match(far.error, { code: 'ERR_VC_CERTIFICATE' });
      t.equal(far.bytes.length, 0, 'nothing delivered');
      t.equal(client.bytes.length, 0, 'nothing sent');
    }
  }
});

void t.test('identities of one subject are held to their time and their use, each', { skip }, async (t) => {
  const past = bare('p', { notBefore: new Date(Date.now() - 2 * DAY), notAfter: new Date(Date.now() - DAY) });
  const future = bare('p', { notBefore: new Date(Date.now() + DAY), notAfter: new Date(Date.now() + 2 * DAY) });
  const forServers = bare('p', { usages: ['server'] });
  const good = bare('p', { usages: ['client'] });
  const server = serverOptions({ identities: [bare('p'), past, future, forServers, good].map(({ certificate }) => certificate) });
  for (const [identity, got] of [
    [past, 'CERT_HAS_EXPIRED'],
    [future, 'CERT_NOT_YET_VALID'],
    [forServers, 'INVALID_PURPOSE'],
  ] as const) {
    const { client, server: far } = await meet(clientOptions(identity), server);
    t.match(far.error, { code: 'ERR_VC_CERTIFICATE', got });
    t.equal(far.bytes.length + client.bytes.length, 0, 'nothing has moved');
  }
  const { server: far } = await meet(clientOptions(good), server);
  t.equal(far.state.principal, 4);
});

void t.test('an identity that an authority issued is let in with that authority only', async (t) => {
  const guild = makeAuthority({ commonName: 'guild' });
  const member = issued(guild, { subject: 'member', usages: ['client'] });
  for (const clientAuthorities of [undefined, makeAuthority({ commonName: 'guild' }).certificate]) {
    const options = { identities: [alice.certificate, member.certificate], ...(clientAuthorities && { clientAuthorities }) };
    const { client, server } = await meet(clientOptions(member), serverOptions(options));
    t.match(server.error, { code: 'ERR_VC_CERTIFICATE' });
    t.equal(server.bytes.length + client.bytes.length, 0, 'nothing has moved');
  }
});

void t.test('a server with an RSA key', async (t) => {
  const manager = issued(authority, { subject: 'manager' }, 'rsa');
  const { client, server } = await meet(clientOptions(), serverOptions(manager));
  t.same([server.error, client.error], [undefined, undefined]);
  t.ok(server.bytes.equals(SECRET));
});

void t.test('clients that are refused', async (t) => {
  const ancient = makeIdentity({ commonName: 'ancient', notBefore: new Date(Date.now() - 2 * DAY), notAfter: new Date(Date.now() - DAY) });
  const future = makeIdentity({ commonName: 'future', notBefore: new Date(Date.now() + DAY), days: 2 });
  const prince = makeIdentity({ commonName: 'prince', isCa: true });
  const serf = makeKey('ec');
  const serfCertificate = issue(prince, { subject: 'serf', publicKey: createPublicKey(serf), usages: ['client'] });
  const wrongUse = issued(authority, { subject: 'alice', usages: ['server'] });
  const identities = [alice.certificate, ancient.certificate, future.certificate, prince.certificate];
  const cases: Record<
    string,
    { identity: { key: string; certificate: string }; code: string; got?: string; server?: Partial<TlsServerOptions> }
  > = {
    'self-signed stranger': {
      identity: makeIdentity({ commonName: 'stranger' }),
      code: 'ERR_VC_CERTIFICATE',
      got: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    },
    'another authority': {
      identity: issued(makeAuthority({ commonName: 'elsewhere' }), { usages: ['client'] }),
      code: 'ERR_VC_CERTIFICATE',
      got: NO_ISSUER,
    },
    'the name of a principal, another key': {
      identity: makeIdentity({ commonName: 'alice' }),
      code: 'ERR_VC_CERTIFICATE',
    },
    expired: { identity: ancient, code: 'ERR_VC_CERTIFICATE', got: 'CERT_HAS_EXPIRED' },
    'not valid yet': { identity: future, code: 'ERR_VC_CERTIFICATE', got: 'CERT_NOT_YET_VALID' },
    'signed by a principal that is a CA': {
      identity: { key: serf.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate: pemOf(serfCertificate) },
      code: 'ERR_VC_PRINCIPAL_UNKNOWN',
    },
    'trusted, but in no policy': {
      identity: issued(authority, { subject: 'alice', usages: ['client'] }),
      code: 'ERR_VC_PRINCIPAL_UNKNOWN',
      server: { clientAuthorities: authority.certificate },
    },
    'a certificate for servers': {
      identity: wrongUse,
      code: 'ERR_VC_CERTIFICATE',
      got: 'INVALID_PURPOSE',
      server: { identities: [wrongUse.certificate], clientAuthorities: [authority.certificate] },
    },
  };
  for (const [name, { identity, code, got, server: more }] of Object.entries(cases)) {
    const { client, server } = await meet(clientOptions(identity), serverOptions({ identities, ...more }));
    t.equal(server.error?.code, code, name);
    if (got !== undefined) t.equal(server.error?.got, got, `${name}: the reason`);
    t.equal(server.bytes.length, 0, `${name}: nothing delivered`);
    t.equal(server.state.principal, undefined);
    t.equal(client.error?.code, 'ERR_VC_PEER_REJECTED', `${name}: what the client sees`);
    t.equal(client.bytes.length, 0, `${name}: nothing sent`);
    t.equal(client.error?.layer, 'tls');
  }
});

/** A client of node:tls that sends 4,000 bytes as soon as it may, without looking at the server. */
function bareClient(pipe: ReturnType<typeof memoryPipe>[0], identity?: { key: string; certificate: string }) {
  const socket = connect({
    socket: pipe,
    ca: authority.certificate,
    minVersion: 'TLSv1.3',
    checkServerIdentity: () => undefined,
    ...(identity && { key: identity.key, cert: identity.certificate }),
  });
  socket.on('error', () => {});
  socket.on('secureConnect', () => socket.write(SECRET));
  return socket;
}

void t.test('a client without a certificate is refused', async (t) => {
  const [left, right] = memoryPipe();
  const end = open(serverOptions(), right);
  bareClient(left);
  await end.closed;
  t.equal(end.error?.code, 'ERR_VC_CERTIFICATE');
  t.equal(end.error?.got, 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE');
  t.equal(end.bytes.length, 0);
});

void t.test('why there is a tls.Server: a bare TLSSocket lets strangers in, ours does not', async (t) => {
  const stranger = makeIdentity({ commonName: 'stranger' });
  const options = serverOptions();
  const [left, right] = memoryPipe();
  const bare = new TLSSocket(right, {
    isServer: true,
    requestCert: true,
    rejectUnauthorized: true,
    key: options.key as string,
    cert: (options.certificate as string[]).join(''),
    ca: [alice.certificate, bob.certificate],
    minVersion: 'TLSv1.3',
  });
  bare.on('error', () => {});
  const client = bareClient(left, stranger);
  let delivered = 0;
  await new Promise<void>((resolve) => {
    bare.on('data', (chunk: Buffer) => {
      delivered += chunk.length;
      if (delivered >= SECRET.length) resolve();
    });
    bare.on('close', resolve);
  });
  t.equal(delivered, SECRET.length, 'if this fails, Node has closed the hole');
  client.destroy();
  bare.destroy();
  const { server } = await meet(clientOptions(stranger), options);
  t.equal(server.error?.code, 'ERR_VC_CERTIFICATE');
  t.equal(server.bytes.length, 0);
});

function selfSigned() {
  const key = makeKey('ec');
  const name = { commonName: 'manager' };
  const der = makeCertificate({ subject: name, issuer: name, publicKey: createPublicKey(key), isCa: false, usages: ['server'] }, key);
  return { key, certificate: pemOf(der) };
}

void t.test('servers that are refused hear nothing', async (t) => {
  const elsewhere = makeAuthority({ commonName: 'elsewhere' });
  const cases: Record<string, { server: Partial<TlsServerOptions>; got: string }> = {
    'another authority': { server: issued(elsewhere), got: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
    'self-signed': { server: selfSigned(), got: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    expired: {
      server: issued(authority, { notBefore: new Date(Date.now() - 2 * DAY), notAfter: new Date(Date.now() - DAY) }),
      got: 'CERT_HAS_EXPIRED',
    },
    'a certificate for clients': { server: issued(authority, { usages: ['client'] }), got: 'INVALID_PURPOSE' },
  };
  for (const [name, { server: more, got }] of Object.entries(cases)) {
    const { client, server } = await meet(clientOptions(), serverOptions(more));
    t.equal(client.error?.code, 'ERR_VC_CERTIFICATE', name);
    t.equal(client.error?.got, got, `${name}: the reason`);
    t.equal(server.bytes.length, 0, `${name}: nothing sent`);
    t.equal(client.bytes.length, 0, `${name}: nothing delivered`);
    t.ok(server.error?.code.startsWith('ERR_VC_'), name);
  }
});

void t.test('a key object that several layers share takes nobody into a session whom the options do not', async (t) => {
  const key = createPrivateKey(alice.key);
  const other = makeAuthority({ commonName: 'other' });
  const cipherSuite = 'TLS1_3_AES_128_GCM_SHA256';
  const server = serverOptions({ cipherSuite });
  const good = { key, cipherSuite };
  for (const [more, code] of [
    [good, undefined],
    [{ ...good, authority: other.certificate }, 'ERR_VC_CERTIFICATE'],
    [good, undefined],
    [{ ...good, cipherSuite: 'TLS1_3_AES_256_GCM_SHA384' }, 'ERR_VC_TLS_HANDSHAKE'],
    [good, undefined],
  ] as const) {
    const { client, server: far } = await meet(clientOptions(alice, more), server);
    t.equal(client.error?.code, code);
    t.equal(far.bytes.length, code === undefined ? SECRET.length : 0);
    if (code === undefined) t.equal(client.state.cipherSuite, 'TLS_AES_128_GCM_SHA256');
  }
  const authorities = [authority.certificate];
  t.equal((await meet(clientOptions(alice, { ...good, authority: authorities }), server)).client.error, undefined);
  authorities[0] = other.certificate;
  const changed = await meet(clientOptions(alice, { ...good, authority: authorities }), server);
  t.equal(changed.client.error?.code, 'ERR_VC_CERTIFICATE', 'a list that was changed is another list');
});

void t.test('a key object is read once for the same certificates, PEM or DER', async (t) => {
  for (const certificate of [alice.certificate, Buffer.from(alice.certificate), alice.certificateDer]) {
    const key = createPrivateKey(alice.key);
    const read = t.capture(key, 'export', key.export.bind(key));
    for (let i = 0; i < 3; i++) tls(clientOptions(alice, { key, certificate, authority: [authority.certificateDer] }));
    t.equal(read().length, 1);
  }
});

void t.test('verifyPeer: a refusal, a fault and a promise all refuse, and nothing has left', async (t) => {
  const hooks: Record<string, (certificate: X509Certificate) => void> = {
    'another runtime hash': expectRuntimeHash([Buffer.alloc(32, 1), Buffer.alloc(32, 2).toString('hex')]),
    'a hook that throws': () => {
      throw new RangeError('no');
    },
    // The types do not keep a promise out: a function that returns one may stand where one that returns nothing is asked.
    'an async hook': () => Promise.resolve() as unknown as undefined,
    'an async hook that throws': () => Promise.reject(new Error('too late')) as unknown as undefined,
  };
  for (const [name, verifyPeer] of Object.entries(hooks)) {
    const { client, server } = await meet(clientOptions(alice, { verifyPeer }), serverOptions());
    t.equal(client.error?.code, 'ERR_VC_CERTIFICATE', name);
    t.equal(server.bytes.length, 0, `${name}: nothing sent`);
    t.equal(client.bytes.length, 0, `${name}: nothing delivered`);
    t.ok(server.error?.code.startsWith('ERR_VC_TLS'), `${name}: the server is not left waiting`);
  }
  let seen: X509Certificate | undefined;
  const verifyPeer = (certificate: X509Certificate) => {
    expectRuntimeHash([RUNTIME_HASH.toString('hex')])(certificate);
    seen = certificate;
  };
  const { client, server } = await meet(clientOptions(alice, { verifyPeer }), serverOptions());
  t.same([client.error, server.error], [undefined, undefined]);
  t.equal(seen?.subject, 'CN=manager');
});

void t.test('NODE_TLS_REJECT_UNAUTHORIZED cannot switch the check off', async (t) => {
  const warnings: string[] = [];
  const emitWarning = process.emitWarning.bind(process);
  t.teardown(() => {
    process.emitWarning = emitWarning;
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  });
  process.emitWarning = (warning: string) => warnings.push(warning);
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  const { client, server } = await meet(clientOptions(), serverOptions(issued(makeAuthority())));
  t.equal(client.error?.code, 'ERR_VC_CERTIFICATE');
  t.equal(server.bytes.length, 0);
  const refused = await meet(clientOptions(makeIdentity({ commonName: 'stranger' })), serverOptions());
  t.equal(refused.server.error?.code, 'ERR_VC_CERTIFICATE');
});

void t.test('a layer without a connection has nowhere to meet', async (t) => {
  t.throws(() => tls(clientOptions()).outbound(), { code: 'ERR_VC_INVALID_OPTION', layer: 'tls' });
  t.throws(() => tls(serverOptions()).inbound(), { code: 'ERR_VC_INVALID_OPTION', layer: 'tls' });
});

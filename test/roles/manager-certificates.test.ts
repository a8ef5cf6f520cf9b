/**
 * Who is let in: clients of every wrong kind, against the real roles. None of them hears an answer, and not one byte of
 * what they say reaches what answers requests.
 */
import { createPublicKey } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect } from 'node:tls';
import t, { type Test } from 'tap';
import { type Authority, issue, makeAuthority } from '../../lib/attestation/authority.js';
import { makeKey, pemOf } from '../../lib/attestation/certificate.js';
import { makeIdentity } from '../../lib/attestation/identity.js';
import { encodeMessage } from '../../lib/layers/protobuf/index.js';
import { DIAGNOSTICS, type StackEvent } from '../../lib/pipeline/diagnostics.js';
import { openConnection } from '../../lib/roles/client/server-connection.js';
import { until, within } from '../support/foreign.js';
import '../support/long.js';
import { ALL_RIGHTS, alice, authority, bob, connectClient, policyOf, startRoles, stored } from '../support/roles.js';

interface Credentials {
  readonly certificate: string;
  readonly key: string;
}

const DAY_MS = 86_400_000;
const days = (n: number) => new Date(Date.now() + n * DAY_MS);

/** A key and a certificate of `by` for a client. */
function issuedBy(by: Authority, subject = 'alice'): Credentials {
  const key = makeKey('ec');
  const der = issue(by, {
    subject: { organization: 'Veracruz', commonName: subject },
    publicKey: createPublicKey(key),
    usages: ['client'],
  });
  return { certificate: pemOf(der), key: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

/** An identity that the policy lists, and that could sign for others. */
const signer = makeIdentity({ commonName: 'signer', isCa: true });
const signers: Authority = { key: signer.key, certificate: signer.certificate, certificateDer: signer.certificateDer };
const expired = makeIdentity({ commonName: 'expired', notBefore: days(-20), notAfter: days(-1) });
const notYet = makeIdentity({ commonName: 'not yet', notBefore: days(1), notAfter: days(20) });
const listed = [alice, bob, signer, expired, notYet];
const POLICY = policyOf({ identities: listed.map(({ certificate }) => ({ certificate, capabilities: ALL_RIGHTS })) });

const WRONG: Record<string, () => Credentials> = {
  'of an authority that is not known': () => issuedBy(makeAuthority({ commonName: 'somebody else' })),
  "of the manager's own authority": () => issuedBy(authority),
  'self-signed and not in the policy': () => makeIdentity({ commonName: 'stranger' }),
  'the right subject, another key': () => makeIdentity({ commonName: 'alice' }),
  'the right subject, RSA': () => makeIdentity({ commonName: 'bob', algorithm: 'rsa' }),
  expired: () => expired,
  'not yet valid': () => notYet,
  'signed by an identity that is no CA': () => issuedBy({ ...alice, certificateDer: alice.certificateDer }, 'leaf of alice'),
  // The original lets this one in, as the first identity of the policy (wire spec §B).
  'signed by an identity that is a CA': () => issuedBy(signers, 'leaf of signer'),
  'signed by an identity that is a CA, with its chain': () => {
    const leaf = issuedBy(signers, 'leaf of signer');
    return { ...leaf, certificate: leaf.certificate + signer.certificate };
  },
  "somebody's certificate behind one's own": () => {
    const own = makeIdentity({ commonName: 'alice' });
    return { ...own, certificate: own.certificate + alice.certificate };
  },
};

/** Bytes of plaintext that came out of TLS in managers' sessions, while `work` ran. */
async function plaintextDuring(work: () => Promise<void>): Promise<number> {
  let bytes = 0;
  const onClose = (event: unknown) => {
    const { session, traffic } = event as StackEvent;
    // A session at the manager has an id, and nothing below TLS.
    const layers = traffic.map(({ layer }) => layer).join();
    if (session !== undefined && layers === 'protobuf,length-prefix,tls') bytes += traffic[1]?.inbound.bytesIn ?? 0;
  };
  subscribe(DIAGNOSTICS.close, onClose);
  await work().finally(() => unsubscribe(DIAGNOSTICS.close, onClose));
  return bytes;
}

async function start(t: Test) {
  const requests: string[] = [];
  const roles = await startRoles(t, {
    manager: { policy: POLICY, log: (_level, event) => requests.push(event) },
    server: { direct: 'tcp://127.0.0.1:0' },
  });
  return { ...roles, requests: () => requests.filter((event) => event.startsWith('request')).length };
}

/** A client's stack, without the looks at itself that a client takes first: asks, and says what came of it. */
async function knock(url: string, credentials: Credentials): Promise<string> {
  const tls = { role: 'client', ...credentials, authority: authority.certificate } as const;
  const connection = await openConnection({ url, dialect: '2207', maxMessageBytes: 2 ** 20, tls, awaiting: () => true });
  const { channel } = connection;
  const outcome = new Promise<string>((resolve) => {
    channel.on('data', (answer) => resolve(`answered ${(answer as { status: string }).status}`));
    channel.on('error', (error: { code?: string }) => resolve(error.code ?? 'an error'));
    channel.on('close', () => resolve('closed'));
  });
  channel.write({ oneof: 'write_file', fields: { file_name: '/input/f', data: Buffer.from('let me in') } });
  channel.write({ oneof: 'request_policy_hash', fields: {} }, () => connection.expectAnswer());
  return within('the outcome', outcome).finally(() => channel.destroy());
}

void t.test('every wrong certificate is refused, over HTTP and over TCP', async (t) => {
  const { server, manager, store, requests } = await start(t);
  const direct = `tcp://127.0.0.1:${(server.directAddress as { port: number }).port}`;
  const bytes = await plaintextDuring(async () => {
    for (const [what, credentials] of Object.entries(WRONG)) {
      for (const url of [server.url, direct]) {
        const outcome = await knock(url, credentials());
        t.match(
          outcome,
          /^(ERR_VC_PEER_REJECTED|ERR_VC_SESSION_UNKNOWN|ERR_VC_TLS_HANDSHAKE|ERR_VC_TLS|ERR_VC_TLS_TRUNCATED)$/,
          `${what}: ${outcome}`,
        );
      }
    }
    await until('every session is gone', () => manager.sessions === 0);
  });
  t.equal(bytes, 0, 'bytes of plaintext that reached the manager');
  t.equal(requests(), 0, 'requests that were answered');
  t.equal(await stored(store, '/input/f'), undefined);
  // By the same knock and the same counters, the right one.
  const counted = await plaintextDuring(async () => {
    t.equal(await knock(direct, alice), 'answered SUCCESS');
    await until('its session is gone', () => manager.sessions === 0);
  });
  t.ok(counted > 0);
  t.ok(requests() > 0);
});

void t.test('no certificate at all', async (t) => {
  const { server, manager, requests } = await start(t);
  const bytes = await plaintextDuring(async () => {
    const port = (server.directAddress as { port: number }).port;
    const socket = connect({
      host: '127.0.0.1',
      port,
      ca: authority.certificate,
      minVersion: 'TLSv1.3',
      checkServerIdentity: () => undefined,
    });
    const heard: Buffer[] = [];
    const over = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    socket.on('error', () => {});
    socket.on('data', (chunk) => heard.push(chunk));
    const message = encodeMessage('RuntimeManagerRequest', { oneof: 'request_policy_hash', fields: {} });
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64BE(BigInt(message.length));
    socket.on('secureConnect', () => socket.write(Buffer.concat([prefix, message])));
    await within('the refusal', over);
    t.equal(Buffer.concat(heard).length, 0);
    await until('the session is gone', () => manager.sessions === 0);
  });
  t.equal(bytes, 0);
  t.equal(requests(), 0);
});

void t.test('an older TLS', async (t) => {
  const { server, requests } = await start(t);
  const port = (server.directAddress as { port: number }).port;
  const socket = connect({
    ...{ host: '127.0.0.1', port, maxVersion: 'TLSv1.2', ca: authority.certificate, checkServerIdentity: () => undefined },
    ...{ cert: alice.certificate, key: alice.key },
  });
  let secure = false;
  socket.on('error', () => {});
  socket.on('secureConnect', () => {
    secure = true;
  });
  await within('the refusal', new Promise((resolve) => socket.on('close', resolve)));
  t.notOk(secure);
  t.equal(requests(), 0);
});

void t.test('an identity that an authority issued: only with that authority, and only itself', async (t) => {
  const company = makeAuthority({ commonName: 'a company' });
  const member = issuedBy(company, 'member');
  const colleague = issuedBy(company, 'colleague');
  const policy = policyOf({ identities: [{ certificate: member.certificate, capabilities: ALL_RIGHTS }] });
  const { server } = await startRoles(t, { manager: { policy, clientAuthorities: [company.certificate] } });
  await connectClient(t, server.url, { policy, identity: member });
  await t.rejects(connectClient(t, server.url, { policy, identity: colleague }), { code: 'ERR_VC_PEER_REJECTED' });
});

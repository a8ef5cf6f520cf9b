/** TLS of a Runtime Manager: versions, suites, certificates, cuts and ends (wire spec §B). */
import { createPublicKey, X509Certificate } from 'node:crypto';
import { issue, readAuthority } from '../../attestation/authority.js';
import { makeKey, pemOf } from '../../attestation/certificate.js';
import { makeIdentity } from '../../attestation/identity.js';
import { CIPHER_SUITES, runtimeHashOf } from '../../layers/tls/index.js';
import { type Case, CaseSkipped, expect, passed, weaker } from '../case.js';
import { need } from '../material.js';
import { piecesOf } from '../peers/pipe.js';
import { suiteOf } from '../peers/tls.js';
import { type Ask, type Cut, type Reply, statusOf, type Visitor } from '../peers/visitor.js';
import type { Scope } from '../scope.js';
import type { ManagerContext } from './context.js';

type ManagerCase = Case<ManagerContext>;

const HASH: Ask = { oneof: 'request_policy_hash', fields: {} };

function served(reply: Reply): void {
  expect(reply.refused === undefined && reply.message.status === 'SUCCESS', `the request was answered with ${statusOf(reply)}`);
}

/** A client that must not be let in: no request of it is answered, and others go on. */
async function turnedAway(context: ManagerContext, scope: Scope, open: Promise<Visitor>): Promise<string> {
  const visitor = await open;
  const reply = await visitor.ask(HASH);
  expect(reply.refused !== undefined, `was let in: ${statusOf(reply)}`);
  await context.serves(scope);
  return reply.refused;
}

const HANDSHAKES: readonly ManagerCase[] = [
  {
    name: 'tls.version-1.3',
    section: 'B.1',
    level: 'wire',
    expects: 'TLS 1.3 with the suite of the policy; a principal is let in.',
    run: async (context, scope) => {
      const visitor = await context.visit(scope);
      served(await visitor.ask(HASH));
      const { name } = visitor.tls.getCipher();
      expect(visitor.tls.getProtocol() === 'TLSv1.3', `the session is ${visitor.tls.getProtocol()}`);
      expect(name === suiteOf(context.material), `the suite is ${name}`);
      return undefined;
    },
  },
  {
    name: 'tls.version-1.2',
    section: 'B.1',
    level: 'trust',
    expects: 'A client that speaks TLS 1.2 alone is refused.',
    run: async (context, scope) =>
      passed(
        await turnedAway(
          context,
          scope,
          context.visit(scope, undefined, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }),
        ),
      ),
  },
  {
    name: 'tls.other-suites',
    section: 'B.1',
    level: 'trust',
    expects: 'A client that offers every suite but that of the policy is refused.',
    run: async (context, scope) => {
      const own = suiteOf(context.material);
      const ciphers = CIPHER_SUITES.filter((suite) => suite !== own).join(':');
      return passed(await turnedAway(context, scope, context.visit(scope, undefined, { ciphers })));
    },
  },
  {
    name: 'tls.no-resumption',
    section: 'B.1',
    level: 'trust',
    expects: 'A session is never resumed.',
    run: async (context, scope) => {
      const first = await context.visit(scope);
      served(await first.ask(HASH));
      if (first.ticket === undefined) return passed('no session ticket');
      const second = await context.visit(scope, undefined, { session: first.ticket });
      served(await second.ask(HASH));
      expect(!second.tls.isSessionReused(), 'the second session was resumed from a ticket of the first');
      return passed('a ticket, and no use of it');
    },
  },
  {
    name: 'tls.chain',
    section: 'B.2',
    level: 'trust',
    expects: 'The manager shows its own certificate and then that of its authority, and the policy trusts the authority.',
    run: async (context, scope) => {
      const visitor = await context.visit(scope);
      served(await visitor.ask(HASH));
      expect(visitor.tls.authorized, `the chain does not lead to the policy's authority: ${String(visitor.tls.authorizationError)}`);
      const leaf = visitor.tls.getPeerCertificate(true);
      expect(
        leaf.issuerCertificate !== undefined && leaf.issuerCertificate.raw !== leaf.raw,
        'no certificate of the authority behind its own',
      );
      return undefined;
    },
  },
  {
    name: 'tls.runtime-hash',
    section: 'B.4',
    level: 'trust',
    expects: 'The extension 2.5.30.1 of the manager’s certificate has the runtime hash of the policy.',
    run: async (context, scope) => {
      const expected = need(context.material.runtimeHash, 'a runtime hash (--runtime-hash or --material)');
      const visitor = await context.visit(scope);
      served(await visitor.ask(HASH));
      const found = runtimeHashOf(new X509Certificate(visitor.tls.getPeerCertificate().raw));
      expect(found !== undefined, 'the certificate has no runtime hash');
      expect(found.equals(expected), `the runtime hash is ${found.toString('hex')}`);
      return undefined;
    },
  },
];

/** A principal's certificate issued by a principal that is a CA. */
function signedBy(certificate: string, key: string): { readonly certificate: string; readonly key: string } {
  const own = makeKey('ec');
  const leaf = issue(readAuthority(certificate, key), { subject: 'mallory', publicKey: createPublicKey(own), usages: ['client'] });
  return { key: own.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate: pemOf(leaf) + certificate };
}

const CLIENTS: readonly ManagerCase[] = [
  {
    name: 'tls.no-client-certificate',
    section: 'B.3',
    level: 'trust',
    expects: 'A client without a certificate is refused.',
    run: async (context, scope) =>
      passed(await turnedAway(context, scope, context.visit(scope, undefined, { cert: undefined, key: undefined }))),
  },
  {
    name: 'tls.stranger',
    section: 'B.3',
    level: 'trust',
    expects: 'A client whose certificate is none of the policy is refused.',
    run: async (context, scope) => passed(await turnedAway(context, scope, context.visit(scope, makeIdentity({ commonName: 'stranger' })))),
  },
  {
    name: 'tls.same-name',
    section: 'B.3',
    level: 'trust',
    expects: 'A client whose certificate has the name of a principal, and another key, is refused.',
    run: async (context, scope) => passed(await turnedAway(context, scope, context.visit(scope, makeIdentity({ commonName: 'alice' })))),
  },
  {
    name: 'tls.issued-by-principal',
    section: 'B.3',
    level: 'trust',
    expects: 'A client whose certificate was issued by a principal is no principal. Weaker: he is let in, as the original does.',
    run: async (context, scope) => {
      const { certificate, key } = need(context.material.carol, 'a principal that is a CA (--material)');
      const visitor = await context.visit(scope, signedBy(certificate, key));
      const reply = await visitor.ask(HASH);
      await context.serves(scope);
      return reply.refused === undefined ? weaker('was let in') : passed(reply.refused);
    },
  },
  {
    name: 'tls.rsa-principal',
    section: 'B.2',
    level: 'wire',
    expects: 'A principal with an RSA-2048 certificate is let in, as those of 2207 have it.',
    run: async (context, scope) => {
      const bob = need(context.material.bob, 'a second principal (--material)');
      served(await (await context.visit(scope, bob)).ask(HASH));
      return undefined;
    },
  },
];

const cutCase = (name: string, expects: string, cut: Cut): ManagerCase => ({
  name,
  section: 'D.8',
  level: 'wire',
  expects,
  run: async (context, scope) => {
    served(await (await context.visit(scope, undefined, {}, cut)).ask(HASH));
    return undefined;
  },
});

/** One TLS record a piece. */
function* recordsOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + 5 + bytes.readUInt16BE(at + 3);
    yield bytes.subarray(at, end);
    at = end;
  }
}

/** The first and the last bytes one by one; what is between them together, for the sake of time. */
function* bytesOf(bytes: Buffer): Generator<Buffer> {
  const [head, tail] = [Math.min(100, bytes.length), Math.max(100, bytes.length - 50)];
  yield* piecesOf(bytes.subarray(0, head), 1);
  if (tail > head) yield bytes.subarray(head, tail);
  yield* piecesOf(bytes.subarray(tail), 1);
}

const STREAM: readonly ManagerCase[] = [
  cutCase('tls.split-bytes', 'Ciphertext may be cut anywhere: one byte a SendTlsData, at both ends of each flight.', bytesOf),
  cutCase('tls.split-records', 'Ciphertext may come record by record.', recordsOf),
  cutCase('tls.split-odd', 'Ciphertext may be cut inside record headers: 61 bytes a SendTlsData.', (bytes) => piecesOf(bytes, 61)),
  {
    name: 'tls.garbage',
    section: 'B.1',
    level: 'robust',
    expects: 'Bytes that are no ClientHello end their session, and no other.',
    run: async (context, scope) => {
      const link = await context.link(scope);
      const session = await link.open();
      const answer = await link.call({ kind: 'SendTlsData', session, data: Buffer.alloc(600, 0x47) });
      expect(answer.kind === 'Status', `answered with ${answer.kind}`);
      await link.fetch(session);
      await context.serves(scope);
      return undefined;
    },
  },
  {
    name: 'tls.two-clients',
    section: 'D.8',
    level: 'wire',
    expects: 'Sessions of two clients over one link do not mix.',
    run: async (context, scope) => {
      const one = await context.visit(scope);
      const bob = need(context.material.bob, 'a second principal (--material)');
      const two = await context.visit(scope, bob);
      await one.say(one.bytesOf(HASH));
      served(await two.ask(HASH));
      served(await one.reply());
      return undefined;
    },
  },
  {
    name: 'tls.close-notify',
    section: 'B.6',
    level: 'trust',
    expects: 'The close_notify of a client is answered with one. Weaker: none is sent, so an end and a cut look the same.',
    run: async (context, scope) => {
      const visitor = await context.visit(scope);
      served(await visitor.ask(HASH));
      visitor.tls.end();
      const said = await visitor.comes(() => visitor.goodbye, Math.min(1000, scope.waitMs));
      return said ? undefined : weaker('none was sent');
    },
  },
  {
    name: 'tls.cut-handshake',
    section: 'B.6',
    level: 'robust',
    expects: 'A client that is gone in the middle of its handshake harms nobody else.',
    run: async (context, scope) => {
      if (context.target.singleLink) throw new CaseSkipped('needs a manager that takes more than one link');
      const visitor = await context.visit(scope);
      await visitor.turn();
      visitor.link.pipe.destroy();
      await context.serves(scope);
      return undefined;
    },
  },
];

export const TLS_CASES: readonly ManagerCase[] = [...HANDSHAKES, ...CLIENTS, ...STREAM];

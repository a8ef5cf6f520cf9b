/** Evidence and certificates of a Proxy Attestation Server: whom it vouches for (wire spec §F.3 to §F.7). */
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { makeKey } from '../../attestation/certificate.js';
import { makeRequest } from '../../attestation/request.js';
import { clock } from '../../core/clock.js';
import { runtimeHashOf } from '../../layers/tls/index.js';
import { type Case, CaseSkipped, expect, expectBytes, passed, weaker } from '../case.js';
import type { Scope } from '../scope.js';
import { type AttestationContext, type Enclave, type Issued, refused } from './context.js';

type AttestationCase = Case<AttestationContext>;

/** Milliseconds by which the clocks of the kit and the server may differ. */
const SKEW_MS = 300_000;

/** All steps, with evidence that is right. */
async function attested(context: AttestationContext, scope: Scope): Promise<Issued & { readonly enclave: Enclave }> {
  const enclave = context.enclave();
  const { challenge, deviceId } = await context.start(scope);
  const answer = await context.hand(scope, deviceId, enclave.token(challenge), enclave.csr);
  return { ...context.issuedIn(answer), enclave };
}

const CERTIFICATES: readonly AttestationCase[] = [
  {
    name: 'certificate.issued',
    section: 'F.1',
    level: 'wire',
    expects: 'A PSA token that answers the challenge: cert_chain with the authority’s certificate and the enclave’s, both DER.',
    run: async (context, scope) => {
      const { root, certificate } = await attested(context, scope);
      const authority = new X509Certificate(root);
      expect(new X509Certificate(certificate).verify(authority.publicKey), 'the enclave’s certificate is not signed by the authority');
      const known = context.target.material.authority;
      if (known !== undefined) expectBytes('the authority’s certificate', root, known.certificateDer);
      return undefined;
    },
  },
  {
    name: 'certificate.key',
    section: 'F.6',
    level: 'wire',
    expects: 'The certificate has the subject and the key of the request.',
    run: async (context, scope) => {
      const { certificate, enclave } = await attested(context, scope);
      const leaf = new X509Certificate(certificate);
      expect(leaf.checkPrivateKey(enclave.key), 'the key is not that of the request');
      expect(/^CN=VeracruzCompute$/m.test(leaf.subject), `the subject is ${leaf.subject.replaceAll('\n', ', ')}`);
      return undefined;
    },
  },
  {
    name: 'certificate.runtime-hash',
    section: 'F.6',
    level: 'wire',
    expects: 'The extension 2.5.30.1 has the runtime hash of the evidence.',
    run: async (context, scope) => {
      const { certificate, enclave } = await attested(context, scope);
      const hash = runtimeHashOf(new X509Certificate(certificate));
      expect(hash !== undefined, 'no such extension');
      expectBytes('the runtime hash', hash, enclave.runtimeHash);
      return undefined;
    },
  },
  {
    name: 'certificate.name',
    section: 'F.6',
    level: 'wire',
    expects: 'The DNS name is ComputeEnclave.dev, and it is no CA.',
    run: async (context, scope) => {
      const leaf = new X509Certificate((await attested(context, scope)).certificate);
      expect(leaf.subjectAltName === 'DNS:ComputeEnclave.dev', `the name is ${leaf.subjectAltName}`);
      expect(!leaf.ca, 'the certificate is one of a CA');
      return undefined;
    },
  },
  {
    name: 'certificate.time',
    section: 'F.6',
    level: 'wire',
    expects: 'The certificate holds now.',
    run: async (context, scope) => {
      const leaf = new X509Certificate((await attested(context, scope)).certificate);
      const now = clock.now();
      expect(Date.parse(leaf.validFrom) <= now + SKEW_MS, `it holds from ${leaf.validFrom}`);
      expect(Date.parse(leaf.validTo) >= now - SKEW_MS, `it held until ${leaf.validTo}`);
      return undefined;
    },
  },
  {
    name: 'certificate.serial',
    section: 'F.6',
    level: 'trust',
    expects: 'Two certificates have two serial numbers. Weaker: always the same, as the original’s 23.',
    run: async (context, scope) => {
      const [one, two] = [await attested(context, scope), await attested(context, scope)].map(
        ({ certificate }) => new X509Certificate(certificate).serialNumber,
      );
      return one === two ? weaker(String(one)) : undefined;
    },
  },
];

/** Evidence with something wrong in it. */
const wrong = (
  name: string,
  expects: string,
  hand: (enclave: Enclave, challenge: Buffer) => { readonly token: Buffer; readonly csr: Buffer },
): AttestationCase => ({
  name,
  section: 'F.4',
  level: 'trust',
  expects,
  run: async (context, scope) => {
    const enclave = context.enclave();
    const { challenge, deviceId } = await context.start(scope);
    const { token, csr } = hand(enclave, challenge);
    return passed(refused('evidence that does not pass', await context.hand(scope, deviceId, token, csr)));
  },
});

function flipped(bytes: Buffer, at: number): Buffer {
  const other = Buffer.from(bytes);
  other[at < 0 ? other.length + at : at] = (other.at(at) as number) ^ 1;
  return other;
}

const EVIDENCE: readonly AttestationCase[] = [
  wrong('evidence.other-challenge', 'A token over another challenge is refused.', (enclave) => ({
    token: enclave.token(randomBytes(32)),
    csr: enclave.csr,
  })),
  wrong('evidence.bad-signature', 'A token whose signature is broken is refused.', (enclave, challenge) => ({
    token: flipped(enclave.token(challenge), -1),
    csr: enclave.csr,
  })),
  wrong('evidence.other-request', 'A request that is not the one in the token is refused.', (enclave, challenge) => ({
    token: enclave.token(challenge),
    csr: makeRequest(makeKey('ec')),
  })),
  wrong('evidence.no-cbor', 'A token that is no CBOR is refused.', (enclave) => ({ token: randomBytes(100), csr: enclave.csr })),
  wrong('evidence.truncated', 'A token that is cut is refused.', (enclave, challenge) => ({
    token: enclave.token(challenge).subarray(0, 60),
    csr: enclave.csr,
  })),
  wrong('evidence.empty', 'An empty token is refused.', (enclave) => ({ token: Buffer.alloc(0), csr: enclave.csr })),
  {
    name: 'evidence.forged-request',
    section: 'F.6',
    level: 'trust',
    expects: 'A request that its own key did not sign is refused, even where the token has its hash.',
    run: async (context, scope) => {
      const enclave = context.enclave();
      const { challenge, deviceId } = await context.start(scope);
      const csr = flipped(enclave.csr, -1);
      const requestHash = createHash('sha256').update(csr).digest();
      return passed(refused('a forged request', await context.hand(scope, deviceId, enclave.token(challenge, { requestHash }), csr)));
    },
  },
  {
    name: 'evidence.unknown-device',
    section: 'F.4',
    level: 'trust',
    expects: 'A token of a device that nobody enrolled is refused.',
    run: async (context, scope) => {
      const enclave = context.enclave(makeKey('ec'));
      const { challenge, deviceId } = await context.start(scope);
      return passed(refused('an unknown device', await context.hand(scope, deviceId, enclave.token(challenge), enclave.csr)));
    },
  },
  {
    name: 'evidence.runtime-hash',
    section: 'F.4',
    level: 'trust',
    expects: 'A runtime hash that is not on the list is refused. Weaker: anything is certified, as the original does.',
    run: async (context, scope) => {
      const enclave = context.enclave();
      const { challenge, deviceId } = await context.start(scope);
      const token = enclave.token(challenge, { runtimeHash: randomBytes(32) });
      const answer = await context.hand(scope, deviceId, token, enclave.csr);
      return answer.status === 200 ? weaker('certified') : passed(refused('another runtime', answer));
    },
  },
  {
    name: 'challenge.unknown',
    section: 'F.3',
    level: 'trust',
    expects: 'Evidence under a device id that was never given out is refused.',
    run: async (context, scope) => {
      const enclave = context.enclave();
      const { challenge, deviceId } = await context.start(scope);
      const other = deviceId > 2 ** 30 ? deviceId - 1_000_003 : deviceId + 1_000_003;
      return passed(refused('another device id', await context.hand(scope, other, enclave.token(challenge), enclave.csr)));
    },
  },
  {
    name: 'challenge.used',
    section: 'F.3',
    level: 'trust',
    expects: 'A challenge that has served is used up.',
    run: async (context, scope) => {
      const enclave = context.enclave();
      const { challenge, deviceId } = await context.start(scope);
      context.issuedIn(await context.hand(scope, deviceId, enclave.token(challenge), enclave.csr));
      return passed(refused('the same evidence again', await context.hand(scope, deviceId, enclave.token(challenge), enclave.csr)));
    },
  },
  {
    name: 'challenge.tried',
    section: 'F.3',
    level: 'trust',
    expects: 'The first answer uses a challenge up, right or wrong. Weaker: it can be tried until it passes, as the original’s of PSA.',
    run: async (context, scope) => {
      const enclave = context.enclave();
      const { challenge, deviceId } = await context.start(scope);
      refused('a broken token', await context.hand(scope, deviceId, flipped(enclave.token(challenge), -1), enclave.csr));
      const answer = await context.hand(scope, deviceId, enclave.token(challenge), enclave.csr);
      return answer.status === 200 ? weaker('passed at the second try') : passed(refused('a second try', answer));
    },
  },
];

const VERIFY: readonly AttestationCase[] = [
  {
    name: 'verify.pat',
    section: 'F.7',
    level: 'wire',
    expects: 'POST /VerifyPAT with a token of an attested device: base64 of its payload. Skipped where the path is not there, as in 2207.',
    run: async (context, scope) => {
      const enclave = context.enclave();
      const { challenge, deviceId } = await context.start(scope);
      const token = enclave.token(challenge);
      context.issuedIn(await context.hand(scope, deviceId, token, enclave.csr));
      const answer = await verify(context, scope, deviceId, token, enclave.point);
      if (answer.status === 404 || answer.status === 500) throw new CaseSkipped('needs a server that has /VerifyPAT');
      expect(answer.status === 200, `answered with ${answer.status}`);
      const payload = Buffer.from(answer.body.toString('latin1'), 'base64');
      expect(payload.includes(challenge), 'the payload does not have the challenge');
      return undefined;
    },
  },
  {
    name: 'verify.other-key',
    section: 'F.7',
    level: 'trust',
    expects: 'A public key that is not the device’s is refused.',
    run: async (context, scope) => {
      const enclave = context.enclave();
      const { challenge, deviceId } = await context.start(scope);
      const token = enclave.token(challenge);
      context.issuedIn(await context.hand(scope, deviceId, token, enclave.csr));
      const { point } = context.enclave(makeKey('ec'));
      return passed(refused('another key', await verify(context, scope, deviceId, token, point)));
    },
  },
];

function verify(context: AttestationContext, scope: Scope, deviceId: number, token: Buffer, pubkey: Buffer) {
  return context.send(scope, '/VerifyPAT', { oneof: 'proxy_psa_attestation_token', fields: { token, pubkey, device_id: deviceId } });
}

export const EVIDENCE_CASES: readonly AttestationCase[] = [...CERTIFICATES, ...EVIDENCE, ...VERIFY];

/** The attestation handshake as the Server leads it: what it says to the attestation server and to the manager (wire spec §D.7). */
import { joined } from '../../layers/bincode/index.js';
import { type Case, CaseSkipped, expect, expectBytes, weaker } from '../case.js';
import { need } from '../material.js';
import type { AttestationAsked, PlayedAttestation } from '../peers/played-attestation.js';
import type { Request } from '../peers/played-manager.js';
import type { Scope } from '../scope.js';
import type { ServerContext } from './context.js';

type ServerCase = Case<ServerContext>;
type Arm = Exclude<AttestationAsked['message']['oneof'], null>;

/** The attestation server that the kit plays, when a handshake is behind it. @throws CaseSkipped where it plays none */
async function handshaken(context: ServerContext, scope: Scope): Promise<PlayedAttestation> {
  if (context.attestation === undefined) throw new CaseSkipped('needs a Server that attests (--attestation)');
  await context.serves(scope);
  return context.attestation;
}

function asked<A extends Arm>(played: PlayedAttestation, arm: A): AttestationAsked {
  const found = played.asked.find(({ message }) => message.oneof === arm);
  expect(found !== undefined, `no ${arm}: ${played.faults.join('; ') || 'nothing wrong came either'}`);
  return found;
}

function request<K extends Request['kind']>(context: ServerContext, kind: K): Extract<Request, { readonly kind: K }> {
  const found = context.manager.requests.find((item) => item.kind === kind);
  expect(found !== undefined, `the manager was sent no ${kind}`);
  return found as Extract<Request, { readonly kind: K }>;
}

export const HANDSHAKE_CASES: readonly ServerCase[] = [
  {
    name: 'handshake.start',
    section: 'F.1',
    level: 'wire',
    expects: 'POST /Start with start_msg, psa or (2207-nitro) nitro, as base64 of a prefixed message, in exact bytes.',
    run: async (context, scope) => {
      const played = await handshaken(context, scope);
      const { path, type, message } = asked(played, 'start_msg');
      const protocol = context.target.dialect === '2207-nitro' ? 'nitro' : 'psa';
      expect(path === '/Start', `the path is ${path}`);
      expect(type === 'application/octet-stream', `the type is ${type}`);
      expect(message.oneof === 'start_msg' && message.fields.protocol === protocol, 'another protocol');
      expect(played.faults.length === 0, played.faults.join('; '));
      return undefined;
    },
  },
  {
    name: 'handshake.challenge',
    section: 'D.7',
    level: 'wire',
    expects: 'Attestation has the challenge and the device id that the attestation server gave; in head the id is a UUID.',
    run: async (context, scope) => {
      const { answer } = asked(await handshaken(context, scope), 'start_msg');
      const { challenge, deviceId } = request(context, 'Attestation');
      expect(answer.oneof === 'psa_attestation_init', 'no challenge was given');
      expectBytes('the challenge', joined(challenge), Buffer.from(answer.fields.challenge));
      const number = typeof deviceId === 'string' ? Number.parseInt(deviceId.slice(-12), 16) : deviceId;
      expect(number === answer.fields.device_id, `the device id is ${deviceId}, not ${answer.fields.device_id}`);
      return undefined;
    },
  },
  {
    name: 'handshake.evidence',
    section: 'F.1',
    level: 'wire',
    expects: 'The manager’s evidence is handed in as it is, with its request and its device id.',
    run: async (context, scope) => {
      const played = await handshaken(context, scope);
      const nitro = context.target.dialect === '2207-nitro';
      const { path, message } = asked(played, nitro ? 'nitro_attestation_doc' : 'native_psa_attestation_token');
      const { token } = need(context.manager.evidence, 'evidence');
      expect(path === (nitro ? '/Nitro/AttestationToken' : '/PSA/AttestationToken'), `the path is ${path}`);
      if (message.oneof === 'native_psa_attestation_token') expectBytes('the token', message.fields.token, token);
      if (message.oneof === 'nitro_attestation_doc') expectBytes('the document', message.fields.doc, token);
      return undefined;
    },
  },
  {
    name: 'handshake.initialize',
    section: 'D.7',
    level: 'wire',
    expects: 'Initialize has the exact text of the policy, and the chain: the enclave’s certificate, then the authority’s.',
    run: async (context, scope) => {
      const { answer } = asked(await handshaken(context, scope), evidenceArm(context));
      const { policy, chain } = request(context, 'Initialize');
      expect(policy === need(context.target.material.policy, 'the policy (--policy or --material)'), 'another text of the policy');
      expect(answer.oneof === 'cert_chain', 'no chain was given');
      const { enclave_cert, root_cert } = answer.fields;
      const [leaf, root] = [Buffer.from(enclave_cert), Buffer.from(root_cert)];
      const expected = context.target.dialect === 'head' ? [Buffer.concat([leaf, root])] : [leaf, root];
      expect(chain.length === expected.length, `${chain.length} parts of a chain, not ${expected.length}`);
      for (const [i, part] of expected.entries()) expectBytes(`part ${i} of the chain`, joined(chain[i] ?? []), part);
      return undefined;
    },
  },
  {
    name: 'handshake.order',
    section: 'D.7',
    level: 'wire',
    expects: 'On each link Attestation comes first, then Initialize, and only then a session.',
    run: async (context, scope) => {
      await handshaken(context, scope);
      const kinds = context.manager.requests.map(({ kind }) => kind);
      const [first, second] = kinds;
      expect(first === 'Attestation' && second === 'Initialize', `the first requests are ${kinds.slice(0, 3).join(', ')}`);
      return undefined;
    },
  },
  {
    name: 'handshake.each-link',
    section: 'D.7',
    level: 'trust',
    expects: 'A new link is attested anew. Weaker: it is taken as it is.',
    run: async (context, scope) => {
      const played = await handshaken(context, scope);
      context.needRelink();
      const before = played.asked.length;
      context.manager.cut();
      await context.serves(scope);
      return played.asked.length > before ? undefined : weaker('not attested');
    },
  },
];

function evidenceArm({ target }: ServerContext): Arm {
  return target.dialect === '2207-nitro' ? 'nitro_attestation_doc' : 'native_psa_attestation_token';
}

/** Attestation and Initialize, as a Server leads a Runtime Manager through them (wire spec §D.7). */
import type { KeyObject } from 'node:crypto';
import { makeAuthority } from '../../attestation/authority.js';
import { readRequest } from '../../attestation/request.js';
import { type Case, CaseSkipped, expect, passed, weaker } from '../case.js';
import { need } from '../material.js';
import { nameOf } from '../peers/link.js';
import type { ManagerContext } from './context.js';

type ManagerCase = Case<ManagerContext>;

function needAttested({ target }: ManagerContext): void {
  if (!target.attested) throw new CaseSkipped('needs a manager that is attested (--attested)');
}

export const ENROLMENT_CASES: readonly ManagerCase[] = [
  {
    name: 'enrolment.request',
    section: 'B.2',
    level: 'wire',
    expects:
      'Attestation is answered with evidence and a request: DER, signed by its own P-256 key. In 2207-nitro the document has it in it.',
    run: async (context, scope) => {
      needAttested(context);
      const { token, csr } = await context.attest(await context.ownLink(scope));
      expect(token.length > 0, 'no evidence');
      if (context.target.dialect !== '2207-nitro') readRequest(csr);
      return passed(`${token.length} bytes of evidence, a request of ${csr.length}`);
    },
  },
  {
    name: 'enrolment.not-attested',
    section: 'D.7',
    level: 'wire',
    expects: 'Attestation where nothing is attested: Status Unimplemented.',
    run: async (context, scope) => {
      if (context.target.attested) throw new CaseSkipped('this manager is attested');
      const answer = await (await context.link(scope)).call(context.attestation(Buffer.alloc(32, 7)));
      expect(nameOf(answer) === 'Status Unimplemented', `answered with ${nameOf(answer)}`);
      return undefined;
    },
  },
  {
    name: 'enrolment.fresh-key',
    section: 'B.2',
    level: 'trust',
    expects: 'Each Attestation makes a new key.',
    run: async (context, scope) => {
      needAttested(context);
      const link = await context.ownLink(scope);
      const keys = [await context.attest(link), await context.attest(link)].map(({ csr }) => readRequest(csr).publicKey);
      expect(!keys[0]?.equals(keys[1] as KeyObject), 'the same key twice');
      return undefined;
    },
  },
  {
    name: 'enrolment.again',
    section: 'D.7',
    level: 'wire',
    expects: 'A second Initialize with the same policy is taken.',
    run: async (context, scope) => {
      needAttested(context);
      await context.initialize(await context.ownLink(scope));
      await context.serves(scope);
      return undefined;
    },
  },
  {
    name: 'enrolment.other-policy',
    section: 'D.7',
    level: 'trust',
    expects: 'A second Initialize with another policy: Status Fail. Weaker: it is taken, and files and sessions are forgotten.',
    run: async (context, scope) => {
      needAttested(context);
      const link = await context.ownLink(scope);
      const policy = `${need(context.material.policy, 'a policy')} `;
      const answer = await link.call({ kind: 'Initialize', policy, chain: await context.chain(link) });
      if (nameOf(answer) !== 'Status Success') return passed(nameOf(answer));
      await context.initialize(await context.ownLink(scope));
      return weaker('taken');
    },
  },
  {
    name: 'enrolment.no-policy',
    section: 'D.7',
    level: 'robust',
    expects: 'A text that is no policy: Status Fail, and the manager goes on.',
    run: async (context, scope) => {
      needAttested(context);
      const link = await context.ownLink(scope);
      const answer = await link.call({ kind: 'Initialize', policy: '{}', chain: await context.chain(link) });
      expect(nameOf(answer) === 'Status Fail', `answered with ${nameOf(answer)}`);
      await context.serves(scope);
      return undefined;
    },
  },
  {
    name: 'enrolment.foreign-chain',
    section: 'D.7',
    level: 'trust',
    expects: 'A chain that does not lead to the policy’s authority: Status Fail. Weaker: Status Success, as the original answers.',
    run: async (context, scope) => {
      needAttested(context);
      const link = await context.ownLink(scope);
      const chain = await context.chain(link, makeAuthority({ commonName: 'somebody else' }));
      const answer = await link.call({ kind: 'Initialize', policy: need(context.material.policy, 'a policy'), chain });
      if (nameOf(answer) !== 'Status Success') return passed(nameOf(answer));
      await context.initialize(await context.ownLink(scope));
      return weaker('taken');
    },
  },
];

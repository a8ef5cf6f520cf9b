/** Whom a client trusts: not a byte of data leaves before the manager is known to be the right one (wire spec §B.2, §B.4). */
import { makeAuthority } from '../../attestation/authority.js';
import { makeIdentity } from '../../attestation/identity.js';
import { CIPHER_SUITES } from '../../layers/tls/index.js';
import { type Case, expect, passed, weaker } from '../case.js';
import { managerCredentials, need } from '../material.js';
import { suiteOf } from '../peers/tls.js';
import type { Scope } from '../scope.js';
import { armsOf, type ClientContext, whyOf } from './context.js';

type ClientCase = Case<ClientContext>;

/** The certificate of a manager, as the options of TLS have it. */
const shows = ({ certificate, key }: { readonly certificate: string; readonly key: string }) => ({ cert: certificate, key });

/** What the original does not look at, and ours does. */
async function unchecked(context: ClientContext, scope: Scope, runtimeHash: Buffer | undefined) {
  await context.usual(scope);
  const authority = need(context.target.material.authority, 'the authority (--ca-cert and --ca-key, or --material)');
  const run = await context.run(scope, { tls: context.tls(shows(managerCredentials({ authority, runtimeHash }))) });
  return run.records.length === 0 ? passed(whyOf(run)) : weaker(`sent ${armsOf(run).join(', ') || 'data'}`);
}

export const TRUST_CASES: readonly ClientCase[] = [
  {
    name: 'trust.version-1.2',
    section: 'B.1',
    level: 'trust',
    expects: 'A manager that speaks TLS 1.2 alone is refused; no data leaves.',
    run: async (context, scope) => {
      const tls = context.tls({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' });
      const run = await context.nothing(scope, { tls });
      expect(run.secured === 0, 'the handshake of TLS 1.2 was completed');
      return passed(whyOf(run));
    },
  },
  {
    name: 'trust.other-suites',
    section: 'B.1',
    level: 'trust',
    expects: 'A manager that has every suite but that of the policy is refused; no data leaves.',
    run: async (context, scope) => {
      const own = suiteOf(context.target.material);
      const run = await context.nothing(scope, { tls: context.tls({ ciphers: CIPHER_SUITES.filter((suite) => suite !== own).join(':') }) });
      expect(run.secured === 0, 'the handshake was completed');
      return passed(whyOf(run));
    },
  },
  {
    name: 'trust.other-authority',
    section: 'B.2',
    level: 'trust',
    expects: 'A manager whose certificate another authority issued is refused; no data leaves.',
    run: async (context, scope) => {
      const authority = makeAuthority({ commonName: 'somebody else' });
      const credentials = managerCredentials({ authority, runtimeHash: context.target.material.runtimeHash });
      return passed(whyOf(await context.nothing(scope, { tls: context.tls(shows(credentials)) })));
    },
  },
  {
    name: 'trust.same-named-authority',
    section: 'B.2',
    level: 'trust',
    expects: 'An authority of the same name with another key is another authority; no data leaves.',
    run: async (context, scope) => {
      const authority = makeAuthority({ commonName: 'Veracruz conformance' });
      const credentials = managerCredentials({ authority, runtimeHash: context.target.material.runtimeHash });
      return passed(whyOf(await context.nothing(scope, { tls: context.tls(shows(credentials)) })));
    },
  },
  {
    name: 'trust.self-signed',
    section: 'B.2',
    level: 'trust',
    expects: 'A manager whose certificate it signed itself is refused; no data leaves.',
    run: async (context, scope) => {
      const { certificate, key } = makeIdentity({ commonName: 'manager' });
      return passed(whyOf(await context.nothing(scope, { tls: context.tls(shows({ certificate, key })) })));
    },
  },
  {
    name: 'trust.other-runtime-hash',
    section: 'B.4',
    level: 'trust',
    expects:
      'A certificate with another runtime hash is refused; no data leaves. Weaker: it is not looked at, as by the original’s command line.',
    run: (context, scope) => unchecked(context, scope, Buffer.alloc(32, 0x77)),
  },
  {
    name: 'trust.no-runtime-hash',
    section: 'B.4',
    level: 'trust',
    expects: 'A certificate without a runtime hash is refused; no data leaves. Weaker: it is not looked at.',
    run: (context, scope) => unchecked(context, scope, undefined),
  },
  {
    name: 'trust.other-policy',
    section: 'B.4',
    level: 'trust',
    expects: 'A manager that runs another policy gets no data. Weaker: its hash is not asked for, or not looked at.',
    run: async (context, scope) => {
      await context.usual(scope);
      const run = await context.run(scope, {
        answer: (message, usual) =>
          message.oneof === 'request_policy_hash'
            ? { status: 'SUCCESS', oneof: 'policy_hash', fields: { data: Buffer.from('0'.repeat(64)) } }
            : usual,
      });
      const data = armsOf(run).filter((arm) => arm !== 'request_policy_hash' && arm !== 'request_shutdown');
      return data.length === 0 ? passed(whyOf(run)) : weaker(`sent ${data.join(', ')}`);
    },
  },
];

import { randomBytes } from 'node:crypto';
import { makeAuthority } from 'veracruz-streams';
import { issueCertificate } from 'veracruz-streams/attestation';
import { joinSlices } from 'veracruz-streams/layers';
import { type Attack, address, again } from '../attack.js';
import { openLink } from '../support/link.js';

/** A stranger at the manager's port leads it through attestation, with an authority of his own and the policy as it is. */
export const takeover: Attack = {
  about: "a stranger at the manager's port initialises it with an authority of his own",
  stage: { attested: true },
  never: { accepted: 'the manager takes certificates of a stranger' },
  run: async ({ target, number, signal, count }) => {
    const authority = makeAuthority({ commonName: 'stranger' });
    await again(signal, 1, async () => {
      const link = await openLink(target.managerPort, address(number), signal);
      try {
        while (!signal.aborted) {
          const evidence = await link.call({ kind: 'Attestation', challenge: [randomBytes(32)], deviceId: 7 });
          if (evidence.kind !== 'AttestationData' || evidence.csr === undefined) throw new Error('no evidence');
          const leaf = issueCertificate(authority, { request: joinSlices(evidence.csr), san: ['ComputeEnclave.dev'] });
          const answer = await link.call({ kind: 'Initialize', policy: target.pki.policy, chain: [[leaf], [authority.certificateDer]] });
          count(answer.kind === 'Status' && answer.status === 'Success' ? 'accepted' : 'refused');
        }
      } finally {
        link.close();
      }
    });
  },
};

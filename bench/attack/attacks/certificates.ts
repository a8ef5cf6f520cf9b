import type { Credentials } from '../../harness/pki.js';
import { type Attack, address, again } from '../attack.js';
import { madeUpChain } from '../support/certificates.js';
import { connectFrom } from '../support/from.js';
import { ended, openStack } from '../support/principal.js';

/** As many as a Certificate message of OpenSSL may have. */
const CERTIFICATES = 22;

let stranger: Credentials;

/** A handshake whose client shows a chain of made-up RSA-16384 certificates, some 98 KB, again and again. */
export const certificates: Attack = {
  about: 'strangers show chains of made-up RSA-16384 certificates, 98 KB each',
  never: { admitted: 'a stranger comes in' },
  prepare: () => {
    stranger = madeUpChain(CERTIFICATES);
  },
  run: async ({ target, number, signal, count }) => {
    connectFrom(address(number));
    await again(signal, 1, async () => {
      const channel = await openStack(target, stranger, signal);
      channel.once('data', () => count('admitted'));
      channel.write({ oneof: 'request_policy_hash', fields: {} });
      await ended(channel);
      count('refused');
    });
  },
};

/**
 * Cases that no broken peer of the tests fails, by role: nothing shows that they can. Most are about what an original takes,
 * where the worst that a peer can do is to be stricter.
 */
import type { TargetName } from '../../../lib/conformance/index.js';

export const UNPROVEN: Readonly<Record<TargetName, Readonly<Record<string, string>>>> = {
  server: {},
  manager: {},
  client: {},
  attestation: {
    'body.keep-alive': 'not yet',
    'body.no-padding': 'not yet',
    'body.split-head': 'not yet',
    'certificate.serial': 'not yet',
    'certificate.time': 'not yet',
    'http.truncated': 'not yet',
    'protobuf.unknown-field': 'not yet',
  },
};

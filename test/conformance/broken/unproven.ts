/**
 * Cases that no broken peer of the tests fails, by role: nothing shows that they can. Most are about what an original takes,
 * where the worst that a peer can do is to be stricter.
 */
import type { TargetName } from '../../../lib/conformance/index.js';

export const UNPROVEN: Readonly<Record<TargetName, Readonly<Record<string, string>>>> = {
  server: {},
  manager: {},
  client: {
    'answer.announced': 'not yet',
    'answer.id-only': 'not yet',
    'answer.split-body': 'not yet',
    'answer.split-items': 'not yet',
    'answer.split-stream': 'not yet',
    'hello.no-early-data': 'not yet',
    'http.body-limit': 'not yet',
    'http.one-by-one': 'not yet',
    'refused.bad-base64': 'not yet',
    'refused.bad-id': 'not yet',
    'refused.no-padding': 'not yet',
    'refused.other-id': 'not yet',
  },
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

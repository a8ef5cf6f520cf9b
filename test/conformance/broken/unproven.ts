/** Cases that no broken peer of the tests is found by, by role, and why none can be: nothing shows that they find anything. */
import type { TargetName } from '../../../lib/conformance/index.js';

export const UNPROVEN: Readonly<Record<TargetName, Readonly<Record<string, string>>>> = {
  server: {},
  manager: {},
  client: {},
  attestation: {},
};

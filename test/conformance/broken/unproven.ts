/** Cases that no broken peer of the tests fails, by role: nothing shows that they can. */
import type { TargetName } from '../../../lib/conformance/index.js';

export const UNPROVEN: Readonly<Record<TargetName, readonly string[]>> = {
  server: [],
  manager: [],
  client: [],
  attestation: [],
};

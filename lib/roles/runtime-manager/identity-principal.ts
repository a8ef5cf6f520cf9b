import type { Principal } from '../../enclave/policy/index.js';

/** A principal that is a client, identified by its certificate in the policy. */
export type IdentityPrincipal = Extract<Principal, { kind: 'identity' }>;

/** What a principal is called where principals take turns, and where files are counted (`SinkOptions.owner`). */
export function partyOf({ id }: IdentityPrincipal): string {
  return String(id);
}

import { clock } from '../../core/clock.js';
import type { Policy } from '../../enclave/policy/index.js';

/** What is no fault of a policy, and yet will not do what one who wrote it wants. */
export function warningsOf(policy: Policy, now: Date = new Date(clock.now())): string[] {
  const warnings: string[] = [];
  const { runtime_manager_hash_linux: linux, runtime_manager_hash_nitro: nitro } = policy;
  const { runtime_manager_hash_icecap: icecap, runtime_manager_hash_sevsnp: sevsnp } = policy;
  if ([linux, nitro, icecap, sevsnp].every((hash) => hash === null)) {
    warnings.push('no runtime hash: nothing says which Runtime Manager is the right one, and clients refuse to go on without one');
  }
  for (const [key, hash] of Object.entries({ linux, nitro, icecap, sevsnp })) {
    // An enclave in debug mode says a PCR0 of zeros, and its operator can read all of its memory.
    if (hash !== null && /^0+$/.test(hash)) warnings.push(`/runtime_manager_hash_${key}: all zeros, which any enclave in debug mode has`);
  }
  const { year, month, day, hour, minute } = policy.enclave_cert_expiry;
  const expiry = new Date(Date.UTC(year, month - 1, day, hour, minute));
  if (expiry <= now) warnings.push(`/enclave_cert_expiry: ${expiry.toISOString()} is past; nothing here enforces it, other makes may`);
  return warnings;
}

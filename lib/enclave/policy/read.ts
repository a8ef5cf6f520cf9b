import { createHash } from 'node:crypto';
import { given, givenBytes, givenRecord, integerInRange, textOf } from '../../core/check.js';
import { LimitError, PolicyError } from '../../core/errors.js';
import { type Policy, policyShape } from './document.js';
import { Faults, formatFault, type PolicyFault } from './faults.js';
import { scan } from './scan.js';

/** Options of `readPolicy`. */
export interface PolicyOptions {
  /** Bytes of UTF-8 that a policy may have. Default 1 MiB: what a Server can send to a Runtime Manager in one message. */
  maxPolicyBytes?: number;
}

/** Defaults of `PolicyOptions`. */
export const POLICY_DEFAULTS = Object.freeze({ maxPolicyBytes: 1_048_576 });

/**
 * Reads a policy (wire spec §E): the keys of both dialects, unknown keys ignored. It is stricter than the original where
 * that would choose silently: a key, a name of a file in one list of rights, the name of a program or the certificate of a
 * participant that stands twice, two certificates in one, two hashes for one file, a date that is none, a cipher suite of
 * TLS 1.2 are refused.
 *
 * @throws PolicyError with a line for each fault (`got` counts them); LimitError when the text is too long.
 */
export function readPolicy(text: string, options: PolicyOptions = {}): Policy {
  const faults = new Faults();
  const policy = examine(text, options, faults);
  if (policy === undefined || faults.count > 0) {
    const lines = faults.list.map((fault) => `\n  ${formatFault(fault)}`);
    if (faults.count > faults.list.length) lines.push(`\n  … and ${faults.count - faults.list.length} more`);
    throw new PolicyError(`the policy has ${faults.count} fault${faults.count === 1 ? '' : 's'}:${lines.join('')}`, {
      layer: 'policy',
      expected: 0,
      got: faults.count,
    });
  }
  return policy;
}

/**
 * What is wrong with a policy: all of it, at most 100 faults; an empty list when `readPolicy` takes it.
 *
 * @throws LimitError when the text is too long.
 */
export function policyFaults(text: string, options: PolicyOptions = {}): readonly PolicyFault[] {
  const faults = new Faults();
  examine(text, options, faults);
  return faults.list;
}

/**
 * SHA-256 of a policy's exact text, 64 lowercase hex digits: white space and the order of keys count (wire spec §E). A
 * string counts as its UTF-8.
 */
export function policyHash(text: string | Uint8Array): string {
  return createHash('sha256')
    .update(typeof text === 'string' ? text : givenBytes('policy', given('policy', text)))
    .digest('hex');
}

function examine(text: string, options: PolicyOptions, faults: Faults): Policy | undefined {
  const limit = integerInRange(
    'maxPolicyBytes',
    givenRecord('options', options).maxPolicyBytes ?? POLICY_DEFAULTS.maxPolicyBytes,
    1,
    Number.MAX_SAFE_INTEGER,
  );
  const got = Buffer.byteLength(textOf('policy', text));
  if (got > limit) throw new LimitError(`a policy of ${got} bytes, the limit is ${limit}`, { layer: 'policy', got, limit });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    faults.add('', `is no JSON: ${(thrown as Error).message}`);
    return undefined;
  }
  scan(text, faults);
  return policyShape.read(json, '', faults);
}

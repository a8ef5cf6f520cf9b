import { givenRecord } from '../../core/check.js';

/** One thing that is wrong with a policy. */
export interface PolicyFault {
  /** Where, as a JSON pointer (RFC 6901): `/identities/0/certificate`; empty for the text as a whole. */
  readonly key: string;
  /** What, as a sentence about the key: `is missing`. */
  readonly message: string;
}

/** Faults that are told one by one; what a hostile text has beyond them is only counted. */
export const MAX_FAULTS = 100;

/** Gathers what is wrong with a policy, so that all of it can be told at once. */
export class Faults {
  readonly list: PolicyFault[] = [];
  #count = 0;

  /** All faults, those beyond the list too. */
  get count(): number {
    return this.#count;
  }

  add(key: string, message: string): void {
    this.#count++;
    if (this.list.length < MAX_FAULTS) this.list.push({ key, message });
  }
}

/** `at` and one more name, with the two characters escaped that pointers use. */
export function pointer(at: string, name: string | number): string {
  return `${at}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** One line: the key, and what is wrong with it. */
export function formatFault(fault: PolicyFault): string {
  const { key, message } = givenRecord('fault', fault);
  return `${key === '' ? 'the policy' : key}: ${message}`;
}

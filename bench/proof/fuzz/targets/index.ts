import type { Target } from '../target.js';
import { differentialTargets } from './differential.js';
import { evidenceTargets } from './evidence.js';
import { textTargets } from './texts.js';
import { wireTargets } from './wire.js';

/** Everything that reads what others have written. */
export function allTargets(): Target[] {
  return [...wireTargets(), ...differentialTargets(), ...textTargets(), ...evidenceTargets()];
}

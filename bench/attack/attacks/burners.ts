import type { Attack } from '../attack.js';

/** Milliseconds of work between two looks whether it is over. */
const TURN_MS = 10;

/** Attacks nobody: what honest clients lose under it is what the scheduler takes from the roles, and no role can give it back. */
export const burners: Attack = {
  about: 'each process computes without end and speaks to nobody: the share of the scheduler in all other attacks',
  run: async ({ signal, count }) => {
    while (!signal.aborted) {
      for (const end = performance.now() + TURN_MS; performance.now() < end; );
      count('turn');
      await new Promise((next) => setImmediate(next));
    }
  },
};

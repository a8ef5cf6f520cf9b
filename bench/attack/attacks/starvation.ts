import { type Attack, address, again } from '../attack.js';
import { connectFrom } from '../support/from.js';
import { connectAs } from '../support/principal.js';
import type { ProgramName } from '../target.js';

/** Sessions of each process. */
const SESSIONS = 4;
const LOOP: ProgramName = '/program/loop';

/** Sessions of one principal that run programs which never end, one after the other, and ask for their results all the while. */
export const starvation: Attack = {
  about: 'one principal has 32 sessions that await programs which loop up to their time limit',
  stage: { compute: { timeLimitMs: 2000 } },
  run: async ({ target, number, signal, count }) => {
    connectFrom(address(number));
    await again(signal, SESSIONS, async () => {
      const client = await connectAs(target, target.greedy, signal);
      try {
        while (!signal.aborted) {
          count('asked to compute');
          await client.compute(LOOP).catch((error: { code?: string; got?: string }) => {
            if (signal.aborted) return;
            count(error.got ?? String(error.code));
            if (error.code !== 'ERR_VC_REQUEST_FAILED') throw error;
          });
        }
      } finally {
        await client.close();
      }
    });
  },
};

import { generated } from '../../harness/contents.js';
import { type Attack, address, again } from '../attack.js';
import { connectFrom } from '../support/from.js';
import { ended, openStack } from '../support/principal.js';
import type { ProgramName } from '../target.js';

/** Sessions of each process. */
const SESSIONS = 5;
const UPLOAD_BYTES = 2 ** 30;
const LOOP: ProgramName = '/program/loop';

/** Sessions of one principal: each runs a program that does not end, and uploads a file behind it that must wait. */
export const memory: Attack = {
  about: 'one principal has 40 sessions with a running program and an upload of 1 GiB behind it',
  stage: { compute: { timeLimitMs: 2000 } },
  run: async ({ target, number, signal, count }) => {
    connectFrom(address(number));
    await again(signal, SESSIONS, async (lane) => {
      const channel = await openStack(target, target.greedy, signal);
      channel.write({ oneof: 'request_result', fields: { file_name: LOOP } });
      const data = { length: UPLOAD_BYTES, source: generated(UPLOAD_BYTES) };
      channel.write({ oneof: 'write_file', fields: { file_name: `/greedy/${number}-${lane}`, data } });
      count('begun');
      channel.on('data', ({ status }: { status?: string }) => count(`answered ${status}`));
      await ended(channel);
      if (!signal.aborted) count('ended');
    });
  },
};

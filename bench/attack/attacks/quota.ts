import { PassThrough } from 'node:stream';
import { type Attack, address, again } from '../attack.js';
import { connectFrom } from '../support/from.js';
import { ended, openStack } from '../support/principal.js';

/** The largest file that a message may announce, less what else is in the message. */
const ANNOUNCED_BYTES = 16 * 2 ** 30 - 1024;

/** One principal announces files of 16 GiB, of which one byte comes. */
export const quota: Attack = {
  about: 'one principal announces uploads of 16 GiB and sends one byte of each',
  stage: { disk: true },
  run: async ({ target, number, signal, count }) => {
    connectFrom(address(number));
    await again(signal, 1, async () => {
      const channel = await openStack(target, target.greedy, signal);
      const source = new PassThrough();
      source.write('x');
      channel.write({ oneof: 'write_file', fields: { file_name: `/greedy/${number}`, data: { length: ANNOUNCED_BYTES, source } } });
      count('announced');
      channel.on('data', ({ status }: { status?: string }) => count(`answered ${status}`));
      await ended(channel);
    });
  },
};

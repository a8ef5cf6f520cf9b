import { PassThrough } from 'node:stream';
import { type Attack, address, again } from '../attack.js';
import { connectFrom } from '../support/from.js';
import { ended, openStack } from '../support/principal.js';

/** Uploads of each process at once. */
const UPLOADS = 2;
/** The largest file that a message may announce, less what else is in the message. */
const ANNOUNCED_BYTES = 16 * 2 ** 30 - 1024;
/** What is refused is announced again, so much smaller: until nothing is left for others. */
const SMALLER = 16;

/** One principal announces files that fill the store, of which one byte comes. */
export const quota: Attack = {
  about: 'one principal announces uploads of 16 GiB, and smaller ones, and sends one byte of each',
  stage: { disk: true },
  run: async ({ target, number, signal, count }) => {
    connectFrom(address(number));
    const announced = Array<number>(UPLOADS).fill(ANNOUNCED_BYTES);
    await again(signal, UPLOADS, async (lane) => {
      const channel = await openStack(target, target.greedy, signal);
      const source = new PassThrough();
      source.write('x');
      const data = { length: announced[lane] as number, source };
      channel.write({ oneof: 'write_file', fields: { file_name: `/greedy/${number}-${lane}`, data } });
      count('announced');
      channel.on('data', ({ status }: { status?: string }) => {
        count(`answered ${status}`);
        announced[lane] = Math.max(2, Math.ceil(data.length / SMALLER));
        channel.destroy();
      });
      await ended(channel);
    });
  },
};

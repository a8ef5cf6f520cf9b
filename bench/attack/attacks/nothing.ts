import { type Attack, pause } from '../attack.js';

/** No attack: how far the figures of the attack are from the quiet ones because the machine has other things to do. */
export const nothing: Attack = {
  about: 'no attack at all, to see how much the machine itself varies',
  run: async ({ signal, count }) => {
    count('waited');
    await pause(2 ** 31 - 1, signal);
  },
};

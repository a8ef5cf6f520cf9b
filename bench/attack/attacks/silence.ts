import { VeracruzClient } from 'veracruz-streams';
import { type Attack, address, again, pause } from '../attack.js';
import { connectFrom } from '../support/from.js';
import { hostileServer, type Trick, withFlippedLength } from '../support/hostile-server.js';

/** Milliseconds that the clients give an answer, and by which all must be over. */
const ANSWER_MS = 2000;
const HUNG_MS = 8000;
const LENGTH_BITS = 14;

const TRICKS: Readonly<Record<string, (bit: number) => Trick>> = {
  'nothing at all': () => ({ instead: () => '' }),
  'the id alone': () => ({ instead: (id) => `${id} ` }),
  'an answer without its body': () => ({ answer: () => '' }),
  'a longer or shorter answer': (bit) => ({ answer: (body) => withFlippedLength(body, bit) }),
  'a longer or shorter request': (bit) => ({ request: (body) => withFlippedLength(body, bit) }),
};

/** A hostile Server gives its clients nothing, or flips a bit in the length of a record. Each must hear of it in time. */
export const silence: Attack = {
  about: 'a hostile Server drops and empties answers, and flips bits in the lengths of records',
  never: {
    hung: `a client waits for more than ${HUNG_MS} ms, though it gives an answer ${ANSWER_MS}`,
    lied: 'a client takes what was changed for an answer',
  },
  run: async ({ target, number, random, signal, count }) => {
    connectFrom(address(number));
    const { url, tricks, close } = await hostileServer(target.url);
    await again(signal, 1, async () => {
      tricks.now = {};
      const { pki, greedy } = target;
      const client = await VeracruzClient.connect({ url, identity: greedy, authority: pki.authority, answerTimeoutMs: ANSWER_MS, signal });
      const [name, trick] = Object.entries(TRICKS)[random(Object.keys(TRICKS).length)] as [string, (bit: number) => Trick];
      tricks.now = trick(random(LENGTH_BITS));
      const written = client.writeFile(`/greedy/${number}`, Buffer.from('a little')).then(
        () => 'lied',
        (error: { code?: string }) => (signal.aborted ? undefined : `${name}: ${error.code}`),
      );
      const what = await Promise.race([written, pause(HUNG_MS, signal).then(() => (signal.aborted ? undefined : 'hung'))]);
      if (what !== undefined) count(what);
      tricks.now = {};
      await client.close();
    });
    close();
  },
};

import { type Attack, address, again, pause } from '../attack.js';
import { clientHello } from '../support/client-hello.js';
import { agentFrom, ask, idOf, serviceAt } from '../support/http.js';

/** Strangers of each process; all processes together have `ADDRESSES`. */
const STRANGERS = 150;
const ADDRESSES = 5;
/** Milliseconds between two bytes of those who trickle: less than a handshake may stall. */
const TRICKLE_MS = 300;
/** The head of a record that the server must wait for: encrypted, 16,384 bytes long. */
const RECORD = Buffer.from('1703034000', 'hex');

/** Strangers begin a handshake. Half of them say nothing more, the others a byte now and then. */
export const handshakes: Attack = {
  about: 'silent and trickling strangers begin handshakes from five addresses and never end them',
  run: async ({ target, number, signal, count }) => {
    const url = serviceAt(target.url);
    const hello = (await clientHello()).toString('base64');
    const agents = Array.from({ length: ADDRESSES }, (_, host) => agentFrom(address(100, host), STRANGERS));
    await again(signal, STRANGERS, async (lane) => {
      const agent = agents[(lane + number) % ADDRESSES] as (typeof agents)[number];
      const { status, body } = await ask(agent, 'POST', url, `0 ${hello}`, signal);
      count(status === 200 ? 'begun' : `refused with ${status}`);
      if (status !== 200) return pause(TRICKLE_MS, signal);
      const id = idOf(body);
      for (let byte = 0; !signal.aborted; byte++) {
        await pause(TRICKLE_MS, signal);
        if (lane % 2 === 0) continue;
        const { status: now } = await ask(agent, 'POST', url, `${id} ${Buffer.of(RECORD[byte] ?? 0).toString('base64')}`, signal);
        count(now === 200 ? 'trickled' : `ended with ${now}`);
        if (now !== 200) return;
      }
    });
  },
};

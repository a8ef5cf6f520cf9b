import { type Attack, address, again, pause } from '../attack.js';
import { agentFrom, ask, serviceAt } from '../support/http.js';
import { openLink } from '../support/link.js';

/** Addresses of each process, and connections of each. */
const ADDRESSES = 5;
const CONNECTIONS = 2;
/** NewTlsSession that are under way on a stranger's link. */
const WINDOW = 64;
/** Milliseconds after a refusal. */
const REFUSED_MS = 20;

/** Strangers take the places of sessions: with a POST of one byte at the Server, over a link of their own at the manager. */
export const tables: Attack = {
  about: 'strangers take all sessions: POSTs of one byte from 40 addresses, and links of their own at the manager',
  run: async ({ target, number, signal, count }) => {
    const url = serviceAt(target.url);
    const agents = Array.from({ length: ADDRESSES }, (_, host) => agentFrom(address(number, host), CONNECTIONS));
    const posts = again(signal, ADDRESSES * CONNECTIONS, async (lane) => {
      const { status } = await ask(agents[lane % ADDRESSES] as (typeof agents)[number], 'POST', url, '0 Fg==', signal);
      count(status === 200 ? 'opened by POST' : `POST refused with ${status}`);
      if (status !== 200) await pause(REFUSED_MS, signal);
    });
    const links = again(signal, 1, async () => {
      const link = await openLink(target.managerPort, address(number), signal);
      for (let i = 0; i < WINDOW; i++) link.send({ kind: 'NewTlsSession' });
      for await (const answer of link.answers) {
        count(answer.kind === 'TlsSession' ? 'opened by link' : 'link refused');
        if (answer.kind !== 'TlsSession') await pause(REFUSED_MS, signal);
        link.send({ kind: 'NewTlsSession' });
      }
      throw new Error('the link was closed');
    });
    await Promise.all([posts, links]);
  },
};

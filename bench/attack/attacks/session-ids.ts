import type { Agent } from 'node:http';
import { connect } from 'node:net';
import type { VeracruzClient } from 'veracruz-streams';
import { type Attack, type AttackTask, address, again, pause } from '../attack.js';
import { connectFrom } from '../support/from.js';
import { agentFrom, ask, serviceAt } from '../support/http.js';
import { connectAs } from '../support/principal.js';

/** Lanes of guesses, on connections of two addresses of each process. */
const LANES = 8;
/** Milliseconds between two blows at a session whose id is known. */
const BLOW_MS = 200;

/** What a stranger does to a session whose id he knows, from another address than its client's. */
const BLOWS: readonly ((agent: Agent, url: string, id: string, localAddress: string) => Promise<unknown>)[] = [
  (agent, url, id) => ask(agent, 'DELETE', `${url}/${id}`),
  (agent, url, id) => ask(agent, 'POST', url, `${id} FwMDABAAAAAAAAAAAAAAAAAAAAAA`),
  (_agent, url, id, localAddress) => slowPost(new URL(url), id, localAddress),
];

/** A POST that comes as far as its session's id, and goes on after a while. */
async function slowPost(url: URL, id: string, localAddress: string): Promise<void> {
  const socket = connect({ port: Number(url.port), host: url.hostname, localAddress }).on('error', () => {});
  socket.write(`POST ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-length: 1000\r\n\r\n${id} FwMD`);
  setTimeout(() => socket.destroy(), 2 * BLOW_MS);
  await new Promise((go) => setTimeout(go, BLOW_MS / 4));
}

/** A session of a client, hit by one blow after the other; each time the client looks whether it is still there. */
async function hit({ target, number, signal, count }: AttackTask): Promise<void> {
  const url = serviceAt(target.url);
  const agent = agentFrom(address(number, 2), 4);
  let client: VeracruzClient | undefined;
  for (let turn = 0; !signal.aborted; turn++) {
    client ??= await connectAs(target, target.greedy, signal);
    const blow = BLOWS[turn % BLOWS.length] as (typeof BLOWS)[number];
    await blow(agent, url, String(client.session), address(number, 2)).catch(() => {});
    count('blow');
    try {
      await client.writeFile(`/greedy/${number}`, Buffer.from('still here'));
    } catch {
      if (!signal.aborted) count('session ended');
      client = undefined;
    }
    await pause(BLOW_MS, signal);
  }
  await client?.close();
}

/** Strangers guess ids of sessions, and strike those that they know. */
export const sessionIds: Attack = {
  about: 'strangers guess ids of sessions; and end or block those that they know, from another address',
  never: { 'session ended': 'whoever knows an id ends or blocks the session', 'id guessed': 'a guess was right' },
  run: async (task) => {
    const { target, number, random, signal, count } = task;
    connectFrom(address(number));
    const url = serviceAt(target.url);
    const agents = [3, 4].map((host) => agentFrom(address(number, host), LANES));
    const guesses = again(signal, LANES, async (lane) => {
      const id = 1 + random(2 ** 32 - 1);
      const agent = agents[lane % agents.length] as Agent;
      const { status } = await (lane < LANES / 2
        ? ask(agent, 'DELETE', `${url}/${id}`, '', signal)
        : ask(agent, 'POST', url, `${id} FwMD`, signal));
      count(status < 300 ? 'id guessed' : `guess answered ${status}`);
    });
    await Promise.all([guesses, again(signal, 1, () => hit(task))]);
  },
};

/** A session at its manager, as the Server feeds it. */
import t from 'tap';
import type { Response } from '../../lib/layers/bincode/index.js';
import type { ManagerLink } from '../../lib/roles/server/manager-link.js';
import { ManagerSession } from '../../lib/roles/server/manager-session.js';
import { within } from '../support/foreign.js';

type Answered = (error: undefined, response: Response) => void;

/** A link whose answers the test gives. */
function played() {
  const unanswered: Answered[] = [];
  const link = {
    maxSendBytes: 1000,
    call: async () => ({ kind: 'TlsSession', session: 7 }),
    send: (_request: unknown, answered: Answered) => unanswered.push(answered) > 0,
    drained: async () => {},
  } as unknown as ManagerLink;
  const acknowledge = () => unanswered.shift()?.(undefined, { kind: 'Status', status: 'Success' });
  return { link, acknowledge };
}

void t.test('all who wait for room are woken, whoever came first', async (t) => {
  for (const closes of [false, true]) {
    const { link, acknowledge } = played();
    const session = await ManagerSession.open(link, 100);
    t.equal(session.feed([Buffer.alloc(99)]), undefined, 'there is room');
    const waiting = [session.feed([Buffer.alloc(1)]), session.feed([Buffer.alloc(100)])];
    await new Promise((turn) => setImmediate(turn));
    // The first wakes, finds no room, and waits again, while a third one comes.
    acknowledge();
    waiting.push(session.feed([Buffer.alloc(10)]));
    await new Promise((turn) => setImmediate(turn));
    if (closes) session.close();
    else for (let more = 0; more < 3; more++) acknowledge();
    t.notOk(waiting.includes(undefined), 'there was none for them');
    await within('all of them', Promise.all(waiting.map((room) => Promise.resolve(room))));
  }
});

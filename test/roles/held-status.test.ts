/** Answers to SendTlsData that are held back: for how long, and who makes that shorter. */
import t, { type Test } from 'tap';
import type { Request, Response } from '../../lib/layers/bincode/index.js';
import { HeldStatus } from '../../lib/roles/runtime-manager/held-status.js';
import { LinkEndpoint } from '../../lib/roles/runtime-manager/link.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { ask, framed, until } from '../support/foreign.js';
import { ManualClock } from '../support/manual-clock.js';

function heldBack(t: Pick<Test, 'teardown'>) {
  const time = new ManualClock(t, 0);
  const state = { mustWait: true, progress: 0, limits: [] as boolean[], out: 0 };
  const held = new HeldStatus({
    mustWait: () => state.mustWait,
    progress: () => state.progress,
    onLimit: (inVain) => void state.limits.push(inVain),
  });
  const hold = () => void held.hold().then(() => state.out++);
  return { time, state, held, hold };
}

void t.test('alone: until the reason is gone, five seconds at most', async (t) => {
  const { time, state, held, hold } = heldBack(t);
  hold();
  hold();
  await time.pass(4999);
  held.check();
  t.equal(state.out, 0);
  await time.pass(1);
  t.same([state.out, state.limits, time.timers], [2, [], 0], 'nobody was kept waiting for it');
  hold();
  state.mustWait = false;
  held.check();
  await time.pass(0);
  t.same([state.out, time.timers], [3, 0]);
});

void t.test('with others behind it: 200 ms, and it is told whether that was in vain', async (t) => {
  const { time, state, held, hold } = heldBack(t);
  held.hurry();
  hold();
  await time.pass(1000);
  held.hurry();
  await time.pass(150);
  held.hurry();
  state.progress = 1;
  await time.pass(49);
  t.equal(state.out, 0);
  await time.pass(1);
  t.same([state.out, state.limits], [1, [false]]);
  hold();
  held.hurry();
  await time.pass(200);
  t.same([state.out, state.limits, time.timers], [2, [false, true], 0]);
  hold();
  await time.pass(200);
  t.equal(state.out, 2, 'the hurry was of the one before');
  held.release();
  await time.pass(0);
  t.same([state.out, time.timers], [3, 0], 'the end of the session');
});

void t.test('requests of the same session behind it are no hurry, those of others are', async (t) => {
  let hurried = 0;
  let release: (response: Response) => void = () => {};
  const handle = (request: Request) => {
    if (request.kind !== 'SendTlsData') return { kind: 'Status', status: 'Success' } as const;
    return { response: new Promise<Response>((resolve) => (release = resolve)), hurry: () => void hurried++ };
  };
  const [server, pipe] = memoryPipe();
  const endpoint = new LinkEndpoint(pipe, { dialect: '2207', frame: 'tcp9' }, handle, () => {});
  t.teardown(() => {
    endpoint.destroy();
    server.destroy();
  });
  server.on('error', () => {}).resume();
  server.write(Buffer.concat([ask.send(1, Buffer.alloc(1)), ask.needed(1), ask.get(1)].map(framed)));
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.equal(hurried, 0);
  server.write(framed(ask.needed(2)));
  await until('the hurry', () => hurried === 1);
  release({ kind: 'Status', status: 'Success' });
});

import t from 'tap';
import { Turns } from '../../lib/enclave/store/turns.js';
import { within } from '../support/foreign.js';

const turn = () => new Promise((go) => setImmediate(go));

void t.test('one key: first come, first served; another key does not wait', async (t) => {
  const turns = new Turns();
  const order: string[] = [];
  const leave = await turns.enter('a');
  const runs = ['first', 'second'].map((name) =>
    turns.run('a', async () => {
      order.push(name);
      await turn();
    }),
  );
  await within(
    'another key',
    turns.run('b', async () => {
      order.push('other');
    }),
  );
  t.same(order, ['other']);
  leave();
  await within('those in the queue', Promise.all(runs));
  t.same(order, ['other', 'first', 'second']);
});

void t.test('who gives up in the queue holds nobody up', async (t) => {
  const turns = new Turns();
  const leave = await turns.enter('a');
  const giveUp = new AbortController();
  const waits = turns.enter('a', giveUp.signal);
  const next = turns.enter('a');
  giveUp.abort(new Error('gave up'));
  await t.rejects(within('who gave up', waits), { message: 'gave up' });
  leave();
  (await within('the next', next))();
  await t.rejects(turns.enter('a', AbortSignal.abort(new Error('no more'))), { message: 'no more' });
  (await within('a free key', turns.enter('a')))();
});

void t.test('to leave twice does not let two in', async (t) => {
  const turns = new Turns();
  const leave = await turns.enter('a');
  leave();
  const later = await turns.enter('a');
  leave();
  let entered = false;
  const waits = turns.run('a', async () => {
    entered = true;
  });
  await turn();
  t.notOk(entered);
  later();
  await within('the last', waits);
  t.ok(entered);
});

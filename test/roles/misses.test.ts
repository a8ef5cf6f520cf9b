/** Who may ask for a session, and how long those wait who guess. */
import t, { type Test } from 'tap';
import { systemClock, useClock } from '../../lib/core/clock.js';
import { Misses } from '../../lib/roles/server/misses.js';
import { SessionIds } from '../../lib/roles/server/session-ids.js';

function wind(t: Pick<Test, 'teardown'>): (ms: number) => void {
  let now = 1_000_000;
  t.teardown(useClock({ ...systemClock, monotonic: () => now }));
  return (ms) => {
    now += ms;
  };
}

void t.test('twenty misses are free, and each further one costs twice as long', (t) => {
  const pass = wind(t);
  const misses = new Misses(1000);
  for (let count = 0; count < 20; count++) {
    t.equal(misses.waitMs('a'), 0);
    misses.count('a');
  }
  for (const wait of [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
    t.equal(misses.waitMs('a'), wait);
    t.equal(misses.waitMs('b'), 0, 'others need not wait');
    pass(wait - 1);
    t.equal(misses.waitMs('a'), 1);
    pass(1);
    t.equal(misses.waitMs('a'), 0);
    misses.count('a');
  }
  pass(60_000 + 60_000);
  misses.count('a');
  t.equal(misses.waitMs('a'), 0, 'forgotten');
  t.end();
});

void t.test('many addresses together', (t) => {
  const pass = wind(t);
  const misses = new Misses(2);
  for (let count = 0; count < 20; count++) misses.count(String(count));
  t.equal(misses.waitMs('new'), 500);
  pass(500);
  t.equal(misses.waitMs('new'), 0);
  for (let count = 0; count < 20_000; count++) misses.count(`x${count}`);
  t.equal(misses.size, 10_000);
  const none = new Misses(0);
  for (let count = 0; count < 100; count++) none.count('a');
  t.equal(none.waitMs('a'), 0, '0 is no limit');
  t.end();
});

void t.test('a session is for who shows its secret, and before that for who has its id', (t) => {
  wind(t);
  const ids = new SessionIds<string>('secret', 1000);
  const name = ids.draw('home');
  ids.add(name, 'mine');
  const ask = (address: string, secret?: string) => {
    const found = ids.find(name.id, { address, secret });
    return found.session === undefined ? found.status : found.foreign ? 'foreign' : found.session;
  };
  t.equal(ask('home'), 'mine');
  t.equal(ask('away'), 'foreign', 'as in the original');
  for (const wrong of ['', name.secret.text.slice(1), `${name.secret.text}x`, 'x'.repeat(22)]) t.equal(ask('home', wrong), 404);
  t.equal(ask('away', name.secret.text), 'mine');
  t.equal(ask('home'), 404, 'now nobody has it without the secret');
  t.equal(ask('home', name.secret.text), 'mine');
  ids.delete(name);
  for (let count = 0; count < 100; count++) t.equal(ask('other'), 404, 'one that has ended is no guess');
  t.end();
});

void t.test('while an address has to wait, a right guess looks like a wrong one', (t) => {
  wind(t);
  const ids = new SessionIds<string>('secret', 1000);
  const [bound, open] = [ids.draw('home'), ids.draw('home')];
  ids.add(bound, 'bound');
  ids.add(open, 'open');
  for (let id = 1; id < 30; id++) ids.find(id, { address: 'thief', secret: undefined });
  t.match(ids.find(open.id, { address: 'thief', secret: undefined }), { session: undefined, status: 429 });
  t.match(ids.find(7, { address: 'thief', secret: undefined }), { status: 429, retryAfterMs: 1000 });
  t.match(ids.find(bound.id, { address: 'thief', secret: bound.secret.text }), { session: 'bound' }, 'who has the secret is believed');
  t.match(ids.find(open.id, { address: 'home', secret: undefined }), { session: 'open' });
  t.end();
});

void t.test('bound to the address', (t) => {
  wind(t);
  const ids = new SessionIds<string>('address', 1000);
  const name = ids.draw('home');
  ids.add(name, 'mine');
  t.match(ids.find(name.id, { address: 'away', secret: undefined }), { status: 404 });
  t.match(ids.find(name.id, { address: 'home', secret: undefined }), { session: 'mine' });
  t.match(ids.find(name.id, { address: 'away', secret: name.secret.text }), { session: 'mine' });
  t.end();
});

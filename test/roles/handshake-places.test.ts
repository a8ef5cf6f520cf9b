/** Handshakes share their places by address. */
import t from 'tap';
import { systemClock, useClock } from '../../lib/core/clock.js';
import { type Handshake, HandshakePlaces } from '../../lib/roles/server/handshake-places.js';
import { until } from '../support/foreign.js';

function play(maxHandshakes: number, handshakeTimeoutMs = 60_000) {
  const places = new HandshakePlaces({ maxHandshakes, handshakeTimeoutMs });
  const events: string[] = [];
  const enter = (address: string, name: string): Handshake => {
    const handshake: Handshake = {
      address,
      granted: () => void events.push(`${name} in`),
      ended: () => void events.push(`${name} out`),
    };
    places.enter(handshake);
    return handshake;
  };
  return { places, events, enter };
}

void t.test('a free place goes to the address that has the fewest, in turn', (t) => {
  const { places, events, enter } = play(2);
  const [first, second] = [enter('a', 'a1'), enter('a', 'a2')];
  t.same(events, ['a1 in', 'a2 in'], 'at once');
  for (const name of ['a3', 'a4', 'b1', 'b2', 'c1']) enter(name[0] as string, name);
  t.same([places.held, places.waiting], [2, 5]);
  places.leave(first);
  places.leave(second);
  places.leave(second);
  t.same([places.held, places.waiting], [2, 3], 'once is enough');
  t.same(events.slice(2), ['b1 in', 'a3 in']);
  t.end();
});

void t.test('one that waits may leave; one that is late is told', async (t) => {
  const { places, events, enter } = play(1, 100);
  const first = enter('a', 'a1');
  const second = enter('a', 'a2');
  enter('a', 'a3');
  places.leave(second);
  await until('the end of the wait', () => events.includes('a3 out'));
  places.leave(first);
  t.same([events, places.held, places.waiting], [['a1 in', 'a3 out'], 0, 0]);
});

void t.test('a crowd of silent strangers from five addresses gives its places up, one at a time', async (t) => {
  const { places, events, enter } = play(10);
  for (let count = 0; count < 200; count++) enter(String(count % 5), `s${count}`);
  t.same([places.held, places.waiting], [9, 191]);
  enter('honest', 'h1');
  t.equal(events.at(-1), 'h1 in', 'at once: an eighth is for addresses without a place');
  enter('other', 'h2');
  await until('its turn', () => events.includes('h2 in'));
  t.ok(places.held <= 10);
  t.equal(events.filter((event) => event.endsWith(' out')).length, 1, 'no more than it takes');
});

void t.test('who has four places more than one that waits gives one up in a quarter of a second', async (t) => {
  let now = 0;
  t.teardown(useClock({ ...systemClock, monotonic: () => now }));
  const { places, events, enter } = play(8);
  for (let count = 0; count < 7; count++) enter('crowd', `c${count}`);
  enter('honest', 'h1');
  t.equal(events.at(-1), 'h1 in', 'an eighth is for addresses without a place');
  now = 249;
  enter('honest', 'h2');
  t.equal(events.at(-1), 'h1 in', 'each may have its time');
  now = 250;
  enter('honest', 'h3');
  t.same(events.slice(-4), ['c0 out', 'h2 in', 'c1 out', 'h3 in'], 'until it has three more: then after a second');
  now = 999;
  enter('honest', 'h4');
  t.equal(events.at(-1), 'h3 in');
  t.same([places.held, places.waiting], [8, 1]);
});

/** Who may open one more session, where many were never admitted. */
import t, { type Test } from 'tap';
import { systemClock, useClock } from '../../lib/core/clock.js';
import { Newcomers } from '../../lib/roles/server/newcomers.js';

/** Newcomers at a time of their own, and a way to let it pass. */
function at(t: Pick<Test, 'teardown'>, maxUnadmittedSessionsPerSecond: number, maxUnadmittedSessionsPerAddress: number) {
  let now = 0;
  t.teardown(useClock({ ...systemClock, monotonic: () => now }));
  const newcomers = new Newcomers({ maxUnadmittedSessionsPerSecond, maxUnadmittedSessionsPerAddress });
  return {
    newcomers,
    pass: (ms: number) => {
      now += ms;
    },
    /** How many `address` may open in one go, of `most`. */
    open: (address: string, most: number) => {
      let count = 0;
      for (; count < most && newcomers.mayEnter(address); count++) newcomers.enter(address);
      return count;
    },
  };
}

void t.test('an address has so many that are not admitted, and is forgiven two a second', async (t) => {
  const { newcomers, pass, open } = at(t, 1000, 20);
  t.equal(open('a', 100), 20);
  t.equal(newcomers.mayEnter('a'), false);
  t.equal(newcomers.mayEnter('b'), true);
  pass(500);
  t.equal(open('a', 100), 1);
  pass(1000);
  t.equal(open('a', 100), 2);
  pass(60_000);
  t.equal(open('a', 100), 20, 'no more than at the beginning');
});

void t.test('one that is admitted counts no more', async (t) => {
  const { newcomers, open } = at(t, 32, 4);
  let refused = 0;
  for (let count = 0; count < 1000; count++) {
    if (!newcomers.mayEnter('a')) refused++;
    newcomers.enter('a');
    newcomers.admit('a');
  }
  t.equal(refused, 0);
  t.equal(open('a', 100), 4);
  newcomers.admit('a');
  t.equal(open('a', 100), 1);
  newcomers.admit('unknown');
  t.equal(open('b', 100), 4);
});

void t.test('when all have too many, those wait that have eight', async (t) => {
  const { newcomers, pass, open } = at(t, 25, 60);
  t.equal(open('a', 100), 60);
  t.equal(open('b', 100), 40, 'four times a second, together');
  t.equal(open('c', 100), 8);
  t.equal(open('d', 3), 3);
  t.equal(newcomers.mayEnter('d'), true);
  pass(30_000);
  t.equal(newcomers.mayEnter('a'), true, 'time forgives');
});

void t.test('0 for no limits; addresses are forgotten', async (t) => {
  t.equal(at(t, 0, 4).open('a', 500), 500);
  t.equal(at(t, 4, 0).open('a', 500), 500);
  const { newcomers, open } = at(t, 1, 2);
  open('first', 2);
  for (let count = 0; count < 10_000; count++) newcomers.enter(`a${count}`);
  t.equal(newcomers.size, 10_000);
  t.equal(newcomers.mayEnter('first'), true, 'the one that was remembered for longest');
});

/** The gate of handshakes: places, the queue, those that are slow, and the turns of their steps. */
import t from 'tap';
import { type Clock, systemClock, useClock } from '../../../lib/core/clock.js';
import type { VeracruzError } from '../../../lib/core/errors.js';
import { type GateLimits, HandshakeGate, type Place } from '../../../lib/layers/tls/gate.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await turn();
};

/** A gate whose handshakes are names: what began, and what was ended and why. */
function gateOf(limits: Partial<GateLimits> = {}) {
  const gate = new HandshakeGate({ maxHandshakes: 1, maxQueuedHandshakes: 2, handshakeStallMs: 100, ...limits });
  const started: string[] = [];
  const ended: string[] = [];
  const errors: VeracruzError[] = [];
  const enter = (name: string, key = name.charAt(0)): Place =>
    gate.enter({
      key,
      start: () => started.push(name),
      end: (reason) => {
        ended.push(name);
        errors.push(reason);
      },
    });
  return { gate, started, ended, errors, enter };
}

/** Time that stands still until the test moves it. */
function ownTime(t: { teardown: (back: () => void) => void }) {
  let now = 0;
  let timers: { at: number; ms: number; call: () => void }[] = [];
  const clock: Clock = {
    ...systemClock,
    monotonic: () => now,
    setTimeout: (call, ms, ...args) => {
      const timer = { at: now + ms, ms, call: () => call(...args), unref: () => timer, refresh: () => again(timer) };
      timers.push(timer);
      return timer;
    },
    clear: (timer) => {
      timers = timers.filter((one) => one !== (timer as unknown));
    },
  };
  const again = <T extends { at: number; ms: number; call: () => void }>(timer: T): T => {
    timers = [...timers.filter((one) => one !== timer), Object.assign(timer, { at: now + timer.ms })];
    return timer;
  };
  t.teardown(useClock(clock));
  return {
    /** The time itself passes, and no timer fires. */
    works: (ms: number) => {
      now += ms;
    },
    passes: (ms: number) => {
      now += ms;
      for (const timer of timers.filter(({ at }) => at <= now)) {
        timers = timers.filter((one) => one !== timer);
        timer.call();
      }
    },
  };
}

void t.test('so many at once, so many wait, the next is refused', async (t) => {
  ownTime(t);
  const { gate, started, enter } = gateOf({ maxHandshakes: 2, maxQueuedHandshakes: 3 });
  const places = ['a0', 'a1', 'a2', 'a3', 'a4'].map((name) => enter(name));
  t.same([gate.running, gate.queued], [2, 3]);
  t.same(started, ['a0'], 'one step a turn of the event loop');
  await turns(2);
  t.same(started, ['a0', 'a1']);
  t.throws(() => enter('a5'), { code: 'ERR_VC_LIMIT', limit: 3, got: 3 });
  places[3]?.leave();
  t.equal(gate.queued, 2, 'one that waits may leave');
  const late = enter('a6');
  places[1]?.leave();
  places[1]?.leave();
  t.same([gate.running, gate.queued], [2, 2], 'a place is freed once, and taken at once');
  await turns(2);
  t.same(started, ['a0', 'a1', 'a2']);
  places[0]?.leave();
  places[4]?.leave();
  await turns(3);
  t.same(started, ['a0', 'a1', 'a2', 'a6'], 'one that leaves between its turn and its start does not start');
  places[2]?.leave();
  late.leave();
  t.same([gate.running, gate.queued], [0, 0]);
});

void t.test('keys take turns, and the one that has most in a full queue makes room', async (t) => {
  ownTime(t);
  const { gate, started, ended, errors, enter } = gateOf({ maxQueuedHandshakes: 4 });
  const places = new Map(['a0', 'a1', 'a2', 'a3', 'a4'].map((name) => [name, enter(name)]));
  t.throws(() => enter('a5'), { code: 'ERR_VC_LIMIT' }, 'it would make room for itself');
  for (const name of ['b1', 'c1']) places.set(name, enter(name));
  t.same(ended, ['a1', 'a2']);
  t.match(errors[0], { code: 'ERR_VC_LIMIT', layer: 'tls', limit: 4 });
  t.throws(() => enter('b2'), { code: 'ERR_VC_LIMIT' }, 'a has no more than b would have');
  for (let i = 0; i < 5; i++) {
    await turns(2);
    places.get(started.at(-1) as string)?.leave();
  }
  t.same(started, ['a0', 'a3', 'b1', 'c1', 'a4']);
  t.same([gate.running, gate.queued], [0, 0]);
});

void t.test('after its time in the place it is slow, and goes on without one', async (t) => {
  const time = ownTime(t);
  const { gate, started, enter } = gateOf();
  const [first] = ['a0', 'a1', 'a2'].map((name) => enter(name));
  time.passes(99);
  // It does something all the time.
  first?.turn(() => started.push('a step of a0'));
  await turns(2);
  t.same([started, gate.running, gate.queued, gate.slow], [['a0', 'a step of a0'], 1, 2, 0]);
  time.passes(1);
  await turns(2);
  t.same([started.at(-1), gate.running, gate.queued, gate.slow], ['a1', 1, 1, 1]);
  first?.leave();
  t.same([gate.running, gate.queued, gate.slow], [1, 1, 0], 'it had no place any more');
});

void t.test('where too many are slow, the oldest of the key that has most is ended, once it has had its time', async (t) => {
  const time = ownTime(t);
  const { gate, ended, errors, enter } = gateOf({ maxQueuedHandshakes: 3 });
  for (const name of ['b0', 'a0', 'a1']) enter(name);
  for (let i = 0; i < 2; i++) time.passes(100);
  enter('c0');
  time.passes(100);
  t.same([gate.running, gate.queued, gate.slow], [1, 0, 3]);
  enter('c1');
  time.passes(100);
  t.same([gate.running, gate.queued, ended], [1, 1, []], 'none has had its time: the place stays taken');
  for (let i = 0; i < 6; i++) time.passes(100);
  t.same(ended, [], 'b0 has, but b has one only');
  time.passes(100);
  t.same([ended, gate.queued, gate.slow], [['a0'], 0, 3]);
  t.match(errors[0], { code: 'ERR_VC_LIMIT', layer: 'tls', limit: 3 });
});

void t.test('a step has a turn of the event loop for itself, keys take turns, and a heavy one is followed by a pause', async (t) => {
  const time = ownTime(t);
  const { enter } = gateOf({ maxHandshakes: 2 });
  const [a, b] = [enter('a'), enter('b')];
  await turns(3);
  const done: string[] = [];
  for (const name of ['a1', 'a2', 'a3']) a.turn(() => done.push(name));
  b.turn(() => {
    time.works(40);
    done.push('b1');
  });
  t.same(done, ['a1']);
  await turn();
  t.same(done, ['a1', 'a2']);
  await turns(10);
  t.same(done, ['a1', 'a2', 'b1'], 'the event loop is for others now');
  time.passes(39);
  await turns(3);
  t.equal(done.length, 3);
  time.passes(1);
  t.same(done, ['a1', 'a2', 'b1', 'a3']);
});

import fc from 'fast-check';
import t from 'tap';
import { FairSemaphore } from '../../lib/core/fair-semaphore.js';
import type { Release } from '../../lib/core/semaphore.js';
import { within } from '../support/foreign.js';
import { seeded } from '../support/splits.js';

const PARTIES = ['a', 'b', 'c'];

/** One call of a random test. `of` chooses the caller whose permit or place it uses; `party` is who asks. */
const operation = fc.record({
  kind: fc.constantFrom('ask', 'ask', 'ask', 'release', 'release', 'giveUp', 'releaseAgain', 'giveUpLate'),
  party: fc.constantFrom(...PARTIES),
  of: fc.nat(1000),
});
const sizes = fc.record({
  permits: fc.integer({ min: 1, max: 4 }),
  permitsPerParty: fc.integer({ min: 1, max: 4 }),
  maxWaiting: fc.integer({ min: 0, max: 8 }),
  maxWaitingPerParty: fc.integer({ min: 0, max: 4 }),
});
type Sizes = typeof sizes extends fc.Arbitrary<infer S> ? S : never;

interface Caller {
  readonly number: number;
  readonly party: string;
}

/** The simplest model. The turns are a list of parties: who was served goes to its end, who has nobody waiting leaves it. */
class Model {
  held: Caller[] = [];
  queue: Caller[] = [];
  turns: string[] = [];
  readonly served: number[] = [];
  readonly #sizes: Sizes;

  constructor(size: Sizes) {
    this.#sizes = size;
  }

  #of(list: Caller[], party: string): number {
    return list.filter((one) => one.party === party).length;
  }

  /** False when the caller is refused. */
  ask(caller: Caller): boolean {
    const { permits, permitsPerParty, maxWaiting, maxWaitingPerParty } = this.#sizes;
    if (this.held.length < permits && this.#of(this.held, caller.party) < permitsPerParty) this.#serve(caller);
    else if (this.queue.length >= maxWaiting || this.#of(this.queue, caller.party) >= maxWaitingPerParty) return false;
    else {
      this.queue.push(caller);
      if (!this.turns.includes(caller.party)) this.turns.push(caller.party);
    }
    return true;
  }

  release(caller: Caller): void {
    this.held = this.held.filter((one) => one !== caller);
    const party = this.turns.find((one) => this.#of(this.held, one) < this.#sizes.permitsPerParty);
    const next = this.queue.find((one) => one.party === party);
    if (next === undefined) return;
    this.giveUp(next);
    if (this.turns.includes(next.party)) this.turns = [...this.turns.filter((one) => one !== next.party), next.party];
    this.#serve(next);
  }

  giveUp(caller: Caller): void {
    this.queue = this.queue.filter((one) => one !== caller);
    if (this.#of(this.queue, caller.party) === 0) this.turns = this.turns.filter((one) => one !== caller.party);
  }

  #serve(caller: Caller): void {
    this.held.push(caller);
    this.served.push(caller.number);
  }
}

const pick = <T>(list: readonly T[], of: number): T | undefined => list[of % list.length];

void t.test('request: serves and refuses the same callers as a model, in the same order', async () => {
  fc.assert(
    fc.property(sizes, fc.array(operation, { maxLength: 200 }), (size, calls) => {
      const semaphore = new FairSemaphore(size.permits, size);
      const model = new Model(size);
      const releases = new Map<number, Release>();
      const leaves = new Map<number, () => void>();
      const served: number[] = [];
      const over: number[] = [];
      for (const [number, { kind, party, of }] of calls.entries()) {
        const holder = pick(model.held, of);
        const waiter = pick(model.queue, of);
        const done = pick(over, of);
        if (kind === 'ask') {
          let refused = false;
          try {
            const leave = semaphore.request(party, (release) => {
              served.push(number);
              releases.set(number, release);
            });
            leaves.set(number, leave);
          } catch {
            refused = true;
          }
          if (refused === model.ask({ number, party })) return false;
        } else if (kind === 'release' && holder !== undefined) {
          model.release(holder);
          releases.get(holder.number)?.();
          over.push(holder.number);
        } else if (kind === 'giveUp' && waiter !== undefined) {
          model.giveUp(waiter);
          leaves.get(waiter.number)?.();
          over.push(waiter.number);
        } else if (kind === 'releaseAgain' && done !== undefined) {
          releases.get(done)?.();
          leaves.get(done)?.();
        } else if (kind === 'giveUpLate' && holder !== undefined) {
          leaves.get(holder.number)?.();
        }
        if (semaphore.held !== model.held.length || semaphore.waiting !== model.queue.length) return false;
      }
      return served.join() === model.served.join();
    }),
    seeded(1000),
  );
});

void t.test('a party that asks often waits for itself; one that never gives back leaves a place', async (t) => {
  const semaphore = new FairSemaphore(2, { permitsPerParty: 1 });
  const order: string[] = [];
  const ask = (party: string, name: string) =>
    within(
      name,
      semaphore.acquire(party).then((release) => {
        order.push(name);
        return release;
      }),
    );
  const greedy = Array.from({ length: 4 }, (_, i) => ask('greedy', `greedy ${i}`));
  await greedy[0];
  t.same([semaphore.held, semaphore.waiting], [1, 3], 'it has one place, though another is free');
  const first = await ask('modest', 'modest 0');
  const rest = [ask('modest', 'modest 1'), ask('other', 'other 0')];
  first();
  (await rest[0])?.();
  (await rest[1])?.();
  t.same(order, ['greedy 0', 'modest 0', 'modest 1', 'other 0'], 'the place that the greedy one may not have goes round');
  for (const one of greedy) (await one)();
  t.same([semaphore.held, semaphore.waiting], [0, 0]);
});

void t.test('acquire: refuses what is too much, and gives up with its signal', async (t) => {
  const semaphore = new FairSemaphore(1, { maxWaiting: 2, maxWaitingPerParty: 1, layer: 'here', waiters: 'guests' });
  const release = await semaphore.acquire('a', new AbortController().signal);
  const ending = new AbortController();
  const waits = semaphore.acquire('a', ending.signal);
  await t.rejects(semaphore.acquire('a'), { code: 'ERR_VC_LIMIT', layer: 'here', got: 1, limit: 1, message: /guests.*same party/ });
  const second = semaphore.acquire('b');
  await t.rejects(semaphore.acquire('c'), { code: 'ERR_VC_LIMIT', got: 2, limit: 2 });
  ending.abort(new Error('gave up'));
  await t.rejects(waits, { message: 'gave up' });
  await t.rejects(semaphore.acquire('a', ending.signal), { message: 'gave up' }, 'before it asks');
  release();
  (await second)();
  t.same([semaphore.held, semaphore.waiting], [0, 0]);
});

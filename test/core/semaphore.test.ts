import fc from 'fast-check';
import t from 'tap';
import { Mutex, type Release, Semaphore } from '../../lib/core/semaphore.js';
import { within } from '../support/foreign.js';
import { seeded } from '../support/splits.js';

/** One call of a random test. `of` chooses the caller whose permit, place or signal it uses. */
const operation = fc.record({
  kind: fc.constantFrom('ask', 'ask', 'ask', 'release', 'release', 'giveUp', 'releaseAgain', 'giveUpLate'),
  of: fc.nat(1000),
});
const operations = fc.array(operation, { maxLength: 200 });
const sizes = fc.record({ permits: fc.integer({ min: 1, max: 4 }), maxWaiting: fc.integer({ min: 0, max: 6 }) });

/** The simplest model of a semaphore. Callers are numbers. */
class Model {
  readonly held: number[] = [];
  readonly queue: number[] = [];
  readonly served: number[] = [];
  readonly #permits: number;
  readonly #maxWaiting: number;

  constructor({ permits, maxWaiting }: { permits: number; maxWaiting: number }) {
    this.#permits = permits;
    this.#maxWaiting = maxWaiting;
  }

  /** False when the caller is refused. */
  ask(caller: number): boolean {
    if (this.held.length < this.#permits) this.#serve(caller);
    else if (this.queue.length >= this.#maxWaiting) return false;
    else this.queue.push(caller);
    return true;
  }

  release(caller: number): void {
    this.held.splice(this.held.indexOf(caller), 1);
    const next = this.queue.shift();
    if (next !== undefined) this.#serve(next);
  }

  giveUp(caller: number): void {
    this.queue.splice(this.queue.indexOf(caller), 1);
  }

  #serve(caller: number): void {
    this.held.push(caller);
    this.served.push(caller);
  }
}

const pick = (callers: readonly number[], of: number): number | undefined => callers[of % callers.length];

void t.test('request: serves and refuses the same callers as a model, in the same order', async () => {
  fc.assert(
    fc.property(sizes, operations, (size, calls) => {
      const semaphore = new Semaphore(size.permits, { maxWaiting: size.maxWaiting });
      const model = new Model(size);
      const releases = new Map<number, Release>();
      const leaves = new Map<number, () => void>();
      const served: number[] = [];
      const over: number[] = [];
      for (const [caller, { kind, of }] of calls.entries()) {
        const holder = pick(model.held, of);
        const waiter = pick(model.queue, of);
        const done = pick(over, of);
        if (kind === 'ask') {
          let refused = false;
          try {
            const leave = semaphore.request((release) => {
              served.push(caller);
              releases.set(caller, release);
            });
            leaves.set(caller, leave);
          } catch {
            refused = true;
          }
          if (refused === model.ask(caller)) return false;
        } else if (kind === 'release' && holder !== undefined) {
          model.release(holder);
          releases.get(holder)?.();
          over.push(holder);
        } else if (kind === 'giveUp' && waiter !== undefined) {
          model.giveUp(waiter);
          leaves.get(waiter)?.();
          over.push(waiter);
        } else if (kind === 'releaseAgain' && done !== undefined) {
          releases.get(done)?.();
          leaves.get(done)?.();
        } else if (kind === 'giveUpLate' && holder !== undefined) {
          leaves.get(holder)?.();
        }
        if (semaphore.held !== model.held.length || semaphore.waiting !== model.queue.length) return false;
      }
      return served.join() === model.served.join();
    }),
    seeded(500),
  );
});

void t.test('acquire: no wake-up is lost, whatever is aborted and released in the same turn', async () => {
  await fc.assert(
    fc.asyncProperty(sizes, operations, async (size, calls) => {
      const semaphore = new Semaphore(size.permits, { maxWaiting: size.maxWaiting });
      const signals: AbortController[] = [];
      const held: Release[] = [];
      const outcomes: Promise<string>[] = [];
      let inside = 0;
      let most = 0;
      for (const { kind, of } of calls) {
        if (kind === 'ask') {
          const signal = new AbortController();
          signals.push(signal);
          const outcome = semaphore.acquire(signal.signal).then(
            (release) => {
              most = Math.max(most, ++inside);
              held.push(() => {
                inside--;
                release();
              });
              return 'served';
            },
            (error: { code?: string; message: string }) => error.code ?? error.message,
          );
          outcomes.push(outcome);
        } else if (kind === 'giveUp' || kind === 'giveUpLate') {
          signals[of % signals.length]?.abort(new Error('gave up'));
        } else if (kind === 'release') {
          held.shift()?.();
        } else {
          await Promise.resolve();
        }
      }
      // All permits are given back until nobody waits. Then every call must have settled.
      const settled = Promise.all(outcomes);
      let all: string[] | undefined;
      void settled.then((list) => {
        all = list;
      });
      while (all === undefined) {
        await new Promise((go) => setImmediate(go));
        if (all === undefined && held.length === 0) return false;
        held.shift()?.();
      }
      for (const release of held) release();
      const known = all.every((outcome) => ['served', 'gave up', 'ERR_VC_LIMIT'].includes(outcome));
      return known && most <= size.permits && semaphore.held === 0 && semaphore.waiting === 0;
    }),
    seeded(200),
  );
});

void t.test('a released permit goes to the first in the queue, not to the next caller', async (t) => {
  const semaphore = new Semaphore(1);
  const release = await semaphore.acquire();
  const waits = semaphore.acquire();
  release();
  t.equal(semaphore.tryAcquire(), undefined);
  (await within('the first in the queue', waits))();
  t.type(semaphore.tryAcquire(), 'function');
});

void t.test('a second release does nothing, even if another caller has the permit by then', async (t) => {
  const semaphore = new Semaphore(1);
  const first = await semaphore.acquire();
  const second = semaphore.acquire();
  let third = false;
  void semaphore.acquire().then(() => {
    third = true;
  });
  first();
  const release = await second;
  first();
  await new Promise((go) => setImmediate(go));
  t.notOk(third);
  t.equal(semaphore.held, 1);
  release();
  await new Promise((go) => setImmediate(go));
  t.ok(third);
});

void t.test('a full queue refuses with the figures, and keeps no listener of the caller', async (t) => {
  const semaphore = new Semaphore(1, { maxWaiting: 1, layer: 'tls', waiters: 'handshakes' });
  const release = await semaphore.acquire();
  const waits = semaphore.acquire();
  const refused = { code: 'ERR_VC_LIMIT', layer: 'tls', got: 1, limit: 1, message: '1 handshakes are waiting already' };
  const signal = new AbortController();
  await t.rejects(semaphore.acquire(signal.signal), refused);
  t.throws(() => semaphore.request(() => t.fail('it was refused')), refused);
  signal.abort();
  release();
  (await within('who waited', waits))();
  t.equal(semaphore.held, 0);
});

void t.test('a signal that has fired refuses at once; one that fires late changes nothing', async (t) => {
  const semaphore = new Semaphore(1);
  const reason = new Error('no more');
  await t.rejects(semaphore.acquire(AbortSignal.abort(reason)), reason);
  t.equal(semaphore.held, 0);
  const first = await semaphore.acquire();
  const late = new AbortController();
  const second = semaphore.acquire(late.signal);
  first();
  late.abort(reason);
  const release = await within('a permit that was granted before', second);
  t.equal(semaphore.held, 1);
  release();
  t.equal(semaphore.held, 0);
});

void t.test('Infinity permits: nobody waits', (t) => {
  const semaphore = new Semaphore(Number.POSITIVE_INFINITY);
  const releases = Array.from({ length: 1000 }, () => semaphore.tryAcquire());
  t.ok(releases.every((release) => release !== undefined));
  t.equal(semaphore.held, 1000);
  for (const release of releases) release?.();
  t.equal(semaphore.held, 0);
  t.end();
});

void t.test('run: one after the other, in the order of the calls; an error releases the permit', async (t) => {
  const mutex = new Mutex();
  const order: string[] = [];
  const work = (name: string, fails = false) =>
    mutex.run(async () => {
      order.push(`${name} begins`);
      await new Promise((go) => setImmediate(go));
      order.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const all = await Promise.allSettled([work('a'), work('b', true), work('c')]);
  t.same(
    all.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  t.same(order, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  t.ok(mutex.idle);
  await t.rejects(
    mutex.run(() => {
      throw new Error('at once');
    }),
    { message: 'at once' },
  );
  t.ok(mutex.idle);
});

void t.test('run never calls its work within the call', async (t) => {
  let within = true;
  let called = false;
  const running = new Mutex().run(() => {
    called = true;
    t.notOk(within);
  });
  within = false;
  await running;
  t.ok(called);
});

void t.test('run with a signal that fires in the queue: the work is not called', async (t) => {
  const mutex = new Mutex();
  const release = await mutex.acquire();
  const signal = new AbortController();
  const run = mutex.run(() => t.fail('it was aborted'), signal.signal);
  signal.abort(new Error('gave up'));
  await t.rejects(run, { message: 'gave up' });
  release();
  t.ok(mutex.idle);
});

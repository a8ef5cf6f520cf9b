/** The simulation: some runs without a violation, and faults put into it that it must notice. */
import { Readable } from 'node:stream';
import t from 'tap';
import { VirtualClock } from '../../bench/simulate/clock.js';
import { contentOf, piecesOf } from '../../bench/simulate/contents.js';
import { Disk } from '../../bench/simulate/disk.js';
import { type Change, FileHistory } from '../../bench/simulate/history.js';
import { planOf } from '../../bench/simulate/plan.js';
import { PlanRandom } from '../../bench/simulate/random.js';
import { replay, runSeeds } from '../../bench/simulate/runs.js';
import { Simulator } from '../../bench/simulate/simulator.js';
import { clock } from '../../lib/core/clock.js';
import type { FileStore } from '../../lib/enclave/store/file-store.js';
import { connectSocket, listenSocket } from '../../lib/transports/socket.js';
import '../support/long.js';

// Its own timers would run in virtual time.
t.setTimeout(0);

const range = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);

function simulator(seed = 1): Simulator {
  const usual = { latencyMs: 5, rate: 100 };
  return new Simulator(new PlanRandom(seed), Date.now(), () => ({ ...usual, usual, jitterMs: 0, silent: false }));
}

/** Runs `work` in a world of its own. */
async function simulated<T>(world: Simulator, work: () => Promise<T>): Promise<T> {
  await world.enter();
  try {
    return await world.until(work(), 'the test', 3_600_000);
  } finally {
    world.leave();
  }
}

void t.test('thirty fleets without a violation', async (t) => {
  const figures = await runSeeds(range(1, 30));
  t.same(figures.violations, []);
  t.equal(figures.runs, 30);
  t.ok(figures.virtualMs > 600_000, 'more than ten minutes of virtual time');
  for (const what of ['write: done', 'append: done', 'read: done', 'write: unknown', 'fault: kill', 'fault: cut', 'fault: disk']) {
    t.ok((figures.tally.get(what) ?? 0) > 0, what);
  }
});

void t.test('a run is the same when it is run again', async (t) => {
  const [one, two] = [await replay(7), await replay(7)];
  t.same(one.plan, planOf(7));
  t.notSame(planOf(7), planOf(8));
  // Keys and nonces are new, so a ciphertext may be some bytes longer; what comes of the plan is the same.
  for (const [what, times] of one.tally) if (what.startsWith('fault')) t.equal(two.tally.get(what), times, what);
  t.ok(one.story.length > 20);
  t.equal(two.violation, undefined);
});

/** A store whose methods are changed. */
function changed(store: FileStore, changes: (store: FileStore) => Partial<FileStore>): FileStore {
  const own = changes(store);
  return new Proxy(store, {
    get: (target, name) => {
      const method: unknown = Reflect.get(own, name) ?? Reflect.get(target, name);
      return typeof method === 'function' ? method.bind(target) : method;
    },
  });
}

const PLANTED: Record<string, { readonly changes: (store: FileStore) => Partial<FileStore>; readonly told: RegExp }> = {
  'an append that takes the place of the file': {
    changes: (store) => ({ append: (...rest) => store.write(...rest) }),
    told: /does not have it|is missing/,
  },
  'a read that is a byte short': {
    changes: (store) => ({
      read: async (name) => {
        const { length, stream } = await store.read(name);
        const whole = Buffer.concat((await stream.toArray()) as Buffer[]);
        return { length: length - 1, stream: Readable.from([whole.subarray(0, -1)]) };
      },
    }),
    told: /in part, or altered/,
  },
  "another principal's file": {
    changes: (store) => ({ read: (name) => store.read(name.replace(/c\d/, 'c0')) }),
    told: /of another file|has .* twice|was refused|does not have it|is missing/,
  },
};
for (const [name, { changes, told }] of Object.entries(PLANTED)) {
  void t.test(`noticed: ${name}`, async (t) => {
    const { violations } = await runSeeds(range(1, 8), { wrap: (store) => changed(store, changes) });
    t.ok(violations.length > 0, 'noticed');
    t.match(violations[0]?.violation, told);
  });
}

void t.test('noticed: a disk that only says that it has synced', async (t) => {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called on the disk again, and put back
  const { sync } = Disk.prototype;
  Disk.prototype.sync = function (this: Disk, node) {
    // The policy's file is left alone, without which a manager does not start.
    if (node.kind === 'folder' || node.data.length < 100) sync.call(this, node);
  };
  t.teardown(() => {
    Disk.prototype.sync = sync;
  });
  const { violations } = await runSeeds(range(1, 6));
  t.match(violations[0]?.violation, /(was done|in part|no content begins|is missing)/);
});

void t.test('virtual time: timers fire in their order, and nothing waits', async (t) => {
  const time = new VirtualClock(1000);
  const fired: string[] = [];
  time.setTimeout((what: string) => fired.push(what), 20, 'b');
  time.setTimeout(() => fired.push('a'), 10);
  time.setTimeout(() => fired.push('c'), 20);
  time.clear(time.setTimeout(() => fired.push('never'), 5));
  const interval = time.setInterval(() => {
    fired.push('i');
    if (fired.length > 3) time.clear(interval);
  }, 15);
  const late = time.setTimeout(() => fired.push('late'), 25).refresh();
  while (time.advance()) if (time.monotonic() === 10) late.refresh();
  t.same(fired, ['a', 'i', 'b', 'c', 'i', 'late']);
  t.equal(time.monotonic(), 35);
  time.jump(-500);
  t.equal(time.now(), 535);
  t.equal(time.timers, 0);
  const stop = new AbortController();
  const sleeping = time.sleep(5, { signal: stop.signal });
  stop.abort('enough');
  await t.rejects(sleeping, { name: 'AbortError', cause: 'enough' });
  t.equal(time.timers, 0);
});

void t.test('what can never end is told', async (t) => {
  const world = simulator();
  await t.rejects(
    simulated(world, () => new Promise(() => {})),
    /nothing is left/,
  );
  const before = clock.now();
  await t.rejects(
    simulated(world, async () => {
      for (;;) await clock.sleep(1000);
    }),
    /not over after 3600000 ms/,
  );
  t.ok(clock.now() - before < 3_000_000, 'the clock of the machine is back');
});

void t.test('the network: bytes in order, ends, resets, and silence', async (t) => {
  const world = simulator();
  await simulated(world, async () => {
    const got: Buffer[] = [];
    const errors: string[] = [];
    const listener = await listenSocket({ kind: 'tcp', host: 's0', port: 1 }, (socket) => {
      socket.on('data', (chunk: Buffer) => got.push(chunk));
      socket.on('error', (error: NodeJS.ErrnoException) => errors.push(String(error.code)));
      socket.on('end', () => socket.end('bye'));
    });
    const socket = await connectSocket({ kind: 'tcp', host: 'c0-s0', port: 1 });
    t.equal(clock.monotonic(), 5, 'it takes the time of the line');
    const sent = contentOf(1, 300_000);
    socket.end(sent);
    const answer = Buffer.concat((await socket.toArray()) as Buffer[]);
    t.equal(answer.toString(), 'bye');
    t.ok(Buffer.concat(got).equals(sent));
    t.ok(clock.monotonic() > 3000, '300 kB at 100 B/ms');

    const second = await connectSocket({ kind: 'tcp', host: 'c0-s0', port: 1 });
    const lost = new Promise((resolve) => second.on('error', resolve));
    world.network.kill('s0');
    t.match(await lost, { code: 'ECONNRESET' });
    await t.rejects(connectSocket({ kind: 'tcp', host: 'c0-s0', port: 1 }), { code: 'ERR_VC_TRANSPORT', message: /ECONNREFUSED/ });
    await listener.close();
    t.same(errors, []);
  });
});

void t.test('a disk whose power fails has what was synced, and of the rest some', async (t) => {
  const world = simulator();
  await simulated(world, async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const disk = new Disk(new PlanRandom(seed));
      disk.makeFolder('folder');
      disk.sync(disk.root);
      disk.create('folder/kept').data = Buffer.from('kept');
      disk.sync(disk.file('folder/kept'));
      disk.sync(disk.find('folder').node as never);
      disk.file('folder/kept').data = Buffer.from('kept and more');
      disk.create('folder/new').data = Buffer.from('new');
      const after = disk.taken(true);
      const kept = after.file('folder/kept').data.toString();
      t.match(kept, /^kept/);
      seen.add(kept);
      seen.add(String(after.find('folder/new').node !== undefined));
      t.equal(disk.file('folder/kept').data.toString(), 'kept and more', 'the old one is as it was');
      t.equal(disk.taken(false).file('folder/kept').data.toString(), 'kept and more');
    }
    for (const what of ['kept', 'kept and more', 'true', 'false']) t.ok(seen.has(what), what);
  });
});

void t.test('contents, and what can come of changes', (t) => {
  const change = (id: number, kind: Change['kind'], outcome: Change['outcome'], start = id * 10): Change => {
    return { id, session: 1, kind, bytes: 20 + id, start, end: start + 5, outcome };
  };
  const bytes = (...ids: number[]) => Buffer.concat(ids.map((id) => contentOf(id, 20 + id)));
  const history = new FileHistory('file');
  history.begin(change(1, 'write', 'done'));
  history.begin(change(2, 'append', 'done'));
  history.begin(change(3, 'append', 'unknown'));
  history.begin(change(4, 'append', 'done'));
  history.begin(change(5, 'append', 'refused'));
  const judge = (contents: Buffer | undefined) => history.judge(contents, 100, 101);
  t.same(piecesOf(bytes(1, 2)), [1, 2]);
  t.equal(judge(bytes(1, 2, 4)), undefined);
  t.equal(judge(bytes(1, 2, 3, 4)), undefined);
  t.equal(judge(bytes(1, 2, 4, 3)), undefined, 'what is unknown may come late');
  t.match(judge(undefined), /missing/);
  t.match(judge(bytes(1, 4)), /append #2 was done/);
  t.match(judge(bytes(1, 2)), /append #4 was done/);
  t.match(judge(bytes(2, 4)), /write #1 was done/);
  t.match(judge(bytes(1, 4, 2)), /before/);
  t.match(judge(bytes(1, 2, 2, 4)), /twice/);
  t.match(judge(bytes(1, 2, 4, 5)), /refused/);
  t.match(judge(bytes(1, 2, 4, 6)), /another file/);
  t.match(judge(bytes(1, 2, 4).subarray(0, -1)), /in part/);
  t.match(judge(Buffer.concat([bytes(1, 2, 4), Buffer.from('more')])), /no content begins/);
  history.begin(change(6, 'write', 'done'));
  t.equal(judge(bytes(6)), undefined);
  t.match(judge(bytes(1, 2, 4)), /write #6 was done/);
  t.match(judge(bytes(6, 4)), /had replaced/);
  history.begin(change(7, 'write', 'unknown'));
  t.equal(judge(bytes(7)), undefined);
  t.equal(judge(bytes(6)), undefined);
  t.match(history.judge(bytes(7), 30, 40), /before it was asked for/);
  t.end();
});

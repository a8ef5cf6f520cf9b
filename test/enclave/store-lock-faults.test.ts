/** A disk that fails while a store is opened or closed: the next attempt must not find a lock that nobody holds. */
import t from 'tap';
import { Disk } from '../../bench/simulate/disk.js';
import { PlanRandom } from '../../bench/simulate/random.js';
import { Simulator } from '../../bench/simulate/simulator.js';
import { DirectoryStore } from '../../lib/enclave/store/file-store.js';

// Its own timers would run in virtual time.
t.setTimeout(0);

void t.test('a store that failed while it was opened or closed can be opened again', async (t) => {
  const usual = { latencyMs: 1, rate: 1 };
  const world = new Simulator(new PlanRandom(1), Date.now(), () => ({ ...usual, usual, jitterMs: 0, silent: false }));
  const disk = new Disk(new PlanRandom(1));
  const codes = new Set<unknown>();
  const told = (error: { code?: string }) => void codes.add(error.code);
  const attempts = async () => {
    const path = `${world.files.mount(disk)}/store`;
    for (let attempt = 0; attempt < 60; attempt++) {
      disk.faults.oneIn = 2;
      const store = await DirectoryStore.open(path).catch(told);
      await store?.close().catch(told);
      disk.faults.oneIn = 0;
      await (await DirectoryStore.open(path)).close();
    }
  };
  await world.enter();
  try {
    await world.until(attempts(), 'the attempts', 600_000);
  } finally {
    world.leave();
  }
  t.ok(disk.failed > 60, 'the disk has failed often');
  t.same([...codes], ['ERR_VC_FILE_STORE'], 'each time with an error of the store');
  t.equal(world.files.handles.size, 0, 'no descriptor is left');
});

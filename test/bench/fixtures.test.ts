/** Every way to move a file, ours and the peers': that the bytes come through, by real processes. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FIXTURE_NAMES, FIXTURES, type Fixture } from '../../bench/files/fixtures.js';
import { transfer } from '../../bench/files/transfer.js';
import { makePki } from '../../bench/harness/pki.js';
import { nameOf } from '../../bench/parts/support/transfer.js';
import { content } from '../support/roles.js';
import '../support/processes.js';

const folder = mkdtempSync(join(tmpdir(), 'vc-bench-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const LINUX = process.platform === 'linux';
const pki = makePki();

/** Moves a small file up and down, in one session and in three. */
async function upAndDown(t: Test, fixture: Fixture): Promise<void> {
  for (const sessions of [1, 3]) {
    for (const direction of ['upload', 'download'] as const) {
      const { seconds, moved, usage } = await transfer(fixture, direction, sessions, { bytes: 300_001 });
      t.equal(moved.length, sessions);
      t.ok(seconds > 0);
      t.same(
        Object.keys(usage),
        fixture.parts.map(({ role }) => role),
      );
      if (LINUX) t.ok((usage.client?.peakRss ?? 0) > 2 ** 20 && usage.client?.cpu !== undefined, 'memory and processor time');
    }
  }
}

for (const name of FIXTURE_NAMES) {
  void t.test(`${name}: files up and down, and from disk to disk the bytes are the same`, async (t) => {
    const own = mkdtempSync(join(folder, 'disk-'));
    const [source, target] = [join(own, 'source'), join(own, 'target')];
    const bytes = content(1_000_003);
    writeFileSync(source, bytes);
    const fixture = await FIXTURES[name].open({ pki, folder: mkdtempSync(join(own, 'store-')) });
    t.teardown(() => fixture.end());
    await upAndDown(t, fixture);
    const up = await transfer(fixture, 'upload', 1, { bytes: bytes.length, paths: [source] });
    const down = await transfer(fixture, 'download', 1, { bytes: bytes.length, paths: [target] });
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    t.equal(up.moved[0]?.sha256, sha256);
    t.equal(await fixture.store.ask('sha256', nameOf(0)), sha256);
    t.equal(down.moved[0]?.sha256, sha256);
    t.ok(readFileSync(target).equals(bytes));
  });
}

// Where nothing is kept there are two kinds of store, ours and the peers'; they are reached in the same manner.
for (const name of ['full', 'https'] as const) {
  void t.test(`${name}: files up and down, from memory to memory`, async (t) => {
    const fixture = await FIXTURES[name].open({ pki });
    t.teardown(() => fixture.end());
    await upAndDown(t, fixture);
  });
}

void t.test('a part that fails says so, and a fixture that does not come about leaves no process', async (t) => {
  await t.rejects(FIXTURES.full.open({ pki: { ...pki, policy: '{}' } }), { message: /manager/ });
  if (LINUX) t.equal(readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim(), '', 'no process is left');
  const fixture = await FIXTURES.direct.open({ pki });
  t.teardown(() => fixture.end());
  await t.rejects(fixture.client.ask('dance'), { message: /no such command: dance/ });
  await fixture.end();
  await t.rejects(fixture.client.ask('upload', { bytes: 1 }), 'a process that is gone');
});

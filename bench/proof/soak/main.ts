/**
 * A long time of small requests and short sessions, and what is left over of them.
 *
 *     npm run soak                                      a million requests, 100,000 sessions
 *     npm run soak -- --requests 20000 --sessions 2000
 *
 * A client, a Server and a Runtime Manager, a process each. After each tenth of the work the memory of each is taken, after
 * a collection. In the end descriptors, timers, listeners and tables must be what they were, memory must not have grown,
 * and no read may have given other bytes than were written. Ends with 1 when any of that does not hold.
 */
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { Part } from '../../harness/part.js';
import { makePki } from '../../harness/pki.js';
import { countFlag } from '../../harness/size.js';
import { temporaryFolder } from '../../harness/temporary.js';
import { conclude, grouped } from '../report.js';
import { changedCounts, grown, growthOf, slopeOf } from './judge.js';
import type { Leftovers } from './leftovers.js';
import type { ConnectTask, WorkResult, WorkTask } from './parts/client.js';

const LANES = 8;
const SLICES = 10;
/** Work before the first look, as shares of a slice: code is compiled, and pools are filled. */
const WARM_UP = 0.5;
/** Milliseconds that counts may take to be again what they were, and between two looks. */
const SETTLE_MS = 60_000;
const LOOK_MS = 500;

interface Flags {
  readonly requests: number;
  readonly sessions: number;
}

type Looks = ReadonlyMap<string, Leftovers>;

const command = new Command('soak')
  .addOption(new Option('--requests <n>', 'requests: writes, and reads of what was written').argParser(countFlag).default(1_000_000))
  .addOption(new Option('--sessions <n>', 'sessions that come and go').argParser(countFlag).default(100_000))
  .action(run);

async function run({ requests, sessions }: Flags): Promise<void> {
  const parts = ['client', 'server', 'manager'].map((role) => new Part(role, `../proof/soak/parts/${role}`));
  const [client, server, manager] = parts as [Part, Part, Part];
  const slice: WorkTask = { requests: Math.ceil(requests / SLICES), sessions: Math.ceil(sessions / SLICES) };
  try {
    const pki = makePki();
    const runtime = await manager.ask<string>('listen', { pki, folder: join(temporaryFolder(), 'store') });
    const url = await server.ask<string>('listen', { runtime });
    await client.ask('connect', { url, pki, lanes: LANES } satisfies ConnectTask);
    await client.ask('work', {
      requests: Math.ceil(slice.requests * WARM_UP),
      sessions: Math.ceil(slice.sessions * WARM_UP),
    } satisfies WorkTask);
    const before = await look(parts);
    const slices: Looks[] = [];
    let [wrong, seconds] = [0, 0];
    for (let i = 0; i < SLICES; i++) {
      const result = await client.ask<WorkResult>('work', slice);
      wrong += result.wrong;
      seconds += result.seconds;
      slices.push(await look(parts));
    }
    const changed = await settled(parts, before);
    const of = ({ role }: Part) => slices.map((each) => each.get(role) as Leftovers);
    const violations = [...changed, ...parts.flatMap((part) => grown(part.role, of(part)))];
    if (wrong > 0) violations.push(`${wrong} reads gave other bytes than were written`);
    const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(2);
    conclude(undefined, {
      table: [
        ['process', 'memory at first MiB', 'at last', 'grown', 'a slice', 'resident', 'descriptors'],
        ...parts.map((part) => {
          const looks = of(part);
          const [first, last] = [looks[0] as Leftovers, looks.at(-1) as Leftovers];
          const memory = [first.heap + first.external, last.heap + last.external, growthOf(looks), slopeOf(looks), last.resident].map(mib);
          return [part.role, ...memory, String(last.counts.descriptors)];
        }),
        [`${grouped(slice.requests * SLICES)} requests, ${grouped(slice.sessions * SLICES)} sessions, ${Math.round(seconds)} s`],
      ],
      violations,
    });
  } finally {
    await Promise.all(parts.map((part) => part.end()));
  }
}

async function look(parts: readonly Part[]): Promise<Looks> {
  return new Map(await Promise.all(parts.map(async (part) => [part.role, await part.ask<Leftovers>('leftovers')] as const)));
}

/** Waits until all counts are what they were. Returns those that do not become so. */
async function settled(parts: readonly Part[], before: Looks): Promise<string[]> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const after = await look(parts);
    const changed = parts.flatMap(({ role }) => changedCounts(role, before.get(role) as Leftovers, after.get(role) as Leftovers));
    if (changed.length === 0 || performance.now() > deadline) return changed;
    await new Promise((go) => setTimeout(go, LOOK_MS));
  }
}

await command.parseAsync();

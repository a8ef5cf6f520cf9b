/**
 * Where the time goes: nanoseconds a byte of a transfer, or microseconds a small request, by process and by layer.
 *
 *     npm run profile -- <case> [--bytes 1G] [--out <folder>]
 *     npm run profile -- <case> [--sessions 64] [--milliseconds 5000]
 *
 * A case is a fixture and what it does: full-upload, unix-download, direct-upload, …; full-write, direct-read, … All processes
 * are sampled at once, in the work alone, from memory to memory. Samples are of the clock: on a machine that has other work
 * to do they include the wait for a processor, which the rows `processor` do not. Open the `.cpuprofile` files in Chrome's
 * or VS Code's viewer.
 */
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { FIXTURE_NAMES, FIXTURES, type Fixture, type FixtureName } from '../files/fixtures.js';
import { type Around, type Direction, transfer } from '../files/transfer.js';
import type { Usage } from '../harness/part.js';
import { makePki } from '../harness/pki.js';
import type { Profile } from '../harness/sampler.js';
import { countFlag, sizeFlag, sizeText } from '../harness/size.js';
import { sample, warmUp } from '../requests/suite.js';
import { splitOf } from './buckets.js';
import { nsAByte, type RoleProfile, tablesOf, type Unit, usARequest } from './tables.js';

interface Flags {
  readonly bytes: number;
  readonly sessions: number;
  readonly milliseconds: number;
  readonly top: number;
  readonly intervalUs: number;
  readonly out?: string;
}

/** What one run came to. */
interface Done {
  readonly unit: Unit;
  readonly seconds: number;
  readonly usage: Readonly<Record<string, Usage>>;
  /** e.g. `231 MB/s` */
  readonly rate: string;
}

/** Work that can be done again and again. */
interface Job {
  readonly title: string;
  /** Compiles the code on the way. */
  warmUp(): Promise<unknown>;
  run(around?: Around): Promise<Done>;
}

const DIRECTIONS: readonly string[] = ['upload', 'download'];
/** Kinds of small requests, by the fixtures that know them. */
const REQUESTS: Partial<Record<FixtureName, readonly string[]>> = {
  full: ['write', 'read', 'hash', 'session'],
  unix: ['write', 'read', 'hash', 'session'],
  direct: ['write', 'read', 'hash', 'session'],
  https: ['write'],
  grpc: ['write'],
};
/** Half seconds of requests before anything is measured. */
const WARM_UP_ROUNDS = 10;

const CASES = FIXTURE_NAMES.flatMap((fixture) => [...DIRECTIONS, ...(REQUESTS[fixture] ?? [])].map((work) => `${fixture}-${work}`));

const command = new Command('profile')
  .argument('<case>', CASES.join(', '))
  .addOption(new Option('--bytes <n>', 'bytes to move, like 100M or 8G').argParser(sizeFlag).default(512 * 2 ** 20, '512M'))
  .addOption(new Option('--sessions <n>', 'sessions at once').argParser(countFlag).default(1))
  .addOption(new Option('--milliseconds <n>', 'how long small requests are begun').argParser(countFlag).default(5000))
  .addOption(new Option('--top <n>', 'functions to list of each process').argParser(countFlag).default(12))
  .addOption(new Option('--interval-us <n>', 'microseconds between two samples').argParser(countFlag).default(500))
  .option('--out <folder>', 'where the profiles go; default: a new temporary folder')
  .action(async (name: string, flags: Flags) => {
    if (!CASES.includes(name)) command.error(`no such case: ${name}; there are ${CASES.join(', ')}`);
    const [, fixture, work] = /^(.+)-(.+)$/.exec(name) as unknown as [string, FixtureName, string];
    await profile(fixture, work, flags);
  });

async function profile(name: FixtureName, work: string, flags: Flags): Promise<void> {
  const folder = flags.out ?? mkdtempSync(join(tmpdir(), 'veracruz-streams-profile-'));
  mkdirSync(folder, { recursive: true });
  const fixture = await FIXTURES[name].open({ pki: makePki() });
  try {
    const job = DIRECTIONS.includes(work) ? transferJob(fixture, work as Direction, flags) : requestsJob(fixture, work, flags);
    await job.warmUp();
    const plain = await job.run();
    let profiles: Profile[] = [];
    const pathOf = (role: string) => join(folder, `${name.replace(':', '-')}-${work}-${role}.cpuprofile`);
    const sampled = await job.run({
      before: () => Promise.all(fixture.parts.map((part) => part.ask('startProfile', flags.intervalUs))),
      after: async () => {
        profiles = await Promise.all(fixture.parts.map((part) => part.ask<Profile>('stopProfile', pathOf(part.role))));
      },
    });
    const roles = fixture.parts.map(({ role }, i): RoleProfile => {
      return { role, split: splitOf(profiles[i] as Profile), usage: sampled.usage[role] as Usage };
    });
    process.stdout.write(
      `${name} ${job.title}: ${plain.rate}, ${sampled.rate} while sampled\n\n` +
        `${tablesOf(roles, { ...sampled, top: flags.top })}\nprofiles in ${folder}\n`,
    );
  } finally {
    await fixture.end();
  }
}

function transferJob(fixture: Fixture, direction: Direction, { bytes, sessions }: Flags): Job {
  return {
    title: `${direction}, ${sizeText(bytes)}`,
    warmUp: async () => {
      await transfer(fixture, 'upload', sessions, { bytes });
      // A download has something to fetch now.
      if (direction === 'download') await transfer(fixture, 'download', sessions, { bytes });
    },
    run: async (around) => {
      const { seconds, usage } = await transfer(fixture, direction, sessions, { bytes }, around);
      return { unit: nsAByte(bytes), seconds, usage, rate: `${(bytes / 1e6 / seconds).toFixed(0)} MB/s` };
    },
  };
}

function requestsJob(fixture: Fixture, kind: string, { sessions, milliseconds }: Flags): Job {
  return {
    title: `${kind}, ${sessions} session${sessions === 1 ? '' : 's'}`,
    warmUp: () => warmUp(fixture, kind, WARM_UP_ROUNDS),
    run: async (around) => {
      const { count, seconds, usage } = await sample(fixture, sessions, { kind, milliseconds }, around);
      return { unit: usARequest(count), seconds, usage, rate: `${(count / seconds).toFixed(0)}/s` };
    },
  };
}

await command.parseAsync();

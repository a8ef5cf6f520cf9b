/**
 * Where the time of a transfer goes: nanoseconds a byte, by process and by layer.
 *
 *     npm run profile -- <case> [--bytes 1G] [--out <folder>]
 *
 * A case is a rig and a direction: full-upload, unix-download, direct-upload, … All processes are sampled at once, in the
 * transfer alone, from memory to memory. Samples are of the clock: on a machine that has other work to do they include the
 * wait for a processor, which the rows `processor` do not. Open the `.cpuprofile` files in Chrome's or VS Code's viewer.
 */
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { RIG_NAMES, RIGS, type RigName } from '../files/rigs.js';
import { type Direction, transfer } from '../files/transfer.js';
import type { Usage } from '../harness/part.js';
import { makePki } from '../harness/pki.js';
import type { Profile } from '../harness/sampler.js';
import { countFlag, sizeFlag, sizeText } from '../harness/size.js';
import { splitOf } from './buckets.js';
import { type RoleProfile, tablesOf } from './tables.js';

interface Flags {
  readonly bytes: number;
  readonly sessions: number;
  readonly top: number;
  readonly intervalUs: number;
  readonly out?: string;
}

const CASES = RIG_NAMES.flatMap((rig) => [`${rig}-upload`, `${rig}-download`]);

const command = new Command('profile')
  .argument('<case>', CASES.join(', '))
  .addOption(new Option('--bytes <n>', 'bytes to move, like 100M or 8G').argParser(sizeFlag).default(512 * 2 ** 20, '512M'))
  .addOption(new Option('--sessions <n>', 'sessions at once').argParser(countFlag).default(1))
  .addOption(new Option('--top <n>', 'functions to list of each process').argParser(countFlag).default(12))
  .addOption(new Option('--interval-us <n>', 'microseconds between two samples').argParser(countFlag).default(500))
  .option('--out <folder>', 'where the profiles go; default: a new temporary folder')
  .action(async (name: string, flags: Flags) => {
    const [, rig, direction] = /^(.+)[- ](upload|download)$/.exec(name) ?? [];
    if (!RIG_NAMES.includes(rig as RigName)) command.error(`no such case: ${name}; there are ${CASES.join(', ')}`);
    await profile(rig as RigName, direction as Direction, flags);
  });

async function profile(name: RigName, direction: Direction, { bytes, sessions, top, intervalUs, out }: Flags): Promise<void> {
  const folder = out ?? mkdtempSync(join(tmpdir(), 'veracruz-streams-profile-'));
  mkdirSync(folder, { recursive: true });
  const rig = await RIGS[name].open({ pki: makePki() });
  try {
    // Warm: the code is compiled, and a download has something to fetch.
    await transfer(rig, 'upload', sessions, { bytes });
    if (direction === 'download') await transfer(rig, 'download', sessions, { bytes });
    const plain = await transfer(rig, direction, sessions, { bytes });
    let profiles: Profile[] = [];
    const pathOf = (role: string) => join(folder, `${name.replace(':', '-')}-${direction}-${role}.cpuprofile`);
    const sampled = await transfer(
      rig,
      direction,
      sessions,
      { bytes },
      {
        before: () => Promise.all(rig.parts.map((part) => part.ask('startProfile', intervalUs))),
        after: async () => {
          profiles = await Promise.all(rig.parts.map((part) => part.ask<Profile>('stopProfile', pathOf(part.role))));
        },
      },
    );
    const roles = rig.parts.map(({ role }, i): RoleProfile => {
      return { role, split: splitOf(profiles[i] as Profile), usage: sampled.usage[role] as Usage };
    });
    const rate = (seconds: number) => `${(bytes / 1e6 / seconds).toFixed(0)} MB/s`;
    process.stdout.write(
      `${name} ${direction}, ${sizeText(bytes)}: ${rate(plain.seconds)}, ${rate(sampled.seconds)} while sampled\n\n` +
        `${tablesOf(roles, { bytes, seconds: sampled.seconds, top })}\nprofiles in ${folder}\n`,
    );
  } finally {
    await rig.end();
  }
}

await command.parseAsync();

/** What goes wrong, how it begins and how it ends. */
import { spawnSync } from 'node:child_process';
import { descriptorsOf } from '../../harness/proc.js';
import type { Random } from '../seed.js';
import { type Deployment, HOPS, ROLES, type RoleName } from './deployment.js';
import { LINE_FAULTS } from './line.js';

export interface Fault {
  readonly kind: string;
  /** The hop or the role that it strikes. */
  readonly where: string;
  /** What a request says of a disk that fails is not the whole truth: some of it may have been done. */
  readonly disk?: true;
  /** Begins it. @returns ends it; a text where it cannot be tried */
  begin(deployment: Deployment, random: Random): Promise<(() => Promise<void> | void) | string>;
}

/** Clocks go wrong by an hour, or by more than anything holds. */
const JUMPS_SECONDS = [3600, -3600, 10 * 86_400, -10 * 86_400];
/** By how much a process is over its limit of descriptors, at most: what it closes gives it no room at once. */
const MAX_OVER = 4;

const lines = LINE_FAULTS.flatMap((kind) =>
  HOPS.map(
    (where): Fault => ({
      kind,
      where,
      begin: async ({ lines: { [where]: line } }) => {
        line.begin(kind);
        return () => line.end();
      },
    }),
  ),
);

const diskFull: Fault = {
  kind: 'disk-full',
  where: 'manager',
  disk: true,
  begin: async ({ parts: { manager }, smallDisk }) => {
    // Nobody fills a file system that is not his own.
    if (!smallDisk) return 'no file system of its own: mount is not allowed';
    await manager.ask('fill');
    return () => manager.ask('free');
  },
};

const broken: Fault = {
  kind: 'EIO',
  where: 'manager',
  disk: true,
  begin: async ({ parts: { manager } }, random) => {
    await manager.ask('fail', { code: 'EIO', oneIn: random.pick([1, 2, 5]) });
    return () => manager.ask('fail', null);
  },
};

const noDescriptors = ROLES.map(
  (where): Fault => ({
    kind: 'EMFILE',
    where,
    ...(where === 'manager' ? { disk: true } : {}),
    begin: async ({ parts: { [where]: part } }, random) => {
      const open = descriptorsOf(part.pid);
      const before = open === undefined ? undefined : limitOf(part.pid);
      if (open === undefined || before === undefined) return 'no /proc, or no prlimit';
      limit(part.pid, open - random.below(MAX_OVER + 1));
      return () => limit(part.pid, before);
    },
  }),
);

const clocks = ROLES.map(
  (where: RoleName): Fault => ({
    kind: 'clock',
    where,
    begin: async ({ clocks }, random) => {
      if (clocks === undefined) return 'no libfaketime';
      clocks.move(where, random.pick(JUMPS_SECONDS));
      return () => clocks.move(where, 0);
    },
  }),
);

export const FAULTS: readonly Fault[] = [...lines, diskFull, broken, ...noDescriptors, ...clocks];

/** The soft limit of descriptors of a process; undefined where there is no prlimit. */
function limitOf(pid: number): number | undefined {
  const { status, stdout } = spawnSync('prlimit', ['--pid', String(pid), '--nofile', '--output', 'SOFT', '--noheadings'], {
    encoding: 'utf8',
  });
  return status === 0 ? Number(stdout) : undefined;
}

function limit(pid: number, descriptors: number): void {
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(pid), `--nofile=${descriptors}:`], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`prlimit: ${stderr}`);
}

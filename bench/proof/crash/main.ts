/**
 * Kills processes with kill -9 at random moments, and looks at what is there afterwards.
 *
 *     npm run crash -- --rounds 200                 200 for each kind: write, append, read, compute, attestation
 *     npm run crash -- append --rounds 10 --seed 7
 *
 * In each kind the processes take turns: the client, the Server, the manager, in attestation also its server. Nothing that
 * was acknowledged may be lost, nothing may be there twice or by half, nothing that a killed manager had started may go on,
 * and everything must work again without help. Ends with 1 when any of that does not hold.
 */
import { Command, Option } from 'commander';
import { countFlag } from '../../harness/size.js';
import { conclude, grouped } from '../report.js';
import { freshSeed, Random } from '../seed.js';
import { Deployment } from './deployment.js';
import { crashRound, type Kind, type RoundFigures, VICTIMS } from './rounds.js';

const KINDS = Object.keys(VICTIMS) as Kind[];

const command = new Command('crash')
  .argument('[kind...]', `${KINDS.join(', ')}; default: all`)
  .addOption(new Option('--rounds <n>', 'rounds of each kind').argParser(countFlag).default(20))
  .addOption(new Option('--seed <n>', 'what decides the moments; default: another each time').argParser(Number))
  .action(async (asked: string[], { rounds, seed = freshSeed() }: { rounds: number; seed?: number }) => {
    const unknown = asked.find((kind) => !(kind in VICTIMS));
    if (unknown !== undefined) command.error(`no such kind: ${unknown}; there are ${KINDS.join(', ')}`);
    await run(asked.length === 0 ? KINDS : (asked as Kind[]), rounds, seed);
  });

async function run(kinds: readonly Kind[], rounds: number, seed: number): Promise<void> {
  const deployment = await Deployment.start();
  const all: RoundFigures[] = [];
  const random = new Random(seed, 'crash');
  const violations: string[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      for (const kind of kinds) {
        const victims = VICTIMS[kind];
        all.push(await crashRound(deployment, kind, victims[round % victims.length] as (typeof victims)[number], round, random));
      }
    }
  } catch (error) {
    violations.push((error as Error).stack ?? String(error));
  } finally {
    await deployment.end();
  }
  violations.push(...all.flatMap((figures) => figures.violations));
  conclude(seed, {
    table: [['kind', 'killed', 'rounds', 'acknowledged', 'back after ms, median', 'worst'], ...kinds.flatMap((kind) => rowsOf(kind, all))],
    violations,
  });
}

function rowsOf(kind: Kind, all: readonly RoundFigures[]): string[][] {
  return VICTIMS[kind].map((victim) => {
    const own = all.filter((figures) => figures.kind === kind && figures.victim === victim);
    const back = own.flatMap(({ backMs }) => (backMs === undefined ? [] : [backMs])).sort((a, b) => a - b);
    const acknowledged = own.reduce((sum, figures) => sum + figures.acknowledged, 0);
    const ms = (value: number | undefined) => (value === undefined ? '' : grouped(Math.round(value)));
    return [kind, victim, String(own.length), grouped(acknowledged), ms(back[Math.floor(back.length / 2)]), ms(back.at(-1))];
  });
}

await command.parseAsync();

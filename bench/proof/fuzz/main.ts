/**
 * Feeds every decoder with inputs that were made to break it.
 *
 *     npm run fuzz -- all --inputs 1000000          a million inputs for each target
 *     npm run fuzz -- protobuf --seed 7             all targets whose name begins so
 *     npm run fuzz -- base64 --replay 41413d3d      one input again
 *
 * An input is read whole and in random pieces. Both must come to the same; only errors of the library may come out; an
 * input of 64 KiB must be read within a time, and the memory of the process must stay within a limit. Ends with 1 when
 * any of that does not hold, and prints the input.
 */
import { Command, Option } from 'commander';
import { countFlag, sizeFlag, sizeText } from '../../harness/size.js';
import { conclude, grouped } from '../report.js';
import { freshSeed } from '../seed.js';
import { type FuzzFigures, fuzz, replay, type Violation } from './run.js';
import type { Target } from './target.js';
import { allTargets } from './targets/index.js';
import { Watchdog } from './watchdog.js';

/** Milliseconds after which an input that is being read is a hang. */
const HANG_MS = 60_000;
/** Hexadecimal digits of an input that are printed. */
const MAX_HEX = 20_000;

interface Flags {
  readonly inputs: number;
  readonly seed: number;
  readonly maxMs: number;
  readonly maxMemory: number;
  readonly replay?: string;
}

const command = new Command('fuzz')
  .argument('[target]', 'name of a target, how names begin, or all', 'all')
  .addOption(new Option('--inputs <n>', 'inputs for each target').argParser(countFlag).default(100_000))
  .addOption(new Option('--seed <n>', 'what decides the inputs; default: another each time').argParser(Number))
  .addOption(new Option('--max-ms <ms>', 'processor time for an input of 64 KiB').argParser(countFlag).default(2000))
  .addOption(new Option('--max-memory <bytes>', 'growth of the process while all targets run').argParser(sizeFlag).default(512 * 2 ** 20))
  .option('--replay <hex>', 'read this input, and no other')
  .action(async (name: string, { seed = freshSeed(), ...flags }: Partial<Flags> & Omit<Flags, 'seed'>) => {
    const targets = allTargets().filter((target) => name === 'all' || target.name.startsWith(name));
    if (targets.length === 0)
      command.error(
        `no such target: ${name}; there are ${allTargets()
          .map((target) => target.name)
          .join(', ')}`,
      );
    if (flags.replay !== undefined) await again(targets, Buffer.from(flags.replay, 'hex'), seed);
    else await run(targets, { ...flags, seed });
  });

async function run(targets: readonly Target[], { inputs, seed, maxMs, maxMemory }: Flags): Promise<void> {
  const watchdog = new Watchdog(HANG_MS);
  const before = process.memoryUsage.rss();
  const all: FuzzFigures[] = [];
  for (const target of targets) all.push(await fuzz(target, { inputs, seed, maxMs, maxViolations: 5 }, watchdog));
  await watchdog.end();
  const grown = Math.max(0, process.resourceUsage().maxRSS * 1024 - before);
  const violations = all.flatMap((figures) => figures.violations.map(asText));
  if (grown > maxMemory) violations.push(`the process grew by ${grown} bytes, the limit is ${maxMemory}`);
  conclude(seed, {
    table: [
      ['target', 'inputs', 'a second', 'taken', 'kinds of error', 'worst ms for 64 KiB'],
      ...all.map(({ target, seconds, taken, codes, worstMs, ...rest }) => [
        ...[
          target,
          grouped(rest.inputs),
          grouped(Math.round(rest.inputs / seconds)),
          grouped(taken),
          String(codes.size),
          worstMs.toFixed(1),
        ],
      ]),
      ['memory', '', '', '', '', `+${sizeText(grown)}`],
    ],
    violations,
  });
}

function asText({ target, what, input }: Violation): string {
  const hex = input.toString('hex');
  return `${target}: ${what}\n  replay: npm run fuzz -- ${target} --replay ${hex.length > MAX_HEX ? `${hex.slice(0, MAX_HEX)}… (${input.length} bytes)` : hex}`;
}

async function again(targets: readonly Target[], input: Buffer, seed: number): Promise<void> {
  for (const target of targets) {
    const wrong = await replay(target, input, seed);
    process.stdout.write(`${target.name}: ${wrong ?? 'as it should be'}\n`);
    if (wrong !== undefined) process.exitCode = 1;
  }
}

await command.parseAsync();

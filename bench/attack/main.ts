/**
 * Attacks on running roles, and whether honest clients notice.
 *
 *     npm run attack                       lists them
 *     npm run attack -- handshakes         one of them; exit status 1 when a goal is missed
 *     npm run attack -- all --seconds 5    all of them
 *
 * The roles are processes of their own. The attacking ones have a lower priority, as attackers from elsewhere would take no
 * processor time of the roles' machine at all.
 */
import { Command, Option } from 'commander';
import { countFlag } from '../harness/size.js';
import { ATTACK_NAMES, ATTACKS, type AttackName } from './attacks.js';
import { runAttack } from './run.js';
import { tableOf } from './table.js';

interface Flags {
  readonly seconds: number;
  readonly processes: number;
  readonly seed: number;
  readonly nice: number;
  readonly json?: true;
}

const print = (text: string) => process.stdout.write(`${text}\n`);

async function run(names: readonly AttackName[], { json, ...flags }: Flags): Promise<void> {
  for (const name of names) {
    const outcome = await runAttack({ name, ...flags });
    print(json === true ? JSON.stringify(outcome) : `\n${tableOf(outcome)}`);
    if (outcome.goals.some(({ met }) => !met)) process.exitCode = 1;
  }
}

const command = new Command('attack')
  .argument('[name...]', 'which ones, or all; without one they are listed')
  .addOption(new Option('--seconds <n>', 'of the attack, and of the quiet phase before it').argParser(countFlag).default(8))
  .addOption(new Option('--processes <n>', 'that attack').argParser(countFlag).default(8))
  .addOption(new Option('--seed <n>', 'of what is drawn').argParser(countFlag).default(1))
  .addOption(new Option('--nice <n>', 'priority of the attacking processes').argParser(Number).default(10))
  .option('--json', 'print one line of JSON for each attack')
  .action(async (asked: string[], flags: Flags) => {
    const unknown = asked.find((name) => name !== 'all' && !(ATTACK_NAMES as readonly string[]).includes(name));
    if (unknown !== undefined) command.error(`no such attack: ${unknown}; there are ${ATTACK_NAMES.join(', ')}, and all`);
    if (asked.length === 0) print(ATTACK_NAMES.map((name) => `${name.padEnd(14)}${ATTACKS[name].about}`).join('\n'));
    else await run(asked.includes('all') ? ATTACK_NAMES : (asked as AttackName[]), flags);
  });

await command.parseAsync();

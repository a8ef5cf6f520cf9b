/** Writes docs/limits.md: every option that bounds something, from its docstring, its default and its flag. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { attestCommand } from '../../lib/cli/attest.js';
import { clientCommand } from '../../lib/cli/client/command.js';
import { runtimeCommand } from '../../lib/cli/runtime.js';
import { serverCommand } from '../../lib/cli/server.js';
import { BEYOND } from './beyond.js';
import { ROOT } from './exports.js';
import { type LimitOption, limitOptions, type OptionSet } from './limit-options.js';

export const LIMITS = join(ROOT, 'docs', 'limits.md');

/** What the sources of the defaults export. */
async function defaultsOf({ defaults, file }: OptionSet): Promise<Readonly<Record<string, unknown>>> {
  if (defaults === undefined) return {};
  const module = (await import(join(ROOT, 'dist', 'lib', file.replace(/\.ts$/, '.js')))) as Record<string, Record<string, unknown>>;
  const found = module[defaults];
  if (found === undefined) throw new Error(`lib/${file} exports no ${defaults}`);
  return found;
}

/** A command by its words: `attest serve`. */
function commandOf(words: readonly string[]): Command {
  const commands = [clientCommand(), serverCommand(), runtimeCommand(), attestCommand()];
  const found = words.reduce<{ commands: readonly Command[] } | undefined>(
    (within, word) => within?.commands.find((command) => command.name() === word),
    { commands },
  );
  if (found === undefined) throw new Error(`there is no command ${words.join(' ')}`);
  return found as Command;
}

/** The flag that sets an option, if the command has one: `maxLinks` is `--max-links`. */
function flagOf(option: string, { command, flags }: OptionSet): string {
  if (command === undefined) return '';
  const flag = flags?.[option] ?? `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  return commandOf(command).options.some(({ long }) => long === flag) ? `\`${flag}\`` : '';
}

/** The default: a number as it is, and as binary units where it is large and round. */
export function shown(value: unknown): string {
  if (typeof value !== 'number') return String(value);
  const units = ['KiB', 'MiB', 'GiB'];
  const power = [3, 2, 1].find((n) => value >= 1024 ** n && value % 1024 ** n === 0);
  return power === undefined || value < 16_384 ? String(value) : `${value} (${value / 1024 ** power} ${units[power - 1]})`;
}

/** A sentence that says no more of the default than its number, which stands in a column of its own. */
const PLAIN_DEFAULT = /^Default [\d,]+( [KMG]iB)?\.$/;

/** What a docstring says an option bounds, and what it says of the default. */
export function split(says: string): { readonly bounds: string; readonly told: string } {
  const sentences = says.split(/(?<=[.;:)])\s+(?=[A-Z`])/);
  const [, told = 'none'] = /^Default:? ([^.;:]*)/.exec(sentences.find((sentence) => sentence.startsWith('Default')) ?? '') ?? [];
  return { bounds: sentences.filter((sentence) => !PLAIN_DEFAULT.test(sentence)).join(' '), told: told.replace(/(?<=\d),(?=\d{3})/g, '') };
}

function rowOf(set: OptionSet, { name, says }: LimitOption, defaults: Readonly<Record<string, unknown>>): string {
  const beyond = BEYOND[set.title]?.[name];
  if (beyond === undefined || says === '')
    throw new Error(`${set.options}.${name} has no ${says === '' ? 'docstring' : 'entry in docs/tools/beyond.ts'}`);
  const { bounds, told } = split(says);
  // The unit of sizes in a binary unit is bytes; other numbers would only look odd in one.
  const value = name in defaults ? (/Bytes$/.test(name) ? shown(defaults[name]) : String(defaults[name])) : told;
  const cells = [`\`${name}\``, value, flagOf(name, set), bounds, beyond];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
}

const INTRO = `<!-- Made by \`npm run docs:limits\` from the options in lib/. Do not edit. -->

# Limits

Every option that bounds a size, a number or a time. A default in the form \`131072 (128 KiB)\` is the same number twice. Options whose names end with \`Ms\` are milliseconds. Where the table names no flag, the option is set from code only. "Beyond" is what happens when the limit is passed: [an error](errors.md), a status of HTTP, or something gentler. [docs/wire.md](wire.md) has the limits that the wire itself sets.
`;

export async function limitsPage(): Promise<string> {
  const sections = [...limitOptions()].map(async ([set, options]) => {
    const defaults = await defaultsOf(set);
    const from = [set.defaults && `\`${set.defaults}\``, set.command && `\`veracruz-streams ${set.command.join(' ')}\``].filter(Boolean);
    const rows = options.map((option) => rowOf(set, option, defaults));
    const known = new Set(options.map(({ name }) => name));
    const left = Object.keys(BEYOND[set.title] ?? {}).filter((name) => !known.has(name));
    if (left.length > 0) throw new Error(`docs/tools/beyond.ts names what ${set.options} does not have: ${left.join(', ')}`);
    return `## ${set.title}\n\nOptions \`${set.options}\`${from.length > 0 ? `; ${from.join(', ')}` : ''}.\n\n| option | default | flag | bounds | beyond |\n| --- | --- | --- | --- | --- |\n${rows.join('')}`;
  });
  return `${INTRO}\n${(await Promise.all(sections)).join('\n')}`;
}

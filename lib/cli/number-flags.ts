import { type Command, Option } from 'commander';
import { wholeNumber } from './flags.js';

/** Options that are whole numbers, and what each bounds, in words: `maxLinks` becomes the flag `--max-links`. */
export type NumberFlags<Name extends string> = Readonly<Record<Name, string>>;

/**
 * Adds a flag for each option. Where a flag is not given the option is not set, so that its default counts, which may depend on
 * other options. The help quotes the default, unless the words do.
 */
export function addNumberFlags<Name extends string>(
  command: Command,
  flags: NumberFlags<Name>,
  defaults: Readonly<Partial<Record<NoInfer<Name>, number>>>,
): Command {
  for (const [name, words] of Object.entries(flags) as [Name, string][]) {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const preset = defaults[name];
    const described = preset === undefined || words.includes('default: ') ? words : `${words}; default: ${preset}`;
    command.addOption(new Option(`${flag} <n>`, described).argParser(wholeNumber(flag)));
  }
  return command;
}

/** The options whose flags were given. */
export function numbersOf<Name extends string>(flags: NumberFlags<Name>, given: Readonly<Partial<Record<NoInfer<Name>, number>>>) {
  const names = (Object.keys(flags) as Name[]).filter((name) => given[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, given[name]])) as Partial<Record<Name, number>>;
}

import type { Command } from 'commander';
import { InvalidArgumentError } from '../../core/errors.js';

export interface ProgramStartFlags {
  argument?: string[];
  environment?: string[];
}

/** What a program finds when it starts. */
export interface ProgramStart {
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const collect = (value: string, before: string[] = []) => [...before, value];

/** The flags for what programs are told; the original has none. */
export function addProgramStartOptions(command: Command): Command {
  return command
    .option('--argument <program=text>', 'an argument of a program; once for each, in order (ignored by the original)', collect)
    .option('--environment <program=NAME=value>', 'a variable of its environment (ignored by the original)', collect);
}

/**
 * What the flags say, by the names of programs as they stand in `programs`.
 *
 * @throws InvalidArgumentError for another form, and for a program that is not there
 */
export function programStartsOf(flags: ProgramStartFlags, programs: readonly string[]): (name: string) => ProgramStart {
  const args = (flags.argument ?? []).map((text) => split('--argument', 'program=text', text, programs));
  const variables = (flags.environment ?? []).map((text) => {
    const [program, variable] = split('--environment', 'program=NAME=value', text, programs);
    const at = variable.indexOf('=');
    if (at < 1) throw new InvalidArgumentError(`write --environment program=NAME=value, not ${JSON.stringify(text)}`, { got: text });
    return [program, variable.slice(0, at), variable.slice(at + 1)] as const;
  });
  return (name) => ({
    arguments: args.filter(([program]) => program === name).map(([, text]) => text),
    environment: Object.fromEntries(variables.filter(([program]) => program === name).map(([, variable, value]) => [variable, value])),
  });
}

/** The name of the program and what stands behind it. A name may have a `=`: the longest one that fits counts. */
function split(flag: string, form: string, text: string, programs: readonly string[]): readonly [program: string, rest: string] {
  const [program] = programs.filter((name) => text.startsWith(`${name}=`)).sort((a, b) => b.length - a.length);
  if (program !== undefined) return [program, text.slice(program.length + 1)];
  const got = JSON.stringify(text);
  throw new InvalidArgumentError(`write ${flag} ${form} with a program of this policy (${programs.join(', ')}), not ${got}`, { got: text });
}

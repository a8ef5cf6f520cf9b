/** docs/reliability.md: a section for each proof, of which each can be written anew alone. */
import type { ProofCommand } from './proofs.js';

const HEAD = `# Reliability

What stands here was printed by the proofs on the day that each names. \`npm run reliability -- --report\` runs all of them and
writes this file; \`--only <name>\` does it for one. Each prints its seed, with which it can be run again, and ends with 1 at
any violation. A short form of each is among the tests.
`;

/** One section: what the proof shows, how it was run, and what it printed. */
export function sectionOf({ name, shows }: ProofCommand, args: readonly string[], printed: string): string {
  return `## ${name}\n\n${shows}\n\n\`\`\`text\n$ npm run ${name} -- ${args.join(' ')}\n${printed.trim()}\n\`\`\`\n`;
}

/** The document with `sections` in it, by name; those that it has already and that are not among them stay. */
export function documentWith(old: string, order: readonly string[], sections: ReadonlyMap<string, string>): string {
  const all = new Map(sectionsIn(old));
  for (const [name, section] of sections) all.set(name, section);
  const known = order.filter((name) => all.has(name));
  return [HEAD, ...known.map((name) => all.get(name) as string)].join('\n');
}

function sectionsIn(text: string): [string, string][] {
  return text
    .split(/^(?=## )/m)
    .slice(1)
    .map((section) => [(/^## (\S+)/.exec(section) as RegExpExecArray)[1] as string, `${section.trimEnd()}\n`]);
}

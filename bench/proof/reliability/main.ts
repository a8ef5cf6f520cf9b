/**
 * Runs the proofs, one after the other.
 *
 *     npm run reliability                           a short form of each, some minutes
 *     npm run reliability -- --long --report        for the record: hours; writes docs/reliability.md
 *     npm run reliability -- --only soak --report   one of them, and its section
 *
 * Ends with 1 when one of them found a violation; then nothing is written of it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { documentWith, sectionOf } from './document.js';
import { PROOFS, type ProofCommand } from './proofs.js';

const DOCUMENT = fileURLToPath(new URL('../../../../docs/reliability.md', import.meta.url));

interface Flags {
  readonly long?: true;
  readonly report?: true;
  readonly only?: string;
  readonly output: string;
}

await new Command('reliability')
  .option('--long', 'as long as for the record')
  .option('--report', 'write what was printed into the document')
  .addOption(new Option('--only <name>', 'one of them').choices(PROOFS.map(({ name }) => name)))
  .option('--output <file>', 'the document', DOCUMENT)
  .action(async ({ long, report, only, output }: Flags) => {
    const sections = new Map<string, string>();
    for (const proof of PROOFS.filter(({ name }) => only === undefined || name === only)) {
      const args = long === true ? proof.long : proof.short;
      const printed = await run(proof, args);
      if (printed === undefined) process.exitCode = 1;
      else sections.set(proof.name, sectionOf(proof, args, printed));
    }
    if (report !== true) return;
    const old = existsSync(output) ? readFileSync(output, 'utf8') : '';
    const order = PROOFS.map(({ name }) => name);
    writeFileSync(output, documentWith(old, order, sections));
  })
  .parseAsync();

/** Runs a proof and shows what it prints. Returns that; undefined when it found a violation. */
async function run({ name, module }: ProofCommand, args: readonly string[]): Promise<string | undefined> {
  process.stdout.write(`\n$ npm run ${name} -- ${args.join(' ')}\n`);
  const child = spawn(process.execPath, [fileURLToPath(new URL(`../../${module}.js`, import.meta.url)), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
    process.stdout.write(text);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return code === 0 ? printed : undefined;
}

/** Runs the blocks of a document that can run, as a reader would: in their order, in one folder. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { Shell } from '../cli/shell.js';
import { within } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { type Block, blocksOf } from '../support/markdown.js';

/** Where roles listen in the documents, by their commands. Here each takes a free port. */
const PLACES: Readonly<Record<string, string>> = { attest: '127.0.0.1:3010', runtime: '127.0.0.1:6000', server: '127.0.0.1:3011' };
const COMMAND = 'veracruz-streams';
const KILL = /^kill( %\d+)+$/;

/** The commands of a block, those of several lines on one. */
export function commandsIn(text: string): string[] {
  return text
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** What a block says must be printed: `…` stands for anything on its line. */
export function printed(text: string): RegExp {
  const lines = text.trimEnd().split('\n');
  const escaped = lines.map((line) => line.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`).replaceAll('…', '.*'));
  return new RegExp(`^${escaped.join('\\n')}\\n*$`);
}

/** Who is told whether what ran did as the document says. */
export interface Judge {
  equal(found: unknown, wanted: unknown, what: string): unknown;
  match(found: string, wanted: RegExp, what: string): unknown;
}

/** A folder in which the blocks of one document run. */
export class Transcript {
  readonly #judge: Judge;
  readonly #shell: Shell;
  /** What stands in the document, and what it is here. */
  readonly #here = new Map<string, string>();
  /** What runs in the background, in the order in which it was started. */
  readonly #jobs: Awaited<ReturnType<Shell['serve']>>[] = [];
  #said = '';
  #scripts = 0;

  constructor(t: Test, judge: Judge = t) {
    this.#judge = judge;
    this.#shell = new Shell(t, { programs: join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'demo', 'programs') });
    // Scripts import the package by its name, as if it were installed.
    mkdirSync(join(this.#shell.folder, 'node_modules'));
    symlinkSync(PROJECT_ROOT, join(this.#shell.folder, 'node_modules', COMMAND), 'dir');
  }

  get folder(): string {
    return this.#shell.folder;
  }

  /** Runs every block that says so, and compares what it prints with the block `text output` behind it. Returns their number. */
  async run(markdown: string): Promise<number> {
    let ran = 0;
    for (const block of blocksOf(markdown)) if (await this.#block(block)) ran++;
    return ran;
  }

  async #block({ language, info, text }: Block): Promise<boolean> {
    const [how = '', name = `script-${++this.#scripts}.mjs`] = info.split(' ');
    if (how === 'output') {
      this.#judge.match(this.#said, printed(text), 'prints what is said');
      return false;
    }
    if (how !== 'run' && how !== 'file') return false;
    if (language === 'sh') for (const command of commandsIn(text)) await this.#command(command);
    else writeFileSync(join(this.folder, name), this.#placed(text));
    if (language === 'js' && how === 'run') await this.#command(`node ${name}`);
    return true;
  }

  async #command(written: string): Promise<void> {
    if (written.endsWith(' &')) return this.#serve(written.slice(0, -2));
    if (KILL.test(written)) return this.#kill(written);
    const { code, stdout, stderr } = await this.#shell.run(this.#translated(written));
    this.#judge.equal(code, 0, `${written}\n${stderr}`);
    this.#said = stdout;
  }

  async #serve(written: string): Promise<void> {
    const role = written.split(' ')[1] as string;
    // One that says where it listens, or connects, other than on a port does so here.
    const given = / --(listen|connect) (?!tcp:)/.test(written);
    const job = await this.#shell.serve(this.#translated(written), given ? '' : undefined);
    const { at } = job;
    this.#jobs.push(job);
    if (!given && PLACES[role] !== undefined) this.#here.set(PLACES[role], at);
  }

  /** Ends jobs, as the shell does. */
  async #kill(written: string): Promise<void> {
    for (const [, number] of written.matchAll(/%(\d+)/g)) {
      const job = this.#jobs[Number(number) - 1];
      this.#judge.equal(job?.child.kill('SIGTERM'), true, `${written}: job ${number} is there`);
      if (job !== undefined) await within(written, job.ended);
    }
  }

  /** A text with the places of roles as they are here. */
  #placed(text: string): string {
    return [...this.#here].reduce((placed, [there, here]) => placed.replaceAll(there, here), text);
  }

  #translated(written: string): string {
    const server = this.#here.get(PLACES.server as string);
    // The policy says another place of the Server than the one it has here.
    const elsewhere = written.startsWith(`${COMMAND} client `) && server !== undefined ? ` --url http://${server}` : '';
    return this.#placed(written) + elsewhere;
  }
}

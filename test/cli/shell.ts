/** Commands of a document, as somebody types them: on free ports, in a folder of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Test } from 'tap';
import { until, within } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { freshFolder } from '../support/roles.js';
import '../support/processes.js';

const COMPILED = join(PROJECT_ROOT, 'dist', 'lib', 'cli');

/** The commands of the block `name`, those of several lines on one. */
export function commandsOf(markdown: string, name: string): string[] {
  const [, block = ''] = new RegExp(`^\`\`\`sh ${name}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(markdown) ?? [];
  return block
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter(Boolean);
}

export interface Ended {
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A shell in a folder of its own, which knows the command by its name. */
export class Shell {
  readonly folder: string;
  readonly #t: Test;
  readonly #variables: Readonly<Record<string, string>>;

  /** @param variables what the commands find in their environment */
  constructor(t: Test, variables: Readonly<Record<string, string>> = {}) {
    this.#t = t;
    this.#variables = variables;
    this.folder = freshFolder(t);
    const script = `#!/bin/sh\nexec '${process.execPath}' '${join(COMPILED, 'main.js')}' "$@"\n`;
    writeFileSync(join(this.folder, 'veracruz-streams'), script, { mode: 0o755 });
  }

  start(command: string): { child: ChildProcess; said: { stdout: string; stderr: string }; ended: Promise<Ended> } {
    const child = spawn('bash', ['-c', command], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.#variables, PATH: [this.folder, process.env.PATH].join(delimiter) },
    });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] += text;
      });
    }
    const ended = once(child, 'close').then(([code, signal]) => ({ code: (code ?? signal) as Ended['code'], ...said }));
    this.#t.teardown(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    return { child, said, ended };
  }

  run(command: string): Promise<Ended> {
    return within(command, this.start(command).ended);
  }

  /** A role, when it listens: on a free port, unless its place is said in other words. */
  async serve(command: string, place = '--listen tcp://127.0.0.1:0') {
    // In the shell's place: a signal is for the role.
    const role = this.start(`exec ${command} ${place} --log-level error`);
    await until(`${command} listens`, () => {
      if (role.child.exitCode !== null) throw new Error(`${command}: ${role.said.stderr}`);
      return role.said.stdout.includes('\n');
    });
    return { ...role, at: role.said.stdout.replace(/^listening at (?:\w+:\/\/)?(.*)\n$/, '$1') };
  }
}

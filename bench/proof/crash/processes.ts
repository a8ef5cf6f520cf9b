/** Processes that are killed: how they are started, what they have started themselves, and what is left of them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ROLE_NODE_FLAGS } from '../../../lib/cli/tune-v8.js';

const MAIN = fileURLToPath(new URL('../../../lib/cli/main.js', import.meta.url));
/** Milliseconds after which a wait of a proof is a hang. */
export const HANG_MS = 120_000;
const LOOK_MS = 20;
const TAIL_BYTES = 4096;

/** Waits until `holds`. Throws when that takes longer than `ms`. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, ms = HANG_MS): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`did not come about within ${ms} ms: ${what}`);
    await pause(LOOK_MS);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((go) => setTimeout(go, ms));
}

/** A role of the command line. */
export class RoleProcess {
  readonly #child: ChildProcess;
  #stderr = '';

  /** @param args the command and its flags */
  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [...ROLE_NODE_FLAGS, MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-TAIL_BYTES);
    });
  }

  /** Waits until it listens. Returns where. */
  async ready(): Promise<string> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), HANG_MS);
    try {
      for await (const line of createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })) {
        if (line.startsWith('listening at ')) return line.slice('listening at '.length);
      }
    } finally {
      clearTimeout(timer);
      this.#child.stdout?.resume();
    }
    throw new Error(`${this.#child.spawnargs.slice(-8).join(' ')} did not start: ${this.#stderr}`);
  }

  /** kill -9. Returns what it had started, which is to end by itself. */
  async kill(): Promise<readonly Running[]> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return [];
    const exited = once(this.#child, 'exit');
    // Stopped first, so that it starts nothing between the look and the kill.
    this.#child.kill('SIGSTOP');
    const started = descendants(this.#child.pid as number);
    this.#child.kill('SIGKILL');
    await exited;
    return started;
  }
}

/** A process by its number and the tick at which it began, as numbers are used again. */
export interface Running {
  readonly pid: number;
  readonly began: string;
}

/** What `pid` has started, and what that has started. Empty where there is no /proc. */
function descendants(pid: number): Running[] {
  const parents = new Map<number, Running[]>();
  for (const name of numbersIn('/proc')) {
    const stat = statOf(name);
    if (stat === undefined) continue;
    const siblings = parents.get(stat.parent) ?? [];
    siblings.push({ pid: name, began: stat.began });
    parents.set(stat.parent, siblings);
  }
  const all: Running[] = [];
  for (const next = [pid]; next.length > 0; ) {
    const children = parents.get(next.pop() as number) ?? [];
    all.push(...children);
    next.push(...children.map((child) => child.pid));
  }
  return all;
}

export function isRunning({ pid, began }: Running): boolean {
  const stat = statOf(pid);
  return stat !== undefined && stat.began === began && stat.state !== 'Z';
}

function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder).map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function statOf(pid: number): { state: string; parent: number; began: string } | undefined {
  try {
    // State, parent and start are the fields 3, 4 and 22; the second, in parentheses, may hold blanks.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return { state: fields[0] as string, parent: Number(fields[1]), began: fields[19] as string };
  } catch {
    return undefined;
  }
}

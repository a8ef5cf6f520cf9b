import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ROLE_NODE_FLAGS } from '../../lib/cli/tune-v8.js';
import { type CpuTime, cpuTimeOf, descriptorsOf, forgetPeak, peakRssOf, rssOf } from './proc.js';
import type { Answer, Command } from './serve-commands.js';

/** Milliseconds for a part to end when told to. */
const END_MS = 5000;

/** What a process used between two moments. */
export interface Usage {
  readonly cpu: CpuTime | undefined;
  /** Bytes. */
  readonly peakRss: number | undefined;
}

/** How the process of a part is started; as any other, where nothing is said. */
export interface PartLaunch {
  /** Variables of its environment, beside our own. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command that is to run the command that follows it. */
  readonly within?: readonly [string, ...string[]];
}

/** One process of a fixture: a module of `bench/parts/`, started here and commanded over IPC. */
export class Part {
  readonly role: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  #commands = 0;
  #before: CpuTime | undefined;

  /**
   * @param role what it is called in tables
   * @param module name of the file in `bench/parts/`, without its ending
   */
  constructor(role: string, module: string, { env = {}, within: [command, ...words] = [process.execPath] }: PartLaunch = {}) {
    this.role = role;
    // A peer's processes are started as ours are. What a test runner loads into its own processes is not for them.
    const flags = [...process.execArgv.filter((flag) => !flag.startsWith('--import')), ...ROLE_NODE_FLAGS];
    this.#child = fork(fileURLToPath(new URL(`../parts/${module}.js`, import.meta.url)), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ...env },
      execPath: command,
      execArgv: command === process.execPath ? flags : [...words, process.execPath, ...flags],
    });
    this.#child.on('message', (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ('fault' in answer) waiting?.reject(new Error(`${role}: ${answer.fault}`));
      else waiting?.resolve(answer.result);
    });
    this.#child.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the ${role} process ended with ${signal ?? code}`));
      this.#waiting.clear();
    });
  }

  /** Sends a command; the answer is whatever the part's module says it is. */
  ask<T>(command: string, argument?: unknown): Promise<T> {
    const id = ++this.#commands;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.#child.send({ id, command, argument } satisfies Command, (error) => error && reject(error));
    });
  }

  /** From here on `usage()` counts. */
  mark(): void {
    forgetPeak(this.pid);
    this.#before = cpuTimeOf(this.pid);
  }

  usage(): Usage {
    const [before, now] = [this.#before, cpuTimeOf(this.pid)];
    const cpu = before && now ? { user: now.user - before.user, system: now.system - before.system } : undefined;
    return { cpu, peakRss: peakRssOf(this.pid) };
  }

  /** Resident memory (bytes) and open descriptors now. */
  holds(): { readonly rss: number | undefined; readonly descriptors: number | undefined } {
    return { rss: rssOf(this.pid), descriptors: descriptorsOf(this.pid) };
  }

  /** Ends the process: in good order if it follows, else at once. */
  async end(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
    if (child.connected) child.disconnect();
    await exited;
    clearTimeout(timer);
  }

  get pid(): number {
    return this.#child.pid as number;
  }
}

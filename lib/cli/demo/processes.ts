import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ClosedError, TransportError } from '../../core/errors.js';
import type { ReadyMessage } from '../role-process.js';
import { ROLE_NODE_FLAGS } from '../tune-v8.js';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/** Milliseconds for a role to say that it is there, and to end when told to. */
const READY_MS = 30_000;
const END_MS = 10_000;

/** The demo's processes: started one by one, ended all together. */
export class Processes {
  /** Rejects when a process ends that was not to. */
  readonly died: Promise<never>;
  #reject: (error: TransportError) => void = () => {};
  #ended = false;
  readonly #children = new Map<string, ChildProcess>();
  /** What each wrote to standard error, its last 4 KiB. */
  readonly #stderr = new Map<string, string>();

  constructor() {
    this.died = new Promise((_, reject) => {
      this.#reject = reject;
    });
    this.died.catch(() => {});
  }

  /** Starts a role through the command line; gives where it listens. */
  async role(name: string, args: readonly string[]): Promise<string> {
    const child = this.#start(name, MAIN, args, 'json');
    let timer: NodeJS.Timeout | undefined;
    const ready = new Promise<string>((resolve, reject) => {
      timer = setTimeout(() => reject(this.#failed(name, `was not there after ${READY_MS} ms`)), READY_MS);
      child.once('message', (message: ReadyMessage) => resolve(message.at));
    });
    return Promise.race([ready, this.died]).finally(() => clearTimeout(timer));
  }

  /** Starts a module of the demo beside this one; the caller talks to it by messages. */
  own(name: string, module: string): ChildProcess {
    return this.#start(name, fileURLToPath(new URL(module, import.meta.url)), [], 'advanced');
  }

  /** Peak resident memory in bytes by process; undefined where the system does not tell. */
  peakMemory(): Record<string, number | undefined> {
    return Object.fromEntries([...this.#children].map(([name, child]) => [name, peakOf(child.pid)]));
  }

  /** Processor seconds, user and system, by process so far; undefined where the system does not tell. */
  cpuSeconds(): Record<string, number | undefined> {
    return Object.fromEntries([...this.#children].map(([name, child]) => [name, cpuOf(child.pid)]));
  }

  /** Ends all, in good order where they follow, else at once. */
  async end(): Promise<void> {
    this.#ended = true;
    const children = [...this.#children.values()];
    this.#children.clear();
    await Promise.all(children.map(endProcess));
  }

  #start(name: string, module: string, args: readonly string[], serialization: 'json' | 'advanced'): ChildProcess {
    if (this.#ended) throw new ClosedError('the demo is over', { layer: 'demo' });
    const child = fork(module, args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization,
      execArgv: [...process.execArgv, ...ROLE_NODE_FLAGS],
    });
    this.#children.set(name, child);
    child.once('exit', (code, signal) => this.#reject(this.#failed(name, `ended with ${signal ?? code}`)));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr.set(name, ((this.#stderr.get(name) ?? '') + text).slice(-4096));
    });
    return child;
  }

  /** Says why a process is no more. */
  #failed(name: string, what: string): TransportError {
    const said = (this.#stderr.get(name) ?? '').trim().split('\n').at(-1);
    return new TransportError(`the ${name} process ${what}${said === '' ? '' : `: ${said}`}`, { layer: 'demo' });
  }
}

async function endProcess(child: ChildProcess): Promise<void> {
  child.removeAllListeners('exit');
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

/** Linux counts it in VmHWM, of this program alone; `ru_maxrss` would count the parent's as well. */
function peakOf(pid: number | undefined): number | undefined {
  try {
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return match === null ? undefined : Number(match[1]) * 1024;
  } catch {
    return undefined;
  }
}

/** Ticks of 1/100 s, in the 14th and 15th field; the second, in parentheses, may hold blanks. */
function cpuOf(pid: number | undefined): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}

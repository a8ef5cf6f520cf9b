import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ClosedError, TransportError } from '../../core/errors.js';
import type { ReadyMessage } from '../role-process.js';
import { ROLE_NODE_FLAGS } from '../tune-v8.js';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/** Milliseconds that a role may take to be ready, and to end after SIGTERM. */
const READY_MS = 30_000;
const END_MS = 10_000;
/** As `END_MS`, where somebody waits at the keyboard. */
const INTERRUPT_MS = 2000;

/** The demo's processes. They are started one by one and ended together. */
export class Processes {
  /** Rejects when a process ends unexpectedly. */
  readonly died: Promise<never>;
  #reject: (error: TransportError) => void = () => {};
  #ended = false;
  readonly #children = new Map<string, ChildProcess>();
  /** The last 4 KiB that each process wrote to standard error. */
  readonly #stderr = new Map<string, string>();

  constructor() {
    this.died = new Promise((_, reject) => {
      this.#reject = reject;
    });
    this.died.catch(() => {});
  }

  /** Starts a role through the command line. Returns the address that it listens at. */
  async role(name: string, args: readonly string[]): Promise<string> {
    const child = this.#start(name, MAIN, args, 'json');
    let timer: NodeJS.Timeout | undefined;
    const ready = new Promise<string>((resolve, reject) => {
      timer = setTimeout(() => reject(this.#failed(name, `was not there after ${READY_MS} ms`)), READY_MS);
      child.once('message', (message: ReadyMessage) => resolve(message.at));
    });
    return Promise.race([ready, this.died]).finally(() => clearTimeout(timer));
  }

  /** Starts a module of this folder as a process. The caller exchanges messages with it. */
  own(name: string, module: string): ChildProcess {
    return this.#start(name, fileURLToPath(new URL(module, import.meta.url)), [], 'advanced');
  }

  /** Peak resident memory of each process in bytes; undefined where the system does not report it. */
  peakMemory(): Record<string, number | undefined> {
    return Object.fromEntries([...this.#children].map(([name, child]) => [name, peakOf(child.pid)]));
  }

  /** Processor seconds of each process so far, user and system; undefined where the system does not report them. */
  cpuSeconds(): Record<string, number | undefined> {
    return Object.fromEntries([...this.#children].map(([name, child]) => [name, cpuOf(child.pid)]));
  }

  /** No process is started any more. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Ends all processes with SIGTERM, and with SIGKILL those that have not ended after ten seconds, or after two when the demo
   * was `interrupted`.
   */
  async end({ interrupted = false }: { readonly interrupted?: boolean } = {}): Promise<void> {
    this.#ended = true;
    const children = [...this.#children.values()];
    this.#children.clear();
    await Promise.all(children.map((child) => endProcess(child, interrupted ? INTERRUPT_MS : END_MS)));
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

  /** The error for a process that failed, with the last line that it wrote to standard error. */
  #failed(name: string, what: string): TransportError {
    const said = (this.#stderr.get(name) ?? '').trim().split('\n').at(-1);
    return new TransportError(`the ${name} process ${what}${said === '' ? '' : `: ${said}`}`, { layer: 'demo' });
  }
}

async function endProcess(child: ChildProcess, patienceMs: number): Promise<void> {
  child.removeAllListeners('exit');
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

/** Peak memory from Linux's VmHWM, which covers this program alone. `ru_maxrss` would include the parent's memory. */
function peakOf(pid: number | undefined): number | undefined {
  try {
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return match === null ? undefined : Number(match[1]) * 1024;
  } catch {
    return undefined;
  }
}

/** Processor time from fields 14 and 15 of `stat`, in ticks of 1/100 s. Field 2, in parentheses, may contain blanks. */
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

/** A thread that notices an input whose reader does not come back, and says which it is. */
import { writeSync } from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

const MAX_BYTES = 262_144;
/** In the shared memory: a counter of inputs (0 while there is none), the length of the input, then target and input. */
const WORDS = 2;

interface Shared {
  readonly memory: SharedArrayBuffer;
  readonly limitMs: number;
}

export class Watchdog {
  readonly #words: Int32Array;
  readonly #bytes: Buffer;
  readonly #worker: Worker;
  #count = 0;

  /** @param limitMs milliseconds after which an input is a hang: this process is then killed */
  constructor(limitMs: number) {
    const memory = new SharedArrayBuffer(WORDS * 4 + MAX_BYTES);
    this.#words = new Int32Array(memory, 0, WORDS);
    this.#bytes = Buffer.from(memory, WORDS * 4);
    this.#worker = new Worker(new URL(import.meta.url), { workerData: { memory, limitMs } satisfies Shared });
    this.#worker.unref();
  }

  begins(target: string, input: Buffer): void {
    const head = this.#bytes.write(`${target} `, 'latin1');
    this.#words[1] = head + input.copy(this.#bytes, head);
    this.#count = (this.#count % (2 ** 31 - 1)) + 1;
    Atomics.store(this.#words, 0, this.#count);
  }

  rests(): void {
    Atomics.store(this.#words, 0, 0);
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

function watch({ memory, limitMs }: Shared): never {
  const words = new Int32Array(memory, 0, WORDS);
  for (;;) {
    const seen = Atomics.load(words, 0);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, limitMs);
    if (seen === 0 || Atomics.load(words, 0) !== seen) continue;
    const bytes = Buffer.from(memory, WORDS * 4, words[1]);
    const blank = bytes.indexOf(' ');
    const target = bytes.toString('latin1', 0, blank);
    writeSync(2, `violation: ${target}: hangs\n  replay: npm run fuzz -- ${target} --replay ${bytes.toString('hex', blank + 1)}\n`);
    process.kill(process.pid, 'SIGKILL');
  }
}

if (!isMainThread && workerData !== null && typeof workerData === 'object' && 'memory' in workerData) watch(workerData as Shared);

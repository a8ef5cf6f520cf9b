/** A client that works all the time: it writes, appends and reads one file, and connects anew when its session is gone. */
import { buffer } from 'node:stream/consumers';
import { RequestFailedError, type VeracruzClient, VeracruzError } from 'veracruz-streams';
import { contentOf, LEAST_BYTES } from '../../simulate/contents.js';
import { type Change, FileHistory } from '../../simulate/history.js';
import { pause } from '../crash/processes.js';
import type { Random } from '../seed.js';

/** Milliseconds in which any call ends: it has several deadlines, one after the other. */
const CALL_MS = 60_000;
/** Milliseconds between two calls, and before a new try to connect: the lanes are not to measure the processor. */
const PAUSE_MS = 20;
const AGAIN_MS = 100;
const MAX_BYTES = 50_000;
/** One of so many calls ends the session, so that others are opened in each fault. */
const LEAVES = 10;

/** What the lanes of a round have in common. */
export interface Work {
  readonly random: Random;
  /** Whether a disk fails, or may: then a refusal does not say that nothing was done. */
  readonly disk: boolean;
  readonly connect: () => Promise<VeracruzClient>;
  readonly violations: string[];
  /** Calls by how they ended. */
  readonly ended: Map<string, number>;
}

let changes = 0;

export class Lane {
  readonly #name: string;
  readonly #work: Work;
  readonly #history: FileHistory;
  #client: VeracruzClient | undefined;
  #session = 0;
  #stopped = false;
  #running: Promise<void> | undefined;

  /** @param name of its file at the manager */
  constructor(name: string, work: Work) {
    this.#name = name;
    this.#work = work;
    this.#history = new FileHistory(name);
  }

  begin(): void {
    this.#running = this.#run();
  }

  /** Ends after the call that is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Compares what is there with what was done, and leaves nothing behind. For afterwards, when all is well. */
  async judge(): Promise<void> {
    await this.#read();
    await this.#call('clear', (client) => client.writeFile(this.#name, Buffer.alloc(0)));
    await this.#leave();
  }

  async #run(): Promise<void> {
    const { random } = this.#work;
    while (!this.#stopped) {
      if (this.#client === undefined && !(await this.#connect())) await pause(AGAIN_MS);
      else if (random.oneIn(LEAVES)) await this.#leave();
      else if (random.oneIn(3)) await this.#read();
      else await this.#change(random.oneIn(3) ? 'write' : 'append', LEAST_BYTES + random.length(MAX_BYTES));
      await pause(PAUSE_MS);
    }
  }

  async #connect(): Promise<boolean> {
    await this.#timed('connect', async () => {
      this.#client = await this.#work.connect();
      this.#session++;
    });
    return this.#client !== undefined;
  }

  async #leave(): Promise<void> {
    await this.#call('leave', (client) => client.close());
    this.#client = undefined;
  }

  async #change(kind: Change['kind'], bytes: number): Promise<void> {
    const start = performance.now();
    const change: Change = { id: ++changes, session: this.#session, kind, bytes, start, end: 0, outcome: 'under way' };
    this.#history.begin(change);
    const content = contentOf(change.id, bytes);
    const failure = await this.#call(kind, (client) =>
      kind === 'write' ? client.writeFile(this.#name, content) : client.appendFile(this.#name, content),
    );
    change.end = performance.now();
    const refused = failure instanceof RequestFailedError && !this.#work.disk;
    change.outcome = failure === undefined ? 'done' : refused ? 'refused' : 'unknown';
  }

  async #read(): Promise<void> {
    const start = performance.now();
    let contents: Buffer | undefined;
    const failure = await this.#call('read', async (client) => {
      contents = await buffer(await client.readFile(this.#name));
    });
    // A manager says no more of a file that is not there than of one that cannot be read.
    if (failure !== undefined && (this.#work.disk || !(failure instanceof RequestFailedError))) return;
    const wrong = this.#history.judge(contents, start, performance.now());
    if (wrong !== undefined) this.#work.violations.push(wrong);
  }

  /** A call of the session that there is. A session whose call failed is left. @returns the error, if there was one */
  async #call(what: string, work: (client: VeracruzClient) => Promise<unknown>): Promise<unknown> {
    const client = this.#client ?? ((await this.#connect()) ? this.#client : undefined);
    if (client === undefined) return new Error('no session');
    const failure = await this.#timed(what, () => work(client));
    if (failure !== undefined && !(failure instanceof RequestFailedError)) {
      this.#client = undefined;
      client.close().catch(() => {});
    }
    return failure;
  }

  async #timed(what: string, work: () => Promise<unknown>): Promise<unknown> {
    const { ended, violations } = this.#work;
    const late = setTimeout(() => violations.push(`${what} of ${this.#name} is not over after ${CALL_MS} ms`), CALL_MS);
    const count = (how: string) => ended.set(how, (ended.get(how) ?? 0) + 1);
    try {
      await work();
      count('done');
      return undefined;
    } catch (error) {
      const code = error instanceof VeracruzError ? error.code : undefined;
      count(code ?? 'no name');
      if (code === undefined || code === 'ERR_VC') violations.push(`${what} of ${this.#name}: no named error: ${(error as Error).stack}`);
      return error;
    } finally {
      clearTimeout(late);
    }
  }
}

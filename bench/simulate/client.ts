import { Readable } from 'node:stream';
import { clock } from '../../lib/core/clock.js';
import { RequestFailedError, VeracruzError } from '../../lib/core/errors.js';
import { type ClientOptions, VeracruzClient } from '../../lib/roles/client/client.js';
// Loaded before the simulated time begins, not with the first `connect`.
import '../../lib/roles/client/parts.js';
import { contentOf } from './contents.js';
import type { Change, Outcome } from './history.js';
import type { Operation } from './plan.js';
import type { World } from './world.js';

/** Milliseconds of virtual time in which any call must have ended: each has deadlines, and these add up to less. */
const CALL_MS = 900_000;
/** Milliseconds between two tries to connect, at most. */
const AGAIN_MS = 5000;
/** Tries after which a client that was never let in is a fault of the fleet. */
const TRIES = 400;

/** A change as the plan has it. */
type Wanted = Pick<Change, 'kind' | 'bytes'> & { readonly file: number; readonly streamed: boolean };

/** A principal: makes its calls one after the other, and connects anew whenever its session is gone. */
export class SimulatedClient {
  readonly #k: number;
  readonly #world: World;
  #life = 0;
  #client: VeracruzClient | undefined;
  /** The manager that the session is with, and which of this client's sessions it is. */
  #manager = '';
  #session = 0;
  /** Sessions that were left, and are still closing. */
  readonly #closing: Promise<void>[] = [];

  constructor(k: number, world: World) {
    this.#k = k;
    this.#world = world;
  }

  async run(operations: readonly Operation[]): Promise<void> {
    for (const operation of operations) {
      await clock.sleep(operation.pauseMs);
      await this.#carryOut(operation);
    }
    this.#leave();
    await Promise.all(this.#closing);
  }

  async #carryOut(operation: Operation): Promise<void> {
    switch (operation.kind) {
      case 'reconnect':
        return this.#leave();
      case 'vanish':
        this.#world.network.kill(this.#host);
        this.#leave();
        this.#life++;
        return;
      case 'hash':
        await this.#call(await this.#connected(), 'policyHash', (client) => client.policyHash());
        return;
      case 'read':
        return this.#read(operation.file, operation.slowMs);
      case 'read of another':
        return this.#trespass(operation.file);
      case 'aborted write':
        return this.#change(await this.#connected(), { ...operation, kind: 'write', streamed: false }, operation.afterMs);
      case 'burst': {
        const client = await this.#connected();
        await Promise.all(operation.changes.map((change) => this.#change(client, { ...change, streamed: false })));
        return;
      }
      case 'write':
      case 'append':
        return this.#change(await this.#connected(), operation);
    }
  }

  async #change(client: VeracruzClient, { kind, file, bytes, streamed }: Wanted, abortMs?: number): Promise<void> {
    const world = this.#world;
    const start = clock.monotonic();
    const change: Change = { id: world.nextId(), session: this.#session, kind, bytes, start, end: 0, outcome: 'under way' };
    const [manager, name] = [this.#manager, world.fileName(this.#k, file)];
    world.history(manager, this.#k, file).begin(change);
    const content = contentOf(change.id, bytes);
    const source = streamed ? Readable.from([content.subarray(0, bytes >> 1), content.subarray(bytes >> 1)]) : content;
    const abort = new AbortController();
    const timer = abortMs === undefined ? undefined : clock.setTimeout(() => abort.abort(), abortMs);
    const options = { size: bytes, signal: abort.signal };
    const failure = await this.#call(client, `${kind} #${change.id}`, () =>
      kind === 'write' ? client.writeFile(name, source, options) : client.appendFile(name, source, options),
    );
    clock.clear(timer);
    change.end = clock.monotonic();
    change.outcome = this.#outcomeOf(failure);
    world.count(`${kind}: ${change.outcome}`);
    world.say(`c${this.#k}`, `${kind} #${change.id} of ${name} at ${manager}: ${change.outcome}`);
  }

  /** A disk that fails may have done what it says it has not. */
  #outcomeOf(failure: unknown): Outcome {
    if (failure === undefined) return 'done';
    return failure instanceof RequestFailedError && !this.#world.disksFailed ? 'refused' : 'unknown';
  }

  async #read(file: number, slowMs: number): Promise<void> {
    const client = await this.#connected();
    const start = clock.monotonic();
    const history = this.#world.history(this.#manager, this.#k, file);
    let contents: Buffer | undefined;
    const failure = await this.#call(client, 'read', async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of await client.readFile(this.#world.fileName(this.#k, file))) {
        chunks.push(chunk as Buffer);
        if (slowMs > 0) await clock.sleep(slowMs);
      }
      contents = Buffer.concat(chunks);
    });
    // A manager says no more of a file that is not there than of one that cannot be read.
    const missing = failure instanceof RequestFailedError && !this.#world.disksFailed;
    if (failure !== undefined && !missing) return;
    this.#world.count(contents === undefined ? 'read: no file' : 'read: done');
    const fault = history.judge(contents, start, clock.monotonic());
    this.#world.say(`c${this.#k}`, `read ${contents?.length ?? 'no file'}`);
    if (fault !== undefined) this.#world.fail(`read at ${this.#manager}: ${fault}`);
  }

  /** A file of another principal must not be given, whoever's session it is. */
  async #trespass(file: number): Promise<void> {
    let given: Readable | undefined;
    await this.#call(await this.#connected(), 'read of another', async (client) => {
      given = await client.readFile(this.#world.fileName(this.#k + 1, file));
      given.destroy();
    });
    if (given !== undefined) this.#world.fail(`client ${this.#k} was given a file of another`);
  }

  /** Runs a call, and judges how it ends. @returns its error, if it had one */
  async #call(client: VeracruzClient, what: string, work: (client: VeracruzClient) => Promise<unknown>): Promise<unknown> {
    const failure = await this.#timed(what, work(client));
    if (failure !== undefined && !(failure instanceof RequestFailedError) && this.#client === client) this.#leave();
    return failure;
  }

  async #timed(what: string, work: Promise<unknown>): Promise<unknown> {
    const late = clock.setTimeout(() => this.#world.fail(`client ${this.#k}: ${what} was not over after ${CALL_MS} ms`), CALL_MS);
    try {
      await work;
      return undefined;
    } catch (error) {
      this.#world.say(`c${this.#k}`, `${what} failed: ${(error as Error).message}`);
      this.#world.count(`error of ${what.replace(/ #.*/, '')}: ${String((error as VeracruzError).code)}`);
      if (!(error instanceof VeracruzError) || error.code === 'ERR_VC') {
        this.#world.fail(`client ${this.#k}: ${what} ended with an error without a name: ${(error as Error).stack}`);
      }
      return error;
    } finally {
      clock.clear(late);
    }
  }

  async #connected(): Promise<VeracruzClient> {
    for (let tries = 0; this.#client === undefined; tries++) {
      if (tries === TRIES) throw new Error(`client ${this.#k} was not let in ${TRIES} times`);
      const server = this.#world.random.below(this.#world.plan.servers);
      await this.#timed('connect', this.#connect(server));
      if (this.#client === undefined) await clock.sleep(this.#world.random.magnitude(10, AGAIN_MS));
    }
    return this.#client;
  }

  async #connect(server: number): Promise<void> {
    const { plan, credentials, fleet } = this.#world;
    const direct = plan.clients[this.#k]?.direct === true && plan.managers === 1;
    const at = `${this.#host}-s${server}`;
    const options: ClientOptions = {
      url: direct ? `tcp://${at}:3012` : `http://${at}:3011`,
      identity: credentials.clients[this.#k] as { certificate: string; key: string },
      authority: credentials.authority.certificate,
      dialect: plan.dialect,
      answerTimeoutMs: plan.answerTimeoutMs,
    };
    const client = await VeracruzClient.connect(options);
    this.#manager = (direct ? undefined : fleet.managerOf(this.#k)) ?? 'm0';
    this.#world.say(`c${this.#k}`, `session ${client.session} at s${server}, ${this.#manager}`);
    this.#session++;
    this.#client = client;
  }

  /** Leaves the session. The next call opens another. */
  #leave(): void {
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) this.#closing.push(this.#timed('close', client.close()).then(() => {}));
  }

  get #host(): string {
    return `c${this.#k}.${this.#life}`;
  }
}

import { clock } from '../../lib/core/clock.js';
import { RuntimeManager } from '../../lib/roles/runtime-manager/runtime-manager.js';
import { VeracruzServer } from '../../lib/roles/server/server.js';
import { SimulatedClient } from './client.js';
import { CLIENTS, type Credentials } from './credentials.js';
import { USUAL_SLOW_MS } from './disk.js';
import { beginFault } from './faults.js';
import { Fleet, type StoreWrapper } from './fleet.js';
import { FileHistory } from './history.js';
import type { Line } from './line.js';
import type { Network } from './network.js';
import { type Fault, type Plan, planOf } from './plan.js';
import { PlanRandom } from './random.js';
import { Simulator } from './simulator.js';

/** Hours of virtual time that a run may last. */
const RUN_MS = 5 * 3_600_000;
/** Virtual milliseconds in which a fleet without faults must be whole again: reconnects, handshakes, attestations. */
const HEAL_MS = 900_000;
/** Bytes that may be on their way at once in a run: some buffers for each connection. */
const NETWORK_BYTES = 64 * 2 ** 20;

/** What a run says of itself. */
export interface Outcome {
  readonly plan: Plan;
  /** What was wrong; undefined when nothing was. */
  readonly violation: string | undefined;
  readonly steps: number;
  readonly virtualMs: number;
  /** Calls of clients that changed a file, and how many of them were acknowledged. */
  readonly changes: number;
  /** How often what happened: faults, answers, errors by their codes. */
  readonly tally: ReadonlyMap<string, number>;
  /** The lines of the roles and of the clients, with their virtual times. */
  readonly story: readonly string[];
}

export interface RunOptions {
  readonly credentials: Credentials;
  readonly epoch: number;
  /** Keeps the story of the run. Default false. */
  readonly tell?: boolean;
  /** Put between each manager and its store. Default none. */
  readonly wrap?: StoreWrapper;
}

/** One run: a fleet, its clients, and what goes wrong. */
export class World {
  readonly plan: Plan;
  readonly credentials: Credentials;
  readonly random: PlanRandom;
  readonly fleet: Fleet;
  readonly story: string[] = [];
  readonly tally = new Map<string, number>();
  readonly #simulator: Simulator;
  readonly #tell: boolean;
  readonly #histories = new Map<string, FileHistory>();
  #violation: Error | undefined;
  /** No further fault begins. */
  #healed = false;
  /** A disk has refused something before its place was given another. */
  #failedBefore = false;
  #ids = 0;

  constructor(seed: number, { credentials, epoch, tell = false, wrap }: RunOptions) {
    this.plan = planOf(seed);
    this.credentials = credentials;
    this.random = new PlanRandom(seed, 'run');
    this.#tell = tell;
    const { latencyMs, rate } = this.plan;
    const lines = this.random.branch();
    const newLine = (): Line => {
      const usual = { latencyMs: latencyMs * lines.next(), rate };
      return { ...usual, usual, jitterMs: latencyMs * lines.next(), silent: false };
    };
    this.#simulator = new Simulator(this.random.branch(), epoch, newLine);
    const log = (place: string) => (level: string, event: string, figures?: object) =>
      this.say(place, `${level} ${event} ${figures === undefined ? '' : JSON.stringify(figures)}`);
    this.fleet = new Fleet(this.plan, this.#simulator, credentials, log, wrap);
    this.#simulator.check = () => this.#check();
  }

  get network(): Network {
    return this.#simulator.network;
  }

  /** A disk has refused something in this run. */
  get disksFailed(): boolean {
    for (const { disk } of this.fleet.places) if (disk.failed > 0) return true;
    return this.#failedBefore;
  }

  nextId(): number {
    return ++this.#ids;
  }

  fileName(client: number, file: number): string {
    return `/c${client % CLIENTS}/file-${file}`;
  }

  history(manager: string, client: number, file: number): FileHistory {
    const key = `${manager} ${this.fileName(client, file)}`;
    let history = this.#histories.get(key);
    if (history === undefined) {
      history = new FileHistory(key);
      this.#histories.set(key, history);
    }
    return history;
  }

  /** Counts something that happened. */
  count(what: string): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
  }

  /** Something is wrong; the run ends with the next step. The first one counts. */
  fail(message: string): void {
    this.say('simulation', `VIOLATION ${message}`);
    this.#violation ??= new Error(message);
  }

  say(who: string, line: string): void {
    if (this.#tell) this.story.push(`${(this.#simulator.clock.monotonic() / 1000).toFixed(3).padStart(10)} ${who.padEnd(5)} ${line}`);
  }

  async run(): Promise<Outcome> {
    const unhandled = (error: unknown) => this.fail(`nobody handled ${(error as Error).stack ?? String(error)}`);
    process.on('unhandledRejection', unhandled);
    process.on('uncaughtException', unhandled);
    await this.#simulator.enter();
    let violation: string | undefined;
    try {
      await this.#simulator.until(this.#all(), 'the run', RUN_MS);
      await this.#leaveNothing();
      if (this.#violation !== undefined) throw this.#violation;
    } catch (error) {
      violation = (this.#violation ?? (error as Error)).message;
    } finally {
      await this.#simulator.quiet();
      this.#simulator.leave();
      process.off('unhandledRejection', unhandled);
      process.off('uncaughtException', unhandled);
    }
    const { steps, clock: time } = this.#simulator;
    return { plan: this.plan, violation, steps, virtualMs: time.monotonic(), changes: this.#ids, tally: this.tally, story: this.story };
  }

  async #all(): Promise<void> {
    this.fleet.start();
    for (const fault of this.plan.faults) clock.setTimeout(() => this.#begin(fault), fault.atMs);
    const clients = this.plan.clients.map(({ operations }, k) => new SimulatedClient(k, this).run(operations));
    await Promise.all(clients);
    await this.#heal();
    await this.#compare('at the end');
    await this.#sessionsEnd();
    if (this.plan.seed % 2 === 0) {
      for (const { name } of this.fleet.places) if (name.startsWith('m')) this.fleet.kill(name, 1, true);
      await this.#wait('the fleet to be whole after the power failed', () => this.fleet.whole);
      await this.#compare('after the power failed');
    }
    await this.fleet.end();
  }

  #begin(fault: Fault): void {
    if (this.#healed) return;
    this.say('fault', JSON.stringify(fault));
    this.count(`fault: ${fault.kind}`);
    if (fault.kind === 'kill') this.#failedBefore ||= this.disksFailed;
    beginFault(fault, this.#simulator, this.fleet, (message) => this.fail(message));
  }

  /** No further fault, and all roles up: what is left after that must be right. */
  async #heal(): Promise<void> {
    this.#healed = true;
    this.#failedBefore ||= this.disksFailed;
    for (const line of this.network.lines) {
      Object.assign(line, line.usual);
      this.network.silence(line, false);
    }
    for (const place of this.fleet.places) {
      place.disk.faults.oneIn = 0;
      place.disk.slowMs = USUAL_SLOW_MS;
      place.downUntil = 0;
    }
    await this.#wait('the fleet to be whole', () => this.fleet.whole);
  }

  async #wait(what: string, there: () => boolean): Promise<void> {
    const last = clock.monotonic() + HEAL_MS;
    while (!there()) {
      if (clock.monotonic() > last) throw new Error(`waited ${HEAL_MS} ms for ${what}`);
      await clock.sleep(200);
    }
  }

  /** Compares each file of each store with what its client knows. */
  async #compare(when: string): Promise<void> {
    for (const { name, store } of this.fleet.places) {
      for (let client = 0; store !== undefined && client < this.plan.clients.length; client++) {
        for (let file = 0; file < 2; file++) {
          const start = clock.monotonic();
          const contents = await store.read(this.fileName(client, file)).then(
            async ({ stream }) => Buffer.concat((await stream.toArray()) as Buffer[]),
            () => undefined,
          );
          const fault = this.history(name, client, file).judge(contents, start, clock.monotonic());
          if (fault !== undefined) throw new Error(`${when}: ${fault}`);
        }
      }
    }
  }

  /** All clients are gone: nothing of them may stay. */
  async #sessionsEnd(): Promise<void> {
    const sessions = () => {
      let count = 0;
      for (const { role } of this.fleet.places)
        if (role instanceof VeracruzServer || role instanceof RuntimeManager) count += role.sessions;
      return count;
    };
    await this.#wait('the sessions of clients that are gone to end', () => sessions() === 0);
  }

  #check(): void {
    if (this.#violation !== undefined) throw this.#violation;
    this.fleet.check();
    if (this.network.bytes > NETWORK_BYTES) throw new Error(`${this.network.bytes} bytes are on their way`);
  }

  /** Everything was closed: no timer, connection or descriptor is left. */
  async #leaveNothing(): Promise<void> {
    const { clock: time, network, files } = this.#simulator;
    const last = time.monotonic() + HEAL_MS;
    for (let turned = true; turned && time.timers > 0 && time.monotonic() < last; ) {
      await this.#simulator.quiet();
      turned = time.advance();
    }
    await this.#simulator.quiet();
    if (time.timers > 0) throw new Error(`${time.timers} timers are left`);
    if (network.connections.size > 0) throw new Error(`${network.connections.size} connections are left`);
    if (files.handles.size > 0) throw new Error(`${files.handles.size} descriptors are left`);
  }
}

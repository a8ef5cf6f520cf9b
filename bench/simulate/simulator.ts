import { createRequire } from 'node:module';
import { useClock } from '../../lib/core/clock.js';
// A client loads these when it connects. That takes real time, which nothing here would wait for.
import '../../lib/roles/client/parts.js';
import { VirtualClock } from './clock.js';
import { FileSystem } from './file-system.js';
import type { Line } from './line.js';
import { Network } from './network.js';
import { PlanRandom } from './random.js';

/** Turns of the event loop without anything new after which nothing is taken to be under way in real time. */
const QUIET_TURNS = 4;

/** The timers of undici, which outlive a run: they would wait for a clock that nobody turns any more. */
const undiciTimers = createRequire(import.meta.url)('undici/lib/util/timers.js') as { reset(): void };

const realImmediate = setImmediate;

/** Work that did not end. */
class HangError extends Error {}

/** The world of one run: time, network and disks of its own, in the place of the machine's for the whole process. */
export class Simulator {
  readonly random: PlanRandom;
  readonly clock: VirtualClock;
  readonly network: Network;
  readonly files: FileSystem;
  /** Steps so far: times that the clock was turned. */
  steps = 0;
  /** Called after each step; throws when something is wrong. */
  check: () => void = () => {};
  readonly #restore: (() => void)[] = [];
  #immediates = 0;
  #touched = 0;

  /**
   * @param epoch what the clock says at the beginning, milliseconds since 1970. OpenSSL looks at the machine's clock, so it
   * is some hours ago: certificates that are made in the run must hold at both times.
   */
  constructor(random: PlanRandom, epoch: number, newLine: () => Line) {
    this.random = random;
    this.clock = new VirtualClock(epoch);
    this.network = new Network(this.clock, random.branch(), newLine);
    this.files = new FileSystem(this.clock);
  }

  /** Takes the machine's place. `leave` gives it back. Timers of this tick, which are of whoever called, are the machine's. */
  async enter(): Promise<void> {
    await new Promise<void>((resolve) => realImmediate(resolve));
    const { clock } = this;
    const jitter = new PlanRandom(this.random.u32(), 'Math.random');
    this.#restore.push(
      useClock(clock.parts),
      this.network.install(),
      this.files.install(),
      // undici and node:http ask for their timers here, and Backoff for its jitter.
      put(globalThis, 'setTimeout', (callback: () => void, ms = 1, ...rest: []) => clock.setTimeout(callback, ms, ...rest)),
      put(globalThis, 'setInterval', (callback: () => void, ms = 1) => clock.setInterval(callback, ms)),
      put(globalThis, 'clearTimeout', (timer: never) => clock.clear(timer)),
      put(globalThis, 'clearInterval', (timer: never) => clock.clear(timer)),
      put(globalThis, 'setImmediate', (callback: (...parameters: unknown[]) => void, ...rest: unknown[]) => {
        this.#immediates++;
        return realImmediate(
          (...given: unknown[]) => {
            this.#immediates--;
            this.#touched++;
            callback(...given);
          },
          ...rest,
        );
      }),
      put(Math, 'random', () => jitter.next()),
    );
    undiciTimers.reset();
  }

  leave(): void {
    undiciTimers.reset();
    for (const restore of this.#restore.splice(0).reverse()) restore();
  }

  /**
   * Turns the clock until `work` has settled.
   *
   * @throws HangError when there is nothing left that could go on, or `limitMs` of virtual time have passed
   */
  async until<T>(work: Promise<T>, what: string, limitMs: number): Promise<T> {
    let over = false;
    const end = () => {
      over = true;
    };
    work.then(end, end);
    const last = this.clock.monotonic() + limitMs;
    for (;;) {
      await this.quiet();
      if (over) return work;
      if (this.clock.monotonic() > last) throw new HangError(`${what}: not over after ${limitMs} ms`);
      if (!this.clock.advance()) throw new HangError(`${what}: nothing is left that it could wait for`);
      this.steps++;
      this.check();
    }
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    await this.until(this.clock.sleep(ms), 'time', ms);
  }

  /** Waits until nothing is under way that takes no virtual time: promises, TLS, streams. */
  async quiet(): Promise<void> {
    for (let turns = 0; turns < QUIET_TURNS; ) {
      const before = this.#activity;
      await new Promise<void>((resolve) => realImmediate(resolve));
      turns = this.#activity === before && this.#immediates === 0 ? turns + 1 : 0;
    }
  }

  get #activity(): number {
    return this.#touched + this.clock.touched + this.network.touched + this.files.pending;
  }
}

/** Puts a value in the place of another. @returns puts that back */
function put(owner: object, name: string, value: unknown): () => void {
  const known = owner as Record<string, unknown>;
  const before = known[name];
  known[name] = value;
  return () => {
    known[name] = before;
  };
}

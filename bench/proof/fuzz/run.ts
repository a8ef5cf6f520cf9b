/** Fuzzes one target: makes inputs, reads each whole and in pieces, and judges what came of it. */
import { VeracruzError } from '../../../lib/core/errors.js';
import { Random } from '../seed.js';
import { mutated, randomPieces } from './mutate.js';
import type { Outcome, Target } from './target.js';
import type { Watchdog } from './watchdog.js';

/** One in so many inputs is a large one, whose time is taken. */
const LARGE_ONE_IN = 512;
const LARGE_BYTES = 65_536;
/** A slow input is read again this often, and its best time counts: the machine may have been busy. */
const TIMES = 3;

export interface FuzzPlan {
  readonly inputs: number;
  readonly seed: number;
  /** Milliseconds of processor time that an input of 64 KiB may take. */
  readonly maxMs: number;
  /** Violations after which a target is given up. */
  readonly maxViolations: number;
}

export interface Violation {
  readonly target: string;
  readonly what: string;
  readonly input: Buffer;
}

export interface FuzzFigures {
  readonly target: string;
  readonly inputs: number;
  /** Inputs that were taken without an error. */
  readonly taken: number;
  /** The codes of errors, and how often each came. */
  readonly codes: ReadonlyMap<string, number>;
  /** Processor time of the slowest input of up to 64 KiB among those that were timed, milliseconds. */
  readonly worstMs: number;
  readonly seconds: number;
  readonly violations: readonly Violation[];
}

export async function fuzz(target: Target, plan: FuzzPlan, watchdog?: Watchdog): Promise<FuzzFigures> {
  const random = new Random(plan.seed, target.name);
  const codes = new Map<string, number>();
  const violations: Violation[] = [];
  let [taken, worstMs, inputs] = [0, 0, 0];
  const begun = performance.now();
  for (; inputs < plan.inputs && violations.length < plan.maxViolations; inputs++) {
    const isLarge = inputs % LARGE_ONE_IN === 0;
    const input = isLarge ? largeInput(target, random) : nextInput(target, random);
    watchdog?.begins(target.name, input);
    const outcome = await readPieces(target, [input]);
    const wrong = await judge(target, input, outcome, random);
    if (wrong !== undefined) violations.push({ target: target.name, what: wrong, input });
    if (outcome.error === undefined) taken++;
    else codes.set(codeOf(outcome.error), (codes.get(codeOf(outcome.error)) ?? 0) + 1);
    if (!isLarge) continue;
    const ms = await bestTime(target, input, plan.maxMs);
    worstMs = Math.max(worstMs, ms);
    if (ms > plan.maxMs) violations.push({ target: target.name, what: `took ${ms} ms`, input });
  }
  watchdog?.rests();
  return { target: target.name, inputs, taken, codes, worstMs, seconds: (performance.now() - begun) / 1000, violations };
}

/** Reads one input as `fuzz` does, with many cuts; for an input that is known to be bad. */
export async function replay(target: Target, input: Buffer, seed: number): Promise<string | undefined> {
  const random = new Random(seed, target.name);
  const outcome = await readPieces(target, [input]);
  for (let i = 0; i < 200; i++) {
    const wrong = await judge(target, input, outcome, random);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function goodInput(target: Target, random: Random): Buffer {
  return target.make !== undefined && random.oneIn(3) ? target.make(random) : random.pick(target.corpus);
}

function nextInput(target: Target, random: Random): Buffer {
  const good = goodInput(target, random);
  return random.oneIn(50) ? good : mutated(good, random, target.corpus);
}

/** An input of 64 KiB: good parts or bad ones, one behind the other, or one part over and over. */
function largeInput(target: Target, random: Random): Buffer {
  const part = random.oneIn(2) ? () => nextInput(target, random) : () => goodInput(target, random);
  const same = random.oneIn(2) ? part() : undefined;
  const parts: Buffer[] = [];
  for (let length = 0; length < LARGE_BYTES; ) {
    const next = same ?? part();
    parts.push(next.length === 0 ? Buffer.alloc(1, random.u32()) : next);
    length += Math.max(next.length, 1);
  }
  return Buffer.concat(parts).subarray(0, LARGE_BYTES);
}

async function readPieces(target: Target, pieces: readonly Buffer[]): Promise<Outcome> {
  try {
    return await target.read(pieces);
  } catch (error) {
    return { given: '', error };
  }
}

/** What is wrong with what an input came to; undefined when nothing is. */
async function judge(target: Target, input: Buffer, outcome: Outcome, random: Random): Promise<string | undefined> {
  const { error } = outcome;
  if (error !== undefined && !(error instanceof VeracruzError))
    return `foreign error: ${error instanceof Error ? error.stack : typeof error}`;
  const own = target.check?.(input, outcome);
  if (own !== undefined || target.whole === true) return own;
  const pieces = randomPieces(input, random);
  const cut = await readPieces(target, pieces);
  const lengths = pieces.map(({ length }) => length).join();
  if (codeOf(cut.error) !== codeOf(error)) return `cut into ${lengths}: ${told(cut.error)} instead of ${told(error)}`;
  // Behind an error, a reader may have given less or more of what stood before it, and nothing else.
  const agree = error === undefined ? cut.given === outcome.given : isPrefix(cut.given, outcome.given);
  return agree ? undefined : `cut into ${lengths}: another value`;
}

function isPrefix(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}

async function bestTime(target: Target, input: Buffer, enoughMs: number): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TIMES && (i === 0 || best > enoughMs); i++) {
    const before = process.cpuUsage();
    await readPieces(target, [input]);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

function codeOf(error: unknown): string {
  return error === undefined ? 'taken' : ((error as { code?: string }).code ?? 'foreign');
}

function told(error: unknown): string {
  return error === undefined ? 'taken' : `${codeOf(error)} (${(error as Error).message})`;
}

/** What a run consists of. All of it follows from the seed. */
import { CLIENTS } from './credentials.js';
import { PlanRandom } from './random.js';

/** Something that goes wrong, or is put right, at a time. Numbers of roles count from 0. */
export type Fault = { readonly atMs: number } & (
  | { readonly kind: 'cut'; readonly between: readonly [string, string] }
  | { readonly kind: 'silence'; readonly between: readonly [string, string]; readonly ms: number }
  | {
      readonly kind: 'slow';
      readonly between: readonly [string, string];
      readonly ms: number;
      readonly latencyMs: number;
      readonly rate: number;
    }
  | { readonly kind: 'kill'; readonly role: string; readonly downMs: number; readonly powerFails: boolean }
  | { readonly kind: 'restart'; readonly role: string; readonly downMs: number }
  | {
      readonly kind: 'disk';
      readonly role: string;
      readonly ms: number;
      readonly oneIn: number;
      readonly code: 'EIO' | 'ENOSPC' | 'EMFILE';
    }
  | { readonly kind: 'slow disk'; readonly role: string; readonly ms: number; readonly slowMs: number }
  | { readonly kind: 'clock'; readonly ms: number }
);

export type Operation = { readonly pauseMs: number } & (
  | { readonly kind: 'write' | 'append'; readonly file: number; readonly bytes: number; readonly streamed: boolean }
  | {
      readonly kind: 'burst';
      readonly changes: readonly { readonly kind: 'write' | 'append'; readonly file: number; readonly bytes: number }[];
    }
  | { readonly kind: 'read'; readonly file: number; readonly slowMs: number }
  | { readonly kind: 'read of another'; readonly file: number }
  | { readonly kind: 'hash' | 'reconnect' | 'vanish' }
  | { readonly kind: 'aborted write'; readonly file: number; readonly bytes: number; readonly afterMs: number }
);

export interface Plan {
  readonly seed: number;
  readonly servers: number;
  readonly managers: number;
  readonly dialect: '2207' | 'head';
  /** Managers are attested and initialised by their Servers; else they are ready from the start. */
  readonly attested: boolean;
  /** Milliseconds from one place to another when nothing is wrong, at most. */
  readonly latencyMs: number;
  /** Bytes a millisecond. */
  readonly rate: number;
  readonly maxSessions: number;
  readonly answerTimeoutMs: number;
  readonly clients: readonly { readonly direct: boolean; readonly operations: readonly Operation[] }[];
  readonly faults: readonly Fault[];
}

/** Files that a client has. */
const FILES = 2;
/** Virtual milliseconds in which faults happen. */
const LASTING_MS = 60_000;

export function planOf(seed: number): Plan {
  const random = new PlanRandom(seed, 'plan');
  const servers = random.integer(1, 2);
  const managers = random.integer(1, 2);
  const clients = random.integer(1, CLIENTS);
  const attested = random.oneIn(2);
  const latencyMs = random.magnitude(0.1, 60);
  const roles = [...names('s', servers), ...names('m', managers), ...(attested ? ['a0'] : [])];
  const lines = linesOf(servers, managers, clients, attested);
  // Some runs have no faults at all, and some have a storm.
  const faults = random.oneIn(8) ? 0 : Math.round(random.magnitude(1, 24));
  return {
    seed,
    servers,
    managers,
    dialect: random.oneIn(4) ? 'head' : '2207',
    attested,
    latencyMs,
    rate: random.magnitude(20, 100_000),
    maxSessions: random.oneIn(4) ? 2 : 100,
    answerTimeoutMs: random.pick([5000, 20_000, 60_000]),
    clients: Array.from({ length: clients }, () => ({ direct: random.oneIn(3), operations: operationsOf(random) })),
    faults: Array.from({ length: faults }, () => faultOf(random, roles, lines)).sort((a, b) => a.atMs - b.atMs),
  };
}

function names(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${letter}${i}`);
}

/** Each pair of places that talk with each other. */
function linesOf(servers: number, managers: number, clients: number, attested: boolean): [string, string][] {
  return names('s', servers).flatMap((server) =>
    [...names('c', clients), ...names('m', managers), ...(attested ? ['a0'] : [])].map((other): [string, string] => [other, server]),
  );
}

function operationsOf(random: PlanRandom): Operation[] {
  return Array.from({ length: random.integer(5, 14) }, (): Operation => {
    const pauseMs = random.oneIn(2) ? 0 : random.magnitude(1, 30_000);
    const file = random.below(FILES);
    const bytes = Math.round(random.oneIn(12) ? random.magnitude(20_000, 400_000) : random.magnitude(16, 20_000));
    const which = random.below(100);
    if (which < 8) return { kind: 'burst', pauseMs, changes: Array.from({ length: random.integer(2, 5) }, () => changeOf(random)) };
    if (which < 26) return { kind: 'write', pauseMs, file, bytes, streamed: random.oneIn(3) };
    if (which < 52) return { kind: 'append', pauseMs, file, bytes, streamed: random.oneIn(3) };
    if (which < 80) return { kind: 'read', pauseMs, file, slowMs: random.oneIn(6) ? random.magnitude(1, 3000) : 0 };
    if (which < 84) return { kind: 'read of another', pauseMs, file };
    if (which < 88) return { kind: 'hash', pauseMs };
    if (which < 93) return { kind: 'reconnect', pauseMs };
    if (which < 96) return { kind: 'vanish', pauseMs };
    return { kind: 'aborted write', pauseMs, file, bytes, afterMs: random.magnitude(0.5, 2000) };
  });
}

/** One of several changes that are asked for at once. */
function changeOf(random: PlanRandom) {
  return { kind: random.pick(['write', 'append'] as const), file: random.below(FILES), bytes: Math.round(random.magnitude(16, 30_000)) };
}

function faultOf(random: PlanRandom, roles: readonly string[], lines: readonly (readonly [string, string])[]): Fault {
  const atMs = random.next() ** 2 * LASTING_MS;
  const between = random.pick(lines);
  const role = random.pick(roles);
  const manager = random.pick(roles.filter((each) => each.startsWith('m')));
  const which = random.below(100);
  if (which < 30) return { atMs, kind: 'cut', between };
  if (which < 45) return { atMs, kind: 'silence', between, ms: random.magnitude(100, 300_000) };
  if (which < 58) {
    return {
      atMs,
      kind: 'slow',
      between,
      ms: random.magnitude(100, 60_000),
      latencyMs: random.magnitude(10, 5000),
      rate: random.magnitude(4, 1000),
    };
  }
  if (which < 73) return { atMs, kind: 'kill', role, downMs: random.magnitude(1, 60_000), powerFails: random.oneIn(2) };
  if (which < 82) return { atMs, kind: 'restart', role, downMs: random.magnitude(1, 20_000) };
  if (which < 90) {
    const code = random.pick(['EIO', 'ENOSPC', 'EMFILE'] as const);
    return { atMs, kind: 'disk', role: manager, ms: random.magnitude(100, 30_000), oneIn: random.integer(1, 10), code };
  }
  if (which < 95) return { atMs, kind: 'slow disk', role: manager, ms: random.magnitude(100, 60_000), slowMs: random.magnitude(10, 5000) };
  return { atMs, kind: 'clock', ms: random.integer(-3_600_000, 3_600_000) };
}

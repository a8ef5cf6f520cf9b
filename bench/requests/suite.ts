/** Small requests through the full stack: how many a second, and how long one takes; beside those of peers. */

import { FIXTURES, type Fixture, type FixtureName } from '../files/fixtures.js';
import { usageOf } from '../files/results.js';
import { type Around, watched } from '../files/transfer.js';
import type { Extent } from '../harness/extent.js';
import type { Usage } from '../harness/part.js';
import type { Pki } from '../harness/pki.js';
import { type Measured, OURS, rounded } from '../harness/result.js';
import { interleaved } from '../harness/rounds.js';
import { median, spread } from '../harness/statistics.js';
import type { RequestsResult, RequestsTask } from '../parts/support/requests.js';

export interface RequestsPlan {
  /** Numbers of sessions. */
  readonly sessions: readonly number[];
  readonly rounds: number;
  /** How long requests are begun in a round. */
  readonly milliseconds: number;
  /** How often each case is run for half a second before anything is measured: its code is compiled on the way. */
  readonly warmUpRounds: number;
  /** Only cases whose name (`full write`) it matches. */
  readonly only: RegExp;
}

export const REQUESTS_PLANS: Readonly<Record<Extent, Omit<RequestsPlan, 'only'>>> = {
  short: { sessions: [1, 64], rounds: 3, milliseconds: 400, warmUpRounds: 4 },
  normal: { sessions: [1, 4, 16, 64, 256], rounds: 3, milliseconds: 1000, warmUpRounds: 10 },
  full: { sessions: [1, 4, 16, 64, 256], rounds: 5, milliseconds: 3000, warmUpRounds: 20 },
};

interface Case {
  readonly fixture: FixtureName;
  readonly kind: string;
}

interface Sample extends RequestsResult {
  readonly usage: Readonly<Record<string, Usage>>;
}

const PAYLOAD_BYTES = 64;
/** Sessions of the warm-up: enough to keep every process busy, few enough that each gets its turn. */
const WARM_UP_SESSIONS = 8;
/**
 * New sessions as often: V8 compiles what it sees for the sessions that there are, and throws most of that away when the
 * first ones come that are not those. In one long warm-up it would do so in the first round that is measured.
 */
const WARM_UP_ROUND_MS = 500;

/** Ours, each kind; and of the peers what is like a write: 64 bytes there, an empty answer back. */
const CASES: readonly Case[] = [
  ...(['full', 'direct'] as const).flatMap((fixture) => ['write', 'read', 'hash', 'session'].map((kind) => ({ fixture, kind }))),
  { fixture: 'https', kind: 'write' },
  { fixture: 'grpc', kind: 'write' },
];

export async function runRequests(plan: RequestsPlan, pki: Pki, say: (line: string) => void): Promise<Measured[]> {
  const cases = CASES.filter((item) => plan.only.test(nameOf(item)));
  const fixtures = new Map<FixtureName, Fixture>();
  const results: Measured[] = [];
  try {
    for (const { fixture } of cases) if (!fixtures.has(fixture)) fixtures.set(fixture, await FIXTURES[fixture].open({ pki }));
    const run = ({ fixture, kind }: Case, sessions: number, milliseconds: number) =>
      sample(fixtures.get(fixture) as Fixture, sessions, { kind, milliseconds });
    for (const { fixture, kind } of cases) await warmUp(fixtures.get(fixture) as Fixture, kind, plan.warmUpRounds);
    for (const sessions of cases.length === 0 ? [] : plan.sessions) {
      say(`${sessions} session${sessions === 1 ? '' : 's'}`);
      const samples = await interleaved(cases, plan.rounds, (item) => run(item, sessions, plan.milliseconds));
      const measured = cases.map((item, i) => resultOf(item, sessions, samples[i] as Sample[]));
      for (const result of measured.map((one) => compared(one, measured))) {
        say(lineOf(result));
        results.push(result);
      }
    }
  } finally {
    await Promise.all([...fixtures.values()].map((fixture) => fixture.end()));
  }
  return results;
}

function nameOf({ fixture, kind }: Case): string {
  return `${fixture} ${kind}`;
}

/** Has requests of one kind compiled. */
export async function warmUp(fixture: Fixture, kind: string, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) await sample(fixture, WARM_UP_SESSIONS, { kind, milliseconds: WARM_UP_ROUND_MS });
}

/** Requests of one kind on new sessions, for so long. */
export function sample(fixture: Fixture, sessions: number, task: Omit<RequestsTask, 'payloadBytes'>, around: Around = {}): Promise<Sample> {
  return watched(fixture, sessions, around, () => {
    return fixture.client.ask<RequestsResult>('requests', { ...task, payloadBytes: PAYLOAD_BYTES } satisfies RequestsTask);
  });
}

function resultOf(item: Case, sessions: number, samples: readonly Sample[]): Measured {
  const rates = samples.map(({ count, seconds }) => count / seconds);
  const bytes = PAYLOAD_BYTES * Math.round(median(samples.map(({ count }) => count)));
  const seconds = median(samples.map((one) => one.seconds));
  const latency = (share: keyof RequestsResult['latencyMs']) => rounded(median(samples.map(({ latencyMs }) => latencyMs[share])));
  return {
    suite: 'requests',
    name: nameOf(item),
    by: FIXTURES[item.fixture].by,
    bytes,
    messageBytes: PAYLOAD_BYTES,
    sessions,
    rounds: samples.length,
    seconds: rounded(seconds),
    spread: rounded(spread(rates)),
    mbPerSecond: rounded(bytes / 1e6 / seconds),
    requestsPerSecond: rounded(median(rates)),
    latencyMs: { p50: latency('p50'), p99: latency('p99'), p999: latency('p999') },
    ratioTo: {},
    ...usageOf(samples.map(({ usage }) => usage)),
  };
}

/** Our writes beside the peers' like of them. */
function compared(result: Measured, all: readonly Measured[]): Measured {
  if (result.by !== OURS || !result.name.endsWith(' write')) return result;
  const peers = all.filter(({ by }) => by !== OURS);
  const own = result.requestsPerSecond as number;
  return { ...result, ratioTo: Object.fromEntries(peers.map((peer) => [peer.by, rounded(own / (peer.requestsPerSecond as number))])) };
}

function lineOf({ name, requestsPerSecond = 0, spread: apart, latencyMs, ratioTo }: Measured): string {
  const ratios = Object.entries(ratioTo).map(([peer, ratio]) => `${ratio.toFixed(2)} × ${peer}`);
  const latency = latencyMs && `p50 ${latencyMs.p50} p99 ${latencyMs.p99} p99.9 ${latencyMs.p999} ms`;
  return `  ${name.padEnd(16)}${requestsPerSecond.toFixed(0).padStart(8)}/s ±${((apart * 100) / 2).toFixed(0)} %  ${latency}  ${ratios.join(', ')}`.trimEnd();
}

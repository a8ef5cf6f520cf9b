/** Small requests: as many as go, one after the other in each session. */
import { createHistogram } from 'node:perf_hooks';

export interface RequestsTask {
  /** What is asked; each part knows its own. */
  readonly kind: string;
  /** Bytes that a request or its answer carries. */
  readonly payloadBytes: number;
  /** How long requests are begun, milliseconds. */
  readonly milliseconds: number;
}

export interface RequestsResult {
  /** Requests that were answered. */
  readonly count: number;
  /** From the first request to the last answer. */
  readonly seconds: number;
  /** Milliseconds. */
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly p999: number };
}

const NS_PER_MS = 1e6;

export async function replies<S>(
  sessions: readonly S[],
  { milliseconds }: RequestsTask,
  ask: (session: S, i: number) => Promise<unknown>,
): Promise<RequestsResult> {
  const histogram = createHistogram();
  const started = performance.now();
  let count = 0;
  await Promise.all(
    sessions.map(async (session, i) => {
      for (let now = performance.now(); now - started < milliseconds; ) {
        await ask(session, i);
        const then = now;
        now = performance.now();
        histogram.record(Math.max(1, Math.round((now - then) * NS_PER_MS)));
        count++;
      }
    }),
  );
  const at = (share: number) => histogram.percentile(share) / NS_PER_MS;
  return { count, seconds: (performance.now() - started) / 1000, latencyMs: { p50: at(50), p99: at(99), p999: at(99.9) } };
}

/** The layers, each way, at every size of message, beside their peers. */
import type { Extent } from '../harness/extent.js';
import type { Measured } from '../harness/result.js';
import { base64Bench } from './base64.js';
import { bincodeBench } from './bincode.js';
import type { LayerBench } from './contest.js';
import { frameBench } from './frame.js';
import { lengthPrefixBench } from './length-prefix.js';
import { type MeasureOptions, measure } from './measure.js';
import { protobufBench } from './protobuf.js';
import { recordsBench } from './records.js';
import { sessionBench } from './session.js';
import { tlsBench } from './tls.js';

export const LAYERS: readonly LayerBench[] = [
  protobufBench,
  lengthPrefixBench,
  tlsBench,
  recordsBench,
  base64Bench,
  sessionBench,
  bincodeBench,
  frameBench,
];

export interface LayersPlan extends MeasureOptions {
  /** Sizes of messages, bytes. */
  readonly messageBytes: readonly number[];
  /** Only contests whose name it matches. */
  readonly only: RegExp;
}

const SIZES = [64, 1024, 16 * 1024, 64 * 1024, 2 ** 20, 16 * 2 ** 20];

export const LAYERS_PLANS: Readonly<Record<Extent, Omit<LayersPlan, 'only'>>> = {
  short: { messageBytes: [64, 64 * 1024], rounds: 1, maxSeconds: 0.1 },
  normal: { messageBytes: SIZES, rounds: 3, maxSeconds: 0.15 },
  full: { messageBytes: SIZES, rounds: 5, maxSeconds: 0.5 },
};

export async function runLayers(plan: LayersPlan, say: (line: string) => void): Promise<Measured[]> {
  const results: Measured[] = [];
  // A pattern that names layers needs no other to be opened.
  const named = LAYERS.filter(({ layer }) => plan.only.source.includes(layer));
  for (const bench of named.length > 0 ? named : LAYERS) {
    for (const messageBytes of plan.messageBytes) {
      if (messageBytes > (bench.maxMessageBytes ?? Number.POSITIVE_INFINITY)) continue;
      const contests = await bench.open(messageBytes);
      for (const contest of contests) {
        if (!plan.only.test(contest.name)) continue;
        const measured = await measure(contest, plan);
        results.push(...measured);
        for (const result of measured) say(lineOf(result));
      }
      for (const { close } of contests) close?.();
    }
  }
  return results;
}

function lineOf({ by, mbPerSecond, messagesPerSecond = 0, spread, ratioTo }: Measured): string {
  const ratios = Object.entries(ratioTo).map(([peer, ratio]) => `${ratio.toFixed(2)} × ${peer}`);
  const figures = `${mbPerSecond.toFixed(0).padStart(7)} MB/s ${messagesPerSecond.toFixed(0).padStart(10)} messages/s ±${((spread * 100) / 2).toFixed(0)} %`;
  return `  ${by.padEnd(24)}${figures}  ${ratios.join(', ')}`.trimEnd();
}

/** The layers, in each direction, at every size of message, beside their peers. */
import type { Extent } from '../harness/extent.js';
import { Part } from '../harness/part.js';
import type { Measured } from '../harness/result.js';
import type { LayerTask } from '../parts/layer.js';
import { LAYERS } from './all.js';
import type { MeasureOptions } from './measure.js';

export interface LayersPlan extends MeasureOptions {
  /** Sizes of messages, bytes. */
  readonly messageBytes: readonly number[];
  /** Only contests whose name it matches. */
  readonly only: RegExp;
}

const SIZES = [64, 1024, 16 * 1024, 64 * 1024, 2 ** 20, 16 * 2 ** 20];

export const LAYERS_PLANS: Readonly<Record<Extent, Omit<LayersPlan, 'only'>>> = {
  short: { messageBytes: [64, 64 * 1024], rounds: 1, maxSeconds: 0.1, warmUpMilliseconds: 100 },
  normal: { messageBytes: SIZES, rounds: 3, maxSeconds: 0.15, warmUpMilliseconds: 250 },
  full: { messageBytes: SIZES, rounds: 5, maxSeconds: 0.5, warmUpMilliseconds: 250 },
};

/**
 * Each layer and size in a process of its own: code that has been compiled for the chunks of eight layers is slower than
 * it ever is in a role, and what one contender leaves on the heap the next would have to clear away.
 */
export async function runLayers(plan: LayersPlan, say: (line: string) => void): Promise<Measured[]> {
  const results: Measured[] = [];
  // A pattern that names layers needs no other to be opened.
  const named = LAYERS.filter(({ layer }) => plan.only.source.includes(layer));
  for (const { layer, maxMessageBytes = Number.POSITIVE_INFINITY } of named.length > 0 ? named : LAYERS) {
    for (const messageBytes of plan.messageBytes) {
      if (messageBytes > maxMessageBytes) continue;
      const measured = await apart({ ...plan, only: plan.only.source, layer, messageBytes });
      for (const result of measured) say(lineOf(result));
      results.push(...measured);
    }
  }
  return results;
}

async function apart(task: LayerTask): Promise<Measured[]> {
  const part = new Part(task.layer, 'layer');
  try {
    return await part.ask('measure', task);
  } finally {
    await part.end();
  }
}

function lineOf({ by, mbPerSecond, messagesPerSecond = 0, spread, ratioTo }: Measured): string {
  const ratios = Object.entries(ratioTo).map(([peer, ratio]) => `${ratio.toFixed(2)} × ${peer}`);
  const figures = `${mbPerSecond.toFixed(0).padStart(7)} MB/s ${messagesPerSecond.toFixed(0).padStart(10)} messages/s ±${((spread * 100) / 2).toFixed(0)} %`;
  return `  ${by.padEnd(24)}${figures}  ${ratios.join(', ')}`.trimEnd();
}

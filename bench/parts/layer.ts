/** One layer beside its peers, at one size of message, in a process that has done nothing else. */

import type { Measured } from '../harness/result.js';
import { serveCommands } from '../harness/serve-commands.js';
import { LAYERS } from '../layers/all.js';
import { type MeasureOptions, measure } from '../layers/measure.js';

export interface LayerTask extends MeasureOptions {
  readonly layer: string;
  readonly messageBytes: number;
  /** Source of a pattern: only contests whose name it matches. */
  readonly only: string;
}

serveCommands({
  measure: async ({ layer, messageBytes, only, ...options }: LayerTask): Promise<Measured[]> => {
    const bench = LAYERS.find((one) => one.layer === layer);
    if (bench === undefined) throw new Error(`no such layer: ${layer}`);
    const contests = await bench.open(messageBytes);
    const results: Measured[] = [];
    for (const contest of contests) {
      if (new RegExp(only).test(contest.name)) results.push(...(await measure(contest, options)));
    }
    for (const { close } of contests) close?.();
    return results;
  },
});

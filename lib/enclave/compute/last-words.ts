import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { definedOf } from '../../core/check.js';
import { may, pinOf } from '../policy/index.js';
import { undefinedIfMissing } from '../store/store-error.js';
import type { Computation } from './engine.js';
import type { RunFolder } from './run-folder.js';

/**
 * Puts the end of what a program that trapped or was ended wrote to its streams into the store, up to `maxBytes` of each, where it may
 * write there and the policy does not pin it. A stream that is empty, or cannot be kept, leaves the store as it is: that the
 * run failed is what its caller is told.
 */
export async function keepLastWords(folder: RunFolder, computation: Computation, maxBytes: number): Promise<void> {
  for (const name of ['stdout', 'stderr'] as const) await keep(name, folder.streams[name], computation, maxBytes).catch(() => {});
}

async function keep(name: string, path: string, { askedBy, policy, principal, store }: Computation, maxBytes: number): Promise<void> {
  const { size } = await stat(path);
  const length = Math.min(size, maxBytes);
  const exists = (await store.stat(name).catch(undefinedIfMissing)) !== undefined;
  if (length === 0 || pinOf(policy, name) !== undefined || !may(policy, principal, 'write', name, exists)) return;
  await pipeline(createReadStream(path, { start: size - length, end: size - 1 }), store.write(name, length, definedOf({ owner: askedBy })));
}

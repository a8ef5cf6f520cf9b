/** `--import` of this records which modules are loaded: their addresses stand in the file that `MODULES_FILE` names, a line each. */
import { appendFileSync } from 'node:fs';
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

interface Loaded {
  readonly source?: unknown;
}

/** A hook of Node's loader. */
export async function load(url: string, context: unknown, next: (url: string, context: unknown) => Promise<Loaded>): Promise<Loaded> {
  appendFileSync(process.env.MODULES_FILE as string, `${url}\n`);
  return next(url, context);
}

// The hooks run in a thread of their own, which imports this file again.
if (isMainThread) register(import.meta.url);

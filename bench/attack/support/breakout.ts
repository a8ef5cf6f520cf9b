/** Hostile code in the place of the engine's, in the sandbox that is in force here. */
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { completed } from '../../../lib/enclave/compute/options.js';
import { chooseSandbox } from '../../../lib/enclave/compute/sandbox/choose.js';
import { KEEP, systemLimits } from '../../../lib/enclave/compute/sandbox/guardian.js';
import { launch } from '../../../lib/enclave/compute/sandbox/launch.js';
import type { Attempt, Tried } from '../../../test/enclave/hostile/main.js';
import { temporaryFolder } from '../../harness/temporary.js';

const HOSTILE = fileURLToPath(new URL('../../../test/enclave/hostile/main.js', import.meta.url));

/** Starts it, lets it try all of `attempts`, and tells how each went. `kind` is what confines it. */
export async function breakOut(attempts: readonly Attempt[]): Promise<{ kind: string; tried: readonly Tried[] }> {
  const { sandbox } = await chooseSandbox('auto');
  const folder = temporaryFolder();
  for (const name of ['world', 'streams']) mkdirSync(join(folder, name));
  const place = { node: process.execPath, code: dirname(HOSTILE), folder };
  const child = launch(sandbox, {
    ...place,
    flags: [],
    entry: 'main.js',
    args: [],
    niceness: 0,
    limits: systemLimits(completed({}), 16, 0),
  });
  await once(child, 'message');
  child.send(attempts);
  const [tried] = (await once(child, 'message')) as [Tried[]];
  child.stdin?.end(KEEP);
  await once(child, 'exit');
  return { kind: sandbox.kind, tried };
}

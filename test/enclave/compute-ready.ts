/** Says what confines programs, for `bwrap` and for `auto`, a line of JSON each. To be run with a PATH of its own. */
import { WasiEngine } from '../../lib/enclave/compute/index.js';

for (const sandbox of ['bwrap', 'auto'] as const) {
  const engine = new WasiEngine({ sandbox });
  const told = await engine.ready().catch(({ code, message }: { code: string; message: string }) => ({ code, message }));
  console.log(JSON.stringify(told));
  await engine.close();
}

import { join } from 'node:path';
import type { Attempt } from '../../../test/enclave/hostile/main.js';
import { temporaryFolder } from '../../harness/temporary.js';
import { type Attack, address, again } from '../attack.js';
import { breakOut } from '../support/breakout.js';
import { connectFrom } from '../support/from.js';
import { connectAs } from '../support/principal.js';
import type { ProgramName } from '../target.js';

const GREEDY: readonly ProgramName[] = ['/program/grow', '/program/loop'];

/** What code does that has broken out of WebAssembly: each reaches for something outside of its sandbox. */
function attempts(managerPort: number): Attempt[] {
  return [
    { kind: 'read', on: '/etc/passwd' },
    { kind: 'read', on: `/proc/${process.pid}/environ` },
    { kind: 'list', on: '/tmp' },
    { kind: 'write', on: join(temporaryFolder(), 'escaped') },
    { kind: 'connect', on: `127.0.0.1:${managerPort}` },
    { kind: 'execute', on: '/bin/sh' },
    { kind: 'become', on: '0' },
  ];
}

/** Programs that take all memory and time that there is, and code that has broken out of the engine. */
export const programs: Attack = {
  about: 'programs that take all the memory and time there is; and code that has broken out of the engine',
  stage: { compute: { timeLimitMs: 2000, maxMemoryMib: 512 } },
  never: { escaped: 'code reaches what is outside of its sandbox' },
  run: async ({ target, number, signal, count }) => {
    connectFrom(address(number));
    const outbreaks = again(signal, 1, async () => {
      const { kind, tried } = await breakOut(attempts(target.managerPort));
      count(`outbreaks from ${kind}`);
      for (const { got } of tried) count(got === undefined ? 'attempts that failed' : 'escaped');
    });
    const runs = again(signal, 1, async (lane) => {
      const client = await connectAs(target, target.greedy, signal);
      for (let i = lane; !signal.aborted; i++) {
        await client.compute(GREEDY[i % GREEDY.length] as ProgramName).catch((error: { got?: string; code?: string }) => {
          if (signal.aborted) return;
          count(`program: ${error.got ?? error.code}`);
          if (error.code !== 'ERR_VC_REQUEST_FAILED') throw error;
        });
      }
      await client.close();
    });
    await Promise.all([outbreaks, runs]);
  },
};

/** The processes of the demo, one of which has no turn for a signal. */
import { once } from 'node:events';
import t from 'tap';
import { Calls } from '../../lib/cli/demo/calls.js';
import { Processes } from '../../lib/cli/demo/processes.js';
import { within } from '../support/foreign.js';
import '../support/processes.js';
import type { BusyMethods } from './demo-busy-child.js';

void t.test('a process without turns for a signal ends by it, and a call to one that has ended fails', async (t) => {
  const processes = new Processes();
  t.teardown(() => processes.end());
  const child = processes.own('busy', '../../../test/cli/demo-busy-child.js');
  const calls = new Calls<BusyMethods>('busy', child);
  t.equal(await within('its first answer', calls.call('hello', 'world')), 'hello world');
  calls.call('forever', undefined).catch(() => {});
  await within('its last turn', once(child, 'message'));
  await within('its end', processes.end());
  t.equal(child.signalCode, 'SIGTERM', 'and nobody had to kill it');
  t.ok(processes.ended);
  t.throws(() => processes.own('another', '../../../test/cli/demo-busy-child.js'), { code: 'ERR_VC_CLOSED' });
  await t.rejects(within('a call', calls.call('hello', 'nobody')), { code: 'ERR_VC_TRANSPORT', message: /^busy: / });
});

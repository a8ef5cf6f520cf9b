/** The peers that the broken ones are made of are sound, and a peer that says nothing ends no run. */
import t from 'tap';
import { conform } from '../../lib/conformance/index.js';
// Half a minute.
import '../support/long.js';
import { tcpServer } from '../support/foreign.js';
import { SOON } from './broken/breaks.js';
import { foreign } from './broken/clients.js';
import { brokenEnclave } from './broken/enclave.js';
import { material, notPassed, tryClient } from './support.js';

void t.test('the peers that are made of parts fail nothing else when nothing is broken', async (t) => {
  const client = await tryClient('head', { ...SOON, waitMs: 5000 }, foreign({}));
  t.equal(client.counts.failed, 0, JSON.stringify(notPassed(client), undefined, 2));
  const only = ['tls.', 'prefix.', 'request.', 'link.session'];
  const manager = await conform(await brokenEnclave(t, {}), { ...SOON, waitMs: 5000, only });
  // It has no tickets of its own to give, one link for all, and no pipelines.
  t.equal(manager.counts.failed, 0, JSON.stringify(notPassed(manager), undefined, 2));
});

void t.test('a peer that says nothing fails each case by its name, and the kit goes on', async (t) => {
  const { port } = await tcpServer(t, (socket) => socket.resume());

  const target = { address: `tcp://127.0.0.1:${port}`, dialect: '2207', material } as const;
  const waits = { waitMs: 100, caseMs: 3000 };
  const only = ['link.', 'session.', 'tls.version-1.3'];
  const manager = await conform({ ...target, role: 'manager', frame: 'tcp9', attested: false, singleLink: false }, { ...waits, only });
  t.same(new Set(manager.results.map(({ verdict }) => verdict)), new Set(['failed']), JSON.stringify(manager.results, undefined, 2));
  const attestation = await conform(
    { ...target, role: 'attestation', address: `http://127.0.0.1:${port}` },
    { ...waits, only: ['start.', 'broken.'] },
  );
  t.same(new Set(attestation.results.map(({ verdict }) => verdict)), new Set(['failed']));
});

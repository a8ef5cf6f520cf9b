/** Each broken peer is found by the cases meant for it; which cases no broken peer of these can fail is said here. */
import t from 'tap';
import { CONFORMANCE_CASES, conform, TARGET_NAMES, type TargetName } from '../../lib/conformance/index.js';
// Minutes on a busy machine: not a test of the fast set.
import '../support/processes.js';
import { tcpServer } from '../support/foreign.js';
import { ATTESTATION_BREAKS } from './broken/attestations.js';
import { type Break, SOON } from './broken/breaks.js';
import { CLIENT_BREAKS, foreign } from './broken/clients.js';
import { brokenEnclave } from './broken/enclave.js';
import { MANAGER_BREAKS } from './broken/managers.js';
import { SERVER_BREAKS } from './broken/servers.js';
import { UNPROVEN } from './broken/unproven.js';
import { material, notPassed, tryClient } from './support.js';

const BREAKS: readonly Break[] = [...SERVER_BREAKS, ...MANAGER_BREAKS, ...CLIENT_BREAKS, ...ATTESTATION_BREAKS];
/** Names of the cases that a broken peer was found by, by role. */
const proven = new Map<TargetName, Set<string>>(TARGET_NAMES.map((role) => [role, new Set()]));

for (const { role, what, found, as = 'failed', report: tried } of BREAKS) {
  void t.test(`a ${role} that ${what}`, async (t) => {
    const { results } = await tried(t, found);
    const hits = results.filter(({ verdict }) => verdict === as).map(({ name }) => name);
    for (const name of found) {
      const hit = name.endsWith('.') ? hits.some((one) => one.startsWith(name)) : hits.includes(name);
      t.ok(hit, `${name} finds it`, { results: results.filter((result) => result.name.startsWith(name)) });
    }
    for (const name of hits) proven.get(role)?.add(name);
  });
}

void t.test('at least ten broken peers, of all four roles', async (t) => {
  t.ok(BREAKS.length >= 10, `${BREAKS.length} broken peers`);
  for (const role of TARGET_NAMES)
    t.ok(
      BREAKS.some((one) => one.role === role),
      role,
    );
});

void t.test('the cases that none of them fails are the ones that are listed', async (t) => {
  for (const role of TARGET_NAMES) {
    const names = new Set(CONFORMANCE_CASES[role].map(({ name }) => name));
    const unproven = [...names].filter((name) => proven.get(role)?.has(name) !== true).sort();
    t.same(unproven, UNPROVEN[role].toSorted(), role);
  }
});

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

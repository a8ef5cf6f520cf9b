/** Our four roles pass every case of the kit, in each dialect. What is stricter stands in docs/wire.md, and is counted. */
import t, { type Test } from 'tap';
import { conform, type Report } from '../../lib/conformance/index.js';
import { projectText, tableRows } from '../support/markdown.js';
// Minutes on a busy machine: not a test of the fast set.
import '../support/processes.js';
import { attestationTarget, managerTarget, notPassed, tryClient, tryServer, WAITS } from './support.js';

/** docs/conformance.md has what our own roles come to. */
const COLUMNS = ['our role', 'dialect', 'passed', 'failed', 'stricter', 'weaker', 'skipped'];
const rows = tableRows(projectText('docs/conformance.md'), COLUMNS);

function counted(t: Test, { target, dialect, counts, ...report }: Report): void {
  const all = JSON.stringify(notPassed({ target, dialect, counts, ...report }), undefined, 2);
  t.equal(counts.failed, 0, all);
  t.equal(counts.weaker, 0, all);
  const row = rows.find(([role, of]) => role === target && of === dialect);
  const figures = [counts.passed, counts.failed, counts.stricter, counts.weaker, counts.skipped].map(String);
  t.same(row?.slice(2), figures, `docs/conformance.md has the counts of ${target}, ${dialect}: ${figures.join(' | ')}`);
}

void t.test('the table has each role in both dialects', async (t) => {
  t.same(rows.map(([role, dialect]) => `${role} ${dialect}`).sort(), [
    'attestation 2207',
    'attestation head',
    'client 2207',
    'client head',
    'manager 2207',
    'manager head',
    'server 2207',
    'server head',
  ]);
});

for (const dialect of ['2207', 'head'] as const) {
  // 2207 with a certificate that it was given, head as it is attested: each way once.
  void t.test(`Runtime Manager, ${dialect}`, async (t) => {
    counted(t, await conform(await managerTarget(t, dialect, dialect === 'head'), { ...WAITS, ending: true }));
  });
  void t.test(`Veracruz Server, ${dialect}`, async (t) => counted(t, await tryServer(t, dialect, true, { ending: true })));
  void t.test(`Veracruz Client, ${dialect}`, async (t) => counted(t, await tryClient(dialect)));
  void t.test(`Proxy Attestation Server, ${dialect}`, async (t) => {
    counted(t, await conform(await attestationTarget(t, dialect), WAITS));
  });
}

void t.test('what only an attested manager of 2207 has, and what 2207-nitro has', async (t) => {
  for (const dialect of ['2207', '2207-nitro'] as const) {
    const report = await conform(await managerTarget(t, dialect, true), {
      ...WAITS,
      only: ['enrolment.', 'session.', 'request.write-read'],
    });
    t.equal(report.counts.failed + report.counts.weaker, 0, JSON.stringify(notPassed(report), undefined, 2));
  }
  const report = await tryServer(t, '2207-nitro', true, { only: ['handshake.', 'relay.'] });
  t.equal(report.counts.failed + report.counts.weaker, 0, JSON.stringify(notPassed(report), undefined, 2));
});

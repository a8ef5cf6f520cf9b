/** Peers that take one link, speak in the frames of the console, or come by themselves: what a run with each flag finds. */
import t from 'tap';
import { conform, type Report } from '../../lib/conformance/index.js';
// A quarter of a minute.
import '../support/long.js';
import { frameProxy } from './broken/frames.js';
import { managerTarget, material, notPassed, ourClient, ourServer, tryServerWith, WAITS } from './support.js';

const verdictsOf = ({ results }: Report) => Object.fromEntries(results.map(({ name, verdict }) => [name, verdict]));

void t.test('--single-link: a manager that takes one link in its life fails nothing, and is spared what would break it', async (t) => {
  const target = await managerTarget(t, '2207', false);
  const port = await frameProxy(t, Number(target.address.split(':').at(-1)), { once: true });
  const single = { ...target, address: `tcp://127.0.0.1:${port}`, singleLink: true };
  const only = ['link.session', 'link.split', 'link.huge-length', 'session.', 'tls.version-1.3', 'tls.two-clients', 'tls.cut-handshake'];
  const report = await conform(single, { ...WAITS, only });
  t.equal(report.counts.failed, 0, JSON.stringify(notPassed(report), undefined, 2));
  t.match(verdictsOf(report), {
    ...{ 'link.session': 'passed', 'session.closed': 'passed', 'tls.version-1.3': 'passed', 'tls.two-clients': 'passed' },
    ...{ 'link.split': 'skipped', 'link.huge-length': 'skipped', 'session.of-another-link': 'skipped', 'tls.cut-handshake': 'skipped' },
  });
  t.match(notPassed(report)['link.split'], /without --single-link/);

  const second = await conform({ ...single, singleLink: false }, { waitMs: 500, caseMs: 5000, only: ['link.session'] });
  t.equal(second.counts.failed, 1, 'such a manager has no second link, so the first run used one');
});

void t.test('--single-link: a Server that takes one link in its life fails nothing', async (t) => {
  const only = ['handshake.', 'relay.echo', 'manager.', 'end.inactive'];
  const report = await tryServerWith(
    '2207',
    true,
    async (listening) => {
      const port = await frameProxy(t, listening.port as number, { once: true });
      return ourServer(t, '2207', true, { ...listening, port });
    },
    { only, ending: true },
    { singleLink: true },
  );
  t.equal(report.counts.failed, 0, JSON.stringify(notPassed(report), undefined, 2));
  t.match(verdictsOf(report), {
    ...{ 'handshake.order': 'passed', 'relay.echo': 'passed', 'manager.refuses-data': 'passed', 'end.inactive': 'passed' },
    ...{ 'handshake.each-link': 'skipped', 'manager.gone': 'skipped', 'manager.relink': 'skipped', 'manager.surplus-answer': 'skipped' },
  });
});

void t.test('--frame icecap4: a manager and a Server of the console’s frames', async (t) => {
  const only = ['link.', 'session.reset', 'request.write-read'];
  const manager = await conform(await managerTarget(t, '2207', false, 'icecap4'), { ...WAITS, only });
  t.equal(manager.counts.failed + manager.counts.weaker, 0, JSON.stringify(notPassed(manager), undefined, 2));
  t.equal(verdictsOf(manager)['session.reset'], 'passed', 'ResetEnclave is answered with Success there');

  const server = await tryServerWith(
    '2207',
    true,
    (listening) => ourServer(t, '2207', true, listening, 'icecap4'),
    { only: ['handshake.order', 'relay.', 'manager.huge-length'] },
    { frame: 'icecap4' },
  );
  t.equal(server.counts.failed + server.counts.weaker, 0, JSON.stringify(notPassed(server), undefined, 2));

  const other = await conform({ ...(await managerTarget(t, '2207', false)), frame: 'icecap4' }, { waitMs: 500, caseMs: 5000, only });
  t.equal(other.counts.passed, 1, 'a manager of other frames passes none of it, but for the ninth byte that there is not');
});

void t.test('conformance client without --run: somebody else starts it again and again', async (t) => {
  const over = new AbortController();
  t.teardown(() => over.abort());
  let starts = 0;
  const again = async (port: number) => {
    while (!over.signal.aborted) {
      starts++;
      await ourClient('2207', port)(over.signal);
      // As the `sleep` in the loop of docs/conformance.md: the kit tells two runs apart by the silence between them.
      await new Promise((done) => setTimeout(done, 400));
    }
  };
  let starting = Promise.resolve();
  const target = {
    role: 'client',
    address: 'tcp-listen://127.0.0.1:0',
    dialect: '2207',
    material,
    start: undefined,
    idleMs: 1000,
  } as const;
  const only = ['http.ids', 'hello.version', 'message.exact-bytes', 'answer.split-items', 'refused.denied', 'trust.other-authority'];
  const onListening = ({ port }: { readonly port: number | undefined }) => {
    starting = again(port as number);
  };
  const report = await conform(target, { ...WAITS, only, onListening });
  over.abort();
  await starting;
  t.equal(report.counts.passed, only.length, JSON.stringify(notPassed(report), undefined, 2));
  t.ok(starts >= only.length, `${starts} runs of the client`);
});

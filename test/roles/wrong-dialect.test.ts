/** Two ends that do not speak the same: what each of them says. */
import t, { type Test } from 'tap';
import type { Dialect } from '../../lib/layers/formats/dialect.js';
import type { FrameKind } from '../../lib/layers/frame/index.js';
import { until } from '../support/foreign.js';
import { connectClient, portOf, startManager, startRoles, startServer } from '../support/roles.js';

type Ends = Record<'manager' | 'server', { dialect?: Dialect; frame?: FrameKind }>;
type Line = { event: string; reason?: unknown; hint?: unknown };

/** A client at a Server and a manager that do not fit: its error, and what the two ends log of their link. */
async function misfit(t: Test, { manager: own, server: other }: Ends): Promise<{ manager: Line; server: Line }> {
  const lines: Record<keyof Ends, Line[]> = { manager: [], server: [] };
  const noted = (end: keyof Ends) => (_level: string, event: string, figures?: object) => void lines[end].push({ event, ...figures });
  const manager = await startManager(t, { ...own, frameTimeoutMs: 200, log: noted('manager') });
  const server = await startServer(t, `tcp://127.0.0.1:${portOf(manager)}`, { ...other, log: noted('server') });
  const { dialect = '2207', frame = 'tcp9' } = other;
  await t.rejects(connectClient(t, server.url), {
    code: 'ERR_VC_HTTP_STATUS',
    message: new RegExp(
      `503: the Runtime Manager is not there and has never answered: does it speak the dialect ${dialect} in frames ${frame}\\?`,
    ),
  });
  const closed = (end: keyof Ends) => lines[end].find(({ event }) => event === 'link closed');
  await until('both ends tell', () => closed('manager') !== undefined && closed('server') !== undefined);
  return { manager: closed('manager') as Line, server: closed('server') as Line };
}

void t.test('a manager and a Server of different dialects or frames', async (t) => {
  const [tcp9, icecap4] = ['tcp9', 'icecap4'] as const;
  for (const [manager, server] of [
    [{ dialect: '2207' }, { dialect: 'head' }],
    [{ frame: tcp9 }, { frame: icecap4 }],
    [{ frame: icecap4 }, { frame: tcp9 }],
  ] as const) {
    const told = await misfit(t, { manager, server });
    const asks = ({ dialect = '2207', frame = 'tcp9' }: { dialect?: Dialect; frame?: FrameKind }) =>
      new RegExp(`speak the dialect ${dialect} in frames ${frame}\\?`);
    t.match(told.manager.hint, asks(manager), JSON.stringify(told.manager));
    t.match(told.server.reason, asks(server));
  }
});

void t.test('a link that was understood once has no such hint', async (t) => {
  const lines: Line[] = [];
  const { server, manager, connect } = await startRoles(t, {
    server: { log: (_level, event, figures) => void lines.push({ event, ...figures }) },
  });
  await (await connect()).close();
  await until('the session is over', () => server.sessions === 0);
  await manager.close();
  await until('the link is lost', () => lines.some(({ event }) => event === 'link closed'));
  t.notMatch(JSON.stringify(lines), /dialect/);
});

void t.test('a client that takes the address of HTTP for one without, or the other way round', async (t) => {
  const { server } = await startRoles(t, { server: { direct: 'tcp://127.0.0.1:0' } });
  const direct = portOf({ address: server.directAddress });
  await t.rejects(connectClient(t, `tcp://127.0.0.1:${portOf(server)}`), {
    code: 'ERR_VC_TLS_HANDSHAKE',
    message: /http:\/\/, as in the dialect 2207/,
  });
  await t.rejects(connectClient(t, `http://127.0.0.1:${direct}`), {
    code: 'ERR_VC_HTTP_STATUS',
    message: /tcp:\/\/ instead of http:\/\/, as in the dialect head/,
  });
  await t.resolves(connectClient(t, `tcp://127.0.0.1:${direct}`));
});

void t.test('a pipeline, which only the dialect head has, at a manager of another', async (t) => {
  const { connect } = await startRoles(t);
  const client = await connect({ dialect: 'head' });
  await t.rejects(client.runPipeline(0), { code: 'ERR_VC_REQUEST_FAILED', message: /does not speak the dialect head/ });
});

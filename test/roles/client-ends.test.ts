/** What a Server and its manager keep of a session that the client has ended: nothing, however it ended. */
import t from 'tap';
import { secretOf, tapProxy, until, within } from '../support/foreign.js';
import { connectClient, content, portOf, startRoles } from '../support/roles.js';

void t.test('a manager that the client refuses', async (t) => {
  const { connect, server, manager } = await startRoles(t);
  await t.rejects(connect({ expectedPolicyHash: '0'.repeat(64) }), { code: 'ERR_VC_CERTIFICATE' }, 'for its policy');
  t.equal(server.sessions, 0);
  const verifyPeer = () => {
    throw new Error('not that one');
  };
  await t.rejects(connect({ verifyPeer }), { code: 'ERR_VC_CERTIFICATE' }, 'for its certificate');
  t.equal(server.sessions, 0);
  await until('the manager hears of it', () => manager.sessions === 0);
});

void t.test('a source that is none', async (t) => {
  const { connect, server, manager } = await startRoles(t);
  async function* broken() {
    yield content(10);
    throw new Error('the disk is gone');
  }
  async function* short() {
    yield content(10);
  }
  for (const source of [broken, short]) {
    const client = await connect();
    await t.rejects(client.writeFile('/f', source(), { size: 20 }));
    await within('close() after it', client.close());
    t.equal(server.sessions, 0, source.name);
  }
  await until('the manager hears of it', () => manager.sessions === 0);
});

void t.test('a Server that knows is not told', async (t) => {
  const { server } = await startRoles(t);
  const http = await tapProxy(t, portOf(server));
  const told = () => http.up().includes('DELETE ');
  const peaceful = await connectClient(t, http.url);
  await peaceful.writeFile('/f', content(100_000));
  await peaceful.close();
  t.equal(server.sessions, 0);
  t.notOk(told(), 'both ends have said goodbye');

  const ended = await connectClient(t, http.url);
  const deletion = async (headers: Record<string, string>) => {
    return (await fetch(`${server.url}/runtime_manager/${ended.session}`, { method: 'DELETE', headers })).status;
  };
  t.equal(await deletion({}), 404, 'who knows no more than the id');
  t.equal(await deletion(secretOf(http.up())), 204);
  await t.rejects(ended.readFile('/f'), { cause: { code: 'ERR_VC_SESSION_UNKNOWN' } });
  await ended.close();
  t.notOk(told(), 'the Server has said so');

  const lost = await connectClient(t, http.url);
  http.onUp = () => {
    http.cut();
    return false;
  };
  await t.rejects(lost.readFile('/f'), { code: 'ERR_VC_OUTCOME_UNKNOWN' });
  await within('close() after it', lost.close());
  t.notOk(told(), 'there is nobody to tell');
});

/** `veracruz-streams attest` is killed in the middle of its work; and on a PostgreSQL server, two at once. */
import { readdirSync } from 'node:fs';
import t from 'tap';
import { until } from '../support/foreign.js';
import { noPostgres, startPostgres } from '../support/postgres.js';
import { attest, certified, emptyState, enrolled, freshState, known, Server } from './attest-support.js';

void t.test('kill -9 while devices attest themselves: none that has its certificate is lost', async (t) => {
  const where = ['--state', await emptyState()];
  const device = enrolled(t, where);
  const acknowledged: { deviceId: number; token: Buffer }[] = [];
  for (let round = 0; round < 2; round++) {
    const server = new Server(t, [...where, '--log-level', 'error']);
    const url = await server.url();
    let running = true;
    const load = Promise.allSettled(
      Array.from({ length: 8 }, async () => {
        while (running) {
          const { deviceId, token, answer } = await certified(url, device);
          if (answer.status === 200) acknowledged.push({ deviceId, token });
        }
      }),
    );
    const enough = acknowledged.length + 60;
    await until('some devices', () => acknowledged.length >= enough);
    await server.end('SIGKILL');
    running = false;
    await load;
    const next = new Server(t, where);
    const there = await next.url();
    const lost: number[] = [];
    // Of one device the newest 64 attestations are kept; eight were under way, and may be among them.
    const newest = acknowledged.slice(-48);
    for (const { deviceId, token } of newest) if (!(await known(there, deviceId, token, device))) lost.push(deviceId);
    t.same(lost, [], `all of the newest ${newest.length} are there`);
    t.equal(await next.end('SIGTERM'), 0);
  }
});

void t.test('a PostgreSQL server by its URL, which stays a secret', { skip: noPostgres }, async (t) => {
  const postgres = await startPostgres(t);
  const url = await postgres.database();
  const state = freshState();
  const where = ['--database', url, '--state', state];
  const device = enrolled(t, where);
  const servers = [new Server(t, where), new Server(t, ['--state', state], { VERACRUZ_STREAMS_DATABASE: url })];
  await servers[0]?.url();
  const [one, other] = (await Promise.all(servers.map((server) => server.url()))) as [string, string];
  const { deviceId, token } = await certified(one, device);
  t.equal(await known(other, deviceId, token, device), true);
  t.match(attest(['devices', ...where]).stdout, String(deviceId), 'a command while both run');
  t.same(readdirSync(state).sort(), ['ca.key', 'ca.pem'], 'nothing but the authority is in the folder');
  const secret = new RegExp(`${postgres.password.replace(/\W/g, '.')}|${encodeURIComponent(postgres.password)}`);
  for (const server of servers) {
    t.match(server.stderr, '"registry":"postgres://127.0.0.1:');
    t.equal(await server.end('SIGTERM'), 0);
    t.notMatch(server.stdout + server.stderr, secret);
  }
  await postgres.crash();
  const late = attest(['keys', ...where]);
  t.match(late, {
    status: 1,
    stderr: /^veracruz-streams: the registry's database at postgres:\/\/127\.0\.0\.1:\d+\/registry0 cannot be reached/,
  });
  t.notMatch(late.stderr, secret);
});

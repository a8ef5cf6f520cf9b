/** Bodies that `readFile` returned and that are read late, slowly, or never; and what the requests behind them do. */
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { ClientOptions } from '../../lib/roles/client/client.js';
import { until, within } from '../support/foreign.js';
import { collect, content, startRoles } from '../support/roles.js';
import { patience } from '../support/time.js';

const SMALL = content(200_000);
const LARGE = content(3_000_000);

async function start(t: Test, options: Partial<ClientOptions> = {}) {
  const roles = await startRoles(t);
  const client = await roles.connect(options);
  await client.writeFile('/small', SMALL);
  await client.writeFile('/other', SMALL.subarray(3));
  await client.writeFile('/large', LARGE);
  return { ...roles, client };
}

void t.test('small files: the next request does not wait for their reader', async (t) => {
  const { client } = await start(t);
  const [a, b, c] = await within('three reads', Promise.all(['/small', '/other', '/small'].map((name) => client.readFile(name))));
  t.equal((a as { length: number }).length, SMALL.length);
  t.ok((await collect(c as typeof a & AsyncIterable<Buffer>)).equals(SMALL));
  t.ok((await collect(b as typeof a & AsyncIterable<Buffer>)).equals(SMALL.subarray(3)));
  t.ok((await collect(a as typeof a & AsyncIterable<Buffer>)).equals(SMALL));
  await client.writeFile('/empty', Buffer.alloc(0));
  const empty = await client.readFile('/empty');
  t.equal(empty.length, 0);
  t.equal((await collect(empty)).length, 0);
});

void t.test('a file of the same client is a source when it is small, and refused at once when it is not', async (t) => {
  const { client } = await start(t);
  await within('a copy', client.writeFile('/copy', await client.readFile('/small')));
  await within('a longer copy', client.appendFile('/copy', await client.readFile('/other'), { size: SMALL.length - 3 }));
  t.ok((await collect(await client.readFile('/copy', {}))).equals(Buffer.concat([SMALL, SMALL.subarray(3)])));
  const body = await client.readFile('/large');
  for (const method of ['writeFile', 'appendFile'] as const) {
    await t.rejects(client[method]('/copy', body), {
      code: 'ERR_VC_INVALID_ARGUMENT',
      layer: 'client',
      got: LARGE.length,
      message: /\/large/,
    });
  }
  t.ok((await collect(body)).equals(LARGE), 'the body is as it was');
  t.equal(typeof (await client.policyHash()), 'string');
});

void t.test('how much is kept is an option', async (t) => {
  const { client, connect } = await start(t, { maxBufferedBodyBytes: LARGE.length });
  const [one, two] = await within('two large reads', Promise.all([client.readFile('/large'), client.readFile('/large')]));
  t.ok((await collect(two)).equals(LARGE));
  t.ok((await collect(one)).equals(LARGE));
  const none = await connect({ maxBufferedBodyBytes: 0 });
  const body = await none.readFile('/small');
  let after = false;
  const next = none.readFile('/other').then(async (other) => {
    after = true;
    return collect(other);
  });
  await client.readFile('/small');
  t.notOk(after, 'the next waits');
  t.ok((await collect(body)).equals(SMALL));
  t.ok((await within('the next', next)).equals(SMALL.subarray(3)));
  for (const bad of [{ maxBufferedBodyBytes: -1 }, { maxBufferedBodyBytes: 2 ** 30 + 1 }, { readTimeoutMs: -1 }, { readTimeoutMs: 0.5 }]) {
    await t.rejects(connect(bad), { code: 'ERR_VC_INVALID_OPTION' }, JSON.stringify(bad));
  }
});

void t.test('a request behind a body of which nothing is read fails, and says of which; the session goes on', async (t) => {
  const waitMs = patience(300);
  const { client } = await start(t, { answerTimeoutMs: waitMs });
  const body = await client.readFile('/large');
  const late = { code: 'ERR_VC_TIMEOUT', layer: 'client', limit: waitMs, expected: LARGE.length, message: /the body of \/large/ };
  await t.rejects(within('a read', client.readFile('/small')), late);
  await t.rejects(within('a write of what the body is piped into', client.writeFile('/x', new PassThrough(), { size: 1 })), late);
  t.ok((await collect(body)).equals(LARGE), 'the body can still be read');
  t.ok((await collect(await client.readFile('/small'))).equals(SMALL));
  const aborted = new AbortController();
  const again = await client.readFile('/large');
  const waiting = client.readFile('/small', { signal: aborted.signal });
  aborted.abort(new Error('enough'));
  await t.rejects(waiting, { code: 'ERR_VC_ABORTED' });
  again.destroy();
  t.ok((await collect(await client.readFile('/other'))).equals(SMALL.subarray(3)));
});

void t.test('a request behind a body that is read slowly waits for it', async (t) => {
  const waitMs = patience(400);
  const { client } = await start(t, { answerTimeoutMs: waitMs });
  const body = await client.readFile('/large');
  const next = client.readFile('/small').then(collect);
  next.catch(() => {});
  body.pause();
  const started = performance.now();
  let bytes = 0;
  while (performance.now() - started < 3 * waitMs) {
    bytes += ((body.read(1000) ?? body.read()) as Buffer | null)?.length ?? 0;
    await sleep(10);
  }
  t.ok(bytes < LARGE.length, 'it is slow');
  t.equal(bytes + (await collect(body)).length, LARGE.length);
  t.ok((await within('the request behind it', next)).equals(SMALL));
});

void t.test('a body that is not read for readTimeoutMs: the session ends at both ends, with an error that says why', async (t) => {
  const readTimeoutMs = patience(300);
  const { server, connect, client } = await start(t);
  const stuck = await connect({ readTimeoutMs });
  const body = await stuck.readFile('/large');
  const gone = new Promise((resolve) => stuck.once('close', resolve));
  t.match(await within('the end of the session', gone), { code: 'ERR_VC_TIMEOUT', limit: readTimeoutMs, message: /\/large/ });
  t.match(body.errored, { code: 'ERR_VC_TIMEOUT' });
  await t.rejects(stuck.readFile('/small'), { code: 'ERR_VC_TIMEOUT' });
  await client.close();
  await until('the Server has forgotten it', () => server.sessions === 0);
});

void t.test('close() behind a body that nobody reads comes to its end', async (t) => {
  const { client } = await start(t, { answerTimeoutMs: patience(300) });
  await client.readFile('/large');
  await within('close()', client.close());
});

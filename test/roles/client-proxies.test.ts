/** Clients whose way to the Server leads through proxies, and over slow lines. */
import t, { type Test } from 'tap';
import { within } from '../support/foreign.js';
import '../support/long.js';
import { type Manners, proxyWith, slowLine } from '../support/proxy.js';
import { collect, connectClient, content, portOf, startRoles } from '../support/roles.js';
import { patience } from '../support/time.js';

const FILE = content(6_000_000);

/** Writes, appends and reads through a proxy at `url`. */
async function roundTrip(t: Test, url: string, file = FILE): Promise<void> {
  const client = await connectClient(t, url);
  await client.writeFile('/f', file);
  await client.appendFile('/f', file.subarray(0, 700_000));
  const read = await collect(await client.readFile('/f'));
  t.ok(read.equals(Buffer.concat([file, file.subarray(0, 700_000)])), 'each byte once, in its place');
  await client.close();
}

void t.test('proxies that close connections: uploads and downloads are whole', async (t) => {
  const { server } = await startRoles(t);
  const manners: Manners[] = [{ closeAfter: 1 }, { closeAfter: 3 }, { closeAfter: 5, maxBodyBytes: 1_048_576 }, { closeAfter: 12 }];
  for (const each of manners) {
    const proxy = await proxyWith(t, portOf(server), each);
    await within(JSON.stringify(each), roundTrip(t, proxy.url));
    t.ok(proxy.connections > 1);
  }
});

void t.test('proxies that take short bodies alone: the client goes on with shorter ones', async (t) => {
  const { server } = await startRoles(t);
  for (const maxBodyBytes of [200_000, 20_000]) {
    for (const keepsRefused of [true, false]) {
      const proxy = await proxyWith(t, portOf(server), { maxBodyBytes, keepsRefused });
      await within(`at most ${maxBodyBytes} bytes`, roundTrip(t, proxy.url, FILE.subarray(0, 1_500_000)));
      t.ok(proxy.refused > 0);
      t.ok(Math.max(...proxy.passed) <= maxBodyBytes);
    }
  }
  const proxy = await proxyWith(t, portOf(server), { maxBodyBytes: 10_000 });
  const client = await connectClient(t, proxy.url);
  await client.writeFile('/small', content(5000));
  await t.rejects(client.writeFile('/f', FILE), { code: 'ERR_VC_LIMIT', got: 413 }, 'bodies are not made as short as that');
});

void t.test('the Server itself refuses bodies that are too long with the limit, and nothing is sent again', async (t) => {
  const { server } = await startRoles(t, { server: { maxPipelinedPosts: 1 } });
  const client = await connectClient(t, server.url);
  await t.rejects(client.writeFile('/f', FILE), { code: 'ERR_VC_LIMIT', got: 413 });
  const careful = await connectClient(t, server.url, { maxInFlight: 1 });
  await careful.writeFile('/f', FILE);
  t.ok((await collect(await careful.readFile('/f'))).equals(FILE));
});

void t.test('a slow line: a write takes many times the deadline, and is whole', async (t) => {
  const { server, connect: direct } = await startRoles(t);
  const line = await slowLine(t, portOf(server), 60_000);
  const answerTimeoutMs = patience(1500);
  const client = await connectClient(t, line.url, { answerTimeoutMs });
  const file = FILE.subarray(0, 250_000);
  const started = performance.now();
  await client.writeFile('/slow', file);
  t.ok(performance.now() - started > 3000, 'the line is as slow as it should be');
  const other = await direct();
  t.ok((await collect(await other.readFile('/slow'))).equals(file));
});

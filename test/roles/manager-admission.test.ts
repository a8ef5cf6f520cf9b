/** Strangers at a Runtime Manager, over links of their own and behind its Server: what they can take, and for how long. */
import { connect } from 'node:tls';
import t, { type Test } from 'tap';
import { makeAuthority } from '../../lib/attestation/authority.js';
import { makeIdentity } from '../../lib/attestation/identity.js';
import { certificatesOf } from '../../lib/layers/formats/certificates.js';
import { handshakeBytes } from '../../lib/roles/runtime-manager/handshake-bytes.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { madeUpIdentity } from '../layers/tls/made-up.js';
import { issued } from '../layers/tls/pki.js';
import { ask, dataOf, ForeignServer, tell, until } from '../support/foreign.js';
import { ALL_RIGHTS, alice, authority, bob, policyOf, portOf, startManager, startRoles } from '../support/roles.js';

/** Opens sessions until the manager refuses; gives how many it was. */
async function fill(server: ForeignServer, most: number): Promise<number> {
  for (let opened = 0; opened < most; opened++) if ((await server.call(ask.open())).equals(tell.fail)) return opened;
  return most;
}

/** Whether the manager answers a client of another make, whose bytes are carried here. */
async function answers(t: Pick<Test, 'teardown'>, server: ForeignServer, own: { key: string; cert: string }): Promise<boolean> {
  const id = await server.open();
  const [near, far] = memoryPipe();
  const credentials = { ca: authority.certificate, checkServerIdentity: () => undefined, minVersion: 'TLSv1.3' } as const;
  const client = connect({ ...credentials, ...own, socket: near });
  t.teardown(() => client.destroy());
  let heard = 0;
  client
    .on('error', () => {})
    .on('data', (chunk: Buffer) => {
      heard += chunk.length;
    });
  // A request without a message in it: it is answered all the same.
  client.write(Buffer.from('0000000000000000', 'hex'));
  far.on('error', () => {}).pause();
  let over = false;
  await until('an answer, or the end', async () => {
    const bytes = far.read() as Buffer | null;
    if (bytes !== null) over ||= !(await server.call(ask.send(id, bytes))).equals(tell.success);
    const needed = await server.call(ask.needed(id));
    if (needed.equals(tell.needed(true))) far.write(dataOf(await server.call(ask.get(id))));
    over ||= needed.equals(tell.fail);
    return heard > 0 || over;
  });
  return heard > 0;
}

void t.test('a link that has done nothing has few sessions beside others, and takes none of theirs', async (t) => {
  const { manager, connect } = await startRoles(t, { manager: { maxSessions: 40, maxPendingSessions: 30, maxUnprovenSessions: 5 } });
  const client = await connect();
  const stranger = await ForeignServer.connect(t, portOf(manager));
  t.equal(await fill(stranger, 100), 5);
  t.equal(manager.sessions, 6);
  const others = await Promise.all(Array.from({ length: 20 }, () => connect()));
  await client.writeFile('/a', Buffer.from('x'));
  t.equal(manager.sessions, 26);
  for (const one of [client, ...others]) await one.close();
});

void t.test('who was alone has all, and makes room at once for one that is proven', async (t) => {
  const manager = await startManager(t, { maxSessions: 12, maxPendingSessions: 12 });
  const stranger = await ForeignServer.connect(t, portOf(manager));
  t.equal(await fill(stranger, 100), 12);
  const second = await ForeignServer.connect(t, portOf(manager));
  t.ok(await second.open(), 'as many as the first has, less one');
  t.equal(manager.sessions, 12);
  t.same(await stranger.call(ask.needed(1)), tell.fail, 'its oldest has ended');
  t.same(await stranger.call(ask.needed(2)), tell.needed(false));
});

void t.test('a session without a byte ends at the deadline of the handshake, an idle one at its own', async (t) => {
  const lines: unknown[] = [];
  const log = (_level: string, event: string, figures?: object) => void (event === 'sessions ended' && lines.push(figures));
  const { manager, connect } = await startRoles(t, { manager: { handshakeTimeoutMs: 300, sessionIdleTimeoutMs: 1200, log } });
  const client = await connect();
  const stranger = await ForeignServer.connect(t, portOf(manager));
  for (let i = 0; i < 10; i++) await stranger.open();
  await until('they end', () => manager.sessions === 1);
  await client.writeFile('/a', Buffer.from('x'));
  await until('the client was silent for too long', () => manager.sessions === 0);
  const sum = (name: string) => (lines as Record<string, number>[]).reduce((all, figures) => all + (figures[name] ?? 0), 0);
  t.same([sum('silent'), sum('idle')], [10, 1]);
});

void t.test('certificates that are made up are refused by their length, the principals of the policy are not', async (t) => {
  const codes: unknown[] = [];
  const log = (_level: string, event: string, figures?: Readonly<Record<string, unknown>>) => {
    if (event === 'session failed') codes.push(figures?.code);
  };
  const { connect } = await startRoles(t, { manager: { log } });
  for (const identity of [alice, bob]) await (await connect({ identity })).close();
  for (const [identity, code] of [
    [madeUpIdentity(0), 'ERR_VC_LIMIT'],
    [makeIdentity({ commonName: 'stranger' }), 'ERR_VC_CERTIFICATE'],
  ] as const) {
    codes.length = 0;
    await t.rejects(connect({ identity }));
    t.same(codes, [code]);
  }
});

void t.test('principals whose certificates others have issued bring their chain', async (t) => {
  const root = makeAuthority({ commonName: 'root' });
  const leaf = issued(root, { subject: 'leaf', usages: ['client'] }, 'rsa');
  const policy = policyOf({ identities: [leaf].map(({ certificate }) => ({ certificate, capabilities: ALL_RIGHTS })) });
  const codes: unknown[] = [];
  const log = (_level: string, event: string, figures?: Readonly<Record<string, unknown>>) => {
    if (event === 'session failed') codes.push(figures?.code);
  };
  const manager = await startManager(t, { policy, clientAuthorities: [root.certificate], log });
  const server = await ForeignServer.connect(t, portOf(manager));
  t.equal(await answers(t, server, { key: leaf.key, cert: leaf.certificate + root.certificate }), true);
  t.same(codes, []);
  t.equal(await answers(t, server, { key: leaf.key, cert: leaf.certificate + root.certificate.repeat(30) }), false);
  t.same(codes, ['ERR_VC_LIMIT']);
});

void t.test('what a handshake may have comes from the certificates', (t) => {
  const chains = [alice, bob].map(({ certificate }) => certificatesOf('test', certificate));
  const [ec, rsa] = chains.map((chain) => chain[0]?.raw.length as number);
  t.equal(handshakeBytes(chains.slice(0, 1), []), 68 + 512 + 144 + 5 + (ec as number));
  t.equal(handshakeBytes(chains, []), 68 + 512 + 256 + 5 + (rsa as number), 'the largest');
  const authorities = certificatesOf('test', makeAuthority().certificate);
  const more = 4096 + 5 + (authorities[0]?.raw.length as number);
  t.equal(handshakeBytes(chains, authorities), 68 + 512 + 256 + 5 + (rsa as number) + more);
  t.end();
});

/** What the Server and whoever taps its lines can see, and who is let in. */
import t from 'tap';
import { makeAuthority } from '../../lib/attestation/authority.js';
import { makeIdentity } from '../../lib/attestation/identity.js';
import type { FileStore } from '../../lib/enclave/store/file-store.js';
import { VeracruzClient } from '../../lib/roles/client/client.js';
import { tapProxy, within } from '../support/foreign.js';
import {
  alice,
  authority,
  collect,
  content,
  managerIdentity,
  portOf,
  startManager,
  startRoles,
  startServer,
  stored,
  stranger,
} from '../support/roles.js';

const CANARY = 'c4naRy-in-the-c0al-mine';

/** The bytes that HTTP bodies stand for: each run of base64, decoded. */
function decoded(http: Buffer): Buffer {
  const runs = http.toString('latin1').match(/[A-Za-z0-9+/]{8,}={0,2}/g) ?? [];
  return Buffer.concat(runs.map((run) => Buffer.from(run, 'base64')));
}

/** `text` in any shape in which it could lie in `bytes`. */
function finds(bytes: Buffer, text: string): boolean {
  const plain = bytes.toString('latin1');
  // base64 of a text has three shapes, by where it begins.
  const shapes = [0, 1, 2].map((shift) =>
    Buffer.from(`${' '.repeat(shift)}${text}`)
      .toString('base64')
      .slice(shift === 0 ? 0 : 4, -4),
  );
  return [text, Buffer.from(text).toString('hex'), ...shapes].some((shape) => plain.includes(shape));
}

void t.test('ciphertext only: on the link, and in the bodies', async (t) => {
  const manager = await startManager(t);
  const link = await tapProxy(t, portOf(manager));
  const lines: string[] = [];
  const server = await startServer(t, `tcp://127.0.0.1:${link.port}`, { log: (...line) => lines.push(JSON.stringify(line)) });
  const http = await tapProxy(t, portOf(server));
  const client = await VeracruzClient.connect({ url: http.url, identity: alice, authority: authority.certificate });
  const text = Buffer.from(`${CANARY} `.repeat(3000));
  await client.writeFile(`/${CANARY}`, text);
  t.ok((await collect(await client.readFile(`/${CANARY}`))).equals(text));
  await client.close();
  t.ok(
    finds(Buffer.from(`xx${CANARY}`), CANARY) && finds(Buffer.from(Buffer.from(`x${CANARY}yy`).toString('base64')), CANARY),
    'it would be found',
  );
  const streams = { 'the link, up': link.up(), 'the link, down': link.down(), 'HTTP, up': http.up(), 'HTTP, down': http.down() };
  for (const [what, bytes] of Object.entries(streams)) {
    t.ok(bytes.length > text.length, `${what}: ${bytes.length} bytes`);
    t.notOk(finds(bytes, CANARY), what);
    t.notOk(finds(decoded(bytes), CANARY), `${what}, decoded`);
  }
  t.ok(lines.length > 0);
  t.notOk(finds(Buffer.from(lines.join('\n')), CANARY), 'the log');
});

void t.test('a client whose certificate is no identity: refused, and nothing of it reaches the store', async (t) => {
  const touched: string[] = [];
  const store = new Proxy({ bind: async () => {}, close: async () => {} } as unknown as FileStore, {
    get: (target, name): unknown => Reflect.get(target, name) ?? (() => touched.push(String(name))),
  });
  const { connect, manager, server } = await startRoles(t, { manager: { store } });
  const { certificate, key } = managerIdentity();
  const ofTheAuthority = { certificate: certificate.slice(0, certificate.indexOf('-----END') + 26), key };
  for (const identity of [stranger, makeIdentity({ commonName: 'alice' }), ofTheAuthority]) {
    await t.rejects(within('a refused client', connect({ identity })), { code: 'ERR_VC_PEER_REJECTED' });
  }
  t.same(touched, []);
  t.equal(manager.sessions, 0);
  t.equal(server.sessions, 0);
  await t.rejects(connect({ identity: { certificate: alice.certificate, key: stranger.key } }), { code: 'ERR_VC_INVALID_OPTION' });
});

void t.test('a manager of another authority, or refused by the hook: not one byte of a request leaves', async (t) => {
  const manager = await startManager(t, managerIdentity(makeAuthority({ commonName: 'somebody else' })));
  const server = await startServer(t, `tcp://127.0.0.1:${portOf(manager)}`);
  const connect = (options = {}) =>
    VeracruzClient.connect({ url: server.url, identity: alice, authority: authority.certificate, ...options });
  await t.rejects(within('a client of a false manager', connect()), { code: 'ERR_VC_CERTIFICATE' });
  const { connect: good, store } = await startRoles(t);
  await t.rejects(
    good({
      verifyPeer: () => {
        throw new Error('not this one');
      },
    }),
    { code: 'ERR_VC_CERTIFICATE' },
  );
  const client = await good({ verifyPeer: () => undefined });
  await client.writeFile('/f', content(10));
  t.equal((await stored(store, '/f'))?.length, 10);
});

void t.test('a Server that tampers with the ciphertext ends the session, and nothing is stored', async (t) => {
  const { server, store } = await startRoles(t);
  for (const direction of ['onUp', 'onDown'] as const) {
    const http = await tapProxy(t, portOf(server));
    const client = await VeracruzClient.connect({ url: http.url, identity: alice, authority: authority.certificate });
    let spoiled = false;
    http[direction] = (piece) => {
      // The body of a POST, or of an answer: one letter of its base64.
      const at = piece.toString('latin1').search(/ [A-Za-z0-9+/]{20}/);
      if (!spoiled && at >= 0) {
        piece[at + 12] = piece[at + 12] === 0x41 ? 0x42 : 0x41;
        spoiled = true;
      }
      return true;
    };
    await t.rejects(within('an upload that is tampered with', client.writeFile('/f', content(50_000))), { code: /^ERR_VC_/ });
    t.ok(spoiled);
    if (direction === 'onUp') t.equal(await stored(store, '/f'), undefined);
  }
});

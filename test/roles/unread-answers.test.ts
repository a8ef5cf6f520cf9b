/** Clients that read nothing of an answer any more, whoever has written them; and those that read it slowly. */
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { tcpServer, until, within } from '../support/foreign.js';
import '../support/long.js';
import { collect, connectClient, content, portOf, startRoles } from '../support/roles.js';
import { patience } from '../support/time.js';

/** Ten times as long for a connection that a session belongs to. */
const UNREAD_MS = patience(300);
const SESSION_MS = 10 * UNREAD_MS;
/** More than the buffers of the two systems, two sockets each, hold. */
const FILE = content(32 * 1024 * 1024);

for (const way of ['http', 'direct'] as const) {
  void t.test(`${way}: who stops reading loses the session, at the Server and at the manager; who is slow does not`, async (t) => {
    const direct = way === 'direct' ? { direct: 'tcp://127.0.0.1:0' } : {};
    const { manager, server, store } = await startRoles(t, {
      // No client of these is idle, so only its silence as a reader can end its session.
      server: { unreadTimeoutMs: UNREAD_MS, idleTimeoutMs: 0, ...direct },
      manager: { sessionIdleTimeoutMs: 0 },
    });
    const target = way === 'http' ? portOf(server) : (server.directAddress as { port: number }).port;
    const sink = store.write('/input/large');
    sink.end(FILE);
    await sink.commit();

    /** A client behind something that takes from the Server only what `take` lets it. */
    const reader = async (take: (server: Socket, bytes: number) => void) => {
      const { port } = await tcpServer(t, (client) => {
        const upstream = connect({ host: '127.0.0.1', port: target, noDelay: true });
        const gone = () => {
          upstream.destroy();
          client.destroy();
        };
        upstream.on('error', gone).on('close', gone);
        client.on('close', gone).pipe(upstream);
        upstream.on('data', (piece: Buffer) => {
          client.write(piece);
          take(upstream, piece.length);
        });
      });
      const url = way === 'http' ? `http://127.0.0.1:${port}` : `tcp://127.0.0.1:${port}`;
      const client = await connectClient(t, url, { answerTimeoutMs: 0 });
      return client.readFile('/input/large');
    };

    const begun = performance.now();
    const slow = await reader((upstream, bytes) => {
      upstream.pause();
      setTimeout(() => upstream.resume(), (bytes / FILE.length) * 2 * SESSION_MS);
    });
    const whole = collect(slow);
    let taken = 0;
    let cut = () => {};
    const stuck = await reader((upstream, bytes) => {
      taken += bytes;
      if (taken > 1024 * 1024) upstream.pause();
      cut = () => upstream.destroy();
    });
    const failed = collect(stuck).catch((error: unknown) => error);
    t.equal(manager.sessions, 2);
    await until('the end of the one that reads nothing', () => server.sessions === 1 && manager.sessions === 1);
    // Who does not read does not hear that the connection is gone, either.
    cut();
    t.match(await within('what its client is told', failed), { code: /^ERR_VC_/ });
    t.ok((await within('all of the file', whole)).equals(FILE));
    t.ok(performance.now() - begun > SESSION_MS, 'over a longer time than one may read nothing');
  });
}

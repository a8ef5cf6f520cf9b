/** The file of a Unix socket that is there already: left by somebody, in use, or something else. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parseAddress } from '../../lib/transports/address.js';
import { type Listener, listenSocket } from '../../lib/transports/socket.js';

const ROUNDS = 15;
const STARTERS = 4;

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'vc-place-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A socket's file at which nobody listens any more, as a killed process leaves it. */
async function leave(path: string): Promise<void> {
  const server = createServer();
  server.listen(`${path}.made`);
  await once(server, 'listening');
  renameSync(`${path}.made`, path);
  server.close();
  await once(server, 'close');
}

async function listening(t: Test, path: string, onConnection = () => {}): Promise<Listener> {
  const listener = await listenSocket(parseAddress(`unix-listen://${path}`), (socket) => {
    onConnection();
    socket.destroy();
  });
  t.teardown(() => listener.close());
  return listener;
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  const connected = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.on('error', () => {}).destroy();
  return connected;
}

void t.test('what a killed process left is taken over', async (t) => {
  const at = folder(t);
  const path = join(at, 'socket');
  await leave(path);
  t.ok(existsSync(path));
  t.notOk(await answers(path));
  await listening(t, path);
  t.ok(await answers(path));
  t.same(readdirSync(at), ['socket'], 'and nothing is left beside it');
});

void t.test('what somebody listens at is not', async (t) => {
  const path = join(folder(t), 'socket');
  let connections = 0;
  await listening(t, path, () => connections++);
  await t.rejects(listening(t, path), { code: 'ERR_VC_TRANSPORT', message: /: another process listens at that file \(EADDRINUSE\)$/ });
  t.ok(await answers(path), 'who was there is there');
});

void t.test('what is no socket is not touched', async (t) => {
  const at = folder(t);
  const refused = { code: 'ERR_VC_TRANSPORT', message: /: a file is there that is no socket \(EADDRINUSE\)$/ };
  writeFileSync(join(at, 'file'), 'kept');
  await t.rejects(listening(t, join(at, 'file')), refused);
  await leave(join(at, 'left'));
  symlinkSync('left', join(at, 'link'));
  await t.rejects(listening(t, join(at, 'link')), refused, 'nor a link to what was left');
  t.same(readdirSync(at).sort(), ['file', 'left', 'link']);
});

void t.test('of several that start at once one gets the place, and keeps it', async (t) => {
  const at = folder(t);
  for (let round = 0; round < ROUNDS; round++) {
    const path = join(at, `socket-${round}`);
    if (round % 3 !== 0) await leave(path);
    const outcomes = await Promise.allSettled(Array.from({ length: STARTERS }, () => listening(t, path)));
    const won = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    t.equal(won.length, 1, `round ${round}`);
    t.ok(await answers(path));
    await won[0]?.close();
    t.notOk(existsSync(path), 'its file goes with it');
  }
  t.same(readdirSync(at), []);
});

/** Pipes that listen over HTTP, before strangers. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import t, { type Test } from 'tap';
import { type HttpListenOptions, http } from '../../lib/transports/http.js';
import { post, until } from '../support/foreign.js';

async function listen(t: Test, options: HttpListenOptions) {
  const pipes: Duplex[] = [];
  const take = (pipe: Duplex) => void pipes.push(pipe.on('error', () => {}));
  const listener = await http.listen?.({ kind: 'http', url: 'http://127.0.0.1:0/runtime_manager' }, take, options);
  t.teardown(() => listener?.close());
  const port = Number(new URL(listener?.address.url ?? '').port);
  const dial = async (host = 1): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: `127.0.0.${host}` }).on('error', () => {});
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  return { pipes, dial };
}

const gone = (socket: Socket) => (socket.resume().destroyed ? Promise.resolve() : once(socket, 'close'));

void t.test('so many connections of one address, and so many in all', async (t) => {
  const { pipes, dial } = await listen(t, { maxConnections: 2, maxConnectionsPerAddress: 1 });
  const first = await dial();
  first.write(post('a'));
  await until('a pipe', () => pipes.length === 1);
  await gone(await dial());
  const other = await dial(2);
  other.write(post('b'));
  await until('a pipe of another address', () => pipes.length === 2);
  await gone(await dial(3));
  t.same([first.destroyed, other.destroyed], [false, false], 'pipes stay');
});

void t.test('a silent connection ends, unless it is a pipe', async (t) => {
  const { pipes, dial } = await listen(t, { idleTimeoutMs: 100 });
  const pipe = await dial();
  pipe.write(post('a'));
  await until('a pipe', () => pipes.length === 1);
  await gone(await dial());
  await gone(await dial());
  t.equal(pipe.destroyed, false);
});

void t.test('requests under way are bounded, and what was read behind them is not parsed', async (t) => {
  const { pipes, dial } = await listen(t, {});
  const flood = await dial();
  const body = post('a');
  flood.write(Buffer.concat(Array.from({ length: 1000 }, () => body)));
  await gone(flood);
  t.equal(pipes.length, 1);
  await until('the pipe is over', () => pipes[0]?.destroyed === true);
  const next = await dial();
  next.write(body);
  await until('one that is served', () => pipes.length === 2);
});

void t.test('an answer that nobody reads', async (t) => {
  const { pipes, dial } = await listen(t, { unreadTimeoutMs: 20 });
  const deaf = await dial();
  deaf.pause().write(post('a'));
  await until('a pipe', () => pipes.length === 1);
  const [pipe] = pipes as [Duplex];
  pipe.resume();
  const chunk = Buffer.alloc(2 ** 20);
  while (!pipe.destroyed && pipe.write(chunk)) await new Promise((go) => setImmediate(go));
  await until('its end', () => pipe.destroyed);
  t.pass('ten times the limit later: it was a pipe');
});

void t.test('limits that are none', async (t) => {
  for (const bad of [{ maxConnections: 0 }, { maxConnectionsPerAddress: -1 }, { unreadTimeoutMs: 0.5 }, { idleTimeoutMs: 2 ** 31 }]) {
    await t.rejects(listen(t, bad), { code: 'ERR_VC_INVALID_OPTION' }, JSON.stringify(bad));
  }
});

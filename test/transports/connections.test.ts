/** Connections are counted, make room, and end when nobody reads them: real sockets, from several addresses of loopback. */
import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import t from 'tap';
import { systemClock, useClock } from '../../lib/core/clock.js';
import { Connections, type ConnectionsOptions } from '../../lib/transports/connections.js';
import { DescriptorBudget, descriptorLimit } from '../../lib/transports/descriptors.js';
import { ServedMessage } from '../../lib/transports/served-message.js';
import { type RawHttp, until } from '../support/foreign.js';

type T = Parameters<typeof RawHttp.connect>[0];

const NO_LIMITS: ConnectionsOptions = { maxConnections: 100, maxConnectionsPerAddress: 0, unreadTimeoutMs: 0, idleTimeoutMs: 0 };

interface Guarded {
  readonly connections: Connections;
  readonly sockets: Set<Socket>;
  /** A connection from `127.0.0.<host>`. */
  readonly dial: (host?: number) => Promise<Socket>;
}

async function guard(t: T, server: Server | HttpServer, options: Partial<ConnectionsOptions>): Promise<Guarded> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    if (socket.destroyed) return;
    sockets.add(socket.on('error', () => {}));
    socket.on('close', () => sockets.delete(socket));
  });
  const connections = new Connections(server, { ...NO_LIMITS, ...options });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const dial = async (host = 1) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: `127.0.0.${host}` });
    t.teardown(() => socket.destroy());
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };
  return { connections, sockets, dial };
}

/** Moves the clock of the library on. */
function wind(t: T): (ms: number) => void {
  let ahead = 0;
  t.teardown(useClock({ ...systemClock, monotonic: () => performance.now() + ahead }));
  return (ms) => {
    ahead += ms;
  };
}

const gone = (socket: Socket) => {
  socket.resume();
  return socket.destroyed ? Promise.resolve() : once(socket, 'close');
};

void t.test('so many at once of one address; a silent one makes room, one that was heard does not', async (t) => {
  const pass = wind(t);
  const { connections, dial } = await guard(t, createServer(), { maxConnectionsPerAddress: 2 });
  const [first, second] = [await dial(), await dial()];
  await until('both', () => connections.size === 2);
  await gone(await dial());
  t.same([connections.size, connections.ended.refused], [2, 1], 'two that have just come stay');
  const other = await dial(2);
  await until('one of another address', () => connections.size === 3);
  pass(1500);
  const third = await dial();
  await gone(first);
  t.same(
    [second, third, other].map(({ destroyed }) => destroyed),
    [false, false, false],
  );
  t.same([connections.size, connections.ended.room], [3, 1]);
});

void t.test('one more than there may be: the most crowded address makes room at once', async (t) => {
  const { connections, dial } = await guard(t, createServer(), { maxConnections: 4 });
  const crowd = [await dial(2), await dial(2), await dial(2), await dial(2)];
  await until('the crowd', () => connections.size === 4);
  const honest = await dial(3);
  await gone(crowd[0] as Socket);
  await gone(await dial(2));
  t.same([honest.destroyed, connections.size, connections.ended.refused], [false, 4, 1], 'the crowd itself makes no room so fast');
});

void t.test('what a session would miss stays, and who asks comes after who does not', async (t) => {
  const server = createHttpServer(() => {});
  const held = new Set<Socket>();
  const { connections, sockets, dial } = await guard(t, server, { maxConnections: 3, held: (socket) => held.has(socket) });
  const first = await dial(2);
  await until('the first', () => sockets.size === 1);
  held.add([...sockets][0] as Socket);
  const [asking, idle] = [await dial(2), await dial(2)];
  asking.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await until('the request', () => connections.size === 3 && [...sockets].some(({ bytesRead }) => bytesRead > 0));
  await dial(3);
  await gone(idle);
  await dial(4);
  await gone(asking);
  t.same([first.destroyed, connections.ended.refused], [false, 0]);
});

void t.test('an answer that nobody reads ends its connection; one that is read slowly does not', async (t) => {
  const bytes = 24 * 1024 * 1024;
  const server = createServer((socket) => void socket.end(Buffer.alloc(bytes)));
  const { connections, dial } = await guard(t, server, { unreadTimeoutMs: 1000 });
  const silent = await dial();
  const slow = await dial();
  let read = 0;
  slow.on('data', (chunk: Buffer) => {
    read += chunk.length;
    slow.pause();
    setTimeout(() => slow.resume(), 5);
  });
  await until('the end of the one', () => connections.ended.unread === 1);
  await until('all for the other', () => read === bytes);
  t.equal(connections.ended.unread, 1);
  await gone(silent);
});

void t.test('a silent connection ends, unless a session would miss it', async (t) => {
  const held = new Set<Socket>();
  const { connections, sockets, dial } = await guard(t, createServer(), { idleTimeoutMs: 100, held: (socket) => held.has(socket) });
  const first = await dial();
  await until('the first', () => sockets.size === 1);
  held.add([...sockets][0] as Socket);
  await gone(await dial());
  t.same([first.destroyed, connections.ended.idle], [false, 1]);
  held.clear();
  await gone(first);
});

void t.test('requests of one connection under way at once are bounded', async (t) => {
  const pass = wind(t);
  const held = new Set<Socket>();
  const server = createHttpServer({ IncomingMessage: ServedMessage }, () => {});
  const options = { maxConnectionsPerAddress: 100, held: (socket: Socket) => held.has(socket) };
  const { connections, sockets, dial } = await guard(t, server, options);
  const early = await dial();
  await until('the first', () => sockets.size === 1);
  const inSession = await dial();
  await until('another', () => sockets.size === 2);
  held.add([...sockets][1] as Socket);
  const socket = await dial();
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(128));
  await until('a full queue', () => (server as unknown as { _connections: number })._connections === 3 && connections.size === 3);
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await gone(socket);
  t.equal(connections.ended.pipelined, 1);
  for (let offence = 2; offence <= 3; offence++) {
    const other = await dial();
    other.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(129));
    await gone(other);
    t.equal(connections.ended.pipelined, offence);
  }
  await gone(await dial());
  t.equal(connections.ended.refused, 1, 'its address gets no other at once');
  inSession.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(17));
  early.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(16));
  early.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await gone(early);
  t.same([connections.ended.pipelined, inSession.destroyed], [4, false], 'and those that it has may have less under way');
  await dial(2);
  await until('that of another', () => connections.size === 2);
  pass(10_000);
  await dial();
  await until('another', () => connections.size === 3);
});

void t.test('requests that were read with the one that was too much are not parsed', async (t) => {
  const seen: string[] = [];
  const server = createHttpServer({ IncomingMessage: ServedMessage }, ({ url = '' }) => void seen.push(url));
  const upgraded = (request: { url?: string }) => void seen.push(`upgrade of ${request.url}`);
  const { connections, dial } = await guard(t, server, {});
  const asked = await dial();
  asked.write('GET /first HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
  await until('a request that wants an upgrade', () => seen.length === 1);
  t.same(seen, ['/first'], 'is a request as any other');
  server.on('upgrade', upgraded);
  const flood = await dial();
  flood.write(Array.from({ length: 1000 }, (_, i) => `GET /${i} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''));
  await gone(flood);
  await until('its end', () => connections.size === 1);
  t.same(seen.slice(1, 130).at(-1), '/128');
  // Which of those that were read it says it is differs between versions of Node.
  t.match(seen.slice(130), [/^upgrade of \//]);
  t.equal(seen.length, 131, 'nobody else hears of more than the one that ends it');
  t.same([connections.ended.pipelined, asked.destroyed], [1, false]);
});

void t.test('connections leave descriptors free', async (t) => {
  t.same(
    [1, 2, 64, 512, 1024, 20_000].map((limit) => new DescriptorBudget(limit).limit),
    [1, 1, 32, 256, 768, 19_744],
  );
  t.ok(descriptorLimit() >= 64);
  const descriptors = new DescriptorBudget(6);
  const { connections, dial } = await guard(t, createServer(), { descriptors });
  await dial(2);
  await dial(2);
  const third = await dial(2);
  await until('three', () => connections.size === 3);
  await gone(await dial(2));
  t.same([connections.size, descriptors.taken, third.destroyed], [3, 3, false]);
  third.destroy();
  await until('room', () => descriptors.taken === 2);
});

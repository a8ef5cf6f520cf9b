/** A process whose limit of descriptors is low, before a crowd that opens more connections than it has descriptors. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import t from 'tap';
import { dial, until } from '../support/foreign.js';
import '../support/processes.js';

/** Listens with no limits but that of descriptors, and opens files when it is told to. */
const CHILD = `
  import { closeSync, openSync } from 'node:fs';
  import { listenSocket } from '${new URL('../../lib/transports/socket.js', import.meta.url).href}';
  const limits = { maxConnections: 1e6, maxConnectionsPerAddress: 0, unreadTimeoutMs: 0, idleTimeoutMs: 0 };
  const { address } = await listenSocket({ kind: 'tcp', host: '127.0.0.1', port: 0 }, (socket) => socket.on('error', () => {}), limits);
  console.log(address.port);
  process.stdin.on('data', () => {
    const files = Array.from({ length: 10 }, () => openSync('/dev/null', 'r'));
    for (const file of files) closeSync(file);
    console.log(files.length);
  });
`;

void t.test('files can be opened whatever the crowd does', async (t) => {
  const command = `ulimit -n 96 && exec '${process.execPath}' --input-type=module`;
  const child = spawn('sh', ['-c', `${command} -e "$0"`, CHILD], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill());
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const port = Number((await lines.next()).value);
  const sockets = await Promise.all(Array.from({ length: 200 }, () => dial(t, port)));
  for (const socket of sockets) socket.on('error', () => {}).resume();
  await until('those over the limit are closed', () => sockets.filter(({ closed }) => closed).length === 200 - 48);
  child.stdin.write('files\n');
  t.equal((await lines.next()).value, '10');
  child.stdin.end();
  child.kill();
  await once(child, 'close');
});

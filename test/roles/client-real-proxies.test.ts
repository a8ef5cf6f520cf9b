/** Clients whose way to the Server leads through nginx and haproxy, where these are installed. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { until, within } from '../support/foreign.js';
import '../support/processes.js';
import { collect, connectClient, content, freshFolder, portOf, startRoles } from '../support/roles.js';

const FILE = content(3_000_000);

/** Writes and reads through a proxy at `url`. */
async function roundTrip(t: Test, url: string): Promise<void> {
  const client = await connectClient(t, url);
  await client.writeFile('/f', FILE);
  t.ok((await collect(await client.readFile('/f'))).equals(FILE), 'each byte once, in its place');
  await client.close();
}

function missing(program: string): string | false {
  return spawnSync(program, ['-v']).error === undefined ? false : `no ${program} here`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a proxy and waits until it listens. */
async function start(t: Test, program: string, parameters: readonly string[], port: number): Promise<string> {
  const child: ChildProcess = spawn(program, parameters, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr?.on('data', (piece: Buffer) => {
    said += piece.toString();
  });
  t.teardown(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  await until(`${program} listens`, () => {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}: ${said}`);
    return new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
  });
  return `http://127.0.0.1:${port}`;
}

async function startNginx(t: Test, target: number, settings: string): Promise<string> {
  const folder = freshFolder(t);
  const port = await freePort();
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`);
  const config = `
daemon off; master_process off; pid ${folder}/pid; error_log stderr crit;
events {}
http { access_log off; ${places.join(' ')}
  server { listen 127.0.0.1:${port}; ${settings} location / { proxy_pass http://127.0.0.1:${target}; } } }`;
  writeFileSync(join(folder, 'nginx.conf'), config);
  return start(t, 'nginx', ['-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')], port);
}

async function startHaproxy(t: Test, target: number, settings: string): Promise<string> {
  const file = join(freshFolder(t), 'haproxy.cfg');
  const port = await freePort();
  writeFileSync(
    file,
    `defaults
  mode http
  timeout connect 10s
  timeout client 1m
  timeout server 1m
  ${settings}
frontend in
  bind 127.0.0.1:${port}
  default_backend out
backend out
  server s 127.0.0.1:${target}
`,
  );
  return start(t, 'haproxy', ['-db', '-f', file], port);
}

void t.test('nginx as it is, and with connections that live shortly', { skip: missing('nginx') }, async (t) => {
  const { server } = await startRoles(t);
  for (const settings of ['', 'keepalive_timeout 0;', 'keepalive_requests 3;', 'keepalive_requests 3; client_max_body_size 100k;']) {
    await within(settings, roundTrip(t, await startNginx(t, portOf(server), settings)));
  }
});

void t.test('nginx closes a connection after its 1,000 requests in a long upload', { skip: missing('nginx') }, async (t) => {
  const { server } = await startRoles(t);
  const url = await startNginx(t, portOf(server), 'client_max_body_size 20k;');
  const client = await connectClient(t, url);
  const file = content(16_000_000);
  await client.writeFile('/f', file);
  t.ok(client.wire.posts > 1200, `${client.wire.posts} POSTs`);
  t.ok((await collect(await client.readFile('/f'))).equals(file));
});

void t.test('haproxy as it is, and with option httpclose', { skip: missing('haproxy') }, async (t) => {
  const { server } = await startRoles(t);
  for (const settings of ['', 'option httpclose', 'option http-server-close']) {
    await within(settings, roundTrip(t, await startHaproxy(t, portOf(server), settings)));
  }
});

/** A PostgreSQL server of the test's own, from what Debian has installed; gone with the test. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Test } from 'tap';
import { until } from './foreign.js';
import './processes.js';

type T = Pick<Test, 'teardown'>;

const DEBIAN = '/usr/lib/postgresql';
const PGBOUNCER = '/usr/sbin/pgbouncer';
/** The password of the server's one user: in it are the letters that a URL must escape. */
const PASSWORD = 'p@ss:w/rd?';

/** Programs of the newest PostgreSQL that is here. */
const programs = existsSync(DEBIAN)
  ? readdirSync(DEBIAN)
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(DEBIAN, version, 'bin'))
      .find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')))
  : undefined;

/** A server refuses to run as root. */
const isRoot = process.getuid?.() === 0;
const account = isRoot ? accountOf('postgres') : undefined;

/** Why there can be no server here; false when there can. */
export const noPostgres: string | false =
  programs === undefined
    ? 'PostgreSQL is not installed (apt install postgresql)'
    : isRoot && account === undefined
      ? 'no user postgres to run it as'
      : false;

function accountOf(name: string): { uid: number; gid: number } | undefined {
  const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }));
  return uid?.status === 0 && gid?.status === 0 ? { uid: Number(uid.stdout), gid: Number(gid.stdout) } : undefined;
}

export interface Postgres {
  /** URL of a new and empty database; over TCP with a password, or over the Unix socket. */
  database(over?: 'tcp' | 'unix'): Promise<string>;
  /** Ends it at once, as a crash would. */
  crash(): Promise<void>;
  /** Starts it again, at the same port. */
  start(): Promise<void>;
  readonly password: string;
  /** Where it listens on loopback. */
  readonly port: number;
}

/** Why there can be no PgBouncer here; false when there can. */
export const noPgBouncer: string | false =
  noPostgres || (existsSync(PGBOUNCER) ? false : 'PgBouncer is not installed (apt install pgbouncer)');

/** PgBouncer before a server, with nothing configured but where that is and who may come. @returns its port */
export async function startPgBouncer(t: T, { port: target }: Postgres): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'vc-pgb-'));
  const port = await freePort();
  const put = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    if (account !== undefined) chownSync(join(folder, name), account.uid, account.gid);
    return join(folder, name);
  };
  const users = put('users', `"tester" "${PASSWORD}"\n`);
  const places = `listen_addr = 127.0.0.1\nlisten_port = ${port}\nunix_socket_dir =\nauth_file = ${users}\n`;
  const settings = put('pgbouncer.ini', `[databases]\n* = host=127.0.0.1 port=${target}\n[pgbouncer]\n${places}`);
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
  const bouncer = spawn(PGBOUNCER, [settings], { ...account, cwd: folder, stdio: 'ignore' });
  const gone = once(bouncer, 'exit');
  t.teardown(async () => {
    bouncer.kill('SIGKILL');
    await gone;
    rmSync(folder, { recursive: true, force: true });
  });
  await until('PgBouncer', () => {
    if (bouncer.exitCode !== null) throw new Error(`PgBouncer ended with ${bouncer.exitCode}`);
    return listens(port);
  });
  return port;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => resolve(false)).on('connect', () => resolve(true));
    socket.on('connect', () => socket.destroy());
  });
}

export async function startPostgres(t: T): Promise<Postgres> {
  const bin = programs as string;
  const as = { ...account, env: { PATH: process.env.PATH, LC_ALL: 'C' } };
  const folder = mkdtempSync(join(tmpdir(), 'vc-pg-'));
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, PASSWORD, { mode: 0o600 });
  if (account !== undefined) for (const path of [folder, passwordFile]) chownSync(path, account.uid, account.gid);
  const setup = ['-D', data, '-U', 'tester', '-A', 'scram-sha-256', '--pwfile', passwordFile, '-E', 'UTF8', '--no-sync', '--no-locale'];
  await promisify(execFile)(join(bin, 'initdb'), setup, { ...as, cwd: folder });
  const port = await freePort();
  let server: ChildProcess | undefined;
  const stop = async (signal: NodeJS.Signals) => {
    if (server === undefined) return;
    const gone = once(server, 'exit');
    server.kill(signal);
    await gone;
    server = undefined;
  };
  t.teardown(async () => {
    await stop('SIGQUIT');
    rmSync(folder, { recursive: true, force: true });
  });
  const start = async () => {
    const flags = ['-D', data, '-k', folder, '-p', String(port), '-h', '127.0.0.1', '-c', 'max_connections=30'];
    server = spawn(join(bin, 'postgres'), flags, { ...as, cwd: folder, stdio: 'ignore' });
    await until('PostgreSQL', () =>
      admin('SELECT 1').then(
        () => true,
        () => false,
      ),
    );
  };
  const url = (name: string, over: 'tcp' | 'unix' = 'tcp') =>
    `postgres://tester:${encodeURIComponent(PASSWORD)}@${over === 'tcp' ? '127.0.0.1' : encodeURIComponent(folder)}:${port}/${name}`;
  const admin = async (sql: string) => {
    const client = new pg.Client({ connectionString: url('postgres') });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query(sql);
    } finally {
      await client.end().catch(() => {});
    }
  };
  await start();
  let databases = 0;
  return {
    password: PASSWORD,
    port,
    database: async (over) => {
      const name = `registry${databases++}`;
      await admin(`CREATE DATABASE ${name}`);
      return url(name, over);
    },
    // Sent to all of its processes, SIGKILL would leave shared memory behind; SIGQUIT is its own word for a crash.
    crash: () => stop('SIGQUIT'),
    start,
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

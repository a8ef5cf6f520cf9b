/**
 * What a program could do that has taken over its process, as if V8 were broken: JavaScript in the place of the engine's,
 * without Node's own fence. It tries what it is told, and says how each attempt went.
 */
import { spawnSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, connect as dial } from 'node:net';
import { cpus, hostname, networkInterfaces } from 'node:os';

/** An attempt, by its name, and what it is made on. */
export interface Attempt {
  readonly kind: keyof typeof ATTEMPTS;
  readonly on: string;
}

/** Errors by their codes; what succeeded says what it got. */
export interface Tried extends Attempt {
  readonly error?: string;
  readonly got?: string;
}

const opens = (path: string) =>
  new Promise<string>((resolve, reject) => {
    const socket = dial(
      path.startsWith('/') || path.startsWith('\0') ? { path } : { host: path.split(':')[0] as string, port: Number(path.split(':')[1]) },
    );
    socket.once('connect', () => resolve('connected'));
    socket.once('error', reject);
  });

const listens = () =>
  new Promise<string>((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve('listening'));
  });

const ATTEMPTS = {
  read: (path: string) => readFileSync(path, 'utf8'),
  list: (path: string) => readdirSync(path).join(' '),
  write: (path: string) => {
    writeFileSync(path, 'hostile');
    return 'written';
  },
  link: (path: string) => {
    symlinkSync(path, '/run/world/link');
    return readFileSync('/run/world/link', 'utf8');
  },
  connect: opens,
  listen: listens,
  signal: (pid: string) => {
    process.kill(Number(pid), 'SIGTERM');
    return 'sent';
  },
  execute: (command: string) => {
    const { error, stdout } = spawnSync(command, ['-e', 'console.log(1)'], { encoding: 'utf8' });
    if (error !== undefined) throw error;
    return String(stdout);
  },
  uid: () => String(process.getuid?.()),
  become: (uid: string) => {
    process.setuid?.(Number(uid));
    return String(process.getuid?.());
  },
  host: () => hostname(),
  interfaces: () => Object.keys(networkInterfaces()).join(' '),
  environment: () => Object.keys(process.env).join(' '),
  device: (path: string) => (lstatSync(path).isCharacterDevice() ? 'there' : 'other'),
  processors: () => String(cpus().length > 0),
};

process.on('message', (attempts: readonly Attempt[]) => void tryAll(attempts));
process.send?.('up');

async function tryAll(attempts: readonly Attempt[]): Promise<void> {
  const tried: Tried[] = [];
  for (const { kind, on } of attempts) {
    try {
      tried.push({ kind, on, got: await ATTEMPTS[kind](on) });
    } catch (thrown) {
      tried.push({ kind, on, error: (thrown as NodeJS.ErrnoException).code ?? 'thrown' });
    }
  }
  process.send?.(tried);
}

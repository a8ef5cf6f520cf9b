/** The three roles with everything they need, in this process or in three, gone with the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { Test } from 'tap';
import { type Authority, issue, makeAuthority } from '../../lib/attestation/authority.js';
import { type KeyAlgorithm, makeKey, pemOf } from '../../lib/attestation/certificate.js';
import { makeIdentity } from '../../lib/attestation/identity.js';
import { generatedFile } from '../../lib/cli/demo/generated.js';
import { createPolicy, type NewPolicy, type PolicySettings, policyHash } from '../../lib/enclave/policy/index.js';
import { DirectoryStore, type FileStore } from '../../lib/enclave/store/file-store.js';
import { type ClientOptions, VeracruzClient } from '../../lib/roles/client/client.js';
import { RuntimeManager, type RuntimeManagerOptions } from '../../lib/roles/runtime-manager/runtime-manager.js';
import { type ServerOptions, VeracruzServer } from '../../lib/roles/server/server.js';
import { within } from './foreign.js';
import { PROJECT_ROOT } from './golden.js';

type T = Pick<Test, 'teardown'>;

export const authority = makeAuthority({ commonName: 'role tests' });
export const alice = makeIdentity({ commonName: 'alice' });
export const bob = makeIdentity({ commonName: 'bob', algorithm: 'rsa' });
export const stranger = makeIdentity({ commonName: 'stranger' });
/** What the managers of the tests are measured as. */
export const RUNTIME_HASH = createHash('sha256').update('the manager of the tests').digest();
/** Everything, everywhere. */
export const ALL_RIGHTS = '/:rwx,stdin:rw,stdout:rw,stderr:rw';

/** The text of a policy in which alice is identity 0 and bob identity 1, with all rights unless told otherwise. */
export function policyOf(changes: Partial<NewPolicy & PolicySettings> = {}): string {
  return createPolicy({
    identities: [alice, bob].map(({ certificate }) => ({ certificate, capabilities: ALL_RIGHTS })),
    serverUrl: '127.0.0.1:3011',
    attestationUrl: '127.0.0.1:3010',
    authority: authority.certificate,
    certificateExpiry: new Date(Date.UTC(2040, 0, 1)),
    runtimeHashes: { linux: RUNTIME_HASH.toString('hex') },
    cipherSuite: 'TLS1_3_AES_256_GCM_SHA384',
    ...changes,
  });
}

export const POLICY = policyOf();
export const POLICY_HASH = policyHash(POLICY);

/** A key and a certificate of `by` for a manager, and what leads to its issuer. */
export function managerIdentity(by: Authority = authority, algorithm: KeyAlgorithm = 'ec'): { key: string; certificate: string } {
  const key = makeKey(algorithm);
  const certificate = issue(by, {
    subject: 'manager',
    publicKey: createPublicKey(key),
    san: ['ComputeEnclave.dev'],
    runtimeHash: RUNTIME_HASH,
  });
  return { key: key.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate: pemOf(certificate) + by.certificate };
}

const ownManager = managerIdentity();

/** A folder that goes when the test is over. */
export function freshFolder(t: T): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'vc-roles-')));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const portOf = (at: { readonly address: unknown }): number => (at.address as { port: number }).port;

/** A manager that lets alice (EC) and bob (RSA) in; with an attester one that is still to be initialised. */
export async function startManager(t: T, options: Partial<RuntimeManagerOptions> = {}): Promise<RuntimeManager> {
  const manager = await RuntimeManager.start({
    listen: 'tcp://127.0.0.1:0',
    ...(options.attester === undefined ? { ...ownManager, policy: POLICY } : {}),
    store: options.store ?? join(freshFolder(t), 'store'),
    ...options,
  });
  t.teardown(() => manager.close());
  return manager;
}

export async function startServer(t: T, runtime: string, options: Partial<ServerOptions> = {}): Promise<VeracruzServer> {
  const server = await VeracruzServer.start({ listen: 'tcp://127.0.0.1:0', runtime, ...options });
  t.teardown(async () => {
    const port = portOf(server);
    await server.close();
    return port;
  });
  return server;
}

/** A client that is alice unless told otherwise; the test's end ends it at once. */
export async function connectClient(t: T, url: string, options: Partial<ClientOptions> = {}): Promise<VeracruzClient> {
  const end = new AbortController();
  t.teardown(() => end.abort());
  const { signal = end.signal, ...rest } = options;
  const both = signal === end.signal ? signal : AbortSignal.any([signal, end.signal]);
  return VeracruzClient.connect({ url, identity: alice, authority: authority.certificate, ...rest, signal: both });
}

export interface Roles {
  readonly manager: RuntimeManager;
  readonly server: VeracruzServer;
  readonly store: FileStore;
  /** The store's folder. */
  readonly folder: string;
  readonly connect: (options?: Partial<ClientOptions>) => Promise<VeracruzClient>;
}

/** A manager and a Server in this process, on loopback. The store makes no fsync: nothing here survives the test. */
export async function startRoles(
  t: T,
  { manager: more = {}, server: options = {} }: { manager?: Partial<RuntimeManagerOptions>; server?: Partial<ServerOptions> } = {},
): Promise<Roles> {
  const folder = join(freshFolder(t), 'store');
  const own = more.store === undefined ? await DirectoryStore.open(folder, { sync: 'none' }) : undefined;
  if (own !== undefined) t.teardown(() => own.close());
  const store = (more.store ?? own) as FileStore;
  const manager = await startManager(t, { ...more, store });
  const server = await startServer(t, `tcp://127.0.0.1:${portOf(manager)}`, options);
  return { manager, server, store, folder, connect: (extra) => connectClient(t, server.url, extra) };
}

// ── Contents ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Bytes that look random and are the same in every run; another `salt` gives others. */
export function content(length: number, salt = 0): Buffer {
  const bytes = Buffer.concat([...generatedFile(length)]);
  for (let i = 0; salt !== 0 && i < bytes.length; i += 16) bytes[i] = ((bytes[i] as number) + salt) & 0xff;
  return bytes;
}

export async function* slices(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function sha256(stream: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest('hex');
}

/** What the store has under `name`; undefined when nothing. */
export async function stored(store: FileStore, name: string): Promise<Buffer | undefined> {
  const file = await store.read(name).catch((error: { got?: unknown }) => {
    if (error.got === 'ENOENT') return undefined;
    throw error;
  });
  return file === undefined ? undefined : collect(file.stream as AsyncIterable<Buffer>);
}

/** Files of the store that are being written. */
export function pending(folder: string): string[] {
  return readdirSync(join(folder, 'pending'));
}

// ── Three processes ───────────────────────────────────────────────────────────────────────────────────────────────────

const MAIN = join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'main.js');
const CLIENT = join(PROJECT_ROOT, 'dist', 'test', 'support', 'client-child.js');

/** A process of the test's own; killed with the test. */
export class Child {
  readonly process: ChildProcess;
  readonly exited: Promise<unknown>;
  stderr = '';
  readonly #lines: AsyncIterator<string>;

  /** @param output a descriptor for its standard output; default: lines that `line` gives */
  constructor(t: T, args: readonly string[], output: 'pipe' | number = 'pipe') {
    const child = spawn(process.execPath, args, { stdio: ['pipe', output, 'pipe'] });
    this.process = child;
    this.exited = once(child, 'exit');
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-4096);
    });
    child.stdin?.on('error', () => {});
    this.#lines = createInterface({ input: child.stdout ?? Readable.from([]) })[Symbol.asyncIterator]();
    t.teardown(() => this.kill());
  }

  /** The next line on standard output. */
  async line(): Promise<string> {
    const { value, done } = await within(`a line of ${this.process.spawnargs[1]}`, this.#lines.next());
    if (done === true) throw new Error(`the process ended: ${this.stderr}`);
    return value;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill(signal);
    await this.exited;
  }
}

export interface ProcessRoles {
  readonly manager: Child;
  readonly server: Child;
  readonly url: string;
  /** The store's folder. */
  readonly store: string;
  readonly connect: (options?: Partial<ClientOptions>) => Promise<VeracruzClient>;
}

/** A manager and a Server as processes of the command line. The client is the third, or this one. */
export async function startProcesses(t: T, serverFlags: readonly string[] = []): Promise<ProcessRoles> {
  const folder = freshFolder(t);
  const put = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const files = { certificate: put('m.pem', ownManager.certificate), key: put('m.key', ownManager.key), policy: put('policy', POLICY) };
  const store = join(folder, 'store');
  const start = async (args: readonly string[]): Promise<[Child, string]> => {
    const child = new Child(t, [MAIN, ...args, '--log-level', 'warn']);
    return [child, (await child.line()).replace(/^listening at /, '')];
  };
  const [manager, at] = await start([
    ...['runtime', '--listen', 'tcp://127.0.0.1:0', '--store', store, '--certificate', files.certificate, '--key', files.key],
    ...['--policy', files.policy],
  ]);
  const [server, url] = await start(['server', '--listen', 'tcp://127.0.0.1:0', '--runtime', at, ...serverFlags]);
  return { manager, server, url, store, connect: (options) => connectClient(t, url, options) };
}

/** What the client process is told to do. */
export interface ClientTask {
  readonly url: string;
  readonly identity: { readonly certificate: string; readonly key: string };
  readonly authority: string;
  readonly name: string;
  readonly size: number;
  /** Bytes after which the source says nothing any more. Default: all of it comes. */
  readonly stallAfter?: number;
}

/** A client as a process: uploads a generated file, reads it back, and says so line by line. */
export function startClient(t: T, task: Omit<ClientTask, 'identity' | 'authority'>): Child {
  const child = new Child(t, [CLIENT]);
  const whole: ClientTask = { ...task, identity: { certificate: alice.certificate, key: alice.key }, authority: authority.certificate };
  child.process.stdin?.end(`${JSON.stringify(whole)}\n`);
  return child;
}

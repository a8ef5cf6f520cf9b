/**
 * What the Server talks to before it serves (wire spec §D, §F): an attestation server and a Runtime Manager by hand-written
 * bytes, which note down what they see, in one list.
 */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Test } from 'tap';
import { makeAuthority } from '../../lib/attestation/authority.js';
import { makeIdentity } from '../../lib/attestation/identity.js';
import { createPolicy } from '../../lib/enclave/policy/index.js';
import type { Request, Response, Sent } from '../../lib/layers/bincode/index.js';
import type { Channel } from '../../lib/pipeline/channel.js';
import { type ServerOptions, VeracruzServer } from '../../lib/roles/server/server.js';
import { type LinkOptions, managerServerStack } from '../../lib/roles/stacks.js';
import { type Behaviour, echoing, type ForeignManager, foreignManager, tell } from '../support/foreign.js';

type T = Pick<Test, 'teardown'>;

const participant = makeIdentity({ commonName: 'attestation-handshake' });
const authority = makeAuthority({ commonName: 'attestation-handshake' });

/** A policy that names these places, with white space, key order and letters that a rewriting would lose. */
export function policyText(places: { serverUrl?: string; attestationUrl?: string } = {}): string {
  const text = createPolicy({
    identities: [{ certificate: participant.certificate, capabilities: '/input/:rw' }],
    serverUrl: '127.0.0.1:3011',
    attestationUrl: '127.0.0.1:3010',
    authority: authority.certificate,
    certificateExpiry: new Date(2 ** 41),
    ...places,
  });
  return `\n${text.replace('{', '{  "ключ": [1e0,\t2],')} \r\n`;
}

// ── protobuf, by hand ─────────────────────────────────────────────────────────────────────────────────────────────────

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, BigInt(value));
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(left)]);
}

export const bytesField = (number: number, value: Buffer) => Buffer.concat([varint(number * 8 + 2), varint(value.length), value]);
export const intField = (number: number, value: number) => Buffer.concat([varint(number * 8), varint(value)]);

/** Length, big-endian, before it; base64 of both. */
export function body(message: Buffer): string {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64BE(BigInt(message.length));
  return Buffer.concat([prefix, message]).toString('base64');
}

/** The bytes of a body, without the prefix, which must be right. */
export function messageOf(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw new Error('no canonical base64');
  if (Number(bytes.readBigUInt64BE()) !== bytes.length - 8) throw new Error('the prefix is wrong');
  return bytes.subarray(8);
}

/** ProxyAttestationServerResponse.psa_attestation_init */
export const challengeBody = (challenge: Buffer, device: number) =>
  body(bytesField(2, Buffer.concat([bytesField(1, challenge), intField(2, device)])));
/** ProxyAttestationServerResponse.cert_chain */
export const chainBody = (root: Buffer, enclave: Buffer) =>
  body(bytesField(5, Buffer.concat([bytesField(1, root), bytesField(2, enclave)])));

// ── The attestation server ────────────────────────────────────────────────────────────────────────────────────────────

/** What an attestation server answers: a body for 200, a status with a text, what is usual (undefined), or nothing (null). */
export type PasAnswer = string | { status: number; text: string } | undefined | null;
export type PasScript = (path: string, text: string, request: IncomingMessage, response: ServerResponse) => PasAnswer | Promise<PasAnswer>;

export interface ScriptedPas {
  /** `host:port` */
  readonly place: string;
  /** Connections that are open. */
  readonly sockets: Set<Socket>;
  /** Path and message of each POST. */
  readonly posts: { readonly path: string; readonly type: string | undefined; readonly text: string }[];
  /** Stops listening and ends its connections. */
  readonly close: () => Promise<void>;
}

export const CHALLENGE = Buffer.from(Array.from({ length: 32 }, (_, i) => 0x40 + i));
export const TOKEN = Buffer.from('this is the token, nobody must see it');
export const CSR = Buffer.from('and this the certificate signing request');
export const ROOT = Buffer.from('a root certificate');
export const ENCLAVE = Buffer.from('a certificate of an enclave');

/** Answers as one should; device ids count up from 7. */
export function goodPas(more: { start?: PasScript; token?: PasScript } = {}): PasScript {
  let last = 6;
  return async (path, ...rest) => {
    const device = path === '/Start' ? ++last : last;
    const own = await (path === '/Start' ? more.start : more.token)?.(path, ...rest);
    if (own !== undefined) return own;
    return path === '/Start' ? challengeBody(CHALLENGE, device) : chainBody(ROOT, ENCLAVE);
  };
}

export async function scriptedPas(t: T, script: PasScript, events: string[] = [], port = 0): Promise<ScriptedPas> {
  const posts: ScriptedPas['posts'][number][] = [];
  const sockets = new Set<Socket>();
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const [path, text] = [request.url as string, Buffer.concat(pieces).toString('latin1')];
    events.push(`${request.method} ${path}`);
    posts.push({ path, type: request.headers['content-type'], text });
    const said = await script(path, text, request, response);
    if (said === undefined || said === null) return;
    if (typeof said === 'string') response.end(said);
    else response.writeHead(said.status).end(said.text);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  t.teardown(close);
  return { place: `127.0.0.1:${(server.address() as { port: number }).port}`, sockets, posts, close };
}

// ── The Runtime Manager ───────────────────────────────────────────────────────────────────────────────────────────────

const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
const u64 = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
export const vector = (data: Buffer) => Buffer.concat([u64(data.length), data]);

/** AttestationData of 2207: linux and icecap have the CSR, nitro has not. */
export const evidence = (token: Buffer, csr?: Buffer) =>
  Buffer.concat([u32(0), vector(token), ...(csr === undefined ? [] : [vector(csr)])]);
/** Attestation(challenge, device id) of 2207. */
export const attestation = (challenge: Buffer, device: number) =>
  Buffer.concat([u32(0), vector(challenge), Buffer.from(Int32Array.of(device).buffer)]);
/** Initialize(policy, [leaf, root]) of 2207. */
export const initialize = (policy: string, chain: readonly Buffer[]) =>
  Buffer.concat([u32(4), vector(Buffer.from(policy)), u64(chain.length), ...chain.map(vector)]);

const NAMES: Readonly<Record<number, string>> = { 0: 'Attestation', 4: 'Initialize', 5: 'NewTlsSession' };

/** Makes evidence and takes certificates, then echoes; notes the three requests that matter. */
export function goodManager(more: { attest?: Behaviour; initialize?: Behaviour } = {}, events: string[] = []): Behaviour {
  const inner = echoing();
  return (request, socket) => {
    const name = NAMES[request.payload.readUInt32LE()];
    if (name !== undefined) events.push(name);
    if (name === 'Attestation') return more.attest === undefined ? evidence(TOKEN, CSR) : more.attest(request, socket);
    if (name === 'Initialize') return more.initialize === undefined ? tell.success : more.initialize(request, socket);
    return inner(request, socket);
  };
}

/** A manager that connects to a Unix socket, in any dialect; gives the requests that it saw and answered. */
export async function comingManager(
  t: T,
  path: string,
  link: LinkOptions,
  answer: (request: Request) => Response | Promise<Response>,
): Promise<{ readonly requests: Request[]; readonly channel: Channel<Sent<'response'>, Request> }> {
  const socket = connect(path);
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  const channel = managerServerStack(link).over(socket);
  const requests: Request[] = [];
  channel.on('error', () => {});
  channel.on('end', () => channel.destroy());
  channel.on('data', (request) => {
    requests.push(request);
    void Promise.resolve(answer(request)).then((response) => channel.destroyed || channel.write(response));
  });
  return { requests, channel };
}

/** What of a manager's requests is of the attestation handshake. */
export const stepsOf = (manager: ForeignManager) => manager.requests.map(({ payload }) => NAMES[payload.readUInt32LE()] ?? 'other');

// ── All of it ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly figures: Readonly<Record<string, unknown>>;
}

export interface Stage {
  readonly pas: ScriptedPas;
  readonly managers: readonly ForeignManager[];
  readonly policy: string;
  readonly logs: LogLine[];
  /** What a Server is started with. */
  readonly options: ServerOptions;
  /** Starts a Server that the test's end closes. */
  readonly start: (options?: ServerOptions) => Promise<VeracruzServer>;
}

/** An attestation server, managers, and what a Server needs to lead them together. */
export async function stage(t: T, pasScript: PasScript, ...behaviours: Behaviour[]): Promise<Stage> {
  const pas = await scriptedPas(t, pasScript);
  const managers = await Promise.all(behaviours.map((behave) => foreignManager(t, behave)));
  return stageOf(t, pas, managers);
}

export function stageOf(t: T, pas: ScriptedPas, managers: readonly ForeignManager[]): Stage {
  const policy = policyText({ attestationUrl: pas.place });
  const logs: LogLine[] = [];
  const options: ServerOptions = {
    listen: 'tcp://127.0.0.1:0',
    runtime: managers.map(({ address }) => address),
    policy,
    // What is not there is not waited for.
    startTimeoutMs: 1,
    log: (level, event, figures = {}) => logs.push({ level, event, figures }),
  };
  const start = async (more: ServerOptions = {}) => {
    const server = await VeracruzServer.start({ ...options, ...more });
    t.teardown(() => server.close());
    return server;
  };
  return { pas, managers, policy, logs, options, start };
}

/** A door that a script waits at. */
export function gate(): { readonly open: () => void; readonly opened: Promise<void> } {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

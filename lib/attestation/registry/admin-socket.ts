import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { InvalidArgumentError, LimitError, TransportError, VeracruzError } from '../../core/errors.js';
import { ADMIN_METHODS, type AdminCall, type AdminMethod, type AdminOutcome, type RegistryAdmin } from './admin.js';

/** Most bytes of a call. A key in PEM and a label have a few hundred. */
const MAX_CALL_BYTES = 16_384;
/** Most calls at once. */
const MAX_CALLS = 16;
const CALL_TIMEOUT_MS = 10_000;

/**
 * Lets an operator's commands work on a registry that a server has open. They cannot open it themselves, because only one
 * process can use the embedded database. Listens at a Unix socket with mode 0600. Each connection carries one call, as one
 * line of JSON in each direction. Nothing else may use `path`: a socket that a killed process left there is removed.
 *
 * @param timeoutMs milliseconds without a byte while a call arrives, and while its answer is sent. There is no timeout while
 * the call is carried out, because its effect could not be undone. Default 10,000.
 * @returns a function that stops listening
 * @throws TransportError when it cannot listen there
 */
export async function listenAdmin(
  registry: RegistryAdmin,
  path: string,
  timeoutMs: number = CALL_TIMEOUT_MS,
): Promise<() => Promise<void>> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('timeout', () => socket.destroy());
    void answer(registry, socket, timeoutMs);
  });
  server.maxConnections = MAX_CALLS;
  try {
    rmSync(path, { force: true });
    const listening = once(server, 'listening');
    server.listen(path);
    await listening;
    chmodSync(path, 0o600);
  } catch (cause) {
    server.close();
    throw new TransportError(`cannot listen at ${path}: ${(cause as Error).message}`, { layer: 'registry', cause });
  }
  server.on('error', () => {});
  return () => new Promise((resolve) => server.close(() => resolve()));
}

/** The registry's methods with untyped parameters. The registry checks the parameters of every caller itself. */
type Methods = Readonly<Record<AdminMethod, (...parameters: readonly unknown[]) => Promise<unknown>>>;

async function answer(registry: RegistryAdmin, socket: Socket, timeoutMs: number): Promise<void> {
  let outcome: AdminOutcome;
  socket.setTimeout(timeoutMs);
  try {
    const { call, with: parameters } = await readCall(socket);
    socket.setTimeout(0);
    outcome = { result: await (registry as unknown as Methods)[call](...parameters) };
  } catch (error) {
    const code = error instanceof VeracruzError ? error.code : 'ERR_VC_REGISTRY';
    outcome = { error: { code, message: error instanceof VeracruzError ? error.message : 'the call failed' } };
  }
  socket.setTimeout(timeoutMs);
  socket.end(`${JSON.stringify(outcome)}\n`);
}

/** Reads the line of a call. @throws LimitError; InvalidArgumentError for a malformed call */
async function readCall(socket: Socket): Promise<AdminCall> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_CALL_BYTES) throw new LimitError('the call is too long', { layer: 'registry', limit: MAX_CALL_BYTES, got: bytes });
    chunks.push(chunk);
    if (chunk.includes(0x0a)) break;
  }
  try {
    const { call, with: parameters } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { call: unknown; with: unknown };
    if (isMethod(call) && Array.isArray(parameters)) return { call, with: parameters };
  } catch {
    // The error for malformed JSON is thrown below.
  }
  throw new InvalidArgumentError('this is no call', { layer: 'registry', got: bytes });
}

function isMethod(name: unknown): name is AdminMethod {
  return ADMIN_METHODS.some((method) => method === name);
}

import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { InvalidArgumentError, LimitError, TransportError, VeracruzError } from '../../core/errors.js';
import { ADMIN_METHODS, type AdminCall, type AdminMethod, type AdminOutcome, type RegistryAdmin } from './admin.js';

/** Bytes of a call: a key in PEM and a label are a few hundred. */
const MAX_CALL_BYTES = 16_384;
/** Calls at once. */
const MAX_CALLS = 16;
const CALL_TIMEOUT_MS = 10_000;

/**
 * Lets the commands of an operator work on a registry that a server has open: the embedded database takes one process only.
 * A Unix socket with mode 0600, one call a connection, one line of JSON in each direction. `path` must be ours alone: a
 * socket that a killed process left there is removed.
 *
 * @param timeoutMs milliseconds without a byte while a call arrives, and while its answer goes. However long it takes to carry
 * it out, nobody may give up then: it would have been done all the same. Default 10,000.
 * @returns how to stop
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

/** What came over the socket is checked by the registry, as whatever a caller hands over is. */
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

/** The one line. @throws LimitError; InvalidArgumentError for what is no call */
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
    // Said below.
  }
  throw new InvalidArgumentError('this is no call', { layer: 'registry', got: bytes });
}

function isMethod(name: unknown): name is AdminMethod {
  return ADMIN_METHODS.some((method) => method === name);
}

/**
 * Sends one message through the stacks of client, Server and Runtime Manager, joined in memory, and tells its bytes below each
 * layer.
 */
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { issue, makeAuthority } from '../../lib/attestation/authority.js';
import { makeKey, pemOf } from '../../lib/attestation/certificate.js';
import { makeIdentity } from '../../lib/attestation/identity.js';
import { BODY_END, BOUNDARY, type ItemChunk } from '../../lib/core/unit.js';
import type { Received as BincodeReceived } from '../../lib/layers/bincode/index.js';
import type { LayerTraffic } from '../../lib/pipeline/diagnostics.js';
import { clientStack, managerClientStack, managerServerStack, serverClientStack, serverManagerStack } from '../../lib/roles/stacks.js';
import { memoryPipe } from '../../lib/transports/memory.js';

const MESSAGES = { dialect: '2207', maxMessageBytes: 2 ** 30 } as const;
const LINK = { dialect: '2207', frame: 'tcp9' } as const;
/** The id that the Server gives the session, and the manager's own for it. */
const SESSION = { server: 1_234_567_890, manager: 1 } as const;

function stacks() {
  const authority = makeAuthority({ commonName: 'pictures' });
  const { certificate, key } = makeIdentity({ commonName: 'alice' });
  const managerKey = makeKey('ec');
  const manager = {
    key: managerKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: pemOf(issue(authority, { subject: 'manager', publicKey: createPublicKey(managerKey) })),
  };
  return {
    client: clientStack({
      ...MESSAGES,
      batchBytes: () => 2 ** 20,
      tls: { role: 'client', certificate, key, authority: authority.certificate },
    }),
    serverClient: serverClientStack(SESSION.server),
    serverManager: serverManagerStack(LINK),
    managerServer: managerServerStack(LINK),
    managerClient: managerClientStack({ ...MESSAGES, tls: { role: 'server', ...manager, identities: [certificate] } }),
  };
}

/** The five stacks, running, with memory in place of HTTP and TCP, and what carries ciphertext from one to the next. */
function joined() {
  const { client, serverClient, serverManager, managerServer, managerClient } = stacks();
  const [post, body] = memoryPipe({ objectMode: true });
  const [near, far] = memoryPipe();
  const [outside, inside] = memoryPipe();
  const running = {
    client: client.over(post),
    serverClient: serverClient.over(body),
    serverManager: serverManager.over(near),
    managerServer: managerServer.over(far),
    managerClient: managerClient.over(outside),
  };
  // One SendTlsData carries what one POST has brought.
  let gathered: Buffer[] = [];
  running.serverClient.on('data', (chunk: ItemChunk) => {
    if (Buffer.isBuffer(chunk)) gathered.push(chunk);
    else {
      running.serverManager.write({ kind: 'SendTlsData', session: SESSION.manager, data: gathered });
      gathered = [];
    }
  });
  running.managerServer.on('data', (request: BincodeReceived<'request'>) => {
    if (request.kind === 'SendTlsData') for (const slice of request.data) inside.write(slice);
  });
  // It is reset when the stacks are destroyed at the end.
  inside.on('error', () => {});
  inside.on('data', (data: Buffer) => running.managerServer.write({ kind: 'TlsData', data, active: true }));
  running.serverManager.on('data', (response: BincodeReceived<'response'>) => {
    if (response.kind !== 'TlsData') return;
    for (const slice of response.data) running.serverClient.write(slice);
    running.serverClient.write(BOUNDARY);
    running.serverClient.write(BODY_END);
  });
  return running;
}

type Running = ReturnType<typeof joined>;
export type StackName = keyof Running;
/** Bytes of a message on both sides of each layer of a stack, top to wire. */
export type Sizes = Readonly<Record<StackName, ReadonlyArray<{ readonly layer: string; readonly above: number; readonly below: number }>>>;

/** Whether the message goes down or up a stack. */
export const GOES_DOWN: Readonly<Record<StackName, boolean>> = {
  client: true,
  serverClient: false,
  serverManager: true,
  managerServer: false,
  managerClient: false,
};
const NAMES = Object.keys(GOES_DOWN) as StackName[];

/** Bytes above and below a layer so far, in the direction of the message. */
function passed(name: StackName, { outbound, inbound }: LayerTraffic): { above: number; below: number } {
  return GOES_DOWN[name] ? { above: outbound.bytesIn, below: outbound.bytesOut } : { above: inbound.bytesOut, below: inbound.bytesIn };
}

function sizesOf(name: StackName, before: readonly LayerTraffic[], after: readonly LayerTraffic[]) {
  return after.map((traffic, i) => {
    const [then, now] = [passed(name, before[i] as LayerTraffic), passed(name, traffic)];
    return { layer: traffic.layer, above: now.above - then.above, below: now.below - then.below };
  });
}

/** Writes a file of `bytes` bytes of zeros, and tells what it is below each layer. What a handshake takes is not counted. */
export async function measure(file: string, bytes: number): Promise<Sizes> {
  const running = joined();
  try {
    await exchange(running, { oneof: 'request_policy_hash', fields: {} });
    const before = counters(running);
    await exchange(running, { oneof: 'write_file', fields: { file_name: file, data: Buffer.alloc(bytes) } });
    const after = counters(running);
    return eachStack((name) => sizesOf(name, before[name], after[name]));
  } finally {
    for (const channel of Object.values(running)) channel.destroy();
  }
}

function eachStack<T>(of: (name: StackName) => T): Record<StackName, T> {
  return Object.fromEntries(NAMES.map((name) => [name, of(name)])) as Record<StackName, T>;
}

const counters = (running: Running) => eachStack((name) => running[name].traffic());

/** A request and its answer; the answer comes when the manager has read the whole request. */
async function exchange({ client, managerClient }: Running, request: Parameters<Running['client']['write']>[0]): Promise<void> {
  const asked = once(managerClient, 'data') as Promise<[{ fields: { data?: NodeJS.ReadableStream } }]>;
  client.write(request);
  const [{ fields }] = await asked;
  for await (const _ of fields.data ?? []);
  const answered = once(client, 'data');
  managerClient.write({ status: 'SUCCESS', oneof: null });
  await answered;
}

/**
 * A real VirtIO console: QEMU guests with our program, then the Runtime Manager, on /dev/hvc0, and we on the host.
 * `npm run test:qemu`; skips, and says why, where no guest can be run.
 */
import { createHash, createPublicKey, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { issue, makeAuthority } from '../../lib/attestation/authority.js';
import { makeKey, pemOf } from '../../lib/attestation/certificate.js';
import { makeIdentity } from '../../lib/attestation/identity.js';
import { createPolicy } from '../../lib/enclave/policy/index.js';
import { VeracruzClient } from '../../lib/roles/client/client.js';
import { VeracruzServer } from '../../lib/roles/server/server.js';
import { openPipe } from '../../lib/transports/pipe.js';
import { RETRY_ICECAP } from '../../lib/transports/socket.js';
import { within } from '../support/foreign.js';
import { FrameReader, framed, pattern } from './commands.js';
import { NoGuest, provideKernel, provideTools } from './image-build.js';
import { Machine } from './machine.js';
import '../support/processes.js';
import { patience } from '../support/time.js';

const KERNEL_LIMIT_MS = patience(30_000);
const STALL_MS = 2000;
/** Nothing more is coming when nothing came for so long. */
const QUIET_MS = 1000;
const HEADER_BYTES = 4;
const ANSWER_LIMIT_MS = patience(60_000);
const FRAME_BYTES = 1_048_576;
const FILE_BYTES = 2 * 1_048_576;

let kernel = '';
let skip: string | false = false;
try {
  provideTools();
  kernel = provideKernel();
} catch (error) {
  if (!(error instanceof NoGuest)) throw error;
  skip = error.message;
  console.error(`test:qemu is skipped: ${skip}`);
}

/** The host's end of a console: one command, one answer. */
class Host {
  readonly #pipe: Duplex;
  readonly #reader = new FrameReader();
  #answered: (answer: Buffer) => void = () => {};
  /** Bytes since the last flood began. */
  #received = 0;

  private constructor(pipe: Duplex) {
    this.#pipe = pipe;
    pipe.on('error', () => {});
    pipe.on('data', (chunk: Buffer) => {
      this.#received += chunk.length;
      for (const frame of this.#reader.push(chunk)) this.#answered(frame);
    });
  }

  static async connect(machine: Machine, hello = false): Promise<Host> {
    const signal = AbortSignal.timeout(KERNEL_LIMIT_MS);
    return new Host((await openPipe(machine.consoleAddress, { signal, retry: RETRY_ICECAP, hello })) as Duplex);
  }

  ask(command: number, content: Buffer): Promise<Buffer> {
    const answer = new Promise<Buffer>((resolve) => {
      this.#answered = resolve;
    });
    this.#pipe.write(framed(Buffer.concat([Buffer.from([command]), content])));
    return within(`an answer to command ${command}`, answer, ANSWER_LIMIT_MS);
  }

  async pull(length: number): Promise<boolean> {
    return (await this.ask(2, lengthOf(length))).equals(pattern(length));
  }

  write(bytes: Buffer): void {
    this.#pipe.write(bytes);
  }

  /**
   * Asks for so many bytes of the pattern at once: how many of them came, which is what the device can do and no promise of
   * ours, and whether they were the right ones, where all did.
   */
  async flood(length: number, meanwhile: () => void = () => {}): Promise<{ came: number; right: boolean | undefined }> {
    let right: boolean | undefined;
    this.#answered = (answer) => {
      right = answer.equals(pattern(length));
    };
    this.#received = -HEADER_BYTES;
    this.write(framed(Buffer.concat([Buffer.from([2]), lengthOf(length)])));
    meanwhile();
    for (let before = this.#received; this.#received <= 0 || this.#received !== before; await sleep(QUIET_MS)) before = this.#received;
    return { came: this.#received, right };
  }

  /** Goes away at once, whatever is under way. */
  async die(): Promise<void> {
    const closed = once(this.#pipe, 'close');
    this.#pipe.destroy();
    await closed;
  }
}

function lengthOf(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(length, 0);
  return bytes;
}

/** The host does nothing at all, not even read. */
function stall(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STALL_MS);
}

async function rate(bytes: number, transfer: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await transfer();
  return bytes / 1e6 / ((performance.now() - start) / 1000);
}

function tell(what: string, figures: Record<string, number>): void {
  const text = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(2)} MB/s`);
  console.error(`${what}: ${text.join(', ')}`);
}

void t.test('the console transport on /dev/hvc0', { skip }, async (t) => {
  const machine = await Machine.boot(kernel, { node: ['dist/test/qemu/console-guest.js'] }, 'console ready');
  t.teardown(() => machine.stop());
  let host = await Host.connect(machine);

  const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  // Not more than 8 KiB: of what the guest sends unasked the device loses what a busy host is slow to read.
  for (const payload of [Buffer.alloc(0), every, randomBytes(8191)]) {
    const command = Buffer.concat([Buffer.from([1]), payload]);
    t.ok((await host.ask(1, payload)).equals(command), `${payload.length} bytes there and back`);
  }

  const upload = randomBytes(FRAME_BYTES - 1);
  tell('device limit', {
    'to guest': await rate(FRAME_BYTES, async () => {
      t.ok((await host.ask(3, upload)).equals(createHash('sha256').update(upload).digest()), 'a large frame arrives unaltered');
    }),
    'to host, 8 KiB when asked': await rate(FRAME_BYTES, async () => {
      let right = 0;
      for (let i = 0; i < FRAME_BYTES / 8192; i++) if (await host.pull(8192)) right++;
      t.equal(right, FRAME_BYTES / 8192, 'and many small ones');
    }),
  });

  const slow = host.pull(8192);
  stall();
  t.ok(await slow, 'an answer of 8 KiB outlives a stall of the host');
  const { came, right } = await host.flood(FRAME_BYTES);
  console.error(`${FRAME_BYTES} bytes asked for at once: the device lost ${FRAME_BYTES - came}`);
  t.equal(right, came === FRAME_BYTES ? true : undefined, 'a large frame from the guest is right, or not all there');

  let mark = machine.log.length;
  host.write(framed(randomBytes(5000)).subarray(0, 3000));
  await host.die();
  await machine.waitFor('ERR_VC_TIMEOUT', KERNEL_LIMIT_MS, mark);
  await machine.waitFor('fresh link', KERNEL_LIMIT_MS, mark);
  host = await Host.connect(machine);
  t.ok(await host.pull(100), 'after a host that died in mid-frame the link is fresh');
  await host.die();
  host = await Host.connect(machine);
  t.ok(await host.pull(100), 'after one that died between frames it goes on');

  mark = machine.log.length;
  host.write(framed(Buffer.from([4])));
  await machine.waitFor('console ready with hello', KERNEL_LIMIT_MS, mark);
  await host.die();
  for (const when of ['first', 'second']) {
    host = await Host.connect(machine, true);
    t.ok(await host.pull(8192), `with hello, the ${when} host finds the guest`);
    if (when === 'first') {
      // What the device drops is gone: the frame never ends, and only a fresh link helps.
      const { came } = await host.flood(FRAME_BYTES, stall);
      console.error(`${FRAME_BYTES} bytes asked for at once, ${STALL_MS} ms of stall: the device lost ${FRAME_BYTES - came}`);
    }
    await host.die();
  }
  await machine.stop();
});

void t.test('the Runtime Manager on /dev/hvc0', { skip }, async (t) => {
  const authority = makeAuthority({ commonName: 'test:qemu' });
  const alice = makeIdentity({ commonName: 'alice' });
  const key = makeKey('ec');
  const certificate = issue(authority, { subject: 'manager', publicKey: createPublicKey(key), san: ['ComputeEnclave.dev'] });
  const files = {
    'rm/cert.pem': pemOf(certificate) + authority.certificate,
    'rm/key.pem': key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    'rm/policy.json': createPolicy({
      identities: [{ certificate: alice.certificate, capabilities: '/input/:rw' }],
      serverUrl: '127.0.0.1:3011',
      attestationUrl: '127.0.0.1:3010',
      authority: authority.certificate,
      certificateExpiry: new Date(Date.UTC(2040, 0, 1)),
    }),
  };
  const node = ['dist/lib/cli/main.js', 'runtime', '--listen', 'serial:///dev/hvc0', '--frame', 'icecap4', '--hello'];
  node.push('--store', '/tmp/store', '--certificate', '/rm/cert.pem', '--key', '/rm/key.pem', '--policy', '/rm/policy.json');
  const machine = await Machine.boot(kernel, { node, files }, 'listening at serial:///dev/hvc0');
  t.teardown(() => machine.stop());

  const file = randomBytes(FILE_BYTES);
  const connect = async () => {
    const server = await VeracruzServer.start({
      listen: 'tcp://127.0.0.1:0',
      // An answer of the first server's time must not reach the second: only the hello keeps them apart.
      runtime: { address: machine.consoleAddress, frame: 'icecap4', retry: RETRY_ICECAP, hello: true },
    });
    t.teardown(() => server.close());
    const client = await VeracruzClient.connect({ url: server.url, identity: alice, authority: authority.certificate });
    return { server, client };
  };
  const readBack = async (client: VeracruzClient, stalls: boolean) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of (await client.readFile('/input/file')) as AsyncIterable<Buffer>) {
      if (stalls && bytes < FILE_BYTES / 2 && bytes + piece.length >= FILE_BYTES / 2) stall();
      bytes += piece.length;
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  };

  const first = await connect();
  tell('Runtime Manager behind the console', {
    write: await rate(FILE_BYTES, () => first.client.writeFile('/input/file', file)),
    read: await rate(FILE_BYTES, async () => t.ok((await readBack(first.client, false)).equals(file), 'byte for byte')),
  });
  t.ok((await readBack(first.client, true)).equals(file), 'byte for byte across a stall of the host');
  await first.client.close();
  await first.server.close();

  const second = await connect();
  t.ok((await readBack(second.client, false)).equals(file), 'byte for byte after a reconnect');
  await second.client.close();
  await second.server.close();
  await machine.stop();
});

/**
 * A console that loses bytes, as a VirtIO console does when its host does not read: every loss ends in an error with a
 * code, no altered bytes are taken for good, and the next link works.
 */
import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import t from 'tap';
import { VeracruzError } from '../../lib/core/errors.js';
import { Announce, type BincodeChunk } from '../../lib/core/unit.js';
import { frame } from '../../lib/layers/frame/index.js';
import type { Channel } from '../../lib/pipeline/channel.js';
import { stack } from '../../lib/pipeline/stack.js';
import { awaitHello } from '../../lib/transports/console/hello.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { within } from '../support/foreign.js';
import { seeded } from '../support/splits.js';
import { HANG_MS, patience } from '../support/time.js';
import { FakeDevice, Links } from './console-support.js';

/** Milliseconds of patience with a link that loses bytes: few, for each loss costs them; and with one that does not. */
const PATIENCE_MS = patience(100);
/** Conversations at once: each spends most of its time waiting. */
const AT_ONCE = 4;
/** The second question must not overtake the answer to the first. */
const HELLO = { intervalMs: 200, quietMs: 5 };
const DIGEST_BYTES = 16;

/** The bytes of a direction that never arrive, by their offsets. */
type Losses = ReadonlySet<number>;

/** Guest's device and host's socket, with losses on the way; what is lost once is not lost again on the next link. */
class LossyConsole {
  readonly device = new FakeDevice();
  readonly #toGuest: Losses;
  readonly #toHost: Losses;
  #offsets = { toGuest: 0, toHost: 0 };
  /** The losses apply to what comes after the hello. */
  lossy = false;
  lost = 0;
  #host: Duplex | undefined;

  constructor(toGuest: Losses, toHost: Losses) {
    this.#toGuest = toGuest;
    this.#toHost = toHost;
    this.device.onWrite = (bytes) => {
      const left = this.#thin(bytes, 'toHost');
      if (left.length > 0 && this.#host?.writable === true) this.#host.write(left);
    };
  }

  connect(): Duplex {
    const [host, ours] = memoryPipe();
    this.#host?.destroy();
    this.#host = ours;
    ours.on('error', () => {});
    host.on('error', () => {});
    ours.on('data', (bytes: Buffer) => this.device.send(this.#thin(bytes, 'toGuest')));
    return host;
  }

  #thin(bytes: Buffer, direction: 'toGuest' | 'toHost'): Buffer {
    if (!this.lossy) return bytes;
    const losses = direction === 'toGuest' ? this.#toGuest : this.#toHost;
    const left = bytes.filter((_, i) => !losses.has(this.#offsets[direction] + i));
    this.#offsets[direction] += bytes.length;
    this.lost += bytes.length - left.length;
    return Buffer.from(left);
  }
}

/** What TLS does for the real stack: bytes that are not those that were sent are noticed. */
function sealed(body: Buffer): Buffer {
  return Buffer.concat([createHash('sha256').update(body).digest().subarray(0, DIGEST_BYTES), body]);
}

function unsealed(payload: Buffer): Buffer {
  const body = payload.subarray(DIGEST_BYTES);
  if (!sealed(body).equals(payload)) throw new VeracruzError('the digest does not match', { layer: 'test' });
  return body;
}

/** Whole payloads, as they come. */
function onPayload(channel: Channel<BincodeChunk>, take: (payload: Buffer) => void): void {
  let pieces: Buffer[] = [];
  let owed = 0;
  channel.on('data', (chunk: BincodeChunk) => {
    if (chunk instanceof Announce) {
      owed = chunk.length;
      pieces = [];
    } else {
      pieces.push(chunk);
      owed -= chunk.length;
    }
    if (owed === 0) take(Buffer.concat(pieces));
  });
}

const frames = stack(frame('icecap4', { maxFrameBytes: 65_536 }));

/** The guest echoes each sealed payload; a broken seal ends its link. */
function serve(link: Duplex, errors: Error[]): void {
  const channel = frames.over(link);
  channel.on('error', (error) => errors.push(error));
  onPayload(channel, (payload) => {
    try {
      channel.write(sealed(unsealed(payload)));
    } catch (error) {
      channel.destroy(error as Error);
    }
  });
}

/** The host asks one thing after the other; a wrong or missing answer ends its link with an error. */
async function converse(host: Duplex, bodies: readonly Buffer[], right: Buffer[], patienceMs: number): Promise<Error | undefined> {
  const channel = frames.over(host);
  const failed = new Promise<Error>((resolve) => channel.once('error', resolve));
  let answered: (payload: Buffer) => void = () => {};
  onPayload(channel, (payload) => answered(payload));
  for (const body of bodies) {
    const answer = new Promise<Buffer>((resolve) => {
      answered = resolve;
    });
    channel.write(sealed(body));
    const timer = setTimeout(() => channel.destroy(new VeracruzError('no answer', { layer: 'test', limit: patienceMs })), patienceMs);
    const outcome = await Promise.race([failed, answer]);
    clearTimeout(timer);
    if (outcome instanceof Error) return outcome;
    try {
      right.push(unsealed(outcome));
    } catch (error) {
      channel.destroy(error as Error);
      return error as Error;
    }
  }
  channel.destroy();
  return undefined;
}

const losses = fc
  .array(fc.tuple(fc.nat(3000), fc.integer({ min: 1, max: 200 })), { maxLength: 3 })
  .map((runs) => new Set(runs.flatMap(([start, length]) => Array.from({ length }, (_, i) => start + i))));

void t.test('every loss ends in a coded error, and the next link works', async (t) => {
  let lossyRuns = 0;
  const property = () =>
    fc.asyncProperty(
      losses,
      losses,
      fc.array(fc.uint8Array({ maxLength: 700 }), { minLength: 3, maxLength: 6 }),
      async (toGuest, toHost, raw) => {
        const console = new LossyConsole(toGuest, toHost);
        const errors: Error[] = [];
        const first = console.connect();
        const hello = awaitHello(first, HELLO);
        const links = await Links.open(console.device, { hello: true, frameTimeoutMs: PATIENCE_MS / 2 });
        const serving = (async () => {
          for (;;) serve(await links.next(), errors);
        })();
        serving.catch(() => {});
        const bodies = raw.map((body) => Buffer.from(body));
        try {
          await within('the first hello', hello);
          console.lossy = true;
          const right: Buffer[] = [];
          const failure = await within('the first conversation', converse(first, bodies, right, PATIENCE_MS));
          console.lossy = false;
          if (console.lost > 0) lossyRuns++;
          // What came was right, and in order; what did not come was told.
          if (!right.every((body, i) => body.equals(bodies[i] as Buffer))) return false;
          if (failure === undefined && right.length !== bodies.length) return false;
          if (failure !== undefined && !(failure instanceof VeracruzError && failure.code.startsWith('ERR_VC'))) return false;
          if (console.lost > 0 && failure === undefined) return false;
          if (errors.some((error) => !(error instanceof VeracruzError))) return false;

          const second = console.connect();
          await within('the second hello', awaitHello(second, HELLO));
          const again: Buffer[] = [];
          if ((await within('the second conversation', converse(second, bodies, again, HANG_MS))) !== undefined) return false;
          return again.length === bodies.length && again.every((body, i) => body.equals(bodies[i] as Buffer));
        } finally {
          await links.console?.close();
        }
      },
    );
  await Promise.all(Array.from({ length: AT_ONCE }, () => fc.assert(property(), seeded(60 / AT_ONCE))));
  t.ok(lossyRuns > 5, `${lossyRuns} of the runs lost something`);
});

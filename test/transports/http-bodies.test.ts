/** The server's end of an HTTP exchange, under requests that are streams of this test's. */
import { EventEmitter, once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import t, { type Test as Tap } from 'tap';
import { BOUNDARY } from '../../lib/core/unit.js';
import { base64, encodeBase64 } from '../../lib/layers/base64/index.js';
import { BufferPool } from '../../lib/transports/body-buffer.js';
import { HttpBodies } from '../../lib/transports/http-bodies.js';
import { until } from '../support/foreign.js';

const PIECE = Buffer.alloc(1000, 'x');
const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise((go) => setImmediate(go));
};

/** A body of `pieces`, and how many of them were asked for. */
function bodyOf(pieces: number): { request: IncomingMessage; asked: () => number } {
  let asked = 0;
  const request = new Readable({
    highWaterMark: 1,
    read() {
      this.push(asked++ < pieces ? PIECE : null);
    },
  });
  const socket = Object.assign(new EventEmitter(), { destroyed: false });
  return { request: Object.assign(request, { socket }) as unknown as IncomingMessage, asked: () => asked };
}

const response = () => new EventEmitter() as unknown as ServerResponse;

void t.test('a body that nobody reads is left where it is', async (t) => {
  const bodies = new HttpBodies(2 ** 20);
  t.teardown(() => bodies.destroy());
  const { request, asked } = bodyOf(500);
  bodies.accept(request, response(), { pieces: [], whole: false }, () => {});
  await turns(100);
  t.ok(asked() < 20, `${asked()} of 500 pieces`);
  const got: unknown[] = [];
  bodies.on('data', (chunk) => got.push(chunk));
  await until('the end of the body', () => got.at(-1) === BOUNDARY);
  t.equal(got.length, 501);
});

void t.test('a body that was read to route its request is all there is of it', async (t) => {
  const bodies = new HttpBodies(2 ** 20);
  t.teardown(() => bodies.destroy());
  const got: unknown[] = [];
  bodies.on('data', (chunk) => got.push(chunk));
  const [first, second] = [bodyOf(0), bodyOf(1)];
  bodies.accept(first.request, response(), { pieces: [Buffer.from('a'), Buffer.from('b')], whole: true }, () => {});
  bodies.accept(second.request, response(), { pieces: [Buffer.from('c')], whole: false }, () => {});
  await until('two bodies', () => got.filter((chunk) => chunk === BOUNDARY).length === 2);
  t.same(got, [Buffer.from('a'), Buffer.from('b'), BOUNDARY, Buffer.from('c'), PIECE, BOUNDARY]);
  t.equal(bodies.pending, 2);
});

void t.test('bytes are counted, however they came', async (t) => {
  for (const [pieces, begun] of [
    [0, { pieces: [PIECE, PIECE, PIECE], whole: true }],
    [3, { pieces: [], whole: false }],
    [1, { pieces: [PIECE, PIECE], whole: false }],
  ] as const) {
    const bodies = new HttpBodies(2999);
    bodies.on('data', () => {});
    const failed = new Promise((resolve) => bodies.on('error', resolve));
    bodies.accept(bodyOf(pieces).request, response(), begun, () => {});
    t.match(await failed, { code: 'ERR_VC_LIMIT', limit: 2999, got: 3000 });
  }
});

/** A server whose requests are given to `take`, and a GET of it, whose answer waits until it is read. */
async function answering(
  t: Tap,
  take: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<() => Promise<IncomingMessage>> {
  const server = createServer(take);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return async () => {
    const asked = get({ port, host: '127.0.0.1', agent: false });
    asked.on('error', () => {});
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return response;
  };
}

/** Letters of a text that is told from every other by what it is made of. */
const textOf = (index: number, bytes: number) => encodeBase64(Buffer.alloc(bytes, index + 1));

void t.test('answers that share Buffers, read slowly and side by side, are what was written', async (t) => {
  const pool = new BufferPool(2);
  // More than the kernel takes, so that what was written has to wait where it was written.
  const sizes = [0, 5, 12_000, 12_300, 100_000, 700_000, 15_000_000, 15_000_000];
  let opened = 0;
  const ask = await answering(t, (request, response) => {
    const index = opened++;
    const bodies = new HttpBodies(2 ** 20, {}, pool);
    bodies.resume();
    bodies.accept(request, response, { pieces: [], whole: true }, () => {});
    const encoder = base64({ deferred: true }).outbound();
    encoder.pipe(bodies);
    const bytes = sizes[index] as number;
    for (let at = 0; at < bytes; at += 50_000) encoder.write(Buffer.alloc(Math.min(50_000, bytes - at), index + 1));
    encoder.write(BOUNDARY);
  });
  // One after the other they are asked, so that each has its size; then they are read at once, and not at one pace.
  const answers: IncomingMessage[] = [];
  for (let i = 0; i < sizes.length; i++) answers.push(await ask());
  await Promise.all(
    answers.map(async (answer, i) => {
      const text = textOf(i, sizes[i] as number);
      const whole = text.length <= 16_384;
      t.equal(answer.headers['content-length'], whole ? String(text.length) : undefined, `${text.length} letters`);
      const pieces: Buffer[] = [];
      for await (const piece of answer as AsyncIterable<Buffer>) {
        pieces.push(piece);
        if (pieces.length % 4 === i % 4) await turns(3);
      }
      t.ok(Buffer.concat(pieces).equals(text), `${text.length} letters are what was written`);
    }),
  );
});

void t.test('of a long answer what there is goes out, though its end is far', async (t) => {
  let bodies: HttpBodies | undefined;
  const ask = await answering(t, (request, response) => {
    bodies = new HttpBodies(2 ** 20);
    bodies.on('error', () => {});
    bodies.resume();
    bodies.accept(request, response, { pieces: [], whole: true }, () => {});
    for (const fill of ['a', 'b']) bodies.write(Buffer.alloc(10_000, fill));
  });
  const answer = await ask();
  let got = 0;
  answer.on('data', (piece: Buffer) => {
    got += piece.length;
  });
  await until('the first of it', () => got === 20_000);
  bodies?.write(Buffer.alloc(1, 'c'));
  await until('a byte more', () => got === 20_001);
  bodies?.write(BOUNDARY);
  await once(answer, 'end');
});

void t.test('an answer that begins in the turn in which the one before it ends goes out as well', async (t) => {
  const bodies = new HttpBodies(2 ** 20);
  t.teardown(() => bodies.destroy());
  bodies.on('error', () => {});
  bodies.resume();
  const ask = await answering(t, (request, response) => {
    bodies.accept(request, response, { pieces: [], whole: true }, () => {});
    if (bodies.pending < 2) return;
    bodies.write(Buffer.alloc(20_000, 'a'));
    bodies.write(BOUNDARY);
    bodies.write(Buffer.alloc(20_000, 'b'));
  });
  let got = 0;
  for (const asked of [ask(), ask()]) {
    void asked.then((answer) =>
      answer.on('data', (piece: Buffer) => {
        got += piece.length;
      }),
    );
  }
  await until('both', () => got === 40_000);
});

void t.test('an answer that nobody reads makes its writer wait', async (t) => {
  const limit = 64_000_000;
  let sent = 0;
  let under: { readonly bodies: HttpBodies; readonly response: ServerResponse } | undefined;
  const ask = await answering(t, (request, response) => {
    const bodies = new HttpBodies(2 ** 20);
    under = { bodies, response };
    bodies.on('error', () => {});
    bodies.resume();
    bodies.accept(request, response, { pieces: [], whole: true }, () => {});
    const more = () => {
      while (sent < limit && bodies.write(Buffer.alloc(64_000, 'x'))) sent += 64_000;
      if (sent < limit) bodies.once('drain', more);
    };
    more();
  });
  const answer = await ask();
  const { bodies, response } = under as NonNullable<typeof under>;
  // What the kernel takes is its own affair, and over in some turns.
  let before = -1;
  await until('the writer waits', () => {
    const waits = bodies.writableNeedDrain && sent === before;
    before = sent;
    return waits;
  });
  t.ok(sent < limit / 2, `${sent} bytes of ${limit} were written`);
  t.ok(response.writableLength < 400_000, `${response.writableLength} bytes wait in the response`);
  answer.destroy();
  await until('the end', () => bodies.destroyed);
});

/** The server's end of an HTTP exchange, under requests that are streams of this test's. */
import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import t from 'tap';
import { BOUNDARY } from '../../lib/core/unit.js';
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

/** Links that say nothing, or half of something: how many a manager has, and for how long. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import t, { type Test } from 'tap';
import { systemClock, useClock } from '../../lib/core/clock.js';
import { encodeHeader, FRAME_HEADERS, FRAME_KINDS } from '../../lib/layers/frame/index.js';
import { FramePosition } from '../../lib/roles/runtime-manager/frame-position.js';
import { LinkPlaces } from '../../lib/roles/runtime-manager/link-places.js';
import { completed } from '../../lib/roles/runtime-manager/options.js';
import type { RuntimeManagerOptions } from '../../lib/roles/runtime-manager/runtime-manager.js';
import { Leader, plainAttester } from '../support/enrol.js';
import { ask, ForeignServer, framed, tell, until, within } from '../support/foreign.js';
import '../support/long.js';
import { connectClient, freshFolder, POLICY, portOf, startManager, startServer } from '../support/roles.js';

/** Milliseconds between two bytes of a slow frame: a tenth of what is allowed. */
const STEP_MS = 300;
/** Milliseconds of silence that end a link: more than a link of ours needs to come to its first request, on a busy machine. */
const IDLE_MS = 3_000;

/** A manager, and why its links ended. */
async function begin(t: Test, options: Partial<RuntimeManagerOptions> = {}) {
  const lines: { event: string; reason: string }[] = [];
  const manager = await startManager(t, {
    log: (_level, event, figures) => lines.push({ event, reason: String(figures?.reason) }),
    ...options,
  });
  const reasons = (event: string) => lines.filter((line) => line.event === event).map(({ reason }) => reason);
  return { manager, at: `tcp://127.0.0.1:${portOf(manager)}`, reasons, opened: () => reasons('link opened').length };
}

async function stranger(t: Test, { manager, opened, reasons }: Awaited<ReturnType<typeof begin>>): Promise<Socket> {
  const [before, refusals] = [opened(), reasons('link refused').length];
  const socket = connect({ host: '127.0.0.1', port: portOf(manager), allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  await until('the link is there, or refused', () => opened() > before || reasons('link refused').length > refusals);
  return socket;
}

const ended = (socket: Socket) =>
  within('the end of a link', new Promise((resolve) => (socket.readableEnded ? resolve(0) : socket.once('end', resolve))));

void t.test('a frame that is begun must go on', async (t) => {
  const world = await begin(t, { frameTimeoutMs: 200 });
  const frame = framed(ask.open());
  for (const bytes of [1, 8, 9, 10, frame.length - 1]) {
    const half = await stranger(t, world);
    half.write(frame.subarray(0, bytes));
    await ended(half);
  }
  const behind = await stranger(t, world);
  behind.write(Buffer.concat([frame, frame.subarray(0, 3)]));
  await ended(behind);
  t.same(world.reasons('link closed'), Array(6).fill('a frame was begun, and nothing more of it came for 200 ms'));
  t.equal(world.manager.sessions, 0);
});

void t.test('one whose bytes move is alive, and so is a link between two frames', async (t) => {
  const world = await begin(t, { frameTimeoutMs: 10 * STEP_MS });
  const server = await ForeignServer.connect(t, portOf(world.manager));
  const slow = await stranger(t, world);
  const answers: Buffer[] = [];
  slow.on('data', (bytes: Buffer) => answers.push(bytes));
  const frame = framed(ask.open());
  for (let at = 0; at < frame.length; at++) {
    slow.write(frame.subarray(at, at + 1));
    await new Promise((go) => setTimeout(go, STEP_MS));
  }
  await until('the answer', () => Buffer.concat(answers).length > 0);
  t.same(Buffer.concat(answers), framed(tell.session(1)));
  t.same(await server.call(ask.open()), tell.session(2), 'the other one has said nothing all the time');
  t.same(world.reasons('link closed'), []);
});

void t.test('0: half a frame may stay for ever', async (t) => {
  const world = await begin(t, { frameTimeoutMs: 0, linkIdleTimeoutMs: 0 });
  const half = await stranger(t, world);
  half.write(Buffer.of(1));
  await new Promise((go) => setTimeout(go, 300));
  t.same(world.reasons('link closed'), []);
});

void t.test('a silent link that has done nothing ends; one that has not: stays', async (t) => {
  const world = await begin(t, { attester: plainAttester(), linkIdleTimeoutMs: IDLE_MS });
  const leader = await Leader.connect(t, world.manager);
  t.equal(await leader.lead(), 'Success');
  const relay = await startServer(t, world.at);
  await (await connectClient(t, relay.url, { policy: POLICY })).close();
  await until('its session is over', () => world.manager.sessions === 0);
  const holder = await ForeignServer.connect(t, portOf(world.manager));
  t.same(await holder.call(ask.open()), tell.session(2));
  const silent = await stranger(t, world);
  const asked = await stranger(t, world);
  asked.write(framed(ask.needed(77)));
  await Promise.all([ended(silent), ended(asked)]);
  t.same(world.reasons('link closed'), Array(2).fill(`the link has no sessions and was silent for ${IDLE_MS} ms`));
  t.equal(await leader.outcome({ kind: 'NewTlsSession' }), 'TlsSession', 'the one that has initialised the manager');
  t.equal(relay.managers[0]?.up, true, 'the one that has carried a request of a principal');
  t.same(await holder.call(ask.close(2)), tell.success, 'the one that had a session');
});

void t.test('without attestation a Server may be silent from the start', async (t) => {
  const store = join(freshFolder(t), 'store');
  t.equal(completed({ store }).linkIdleTimeoutMs, 0);
  t.equal(completed({ store, attester: plainAttester() }).linkIdleTimeoutMs, 60_000);
  const strict = await begin(t, { linkIdleTimeoutMs: 200 });
  await ended(await stranger(t, strict));
});

void t.test('so many links and no more', async (t) => {
  const world = await begin(t, { maxLinks: 2 });
  const relay = await startServer(t, world.at);
  const client = await connectClient(t, relay.url);
  const holder = await ForeignServer.connect(t, portOf(world.manager));
  t.same(await holder.call(ask.open()), tell.session(2));
  await ended(await stranger(t, world));
  t.same(world.reasons('link refused'), ['all 2 links are taken']);
  await until('room is made by the one that has no principal', async () => {
    if (world.opened() < 3) await stranger(t, world);
    return world.opened() === 3;
  });
  await until('it has ended', () => world.reasons('link closed').length === 1);
  t.same(world.reasons('link closed'), ['the link makes room for another']);
  t.equal(relay.managers[0]?.up, true, 'the one with a principal stays');
  await client.close();
  await relay.close();
  await until('a place is free', () => world.reasons('link closed').length === 2);
  await stranger(t, world);
  t.equal(world.opened(), 4);
});

void t.test('who makes room: the one that was silent for longest, of those that nobody misses', async (t) => {
  let now = 0;
  t.teardown(useClock({ ...systemClock, monotonic: () => now }));
  const log: string[] = [];
  const places = new LinkPlaces({ frame: 'tcp9', maxLinks: 3, frameTimeoutMs: 0, linkIdleTimeoutMs: 0 });
  const pipes = new Map<string, PassThrough>();
  const take = (name: string, spare = true) => {
    const place = places.take(({ message }) => log.push(`${name}: ${message}`));
    t.teardown(() => place.leave());
    place.spare = () => spare;
    const pipe = new PassThrough();
    place.watch(pipe);
    pipes.set(name, pipe);
    return place;
  };
  const say = (name: string) => pipes.get(name)?.emit('data', Buffer.of(0));
  const kept = take('kept', false);
  take('one');
  now = 10;
  take('two');
  now = 999;
  t.throws(() => take('early'), { code: 'ERR_VC_LIMIT', limit: 3, got: 3 });
  now = 1009;
  say('one');
  t.throws(() => take('early'), { code: 'ERR_VC_LIMIT' }, 'one has just spoken, two is silent for 999 ms');
  now = 1010;
  take('three');
  t.same(log, ['two: the link makes room for another']);
  now = 5000;
  say('one');
  take('four');
  t.same(log.slice(1), ['three: the link makes room for another']);
  now = 9000;
  t.equal(kept.silentMs, 9000, 'whatever its silence');
  now = 14_500;
  for (const name of ['one', 'four']) say(name);
  now = 14_999;
  take('five');
  t.same(log.slice(2), ['one: the link makes room for another'], 'it is never silent, and had its time');
  t.throws(() => take('six'), { code: 'ERR_VC_LIMIT' }, 'four has spoken, and is 9,999 ms old');
  kept.leave();
  take('six');
  t.equal(log.length, 3, 'where there is a place nobody has to go');
});

void t.test('options', async (t) => {
  for (const wrong of [{ maxLinks: 0 }, { maxLinks: 1.5 }, { frameTimeoutMs: -1 }, { linkIdleTimeoutMs: 2 ** 31 }]) {
    await t.rejects(startManager(t, wrong), { code: 'ERR_VC_INVALID_OPTION' });
  }
});

void t.test('where in a stream of frames one is, however it is cut', async (t) => {
  for (const kind of FRAME_KINDS) {
    const frames = [0, 1, 300].map((bytes) => Buffer.concat([encodeHeader(FRAME_HEADERS[kind], bytes), Buffer.alloc(bytes, 0xff)]));
    const all = Buffer.concat(frames);
    const ends = new Set(frames.map((_, i) => Buffer.concat(frames.slice(0, i + 1)).length));
    for (const step of [1, 2, 3, 7, 64, all.length]) {
      const position = new FramePosition(kind);
      for (let at = 0; at < all.length; at += step) {
        position.push(all.subarray(at, at + step));
        const end = Math.min(at + step, all.length);
        if (position.midFrame === ends.has(end)) t.fail(`${kind}, pieces of ${step}, at ${end}`);
      }
      t.notOk(position.midFrame, `${kind}, pieces of ${step}`);
    }
  }
});

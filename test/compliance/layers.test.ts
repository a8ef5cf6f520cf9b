/** What every layer must do. A new one is covered by an entry in `layer-cases.ts`. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { Connection } from '../../lib/core/connection.js';
import { VeracruzError } from '../../lib/core/errors.js';
import type { Layer } from '../../lib/core/layer.js';
import { Announce, BOUNDARY, END_OF_MESSAGE, FLUSH } from '../../lib/core/unit.js';
import type { Channel } from '../../lib/pipeline/channel.js';
import { stack } from '../../lib/pipeline/stack.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { feed } from '../support/feed.js';
import { until, within } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import '../support/long.js';
import { seeded } from '../support/splits.js';
import { noWarnings } from '../support/warnings.js';
import { LAYER_CASES, type LayerCase, type LimitCheck } from './layer-cases.js';
import { exchange } from './layer-exchange.js';
import { byteByByte, byteLength, cutItems, type Heard, joined, pattern, shown, truncated } from './layer-wire.js';

/** Folders of lib/layers that are no layer: formats that several layers share. */
const NO_LAYERS = ['formats'];
/** Inputs up to this size are cut at every offset, larger ones at as many offsets as that. */
const EVERY_CUT_BYTES = 2000;
const FLOOD_UNITS = 3000;
const MAX_KEPT_UNITS = 500;
const LABEL = 'a session';

/** Marks that travel through every layer. */
const TRAVELLING_MARKS = [END_OF_MESSAGE, FLUSH] as const;

/**
 * Directions that do not refuse what is no chunk of theirs: they pass it on, take it for a mark or for nothing, or stumble
 * over it. A direction that learns to refuse it leaves this list.
 */
const TAKES_ANYTHING = new Set(['protobuf inbound', 'records outbound', 'records inbound', 'session outbound', 'session inbound']);

void t.test('the list has every layer', async (t) => {
  const folders = readdirSync(join(PROJECT_ROOT, 'lib', 'layers'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !NO_LAYERS.includes(entry.name))
    .map(({ name }) => name);
  t.same([...new Set(LAYER_CASES.map(({ folder }) => folder))].sort(), folders.sort());
});

for (const one of LAYER_CASES) {
  void t.test(`${nameOf(one)}: ${one.label}`, async (t) => {
    const test = (name: string, run: (t: Test) => Promise<void>) => t.test(name, (t) => within(name, run(t)));
    await test('names and limits', (t) => names(t, one));
    if (one.interactive) {
      await test('there and back, however the bytes are cut', (t) => exchanges(t, one));
      await test('cut short: an error, never silence', (t) => exchangesCutShort(t, one));
    } else {
      await test('there and back, however the bytes are cut', (t) => roundTrips(t, one));
      await test('cut short: an error, or an end that is one', (t) => cutShort(t, one));
      await test('no more waits than there is room for', (t) => brakes(t, one));
    }
    for (const [name, check] of Object.entries(one.limits)) {
      if (typeof check !== 'string') await test(`${name}: at the limit and one over`, (t) => limit(t, one, check));
    }
    await test('a slow reader makes the writer wait', (t) => backPressure(t, one));
    await test('destroyed in the middle', (t) => destroyed(t, one));
    await test('what is no chunk', (t) => noChunk(t, one));
    await test('marks pass, behind all that came before them', (t) => marksPass(t, one));
  });
}

void t.test('no warning of the process', noWarnings);

async function names(t: Test, one: LayerCase): Promise<void> {
  for (const layer of [one.near(), one.far()]) {
    t.equal(layer.name, nameOf(one));
    t.ok(Object.isFrozen(layer) && Object.isFrozen(layer.limits), 'nobody can change it');
    const connection = new Connection(LABEL);
    const [outbound, inbound] = [layer.outbound(connection), layer.inbound(connection)];
    t.same([outbound.layer, inbound.layer], [layer.name, layer.name]);
    for (const stream of [outbound, inbound]) stream.on('error', () => {}).destroy();
    const maxima = Object.keys(layer.limits).filter((name) => name.startsWith('max'));
    t.same(
      maxima.filter((name) => !(name in one.limits)),
      [],
      'each limit is tried here, or named with where it is',
    );
  }
}

/** What `near` makes of the units, on a connection of its own. */
async function wireOf(one: LayerCase, units: readonly (readonly unknown[])[] = one.units): Promise<unknown[]> {
  const { items, error } = await feed(one.near().outbound(new Connection(LABEL)), units.flat());
  if (error !== undefined) throw error;
  return joined(items);
}

async function readAt(one: LayerCase, chunks: readonly unknown[]): Promise<Heard> {
  const stream = one.far().inbound(new Connection(LABEL));
  if (one.read !== undefined) return one.read(stream, chunks);
  const { items, error } = await feed(stream, chunks);
  return { items, error, shown: shown(items) };
}

async function roundTrips(t: Test, one: LayerCase): Promise<void> {
  const wire = await wireOf(one);
  const expected = one.given ?? shown(one.units.flat());
  const differs = async (chunks: readonly unknown[]): Promise<string | undefined> => {
    const { shown: got, error } = await readAt(one, chunks);
    if (error !== undefined) return error.message;
    return JSON.stringify(got) === JSON.stringify(expected) ? undefined : `${JSON.stringify(got)} for ${JSON.stringify(expected)}`;
  };
  t.equal(await differs(wire), undefined, 'whole');
  t.equal(await differs(byteByByte(wire)), undefined, 'byte by byte');
  const problems: string[] = [];
  for (const offset of offsetsOf(wire)) {
    const problem = await differs(cutItems(wire, [offset]));
    if (problem !== undefined) problems.push(`cut at ${offset}: ${problem}`);
  }
  t.same(problems, [], 'cut in two, everywhere');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(byteLength(wire)), { maxLength: 12 }), async (offsets) => {
      const problem = await differs(cutItems(wire, offsets));
      if (problem !== undefined) throw new Error(problem);
    }),
    seeded(30),
  );
}

/** Every offset inside the bytes of `items`; of many bytes as many of them. */
function offsetsOf(items: readonly unknown[]): number[] {
  const length = byteLength(items);
  const step = Math.max(1, Math.ceil(length / EVERY_CUT_BYTES));
  return Array.from({ length: Math.floor((length - 1) / step) }, (_, i) => 1 + i * step);
}

async function cutShort(t: Test, one: LayerCase): Promise<void> {
  const wire = await wireOf(one);
  const whole = await readAt(one, wire);
  const ends = new Set([0]);
  for (let count = 1; count <= one.units.length; count++) ends.add(byteLength(await wireOf(one, one.units.slice(0, count))));
  const problems: string[] = [];
  let errors = 0;
  for (const offset of [0, ...offsetsOf(wire)]) {
    for (const markKept of [true, false]) {
      const chunks = truncated(wire, offset, { markKept });
      const { error, shown: got } = await readAt(one, chunks);
      // An announcement that has come with nothing behind it owes all that it announced.
      const last = chunks.at(-1);
      const owes = last instanceof Announce && last.length > 0;
      const may = (!owes && ends.has(offset)) || one.mayEnd?.at(offset) === true;
      if (error === undefined ? !may : !isOurs(error, one)) problems.push(`ends at ${offset}: ${error?.stack ?? 'in silence'}`);
      if (error !== undefined) errors++;
      if (!whole.shown.join().startsWith(got.slice(0, -1).join())) problems.push(`ends at ${offset}: gave what was not sent`);
    }
  }
  t.same(problems, []);
  if (one.mayEnd === undefined || one.folder === 'base64') t.ok(errors > 0);
}

function nameOf({ folder, name }: LayerCase): string {
  return name ?? folder;
}

/** An error of this library that names the layer and the session. A session layer learns the id, which is the name then. */
function isOurs(error: Error | undefined, one: LayerCase): boolean {
  if (!(error instanceof VeracruzError) || error.layer !== nameOf(one) || !/^ERR_VC_[A-Z0-9_]+$/.test(error.code)) return false;
  return one.folder === 'session' ? error.session !== undefined : error.session === LABEL;
}

async function limit(t: Test, one: LayerCase, check: LimitCheck): Promise<void> {
  const { at } = check;
  const run = async (layer: Layer<any, any>, direction: 'outbound' | 'inbound', chunks: readonly unknown[]) => {
    const stream = layer[direction](new Connection(LABEL));
    return direction === 'inbound' && one.read !== undefined ? one.read(stream, chunks) : feed(stream, chunks);
  };
  const wire = async (figure: number) =>
    check.wire?.(figure) ?? joined((await feed(check.layer(at + 1).outbound(new Connection(LABEL)), check.items?.(figure) ?? [])).items);
  const tries: ['outbound' | 'inbound', (figure: number) => Promise<readonly unknown[]>][] = [['inbound', wire]];
  if (check.items !== undefined) tries.push(['outbound', async (figure) => check.items?.(figure) ?? []]);
  for (const [direction, chunks] of tries) {
    t.equal((await run(check.layer(at), direction, await chunks(at))).error, undefined, `${direction}: ${at} pass`);
    const over = await run(check.layer(at), direction, await chunks(at + 1));
    t.match(over.error, { code: 'ERR_VC_LIMIT', limit: at, got: at + 1 }, `${direction}: one more does not`);
    t.ok(isOurs(over.error, one), `${direction}: with the names of layer and session`);
  }
}

/** One chunk that holds many units, and many chunks: the stream gives no more than its neighbour has room for. */
async function brakes(t: Test, one: LayerCase): Promise<void> {
  const many = Array.from({ length: 500 }, () => one.flood);
  const wire = await wireOf(one, many);
  for (const [direction, chunks, gives] of [
    ['outbound', many.flat(), true],
    ['inbound', wire, true],
    // Of single bytes most give nothing, so any number of them may be taken.
    ['inbound', byteByByte(wire.slice(0, 3)).slice(0, 5000), false],
  ] as const) {
    const stream = (direction === 'outbound' ? one.near() : one.far())[direction](new Connection(LABEL));
    stream.on('error', () => {});
    let accepted = 0;
    for (const chunk of chunks) {
      accepted++;
      if (!stream.write(chunk)) break;
    }
    await new Promise((go) => setImmediate(go));
    t.ok(stream.readableLength <= stream.readableHighWaterMark, `${direction}: ${stream.readableLength} items wait to be read`);
    t.ok(stream.writableLength <= stream.writableHighWaterMark, `${direction}: ${stream.writableLength} wait to be taken`);
    if (gives && chunks.length > 20) t.ok(accepted <= 20, `${direction}: ${accepted} of ${chunks.length} were taken`);
    stream.destroy();
  }
}

/** Two channels on each other. What goes between them is chunks, with the marks. */
function channels(t: Test, one: LayerCase): { near: Channel<any>; far: Channel<any> } {
  const [left, right] = memoryPipe({ objectMode: true });
  const far = stack(one.far()).over(right, { session: LABEL });
  const near = stack(one.near()).over(left, { session: LABEL });
  t.teardown(() => {
    for (const channel of [near, far]) channel.on('error', () => {}).destroy();
  });
  return { near, far };
}

const weigh = (item: unknown): number =>
  Buffer.isBuffer(item) ? item.length : typeof item === 'symbol' || item instanceof Announce ? 0 : 1;

async function backPressure(t: Test, one: LayerCase): Promise<void> {
  const { near, far } = channels(t, one);
  let handed = 0;
  const done = (async () => {
    for (; handed < FLOOD_UNITS; handed++) {
      for (const item of one.flood) if (!near.write(item)) await new Promise((go) => near.once('drain', go));
    }
    near.end();
  })();
  await stalled(() => handed);
  t.ok(handed < MAX_KEPT_UNITS, `${handed} units are on the way`);
  t.ok(near.writableLength <= near.writableHighWaterMark + 1 && far.readableLength <= far.readableHighWaterMark + 1);
  const expected = FLOOD_UNITS * (one.read === undefined ? one.flood.reduce<number>((sum, item) => sum + weigh(item), 0) : 1);
  let weight = 0;
  far.on('data', (item: unknown) => {
    weight += weigh(item);
  });
  far.on('error', (error) => t.fail(error.message));
  await done;
  await until('all of it to arrive', () => weight >= expected);
  t.equal(weight, expected, 'and all of it arrives');
}

/** Settles when the writer gets no further. To be too early would only make the test milder. */
async function stalled(count: () => number): Promise<void> {
  for (let quiet = 0, last = -1; quiet < 20; quiet++) {
    if (count() !== last) quiet = 0;
    last = count();
    await new Promise((go) => setTimeout(go, 2));
  }
}

async function destroyed(t: Test, one: LayerCase): Promise<void> {
  for (const side of ['near', 'far'] as const) {
    for (const reason of [undefined, new Error('of our own')]) {
      const { near, far } = channels(t, one);
      const errors = new Map<Duplex, VeracruzError>();
      const closed = new Set<Duplex>();
      for (const channel of [near, far]) {
        channel.on('error', (error: VeracruzError) => {
          if (errors.has(channel)) t.fail(`a second error: ${error.message}`);
          errors.set(channel, error);
        });
        channel.on('close', () => closed.add(channel));
      }
      let heard = 0;
      far.on('data', () => heard++);
      near.resume();
      const writing = setInterval(() => {
        for (const item of one.flood) if (!near.destroyed) near.write(item);
      }, 1);
      t.teardown(() => clearInterval(writing));
      await until('something to arrive', () => heard > 2);
      const [gone, left] = side === 'near' ? [near, far] : [far, near];
      gone.destroy(reason);
      await until('both to be closed', () => closed.size === 2);
      clearInterval(writing);
      t.equal(errors.get(gone) === undefined, reason === undefined, `${side}: its own error, or none`);
      const other = errors.get(left);
      t.ok(
        other instanceof VeracruzError && other.code.startsWith('ERR_VC_') && other.session !== undefined,
        `${side}: the other end has an error of ours`,
      );
    }
  }
  for (const [layer, direction] of [
    [one.near(), 'outbound'],
    [one.far(), 'inbound'],
  ] as const) {
    const stream = layer[direction](new Connection(LABEL));
    const mine = new Error('of our own');
    const raised: Error[] = [];
    stream.on('error', (error) => raised.push(error));
    const closed = new Promise((go) => stream.once('close', go));
    stream.write(direction === 'outbound' ? one.flood[0] : pattern(3));
    stream.destroy(mine);
    stream.write(one.flood[0], () => {});
    await closed;
    t.same(raised, [mine], `${direction}: one error, its own`);
  }
}

async function noChunk(t: Test, one: LayerCase): Promise<void> {
  for (const [layer, direction] of [
    [one.near(), 'outbound'],
    [one.far(), 'inbound'],
  ] as const) {
    const { error } = await feed(layer[direction](new Connection(LABEL)), [42]);
    const refused = error?.code === 'ERR_VC_INVALID_ARGUMENT' && isOurs(error, one);
    t.equal(refused, !TAKES_ANYTHING.has(`${one.folder} ${direction}`), `${direction}: ${error?.message ?? 'no error'}`);
  }
}

/** Only what is no mark counts: a layer may close a unit of its own at a mark. */
async function marksPass(t: Test, one: LayerCase): Promise<void> {
  for (const mark of TRAVELLING_MARKS) {
    if (one.interactive) {
      const up = one.units.flatMap((unit) => [...unit, mark]);
      const { far, marks } = await exchange(one, up, [], (_way, chunk) => [chunk]);
      const below = marks.filter(({ way }) => way === 'up');
      t.same(
        below.map((each) => each.mark),
        one.units.map(() => mark),
        `each ${String(mark)} comes out below`,
      );
      t.ok(
        below.every(({ start }, i) => start > (below[i - 1]?.start ?? 0)),
        'each behind the bytes of its unit',
      );
      t.equal(far.bytes.length, byteLength(one.units.flat()), 'and the bytes all arrive');
      continue;
    }
    const wires = await Promise.all(one.units.map((unit) => wireOf(one, [unit])));
    for (const [layer, direction, units] of [
      [one.near(), 'outbound', one.units],
      [one.far(), 'inbound', wires],
    ] as const) {
      const run = async (chunks: readonly unknown[]) => {
        const stream = layer[direction](new Connection(LABEL));
        const { items, error } =
          direction === 'inbound' && one.read !== undefined ? await one.read(stream, chunks) : await feed(stream, chunks);
        t.equal(error, undefined);
        return items;
      };
      const marked = await run(units.flatMap((unit) => [...unit, mark]));
      t.same(payload(marked), payload(await run(units.flat())), `${direction}: ${String(mark)} changes nothing else`);
      const out = one.marksEnd === direction ? BOUNDARY : mark;
      t.equal(marked.filter((item) => item === out).length, units.length, `${direction}: each ${String(mark)} comes out as ${String(out)}`);
      for (let count = 1; count <= units.length; count++) {
        const before = marked.slice(0, nthIndex(marked, out, count));
        t.same(payload(before), payload(await run(units.slice(0, count).flat())), `${direction}: behind all that came before it`);
      }
    }
  }
}

/** Bytes and messages, without marks. */
function payload(items: readonly unknown[]): string[] {
  return shown(items.filter((item) => typeof item !== 'symbol' && !(item instanceof Announce)));
}

function nthIndex(items: readonly unknown[], item: unknown, n: number): number {
  let at = -1;
  for (let i = 0; i < n; i++) at = items.indexOf(item, at + 1);
  return at;
}

const UP = pattern(20_000);
const DOWN = pattern(30_000).reverse();

async function exchanges(t: Test, one: LayerCase): Promise<void> {
  const differs = async (cut: Parameters<typeof exchange>[3]) => {
    const { near, far } = await exchange(one, [UP], [DOWN], cut);
    const error = near.error ?? far.error;
    return (
      error?.message ?? (near.bytes.equals(DOWN) && far.bytes.equals(UP) && near.ended && far.ended ? undefined : 'other bytes, or no end')
    );
  };
  t.equal(await differs((_way, chunk) => [chunk]), undefined, 'whole');
  t.equal(await differs((_way, chunk) => Array.from(chunk, (_, i) => chunk.subarray(i, i + 1))), undefined, 'byte by byte');
  const problems: string[] = [];
  for (const way of ['up', 'down'] as const) {
    for (let offset = 1; offset < 3000; offset += 37) {
      const problem = await differs(cutAtOffset(way, offset));
      if (problem !== undefined) problems.push(`${way} cut at ${offset}: ${problem}`);
    }
  }
  t.same(problems, [], 'cut in two');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 12 }), async (sizes) => {
      let turn = 0;
      const problem = await differs((_way, chunk) => {
        const pieces: Buffer[] = [];
        for (let at = 0; at < chunk.length; ) {
          const size = sizes[turn++ % sizes.length] as number;
          pieces.push(chunk.subarray(at, at + size));
          at += size;
        }
        return pieces;
      });
      if (problem !== undefined) throw new Error(problem);
    }),
    seeded(20),
  );
}

const cutAtOffset =
  (where: 'up' | 'down', offset: number): Parameters<typeof exchange>[3] =>
  (way, chunk, start) => {
    const at = offset - start;
    return way !== where || at <= 0 || at >= chunk.length ? [chunk] : [chunk.subarray(0, at), chunk.subarray(at)];
  };

async function exchangesCutShort(t: Test, one: LayerCase): Promise<void> {
  const problems: string[] = [];
  let errors = 0;
  for (const way of ['up', 'down'] as const) {
    for (let offset = 0; offset < 20_000; offset += offset < 3000 ? 61 : 997) {
      const { near, far } = await exchange(one, [UP], [DOWN], (where, chunk, start) => {
        const at = offset - start;
        if (where !== way || at >= chunk.length) return [chunk];
        return at > 0 ? [chunk.subarray(0, at), null] : [null];
      });
      const [victim, sent] = way === 'up' ? [far, UP] : [near, DOWN];
      if (victim.error !== undefined) errors++;
      if (victim.error === undefined && !victim.bytes.equals(sent)) problems.push(`${way} ends at ${offset}: in silence`);
      if (!victim.bytes.equals(sent.subarray(0, victim.bytes.length))) problems.push(`${way} ends at ${offset}: other bytes`);
      for (const error of [near.error, far.error]) {
        if (error !== undefined && !isOurs(error, one)) problems.push(`${way} ends at ${offset}: ${error.stack}`);
      }
    }
  }
  t.same(problems, []);
  t.ok(errors > 50);
}

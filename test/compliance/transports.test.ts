/** What every transport must do. A new one is covered by an entry in `transport-cases.ts`. */
import { getEventListeners } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { AbortedError, InvalidOptionError, TransportError, VeracruzError } from '../../lib/core/errors.js';
import { BOUNDARY } from '../../lib/core/unit.js';
import { type Address, formatAddress, parseAddress, transportOf } from '../../lib/transports/address.js';
import { openPipe } from '../../lib/transports/pipe.js';
import type { AnyAddress } from '../../lib/transports/transport.js';
import { BYTE_TRANSPORTS, TRANSPORTS } from '../../lib/transports/transports.js';
import { until, within } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { byteByByte, cutAt, seeded } from '../support/splits.js';
import { noWarnings } from '../support/warnings.js';
import { TRANSPORT_CASES, type TransportCase } from './transport-cases.js';
import { connected, converse, dialable, Ear, joinedBytes, listening, openHandles, pattern, say, type Unit } from './transport-pairs.js';

/** What the process has open by itself. */
const AT_REST = openHandles();
const CHUNK = pattern(65_536);
/** More than all the buffers between two ends keep: Linux gives a TCP connection up to 10 MiB. */
const FLOOD_BYTES = 48 * 1024 * 1024;
const MAX_KEPT_BYTES = 24 * 1024 * 1024;
const SIZES = [0, 1, 2, 255, 4096, 65_535, 65_537, 1_000_003, 3 * 1024 * 1024 + 1];
/** Retries that go on until they are told to stop. */
const FOR_EVER = { tries: Number.POSITIVE_INFINITY, intervalMs: 100_000, backoff: 1 };

void t.test('the list has every transport', async (t) => {
  const schemes = TRANSPORTS.map(({ scheme }) => scheme).sort();
  t.same(TRANSPORT_CASES.map(({ transport }) => transport.scheme).sort(), schemes);
  for (const { transport } of TRANSPORT_CASES) t.ok((TRANSPORTS as readonly unknown[]).includes(transport), transport.scheme);
  const folder = join(PROJECT_ROOT, 'lib', 'transports');
  const written = readdirSync(folder)
    .filter((file) => file.endsWith('.ts'))
    .filter((file) => /^export const \w+: Transport</m.test(readFileSync(join(folder, file), 'utf8')))
    .map((file) => file.replace('.ts', ''));
  t.same(written.sort(), schemes, 'one file each in lib/transports, named after its scheme, and each in the list');
});

for (const one of TRANSPORT_CASES) {
  const { transport } = one;
  void t.test(transport.scheme, async (t) => {
    const test = (name: string, run: (t: Test) => Promise<void>) => t.test(name, (t) => within(name, run(t)));
    await test('addresses', (t) => addresses(t, one));
    await test('bytes arrive as they were, both ways at once', (t) => roundTrips(t, one));
    await test('however the writes are cut', (t) => cuts(t, one));
    await test('an end', (t) => ends(t, one));
    await test('a slow reader makes the writer wait', (t) => backPressure(t, one));
    await test('destroyed in the middle', (t) => destroyed(t, one));
    await test('nobody listens', (t) => nobody(t, one));
    await test('signals', (t) => signals(t, one));
    await test('a place that is taken', (t) => taken(t, one));
    await test('each peer has a pipe of its own, and keeps it when the listener is closed', (t) => pipes(t, one));
  });
}

void t.test('no warning of the process', noWarnings);

async function addresses(t: Test, { transport, texts, wrongTexts }: TransportCase): Promise<void> {
  t.ok(transport.forms.length > 0);
  for (const form of transport.forms) t.ok(form.startsWith(`${transport.scheme}:`) || form.startsWith(`${transport.scheme}-listen:`), form);
  const others = TRANSPORTS.filter((other) => other !== transport);
  for (const text of texts) {
    const address = transport.parse(text) as AnyAddress;
    t.equal(transport.format(address), text);
    t.ok([transport.scheme, `${transport.scheme}-listen`].includes(address.kind), text);
    for (const other of others) t.equal(other.parse(text), undefined, `${text} is no address of ${other.scheme}`);
    if (transport.carries === 'bytes') {
      t.same(parseAddress(text), address);
      t.equal(formatAddress(address as Address), text);
      t.equal(transportOf(address as Address), transport);
    } else t.throws(() => parseAddress(text), InvalidOptionError, 'only pipes of bytes are opened by address');
  }
  for (const text of wrongTexts) {
    t.throws(() => transport.parse(text) ?? parseAddress(text), InvalidOptionError, JSON.stringify(text));
    t.throws(() => parseAddress(text), InvalidOptionError, JSON.stringify(text));
  }
  t.equal(transport.dial === undefined, transport.dials === 'never');
  t.equal((BYTE_TRANSPORTS as readonly unknown[]).includes(transport), transport.carries === 'bytes');
}

/** Settles when no socket, server or device is open that a test has opened. */
async function atRest(leftovers: () => readonly string[] = () => []): Promise<void> {
  await until('nothing to be left', () => openHandles() === AT_REST && leftovers().length === 0);
}

/** Both ends say `up` and `down`, and each hears what the other said. */
async function heard(t: Test, one: TransportCase, up: readonly Unit[], down: readonly Unit[]): Promise<string | undefined> {
  const pair = await connected(t, one);
  const [near, far] = await converse(one, pair, up, down);
  const problems: string[] = [];
  for (const [ear, said, way] of [
    [far, up, 'up'],
    [near, down, 'down'],
  ] as const) {
    if (ear.error !== undefined) problems.push(`${way}: ${ear.error.message}`);
    if (!ear.bytes.equals(joinedBytes(said))) problems.push(`${way}: ${ear.length} bytes of ${joinedBytes(said).length}, or others`);
    if (one.transport.carries === 'units' && !said.every((unit, i) => ear.bodies[i]?.equals(Buffer.concat(unit)))) {
      problems.push(`${way}: other units`);
    }
  }
  near.pipe.destroy();
  far.pipe.destroy();
  await pair.listener.close();
  return problems.length > 0 ? problems.join('; ') : undefined;
}

async function roundTrips(t: Test, one: TransportCase): Promise<void> {
  for (const size of SIZES) {
    t.equal(await heard(t, one, [[pattern(size)]], [[pattern(size, 7)]]), undefined, `${size} bytes`);
  }
  const large = SIZES.map((size) => [pattern(size)]);
  t.equal(await heard(t, one, large, large.toReversed()), undefined, 'all of them on one pipe');
}

async function cuts(t: Test, one: TransportCase): Promise<void> {
  const text = pattern(300);
  t.equal(await heard(t, one, [byteByByte(text)], [byteByByte(text)]), undefined, 'byte by byte');
  const splits = fc.array(fc.nat(), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(fc.nat(200_000), splits, splits, async (size, up, down) => {
      const problem = await heard(t, one, [cutAt(pattern(size), up)], [cutAt(pattern(size, 3), down)]);
      if (problem !== undefined) throw new Error(problem);
    }),
    { ...seeded(15), endOnFailure: true },
  );
}

async function ends(t: Test, one: TransportCase): Promise<void> {
  if (one.transport.ends === 'each-way') {
    await endsEachWay(t, one, 'near');
    await endsEachWay(t, one, 'far');
  } else if (one.transport.ends === 'both-ways') await endsBothWays(t, one);
  else await endsUntold(t, one);
}

async function endsEachWay(t: Test, one: TransportCase, first: 'near' | 'far'): Promise<void> {
  const pair = await connected(t, one);
  const [near, far] = [new Ear(pair.near), new Ear(await pair.far())];
  const [asking, answering] = first === 'near' ? [near, far] : [far, near];
  asking.pipe.end(pattern(1000));
  await until('the question and its end', () => answering.ended);
  t.ok(answering.bytes.equals(pattern(1000)));
  t.notOk(answering.closed, 'the other direction is open');
  answering.pipe.end(pattern(2_000_000));
  await until('both to be closed', () => asking.closed && answering.closed);
  t.ok(asking.ended && asking.bytes.equals(pattern(2_000_000)), `the answer to the ${first} end, after that had ended`);
  t.same([asking.error, answering.error], [undefined, undefined]);
}

async function endsBothWays(t: Test, one: TransportCase): Promise<void> {
  const pair = await connected(t, one);
  const near = new Ear(pair.near);
  pair.near.write(pattern(1000));
  pair.near.end(BOUNDARY);
  const far = new Ear(await pair.far());
  await until('the question', () => far.units === 1);
  t.notOk(far.ended, 'not before it is answered');
  await say(far.pipe, [pattern(2_000_000), BOUNDARY]);
  await until('the end at both', () => near.closed && far.ended);
  t.ok(near.ended && near.bytes.equals(pattern(2_000_000)), 'the answer, after the end');
  far.pipe.end();
  await until('the far end to be closed', () => far.closed);
  t.same([near.error, far.error], [undefined, undefined]);
}

async function endsUntold(t: Test, one: TransportCase): Promise<void> {
  const pair = await connected(t, one);
  const [near, far] = [new Ear(pair.near), new Ear(await pair.far())];
  near.pipe.end(pattern(100_000));
  await until('the end to be over', () => near.closed && far.length === 100_000);
  t.ok(far.bytes.equals(pattern(100_000)), 'nothing that was written before is lost');
  t.ok(near.ended);
  t.same([near.error, far.error, far.ended, far.closed], [undefined, undefined, false, false], 'the other end hears nothing');
}

async function backPressure(t: Test, one: TransportCase): Promise<void> {
  for (const direction of ['up', 'down'] as const) {
    const pair = await connected(t, one);
    const { writer, reader } = await floodSides(one, opened(pair.near, one), pair.far, direction);
    const flood = pour(writer, one, direction);
    await stalled(flood);
    t.ok(flood.handed < MAX_KEPT_BYTES, `${direction}: the writer waits, with ${flood.handed} bytes on the way`);
    const room = one.transport.carries === 'bytes' ? CHUNK.length : 2;
    t.ok(writer.writableLength <= writer.writableHighWaterMark + room, `${writer.writableLength} wait in the writer`);
    t.ok(reader.readableLength <= reader.readableHighWaterMark + room, `${reader.readableLength} wait in the reader`);
    t.equal(await readFlood(reader, one, direction), undefined, `${direction}: and all of it arrives`);
    await flood.done;
    pair.near.destroy();
    (await pair.far()).destroy();
    await pair.listener.close();
  }
}

/** Where the far end comes with the first write, an empty unit makes it come. Its write is over when it is answered. */
function opened(near: Duplex, { transport }: TransportCase): Duplex {
  if (transport.dials === 'at-first-write') near.write(BOUNDARY);
  return near;
}

async function floodSides({ transport }: TransportCase, near: Duplex, farOf: () => Promise<Duplex>, direction: 'up' | 'down') {
  const far = await farOf();
  if (transport.carries === 'units') {
    // The empty unit is read. Up, its answer is as well; down, the flood is its answer.
    await until('the empty unit', () => far.read() === BOUNDARY);
    if (direction === 'up') {
      near.resume();
      await say(far, [BOUNDARY]);
    }
  }
  return direction === 'up' ? { writer: near, reader: far } : { writer: far, reader: near };
}

interface Flood {
  handed: number;
  done: Promise<void>;
}

/** Writes FLOOD_BYTES as fast as it is let: in many units up, in one down. */
function pour(writer: Duplex, { transport }: TransportCase, direction: 'up' | 'down'): Flood {
  const flood: Flood = { handed: 0, done: Promise.resolve() };
  const units = transport.carries === 'units';
  const room = async (item: unknown) => {
    if (!writer.write(item)) await new Promise((go) => writer.once('drain', go));
  };
  flood.done = (async () => {
    while (flood.handed < FLOOD_BYTES) {
      flood.handed += CHUNK.length;
      await room(CHUNK);
      if (units && direction === 'up') await room(BOUNDARY);
    }
    if (units && direction === 'down') await room(BOUNDARY);
  })();
  return flood;
}

/** Settles when the writer gets no further. To be too early would only make the test milder: what is kept is then less. */
async function stalled(flood: Flood): Promise<void> {
  for (let quiet = 0, last = -1; quiet < 20; quiet++) {
    if (flood.handed !== last) quiet = 0;
    last = flood.handed;
    await new Promise((go) => setTimeout(go, 5));
  }
}

/** Reads all of the flood; says what is wrong with it. */
function readFlood(reader: Duplex, { transport }: TransportCase, direction: 'up' | 'down'): Promise<string | undefined> {
  let count = 0;
  return new Promise((resolve) => {
    reader.on('error', ({ message }) => resolve(message));
    reader.on('data', (item: Buffer | typeof BOUNDARY) => {
      if (!Buffer.isBuffer(item)) {
        if (direction === 'up') reader.write(BOUNDARY);
      } else {
        for (let at = 0; at < item.length; ) {
          const from = (count + at) % CHUNK.length;
          const length = Math.min(item.length - at, CHUNK.length - from);
          if (item.compare(CHUNK, from, from + length, at, at + length) !== 0) resolve(`other bytes near ${count + at}`);
          at += length;
        }
        count += item.length;
      }
      const last = transport.carries === 'bytes' || item === BOUNDARY;
      if (count >= FLOOD_BYTES && last) resolve(count === FLOOD_BYTES ? undefined : `${count} bytes`);
    });
  });
}

async function destroyed(t: Test, one: TransportCase): Promise<void> {
  for (const side of ['near', 'far'] as const) {
    // A console's peer is a device: it cannot be destroyed from outside.
    if (side === 'far' && one.transport.ends === 'untold') continue;
    for (const reason of [undefined, new Error('of our own')]) {
      for (const talking of ['both', 'that one', 'neither'] as const) await destroyedOnce(t, one, side, reason, talking);
    }
  }
}

/** One end is destroyed while both write, while it alone does, or in silence: a peer that only reads must hear of it too. */
async function destroyedOnce(
  t: Test,
  one: TransportCase,
  side: 'near' | 'far',
  reason: Error | undefined,
  talking: 'both' | 'that one' | 'neither',
): Promise<void> {
  const pair = await connected(t, one);
  const near = new Ear(opened(pair.near, one));
  const far = new Ear(await pair.far());
  const [gone, left] = side === 'near' ? [near, far] : [far, near];
  // Where units are asked and answered, the question is out already: only the far end has something to say.
  const able = one.transport.carries === 'units' ? [far] : [near, far];
  const writers = talking === 'neither' ? [] : able.filter((ear) => talking === 'both' || ear === gone);
  for (const ear of writers) keepWriting(ear.pipe);
  await until('bytes under way', () => writers.every((ear) => (ear === near ? far : near).length > 100_000));
  const what = `${side}, ${talking} writing`;
  gone.pipe.destroy(reason);
  await until(`the end that was destroyed: ${what}`, () => gone.closed);
  t.equal(gone.error, reason, `${what}: its own error, or none`);
  if (one.transport.ends === 'untold') t.notOk(left.closed || left.ended, 'the other end hears nothing');
  else {
    await until(`the other end to hear of it: ${what}`, () => left.closed || left.ended);
    if (left.error instanceof VeracruzError) t.ok(left.error.layer, 'an error of ours names its layer');
    else t.ok(left.ended || (left.error as NodeJS.ErrnoException | undefined)?.code, `${what}: an end or an error for the other`);
  }
  left.pipe.destroy();
  await pair.listener.close();
  await atRest(pair.leftovers);
}

/** Writes until the pipe is gone, no faster than it is let, a chunk a turn: a reader in this process might keep up for ever. */
function keepWriting(pipe: Duplex): void {
  const write = () => {
    if (pipe.destroyed || !pipe.writable) return;
    pipe.write(CHUNK, (error) => {
      if (!error) setImmediate(write);
    });
  };
  write();
}

async function nobody(t: Test, one: TransportCase): Promise<void> {
  const { transport, layer, nobody: message } = one;
  const site = one.site(t);
  if (transport.dial === undefined) {
    const text = transport.format(site.address);
    await t.rejects(openPipe(text), { code: 'ERR_VC_INVALID_ARGUMENT', layer: 'transport', message: new RegExp(text) });
    return;
  }
  // The place is real, and free again.
  const { listener } = await listening(t, one, site);
  const address = dialable(one, listener.address);
  await listener.close();
  const refusal = { name: TransportError.name, code: 'ERR_VC_TRANSPORT', layer, message, cause: { code: /^(ECONNREFUSED|ENOENT)$/ } };
  if (transport.dials === 'at-once') {
    const error = await transport.dial(address).then(
      () => undefined,
      (raised: Error) => raised,
    );
    t.match(error, refusal);
    t.ok(error?.message.includes(`connect to ${transport.format(address)}`), 'with the address');
    await t.rejects(transport.dial(address, { retry: { tries: 3, intervalMs: 1, backoff: 1 } }), refusal, 'after the last try as well');
  } else {
    const ear = new Ear(await transport.dial(address));
    ear.pipe.on('error', () => {}).write(BOUNDARY);
    await until('the refusal', () => ear.closed);
    t.match(ear.error, refusal);
  }
  await atRest();
}

async function signals(t: Test, one: TransportCase): Promise<void> {
  const { transport, layer } = one;
  const fired = AbortSignal.abort(new Error('enough'));
  const site = one.site(t);
  const text = transport.format(site.address);
  const aborted = { name: 'AbortError', code: 'ERR_VC_ABORTED', cause: { message: 'enough' } };
  const early = await rejection(transport.listen(site.address, () => {}, { ...site.listenOptions, signal: fired }));
  t.match(early, aborted);
  t.ok(early?.message.includes(text), 'listening names the address');
  t.same(site.leftovers?.() ?? [], [], 'one that has fired opens nothing');

  const during = new AbortController();
  const opening = transport.listen(site.address, () => t.fail('a pipe'), { ...site.listenOptions, signal: during.signal });
  during.abort();
  await opening.then(
    (listener) => listener.close(),
    (error: Error) => t.type(error, AbortedError),
  );
  await atRest(site.leftovers);

  const later = new AbortController();
  const { listener } = await listening(t, one, site, { signal: later.signal });
  const bound = listener.address;
  later.abort();
  await atRest(site.leftovers);
  const again = await listening(t, one, { ...site, address: bound }, { signal: new AbortController().signal });
  await again.listener.close();

  const unused = new AbortController();
  await (await listening(t, one, site, { signal: unused.signal })).listener.close();
  t.equal(getEventListeners(unused.signal, 'abort').length, 0, 'a listener that is closed leaves nothing at its signal');
  await dialSignals(t, one, dialable(one, bound), fired);
  await atRest(site.leftovers);
  t.ok(layer);
}

async function dialSignals(t: Test, { transport }: TransportCase, address: AnyAddress, fired: AbortSignal): Promise<void> {
  if (transport.dial === undefined) return;
  const early = await rejection(transport.dial(address, { signal: fired }));
  t.match(early, { code: 'ERR_VC_ABORTED', cause: { message: 'enough' } });
  t.ok(early?.message.includes(transport.format(address)), 'dialling names the address');
  if (transport.dials !== 'at-once') return;
  const during = new AbortController();
  const dialling = transport.dial(address, { signal: during.signal, retry: FOR_EVER });
  dialling.catch(() => {});
  await new Promise((go) => setImmediate(go));
  during.abort();
  await t.rejects(dialling, { code: 'ERR_VC_ABORTED', layer: 'transport' }, 'while it is tried again and again');
  t.equal(getEventListeners(during.signal, 'abort').length, 0);
}

async function rejection(promise: Promise<unknown>): Promise<Error | undefined> {
  return promise.then(
    () => undefined,
    (error: Error) => error,
  );
}

async function taken(t: Test, one: TransportCase): Promise<void> {
  const { transport, layer, taken: message } = one;
  const site = one.site(t);
  const { listener } = await listening(t, one, site);
  const second = { ...site, address: listener.address };
  const error = await rejection(transport.listen(second.address, () => t.fail('a pipe'), site.listenOptions));
  // A port is a port: http says so in the words of the transport below it.
  t.match(error, { code: 'ERR_VC_TRANSPORT', layer: layer === 'http' ? 'transport' : layer, message });
  t.ok(error?.message.includes(transport.format(second.address)), 'with the address');
  await listener.close();
  const again = await listening(t, one, second);
  t.ok(again.listener, 'free again');
  await again.listener.close();
  await listener.close();
  t.pass('closed twice');
}

async function pipes(t: Test, one: TransportCase): Promise<void> {
  const { transport } = one;
  const site = one.site(t);
  const { listener, pipes } = await listening(t, one, site);
  if (transport.dial === undefined) {
    await until('the first link', () => pipes.length === 1);
    pipes[0]?.destroy();
    await until('the next, when that is over', () => pipes.length === 2);
    await listener.close();
    t.ok(pipes[1]?.destroyed, 'a console goes with its link');
    return;
  }
  const address = dialable(one, listener.address);
  const ears: Ear[] = [];
  for (const text of ['first', 'second']) {
    const near = await transport.dial(address);
    t.teardown(() => near.on('error', () => {}).destroy());
    ears.push(new Ear(near));
    // A unit's write is over when it is answered, so nobody waits for it here.
    for (const item of transport.carries === 'bytes' ? [Buffer.from(text)] : [Buffer.from(text), BOUNDARY]) near.write(item);
    await until('its pipe', () => pipes.length === ears.length);
  }
  await listener.close();
  // Those that exist stay, and nobody comes any more.
  for (const [i, pipe] of pipes.entries()) {
    const far = new Ear(pipe);
    await until('what was written', () => far.length > 4);
    t.equal(far.bytes.toString(), ['first', 'second'][i]);
    await say(pipe, transport.carries === 'bytes' ? [far.bytes] : [far.bytes, BOUNDARY]);
  }
  await until('the answers', () => ears.every(({ length }) => length > 4));
  t.same(
    ears.map(({ bytes }) => bytes.toString()),
    ['first', 'second'],
  );
  for (const pipe of pipes) pipe.destroy();
}

import { once } from 'node:events';
import { Readable } from 'node:stream';
import t from 'tap';
import { Announce } from '../../../lib/core/unit.js';
import { encodeMessage, IncomingBody, protobuf, wholeBody } from '../../../lib/layers/protobuf/index.js';
import { feed } from '../../support/feed.js';
import { patterned, receive, varint } from './support.js';

const layer = protobuf({ sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerResponse' });
const write = (data: unknown) => ({ oneof: 'write_file', fields: { file_name: 'in.bin', data } });

async function* chunked(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

void t.test('a body in memory goes out in slices of 256 KiB, uncopied', async (t) => {
  for (const length of [0, 1, 4096, 4097, 262_144, 262_145, 1_000_000]) {
    const data = patterned(length);
    const { items, bytes, error } = await feed(layer.outbound(), [write(data)]);
    t.equal(error, undefined);
    t.same(items[0], new Announce(bytes.length));
    t.ok(bytes.equals(encodeMessage('RuntimeManagerRequest', write(data) as never)), `${length} bytes`);
    const slices = items.slice(2) as Buffer[];
    t.ok(slices.every((slice) => slice.length <= 262_144 && slice.buffer === data.buffer));
    t.equal(slices.length, length <= 4096 ? 0 : Math.ceil(length / 262_144));
  }
});

void t.test('a body from a source goes through as it comes', async (t) => {
  const data = patterned(700_000);
  const whole = encodeMessage('RuntimeManagerRequest', write(data) as never);
  for (const size of [1000, 65_536, 700_000]) {
    for (const source of [
      chunked(data, size),
      Readable.from(chunked(data, size)),
      Readable.from(chunked(data, size), { objectMode: false }),
    ]) {
      const { items, bytes, error } = await feed(layer.outbound(), [write({ length: data.length, source })]);
      t.equal(error, undefined);
      t.ok(bytes.equals(whole));
      t.same(items[0], new Announce(whole.length));
      t.equal((items[1] as Buffer).length, whole.length - data.length, 'the head is one small chunk');
    }
  }
  const pieces = [data.subarray(0, 5), Buffer.alloc(0), new Uint8Array(data.subarray(5, 9)), data.subarray(9)];
  const fed = await feed(layer.outbound(), [write({ length: data.length, source: Readable.from(pieces) })]);
  t.ok(fed.bytes.equals(whole), 'empty chunks and plain Uint8Arrays');
});

void t.test('lengths up to 2^53 are told exactly', async (t) => {
  const wide = protobuf({ sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerResponse', maxMessageBytes: Number.MAX_SAFE_INTEGER });
  for (const length of [2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 35 + 7, 2 ** 53 - 100]) {
    const stream = wide.outbound();
    stream.on('error', () => {});
    stream.write(write({ length, source: new Readable({ read() {} }) }));
    await once(stream, 'readable');
    const announce = stream.read() as Announce;
    const head = stream.read() as Buffer;
    const inner = Buffer.concat([Buffer.from('0a06696e2e62696e12', 'hex'), varint(length)]);
    const expected = Buffer.concat([Buffer.from([0x12]), varint(inner.length + length), inner]);
    t.equal(head.toString('hex'), expected.toString('hex'), `${length}`);
    t.equal(announce.length, expected.length + length);
    stream.destroy();
  }
  const over = await feed(wide.outbound(), [write({ length: 2 ** 53 - 1, source: new Readable({ read() {} }) })]);
  t.match(over.error, { code: 'ERR_VC_INVALID_ARGUMENT', layer: 'protobuf' });
});

void t.test('3 GiB from a generated source, counted and dropped', async (t) => {
  const chunk = Buffer.alloc(2 ** 20, 0x61);
  const length = 3 * 2 ** 30;
  const source = (async function* () {
    for (let sent = 0; sent < length; sent += chunk.length) yield chunk;
  })();
  const stream = layer.outbound();
  let bytes = 0;
  let announced = 0;
  stream.on('data', (item: unknown) => {
    if (item instanceof Announce) announced = item.length;
    else bytes += (item as Buffer).length;
  });
  stream.end(write({ length, source }));
  await once(stream, 'end');
  t.equal(bytes, announced);
  t.equal(stream.traffic.bytesOut, announced);
});

void t.test('a source of another length fails the stack', async (t) => {
  for (const [length, expected] of [
    [10, { code: 'ERR_VC_LENGTH_MISMATCH', expected: 10, got: 8 }],
    [7, { code: 'ERR_VC_LENGTH_MISMATCH', expected: 7, got: 8 }],
    [0, { code: 'ERR_VC_LENGTH_MISMATCH', expected: 0, got: 4 }],
  ] as const) {
    const source = Readable.from([Buffer.alloc(4), Buffer.alloc(4)]);
    const { error, bytes, items } = await feed(layer.outbound(), [write({ length, source })]);
    t.match(error, { ...expected, layer: 'protobuf' });
    t.ok(bytes.length <= (items[0] as Announce).length, 'never more than was announced');
    t.ok(source.destroyed);
  }
  const text = await feed(layer.outbound(), [write({ length: 3, source: Readable.from(['abc']) })]);
  t.match(text.error, { code: 'ERR_VC_INVALID_ARGUMENT' });
});

void t.test('a source that fails', async (t) => {
  const cause = new Error('disk');
  const source = new Readable({ read: () => source.destroy(cause) });
  t.match((await feed(layer.outbound(), [write({ length: 3, source })])).error, { layer: 'protobuf', cause });
  // Before anybody read from it.
  const early = new Readable({ read() {} });
  const stream = layer.outbound();
  const failed = new Promise((resolve) => stream.once('error', resolve));
  stream.write({ oneof: null });
  stream.write({ oneof: null });
  stream.write(write({ length: 3, source: early }));
  await once(stream, 'readable');
  early.destroy(cause);
  await new Promise((go) => setImmediate(go));
  stream.resume();
  t.match(await failed, { layer: 'protobuf', cause });
  const generator = (async function* () {
    yield Buffer.alloc(1);
    throw cause;
  })();
  t.match((await feed(layer.outbound(), [write({ length: 3, source: generator })])).error, { layer: 'protobuf', cause });
});

void t.test('the source goes when the stack goes', async (t) => {
  const reason = new Error('gone');
  const stream = layer.outbound();
  stream.on('error', () => {});
  const source = new Readable({ read() {} });
  stream.write(write({ length: 3, source }));
  await once(stream, 'readable');
  stream.destroy(reason);
  await once(source, 'close').catch(() => {});
  t.equal(source.errored, reason);

  let returned: () => void = () => {};
  const over = new Promise<void>((resolve) => {
    returned = resolve;
  });
  const iterable = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise<never>(() => {}),
      return: () => {
        returned();
        return Promise.reject(new Error('ignored'));
      },
    }),
  };
  const second = layer.outbound();
  second.write(write({ length: 3, source: iterable }));
  await once(second, 'readable');
  second.destroy();
  await over;
});

void t.test('the source is not read ahead of the neighbour', async (t) => {
  let given = 0;
  const source = {
    async *[Symbol.asyncIterator]() {
      for (; given < 100; given++) yield Buffer.alloc(1000);
    },
  };
  const stream = layer.outbound();
  stream.end(write({ length: 100_000, source }));
  await once(stream, 'readable');
  for (let turn = 0; turn < 50; turn++) await new Promise((go) => setImmediate(go));
  t.ok(given <= stream.readableHighWaterMark, `${given} chunks read with nobody reading`);
  let bytes = 0;
  for await (const item of stream) if (Buffer.isBuffer(item)) bytes += item.length;
  t.ok(bytes > 100_000 && given === 100);
});

void t.test('a received body is sent on as it is', async (t) => {
  const data = patterned(500_000);
  const sent = await feed(layer.outbound(), [write(data)]);
  const back = protobuf({ sends: 'RuntimeManagerResponse', receives: 'RuntimeManagerRequest' });
  const inbound = back.inbound();
  const got = new Promise<any>((resolve) => inbound.once('data', resolve));
  for (const item of sent.items) inbound.write(item);
  inbound.end();
  const message = await got;
  t.type(message.fields.data, IncomingBody);
  const again = await feed(layer.outbound(), [{ oneof: 'append_file', fields: message.fields }]);
  t.ok(again.bytes.equals(encodeMessage('RuntimeManagerRequest', { ...write(data), oneof: 'append_file' } as never)));
});

void t.test('a caller’s mistake ends the stream with its error', async (t) => {
  const { error, items } = await feed(layer.outbound(), [{ oneof: 'result', fields: {} }]);
  t.match(error, { code: 'ERR_VC_INVALID_ARGUMENT', layer: 'protobuf' });
  t.same(items, []);
  const stray = new Readable({ read() {} });
  const armless = await feed(layer.outbound(), [{ oneof: null, fields: { data: { length: 1, source: stray } } }]);
  t.match(armless.error, { code: 'ERR_VC_INVALID_ARGUMENT' });
  t.ok(stray.destroyed, 'a source that nothing would have read is not left open');
  const limited = protobuf({ sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerResponse', maxMessageBytes: 100 });
  const source = new Readable({ read() {} });
  const over = await feed(limited.outbound(), [write({ length: 100, source })]);
  t.match(over.error, { code: 'ERR_VC_LIMIT', limit: 100 });
  t.same(over.items, [], 'nothing is sent of a message that is too long');
  t.ok(source.destroyed, 'and its source is not left open');
});

void t.test('an empty message is announced with length 0', async (t) => {
  const { items } = await feed(layer.outbound(), [{ oneof: null }, { oneof: 'request_shutdown' }]);
  t.same(items, [new Announce(0), new Announce(2), Buffer.from('4200', 'hex')]);
  const back = protobuf({ sends: 'RuntimeManagerResponse', receives: 'RuntimeManagerRequest' });
  t.same((await receive(back.inbound(), items)).messages, [
    { context: 0, oneof: null },
    { context: 0, oneof: 'request_shutdown', fields: {} },
  ]);
});

void t.test('a small body in memory: as long as it says, or not at all', async (t) => {
  for (const pieces of [[], [''], ['abc'], ['a', '', 'bc']]) {
    const source = Readable.from(pieces.map((piece) => Buffer.from(piece)));
    t.equal(String(await wholeBody({ length: pieces.join('').length, source })), pieces.join(''));
  }
  for (const [length, got] of [
    [2, 3],
    [4, 3],
  ]) {
    const source = Readable.from([Buffer.from('abc')]);
    await t.rejects(wholeBody({ length, source } as never), { code: 'ERR_VC_LENGTH_MISMATCH', expected: length, got });
    t.ok(source.destroyed);
  }
  // What gives too much is not read to its end.
  let given = 0;
  const endless = new Readable({
    read() {
      given++;
      this.push(Buffer.alloc(10));
    },
  });
  await t.rejects(wholeBody({ length: 15, source: endless }), { code: 'ERR_VC_LENGTH_MISMATCH', expected: 15, got: 20 });
  t.ok(endless.destroyed);
  t.ok(given < 20_000);
});

import { once } from 'node:events';
import type { Transform } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import fc from 'fast-check';
import t from 'tap';
import { Connection } from '../../../lib/core/connection.js';
import { ProtobufError, TruncatedError, type VeracruzError } from '../../../lib/core/errors.js';
import { Announce } from '../../../lib/core/unit.js';
import { faultOfMessage } from '../../../lib/layers/protobuf/faults.js';
import { BODY_BUFFER_BYTES } from '../../../lib/layers/protobuf/incoming-body.js';
import { decodeMessage, encodeMessage, IncomingBody, protobuf } from '../../../lib/layers/protobuf/index.js';
import { STREAM_FROM_BYTES } from '../../../lib/layers/protobuf/parser.js';
import { feed } from '../../support/feed.js';
import { cutAt, seeded } from '../../support/splits.js';
import { announced, delimited, patterned, plain, receive, varint } from './support.js';

const options = { sends: 'RuntimeManagerResponse', receives: 'RuntimeManagerRequest' } as const;
const layer = protobuf(options);
const answers = protobuf({ sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerResponse' });
const name = delimited(1, Buffer.from('in.bin'));
const LONG = patterned(150_000);
const write = (data: Buffer, context = 0) =>
  encodeMessage('RuntimeManagerRequest', { context, oneof: 'write_file', fields: { file_name: 'in.bin', data } });

/** A stream that is fed by hand: the first message of it, and what comes after. */
async function firstOf(stream: Transform): Promise<any> {
  const [message] = await once(stream, 'data');
  return message;
}
/** Lets everything that is due happen. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((go) => setImmediate(go));
}

void t.test('a long message is given when its head is there, and its body follows uncopied', async (t) => {
  const wire = write(LONG, 3);
  const head = wire.length - LONG.length;
  const stream = layer.inbound();
  const first = firstOf(stream);
  stream.write(new Announce(wire.length));
  stream.write(wire.subarray(0, head));
  const message = await first;
  t.match(message, { context: 3, oneof: 'write_file', fields: { file_name: 'in.bin' } });
  const body: IncomingBody = message.fields.data;
  t.type(body, IncomingBody);
  t.equal(body.length, LONG.length);
  const chunk = wire.subarray(head, head + 50_000);
  stream.write(chunk);
  await once(body, 'readable');
  const got: Buffer = body.read();
  t.equal(got.buffer, chunk.buffer);
  t.equal(got.byteOffset, chunk.byteOffset);
  stream.end(wire.subarray(head + 50_000));
  t.ok(Buffer.concat([got, await buffer(body)]).equals(LONG));
});

void t.test('the streamed reading is the whole reading, however it is cut', async (t) => {
  const shapes = [
    write(LONG, 7),
    Buffer.concat([write(LONG), Buffer.from('0809', 'hex')]),
    Buffer.concat([delimited(15, patterned(70_000)), write(LONG), delimited(31, patterned(9)), Buffer.from('0805', 'hex')]),
    Buffer.concat([Buffer.from('4200', 'hex'), write(LONG)]),
    delimited(2, delimited(1, Buffer.from('old')), delimited(9, patterned(2000)), name, delimited(2, LONG)),
    // Shapes that cannot be streamed, and are short enough to be kept.
    delimited(2, delimited(2, LONG), name),
    delimited(3, name, delimited(2, LONG), delimited(1, Buffer.from('last'))),
    delimited(2, name, delimited(2, Buffer.alloc(10)), delimited(2, LONG), delimited(9, LONG)),
    delimited(2, name, delimited(9, LONG), Buffer.from('1200', 'hex')),
    // Around the length where streaming starts.
    ...[-1, 0, 1].map((off) => delimited(2, delimited(2, LONG.subarray(0, STREAM_FROM_BYTES - 4 + off)))),
  ];
  const expected = shapes.map((wire) => plain(decodeMessage('RuntimeManagerRequest', wire)));
  t.match(expected[1], { context: 9 });
  t.equal(expected[3].oneof, 'write_file');
  t.equal(expected[6].fields.file_name, 'last');
  t.equal(expected[7].fields.data.hex, LONG.toString('hex'));
  t.equal(expected[8].fields.data.hex, '');
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: shapes.length - 1 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      fc.array(fc.nat({ max: 40 })),
      async (i, cuts, near) => {
        const wire = shapes[i] as Buffer;
        const { messages, error } = await receive(layer.inbound(), announced(cutAt(wire, [...cuts, ...near])));
        return error === undefined && t.same(plain(messages), [expected[i]]);
      },
    ),
    seeded(150),
  );
});

void t.test('byte by byte, and cut short everywhere in its head', async (t) => {
  const wire = Buffer.concat([write(LONG.subarray(0, 66_000), 300), Buffer.from('080a', 'hex')]);
  const bytes = Array.from(wire, (_, i) => wire.subarray(i, i + 1));
  t.match((await receive(layer.inbound(), announced(bytes))).messages, [{ context: 10, fields: { data: LONG.subarray(0, 66_000) } }]);
  for (const cut of [...Array(40).keys(), 30_000, wire.length - 3, wire.length - 2, wire.length - 1]) {
    const got = await receive(layer.inbound(), announced([wire.subarray(0, cut)], wire.length));
    t.match(got.error, { code: 'ERR_VC_TRUNCATED', expected: wire.length, got: cut });
    t.equal(got.bodyErrors.length, got.messages.length, 'a body never ends silently');
    t.ok(got.bodyErrors.every((error) => error === got.error));
  }
});

void t.test('envelope fields after a body are set by the time it ends', async (t) => {
  const result = encodeMessage('RuntimeManagerResponse', { oneof: 'result', fields: { data: LONG } });
  const wire = Buffer.concat([result, Buffer.from('40050801', 'hex')]);
  const stream = answers.inbound();
  const first = firstOf(stream);
  stream.write(new Announce(wire.length));
  stream.write(wire.subarray(0, 1000));
  const message = await first;
  t.match(message, { context: 0, status: 'UNSET', oneof: 'result' });
  stream.end(wire.subarray(1000));
  t.ok((await buffer(message.fields.data)).equals(LONG));
  t.match(message, { context: 5, status: 'SUCCESS' });
});

void t.test('a body tells what has arrived, and when the message is whole, before it is read', async (t) => {
  const wire = Buffer.concat([write(LONG), Buffer.from('0805', 'hex')]);
  const head = wire.length - 2 - LONG.length;
  const stream = layer.inbound();
  const first = firstOf(stream);
  stream.write(new Announce(wire.length));
  stream.write(wire.subarray(0, head + 1000));
  const body: IncomingBody = (await first).fields.data;
  await quiet();
  t.match(body, { received: 1000, complete: false });
  const told: number[] = [];
  body.on('received', (bytes: number) => told.push(bytes));
  stream.write(wire.subarray(head + 1000, -2));
  await quiet();
  t.match(body, { received: LONG.length, complete: false }, 'envelope fields are still to come');
  stream.end(wire.subarray(-2));
  await quiet();
  t.match(body, { received: LONG.length, complete: true });
  t.same(told, [LONG.length, LONG.length]);
  t.ok((await buffer(body)).equals(LONG));
  const [short] = (await feed(layer.inbound(), announced([write(Buffer.from('abc'))]))).items as any[];
  t.match(short.fields.data, { received: 3, complete: true });
});

void t.test('a slow reader makes the peer wait', async (t) => {
  const length = 40 * 65_536;
  const stream = layer.inbound();
  const first = firstOf(stream);
  const head = Buffer.concat([Buffer.from([0x12]), varint(length + 1 + varint(length).length), Buffer.from([0x12]), varint(length)]);
  stream.write(new Announce(head.length + length));
  stream.write(head);
  const { data: body } = (await first).fields as { data: IncomingBody };
  let written = 0;
  let read = 0;
  const ahead = BODY_BUFFER_BYTES + (stream.writableHighWaterMark + 3) * 65_536;
  const writing = (async () => {
    while (written < length) {
      written += 65_536;
      if (!stream.write(LONG.subarray(0, 65_536))) await once(stream, 'drain');
    }
    stream.end();
  })();
  await quiet();
  t.ok(written < length && written <= ahead, `${written} bytes taken with nobody reading`);
  for await (const chunk of body) {
    read += chunk.length;
    await quiet();
    t.ok(written - read <= ahead, `${written - read} bytes ahead`);
  }
  await writing;
  t.equal(read, length);
});

void t.test('tiny chunks that wait are gathered', async (t) => {
  const wire = write(LONG);
  const stream = layer.inbound();
  const first = firstOf(stream);
  stream.write(new Announce(wire.length));
  for (let at = 0; at < 100_000; at++) {
    if (!stream.write(wire.subarray(at, at + 1))) await once(stream, 'drain');
  }
  const body: IncomingBody = (await first).fields.data;
  const chunks: Buffer[] = [];
  body.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.end(wire.subarray(100_000));
  await finished(body);
  t.ok(Buffer.concat(chunks).equals(LONG));
  t.ok(chunks.length < 30, `${chunks.length} chunks`);
});

void t.test('a reader that destroys the body gets the next message', async (t) => {
  for (const when of ['at once', 'when it waits'] as const) {
    const long = write(patterned(2_000_000));
    const next = write(Buffer.from('next'), 1);
    const stream = layer.inbound();
    const messages: any[] = [];
    const second = new Promise<void>((resolve) => {
      stream.on('data', (message) => {
        messages.push(message);
        if (messages.length === 1 && when === 'at once') message.fields.data.destroy();
        if (messages.length === 2) resolve();
      });
    });
    stream.write(new Announce(long.length));
    for (let at = 0; at < long.length; at += 65_536) stream.write(long.subarray(at, at + 65_536));
    stream.write(new Announce(next.length));
    stream.end(next);
    await quiet();
    if (when === 'when it waits') {
      t.equal(messages.length, 1);
      messages[0].fields.data.destroy();
    }
    await second;
    t.ok((await buffer(messages[1].fields.data)).equals(Buffer.from('next')), when);
  }
});

void t.test('a body fails with the stack, also when nobody listens', async (t) => {
  const wire = write(LONG);
  const reason = new Error('reset');
  for (const raised of [reason, undefined]) {
    const stream = layer.inbound();
    stream.on('error', () => {});
    const first = firstOf(stream);
    stream.write(new Announce(wire.length));
    stream.write(wire.subarray(0, 1000));
    const body: IncomingBody = (await first).fields.data;
    stream.destroy(raised);
    await new Promise<void>((closed) => stream.once('close', closed));
    const error: VeracruzError = await buffer(body).then(
      () => t.fail('the body ended'),
      (thrown) => thrown,
    );
    if (raised === reason) t.equal(error, reason);
    else t.match(error, { code: 'ERR_VC_TRUNCATED', expected: wire.length, got: 1000 });
  }
});

void t.test('a second arm after a streamed body: the body fails, it does not end', async (t) => {
  const wire = Buffer.concat([write(LONG), Buffer.from('4200', 'hex')]);
  const got = await receive(layer.inbound(), announced([wire]));
  t.match(got.error, { code: 'ERR_VC_PROTOBUF', got: 'request_shutdown', offset: wire.length - 2 });
  t.same(got.bodyErrors, [got.error]);
});

void t.test('limits are held to the announced length, before anything comes', async (t) => {
  const limited = protobuf({ ...options, maxMessageBytes: 1000 });
  t.match((await feed(limited.inbound(), [new Announce(1001)], { end: false })).error, { code: 'ERR_VC_LIMIT', limit: 1000, got: 1001 });
  t.equal((await feed(limited.inbound(), [new Announce(1000)], { end: false })).error, undefined);
  const head = (...parts: Buffer[]) => Buffer.concat(parts);
  const cases: [Buffer, number][] = [
    // An arm without a body; a name; a body that is not the last field; an unknown field above 32 bits is below.
    [head(Buffer.from([0x4a]), varint(2 ** 20 + 1)), 2 ** 20 + 1],
    [head(Buffer.from([0x12]), varint(2 ** 21), Buffer.from([0x0a]), varint(4097)), 4097],
    [head(Buffer.from([0x12]), varint(2 ** 21), Buffer.from([0x12]), varint(2 ** 21 - 100)), 2 ** 21],
  ];
  for (const [bytes, got] of cases) {
    const fed = await feed(layer.inbound(), [new Announce(2 ** 22), bytes], { end: false });
    t.match(fed.error, { code: 'ERR_VC_LIMIT', got, layer: 'protobuf' });
  }
  const fits = head(Buffer.from([0x4a]), varint(2 ** 20));
  t.equal((await feed(layer.inbound(), [new Announce(2 ** 22), fits], { end: false })).error, undefined);
  // From 2^32 bytes on: an unknown field, an arm without a body. A body and the arm around it may be as long.
  for (const tag of [0x7a, 0x4a]) {
    const long = head(Buffer.from([tag]), varint(2 ** 32));
    const { error } = await feed(layer.inbound(), [new Announce(2 ** 33), long], { end: false });
    t.match(error, { code: 'ERR_VC_PROTOBUF', got: 2 ** 32 }, `tag ${tag}`);
  }
  const body = head(Buffer.from([0x12]), varint(2 ** 33), Buffer.from([0x12]), varint(2 ** 33 - 6));
  t.equal((await feed(layer.inbound(), [new Announce(2 ** 33 + 6), body], { end: false })).error, undefined);
});

void t.test('a body needs no room among what is kept', async (t) => {
  const tight = protobuf({ ...options, maxBufferedMessageBytes: 5000 });
  for (const length of [4980, 5000, 5001, 30_000, 100_000]) {
    const data = LONG.subarray(0, length);
    const { messages, error } = await receive(tight.inbound(), announced(cutAt(write(data), [3, 4000])));
    t.equal(error, undefined, `${length} bytes`);
    t.ok(messages[0].fields.data.equals(data));
  }
  const swapped = delimited(2, delimited(2, LONG.subarray(0, 5000)), name);
  t.match((await receive(tight.inbound(), announced([swapped]))).error, { code: 'ERR_VC_LIMIT', limit: 5000 });
});

void t.test('the names before a long body cannot pile up', async (t) => {
  const names = Array.from({ length: 300 }, () => delimited(1, Buffer.alloc(4000, 0x61)));
  const got = await receive(layer.inbound(), announced([delimited(2, ...names, delimited(2, LONG))]));
  t.match(got.error, { code: 'ERR_VC_LIMIT', limit: 2 ** 20 });
});

void t.test('with onMalformed give, a broken message is skipped and told', async (t) => {
  const giving = protobuf({ ...options, onMalformed: 'give' });
  const good = write(Buffer.from('good'));
  const name5000 = delimited(11, delimited(1, Buffer.alloc(5000, 0x61)));
  const bad = [
    [Buffer.from('0001', 'hex'), { code: 'ERR_VC_PROTOBUF', offset: 0 }],
    [delimited(2, Buffer.from([0x0a, 1, 0xff]), delimited(2, LONG)), { code: 'ERR_VC_PROTOBUF' }],
    [name5000, { code: 'ERR_VC_LIMIT', limit: 4096 }],
  ] as const;
  for (const [wire, malformed] of bad) {
    for (const pieces of [[wire], cutAt(wire, [1, 2, 3, 5000, 80_000])]) {
      const got = await receive(giving.inbound(new Connection('s1')), [...announced(pieces), ...announced([good])]);
      t.equal(got.error, undefined);
      t.match(got.messages[0], { context: 0, oneof: null, malformed: { ...malformed, layer: 'protobuf', session: 's1' } });
      t.match(got.messages[1], { oneof: 'write_file', fields: { data: Buffer.from('good') } });
      t.equal(got.messages.length, 2);
    }
    t.match((await receive(layer.inbound(), announced([wire]))).error, malformed, 'and is fatal without it');
  }
  // The body was given already: it carries the error, and the next message comes.
  const late = await receive(giving.inbound(), [
    ...announced([Buffer.concat([write(LONG), Buffer.from('00010203', 'hex')])]),
    ...announced([good]),
  ]);
  t.equal(late.error, undefined);
  t.equal(late.messages.length, 2);
  t.match(late.bodyErrors, [{ code: 'ERR_VC_PROTOBUF' }]);
  const answer = await receive(
    protobuf({ ...options, receives: 'RuntimeManagerResponse', onMalformed: 'give' }).inbound(),
    announced([Buffer.from([0])]),
  );
  t.match(answer.messages, [{ status: 'UNSET', oneof: null, malformed: { code: 'ERR_VC_PROTOBUF' } }]);
  // A length that is refused says nothing about where the next message starts; an end inside the rest is an end inside.
  const over = protobuf({ ...options, onMalformed: 'give', maxMessageBytes: 10 });
  t.match((await receive(over.inbound(), [new Announce(11)])).error, { code: 'ERR_VC_LIMIT' });
  t.match((await receive(giving.inbound(), announced([Buffer.from([0, 1])], 5))).error, { code: 'ERR_VC_TRUNCATED', expected: 5, got: 2 });
});

void t.test('bytes that were not announced', async (t) => {
  t.match((await receive(layer.inbound(), [Buffer.alloc(1)])).error, { code: 'ERR_VC_PROTOBUF', expected: 0, got: 1 });
  t.match((await receive(layer.inbound(), [new Announce(2), Buffer.from('420000', 'hex')])).error, { expected: 2, got: 3 });
  t.match((await receive(layer.inbound(), [new Announce(2), Buffer.from('42', 'hex'), new Announce(2)])).error, {
    code: 'ERR_VC_TRUNCATED',
    expected: 2,
    got: 1,
  });
});

void t.test('3 GiB are announced, given out and dropped', async (t) => {
  const length = 3 * 2 ** 30;
  const inner = Buffer.concat([name, Buffer.from([0x12]), varint(length)]);
  const head = Buffer.concat([Buffer.from([0x12]), varint(inner.length + length), inner]);
  const stream = layer.inbound();
  const first = firstOf(stream);
  stream.write(new Announce(head.length + length));
  stream.write(head);
  const body: IncomingBody = (await first).fields.data;
  t.equal(body.length, length);
  let bytes = 0;
  body.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  const chunk = Buffer.alloc(2 ** 20);
  for (let sent = 0; sent < length; sent += chunk.length) {
    if (!stream.write(chunk)) await once(stream, 'drain');
  }
  stream.end();
  await finished(body);
  t.equal(bytes, length);
});

void t.test('fields cannot be counted past their limit in a message that is read bit by bit', async (t) => {
  const many = Buffer.concat(Array.from({ length: 1025 }, () => Buffer.from('7801', 'hex')));
  t.match((await receive(layer.inbound(), announced(cutAt(many, [1, 7, 1000])))).error, { code: 'ERR_VC_LIMIT', got: 1025 });
  const error = (await receive(layer.inbound(), announced([Buffer.from('0c', 'hex')]))).error;
  t.type(error, ProtobufError);
});

void t.test('a body that its reader destroys while a chunk of it arrives: the decoder does not wait for room', async (t) => {
  const wire = write(patterned(2 * BODY_BUFFER_BYTES));
  const next = write(Buffer.from('next'));
  const stream = layer.inbound();
  const given: any[] = [];
  stream.on('data', (message: any) => {
    given.push(message);
    const body: IncomingBody = message.fields.data;
    if (given.length === 1) body.on('received', () => body.destroy());
    else body.resume();
  });
  for (const item of [new Announce(wire.length), wire, new Announce(next.length), next]) stream.write(item);
  stream.end();
  await finished(stream);
  t.equal(given.length, 2, 'the message after it arrives');
});

void t.test('an error that is not of one message is none that may be skipped', async (t) => {
  const label = { layer: 'protobuf', connection: undefined };
  t.equal(faultOfMessage(new TruncatedError('of the stream'), label), undefined);
  t.equal(faultOfMessage(new RangeError('of the program'), label), undefined);
  const own = new ProtobufError('of the message');
  t.equal(faultOfMessage(own, label), own);
  t.equal(own.layer, 'protobuf');
});

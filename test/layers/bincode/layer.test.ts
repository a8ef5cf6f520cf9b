import { once } from 'node:events';
import fc from 'fast-check';
import t from 'tap';
import { LimitError } from '../../../lib/core/errors.js';
import { Announce, type BincodeChunk } from '../../../lib/core/unit.js';
import {
  BINCODE_DEFAULTS,
  BincodeDecoder,
  BincodeEncoder,
  bincode,
  decodeRequest,
  encodeRequest,
  joined,
  type Received,
  type Request,
  type Sent,
} from '../../../lib/layers/bincode/index.js';
import { frame } from '../../../lib/layers/frame/index.js';
import { stack } from '../../../lib/pipeline/stack.js';
import { memoryPipe } from '../../../lib/transports/memory.js';
import { feed } from '../../support/feed.js';
import { byteByByte, cutAt, seeded } from '../../support/splits.js';
import { countCopies, drive } from './drive.js';
import { plain } from './from-golden.js';

const server = { dialect: '2207', sends: 'request', receives: 'response' } as const;
const manager = { dialect: '2207', sends: 'response', receives: 'request' } as const;

const status = Buffer.from('0100000000000000', 'hex');
const statusMessage = { kind: 'Status', status: 'Success' };
const decoder = (maxMessageBytes = 1024) => new BincodeDecoder((slices) => decodeRequest(slices, '2207'), maxMessageBytes);
const encoder = (maxMessageBytes = 1024) => new BincodeEncoder<Request>((message) => encodeRequest(message, '2207'), maxMessageBytes);
const send = (data: Buffer): Request => ({ kind: 'SendTlsData', session: 5, data: [data] });
const wireOf = (message: Request) => Buffer.concat(encodeRequest(message, '2207'));

void t.test('out: the announcement, the head, the data as it is', async (t) => {
  const data = Buffer.alloc(2033);
  const { items } = await feed(bincode(server).outbound(), [send(data), { kind: 'NewTlsSession' }, send(data.subarray(1))]);
  t.same(
    items.map((item) => (item instanceof Announce ? item : (item as Buffer).length)),
    [new Announce(2049), 16, 2033, new Announce(4), 4, new Announce(2048), 2048],
    'up to 2 KiB are one Buffer',
  );
  t.equal(items[2], data);
});

void t.test('in: messages from announced units and from bare Buffers', async (t) => {
  t.same((await feed(bincode(server).inbound(), [new Announce(8), status.subarray(0, 3), status.subarray(3)])).items, [statusMessage]);
  t.same((await feed(bincode(server).inbound(), [status, status])).items, [statusMessage, statusMessage]);
  const both = await feed(bincode(server).inbound(), [status, new Announce(8), status, Buffer.alloc(0)]);
  t.same(both.items, [statusMessage, statusMessage], 'bare first, announced then');
  t.ok(both.ended);
});

void t.test('in: more or fewer bytes than were announced', async (t) => {
  const cases: [BincodeChunk[], number, number][] = [
    [[new Announce(8), Buffer.alloc(9)], 8, 9],
    [[new Announce(8), status.subarray(0, 5), Buffer.alloc(4)], 8, 9],
    [[new Announce(8), status, Buffer.alloc(2)], 0, 2],
    [[new Announce(8), status.subarray(0, 5), new Announce(8)], 8, 5],
    [[new Announce(8), new Announce(8)], 8, 0],
  ];
  for (const [chunks, expected, got] of cases) {
    const { error } = await feed(bincode(server).inbound(), chunks);
    t.match(error, { code: 'ERR_VC_LENGTH_MISMATCH', layer: 'bincode', expected, got });
  }
});

void t.test('in: the end of the input', async (t) => {
  const whole = wireOf(send(Buffer.alloc(5)));
  for (let length = 0; length < whole.length; length++) {
    const { items, error, atEnd } = drive(decoder(), [new Announce(whole.length), whole.subarray(0, length)]);
    t.match({ items, error, atEnd }, { items: [], error: { code: 'ERR_VC_TRUNCATED', expected: whole.length, got: length }, atEnd: true });
  }
  t.equal(drive(decoder(), [new Announce(whole.length), whole]).error, undefined);
  t.equal(drive(decoder(), []).error, undefined);
});

void t.test('the limit, in both directions, at it and one over', async (t) => {
  const at = send(Buffer.alloc(1024 - 16));
  const over = send(Buffer.alloc(1024 - 15));
  const refusal = { code: 'ERR_VC_LIMIT', layer: 'bincode', limit: 1024, got: 1025 };
  const out = drive(encoder(), [at, over]);
  t.equal(out.items.length, 2, 'nothing is given of the message that is too long');
  t.match(out.error, refusal);
  for (const chunks of [
    [wireOf(at), wireOf(over)],
    [new Announce(1024), wireOf(at), new Announce(1025)],
  ]) {
    const { items, error, atEnd } = drive(decoder(), chunks);
    t.same(items.map(plain), [plain(at)]);
    t.match(error, refusal);
    t.notOk(atEnd, 'before anything was kept');
  }
  t.type(drive(decoder(), [new Announce(Number.MAX_SAFE_INTEGER)]).error, LimitError);
  const byDefault = drive(bincodeCodec(), [new Announce(BINCODE_DEFAULTS.maxMessageBytes), new Announce(1)]);
  t.match(byDefault.error, { code: 'ERR_VC_LENGTH_MISMATCH' }, 'the first announcement was taken');
  t.match(drive(bincodeCodec(), [new Announce(BINCODE_DEFAULTS.maxMessageBytes + 1)]).error, { code: 'ERR_VC_LIMIT', limit: 1_048_576 });

  function bincodeCodec() {
    const stream = bincode(manager).inbound();
    return {
      push: (chunk: BincodeChunk) => stream._transform(chunk, 'utf8', (error) => rethrow(error)),
      next: () => undefined,
      end: () => {},
    };
  }
});

void t.test('a length that is none', async (t) => {
  for (const length of [-1, 0.5, Number.NaN, 2 ** 53]) {
    t.match(drive(decoder(), [new Announce(length)]).error, { code: 'ERR_VC_INVALID_ARGUMENT', layer: 'bincode' });
  }
});

void t.test('an empty message is no message', async (t) => {
  for (const chunks of [[new Announce(0)], [Buffer.alloc(0)]]) {
    t.match(drive(decoder(), chunks).error, { code: 'ERR_VC_BINCODE', offset: 0, expected: 4, got: 0 });
  }
});

void t.test('trailing bytes: refused, or allowed', async (t) => {
  const longer = Buffer.concat([status, Buffer.alloc(3)]);
  t.match((await feed(bincode(server).inbound(), [longer])).error, { code: 'ERR_VC_BINCODE', offset: 8, expected: 0, got: 3 });
  t.same((await feed(bincode({ ...server, allowTrailing: true }).inbound(), [longer])).items, [statusMessage]);
  t.same((await feed(bincode({ ...manager, allowTrailing: true }).inbound(), [Buffer.from('0500000000', 'hex')])).items, [
    { kind: 'NewTlsSession' },
  ]);
});

void t.test('65,536 single bytes are gathered, each copied once', async (t) => {
  const read = Buffer.alloc(65_536 + 1024, 7);
  const message = send(read.subarray(0, 65_536 - 16));
  const wire = wireOf(message);
  let items: Request[] = [];
  const copied = countCopies(() => {
    items = drive(decoder(65_536), [new Announce(wire.length), ...byteByByte(wire)]).items;
  });
  t.ok(copied <= wire.length, `${copied} bytes copied of ${wire.length}`);
  const [got] = items;
  if (got?.kind !== 'SendTlsData') return t.fail();
  t.ok(got.data.length <= 10, `${got.data.length} slices`);
  for (const slice of got.data) t.ok(slice.buffer !== wire.buffer || slice.length === 1, 'does not pin what it was cut from');
  t.ok(joined(got.data).equals(wire.subarray(16)));
});

void t.test('large slices are not copied at all', async (t) => {
  const wire = wireOf(send(Buffer.alloc(1_000_000, 1)));
  const pieces = cutAt(wire, [65_536, 131_072, 500_000]);
  t.equal(
    countCopies(() => drive(decoder(2 ** 20), [new Announce(wire.length), ...pieces])),
    0,
  );
});

void t.test('any messages, cut anyhow, come out in order', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 5 }), (datas, offsets) => {
      const messages = datas.map((data) => send(Buffer.from(data)));
      const chunks = messages.flatMap((message): BincodeChunk[] => {
        const wire = wireOf(message);
        return [new Announce(wire.length), ...cutAt(wire, offsets)];
      });
      const { items, error } = drive(decoder(), chunks);
      t.equal(error, undefined);
      t.same(items.map(plain), messages.map(plain));
    }),
    seeded(200),
  );
});

void t.test('out: a message in many slices obeys the brake', async (t) => {
  const stream = bincode(server).outbound();
  const data = Array.from({ length: 1000 }, (_, i) => Buffer.alloc(3, i));
  stream.write({ kind: 'SendTlsData', session: 1, data });
  let count = 0;
  for (let most = 0; count < 1002; ) {
    most = Math.max(most, stream.readableLength);
    if (most > stream.readableHighWaterMark) return t.fail(`${most} chunks were waiting`);
    if (stream.read() === null) await once(stream, 'readable');
    else count++;
  }
  t.equal(count, 1002);
});

void t.test('what the caller cannot send ends the stream, named', async (t) => {
  const { error, items } = await feed(bincode({ ...server, dialect: 'head' }).outbound(), [{ kind: 'ResetEnclave' }]);
  t.match(error, { code: 'ERR_VC_INVALID_ARGUMENT', layer: 'bincode', got: 'ResetEnclave' });
  t.same(items, []);
});

void t.test('options', async (t) => {
  const bad: object[] = [
    { dialect: '2206' },
    { dialect: undefined },
    { sends: 'status' },
    { receives: '' },
    { maxMessageBytes: 3 },
    { maxMessageBytes: 2 ** 53 },
    { maxMessageBytes: 4.5 },
    { allowTrailing: 1 },
  ];
  for (const options of bad) {
    t.throws(() => bincode({ ...server, ...options }), { code: 'ERR_VC_INVALID_OPTION' }, JSON.stringify(options));
  }
  t.same(bincode({ ...server, maxMessageBytes: 4 }).limits, { dialect: '2207', maxMessageBytes: 4 });
  t.equal(bincode(server).name, 'bincode');
  t.ok(Object.isFrozen(BINCODE_DEFAULTS));
});

void t.test('a Server and a Runtime Manager converse', async (t) => {
  const [left, right] = memoryPipe({ highWaterMark: 7 });
  const asking = stack(bincode(server), frame('tcp9')).over(left);
  const answering = stack(bincode(manager), frame('tcp9')).over(right);
  // @ts-expect-error the frame stands below
  stack(frame('tcp9'), bincode(server));

  answering.on('data', (request: Received<'request'>) => {
    const answer: Sent<'response'> =
      request.kind === 'SendTlsData' ? { kind: 'TlsData', data: request.data, active: true } : { kind: 'Status', status: 'Unimplemented' };
    answering.write(answer);
  });
  answering.on('end', () => answering.end());
  const questions: Sent<'request'>[] = [
    { kind: 'ResetEnclave' },
    send(Buffer.alloc(3000, 1)),
    { kind: 'NewTlsSession' },
    send(Buffer.alloc(0)),
  ];
  for (const question of questions) asking.write(question);
  asking.end();
  const answers: Received<'response'>[] = [];
  for await (const answer of asking) answers.push(answer);
  t.same(answers.map(plain), [
    { kind: 'Status', status: 'Unimplemented' },
    { kind: 'TlsData', data: '01'.repeat(3000), active: true },
    { kind: 'Status', status: 'Unimplemented' },
    { kind: 'TlsData', data: '', active: true },
  ]);
});

function rethrow(error: Error | null | undefined): void {
  if (error) throw error;
}

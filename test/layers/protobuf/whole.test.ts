/** Messages that are delivered whole: the same readings and refusals as of the message at hand, however it comes. */
import fc from 'fast-check';
import t from 'tap';
import { Connection } from '../../../lib/core/connection.js';
import type { VeracruzError } from '../../../lib/core/errors.js';
import { Announce } from '../../../lib/core/unit.js';
import { decodeMessage, encodeMessage, protobuf } from '../../../lib/layers/protobuf/index.js';
import { feed } from '../../support/feed.js';
import { cutAt, seeded } from '../../support/splits.js';
import { announced, delimited, patterned, plain } from './support.js';

const options = { sends: 'RuntimeManagerResponse', receives: 'RuntimeManagerRequest', deliver: 'whole' } as const;
const layer = protobuf(options);
const write = (data: Buffer, context = 0) =>
  encodeMessage('RuntimeManagerRequest', { context, oneof: 'write_file', fields: { file_name: 'in.bin', data } });

void t.test('a message is given when all of it is there, its body a view of the chunk it came in', async (t) => {
  const data = patterned(100_000);
  const wire = write(data, 3);
  const early = await feed(layer.inbound(), [new Announce(wire.length), wire.subarray(0, -1)], { end: false });
  t.same(early.items, [], 'not a byte sooner');
  const { items, error } = await feed(layer.inbound(), announced([wire]));
  t.equal(error, undefined);
  t.match(items, [{ context: 3, oneof: 'write_file', fields: { file_name: 'in.bin' } }]);
  const got = (items[0] as { fields: { data: Buffer } }).fields.data;
  t.ok(got.equals(data));
  t.equal(got.buffer, wire.buffer);
  const empty = await feed(layer.inbound(), [new Announce(0), Buffer.alloc(0), ...announced([write(Buffer.from('x'))])]);
  t.match(empty.items, [{ context: 0, oneof: null }, { oneof: 'write_file' }]);
});

void t.test('a changed message, cut anywhere: read or refused exactly as at hand', async (t) => {
  const wires = [
    write(patterned(3000), 7),
    write(Buffer.from('small')),
    delimited(2, delimited(2, patterned(50)), delimited(1, Buffer.from('n'))),
  ];
  let [read, refused] = [0, 0];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...wires),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
      fc.array(fc.nat(), { maxLength: 6 }),
      async (wire, changes, cuts) => {
        const bytes = Buffer.from(wire);
        // Near the start, where the structure is.
        for (const [at, value] of changes) bytes[at % Math.min(bytes.length, 24)] = value;
        let expected: unknown;
        let refusal: VeracruzError | undefined;
        try {
          expected = decodeMessage('RuntimeManagerRequest', bytes);
        } catch (thrown) {
          refusal = thrown as VeracruzError;
        }
        const { items, error } = await feed(layer.inbound(), announced(cutAt(bytes, cuts)));
        if (refusal === undefined) {
          read++;
          t.equal(error, undefined);
          t.same(plain(items), [plain(expected)]);
        } else {
          refused++;
          t.match(error, { code: refusal.code, message: refusal.message, layer: 'protobuf' });
          t.same(items, []);
        }
      },
    ),
    seeded(400),
  );
  t.ok(read > 20 && refused > 20, `${read} read, ${refused} refused`);
});

void t.test('what the announced length says, and what comes', async (t) => {
  const wire = write(Buffer.from('hello'));
  const run = async (...chunks: unknown[]) => (await feed(layer.inbound(), chunks)).error;
  for (let cut = 0; cut < wire.length; cut++) {
    t.match(await run(new Announce(wire.length), wire.subarray(0, cut)), { code: 'ERR_VC_TRUNCATED', expected: wire.length, got: cut });
  }
  t.match(await run(new Announce(9), wire.subarray(0, 4), new Announce(1)), { code: 'ERR_VC_TRUNCATED', expected: 9, got: 4 });
  t.match(await run(new Announce(wire.length - 1), wire), { code: 'ERR_VC_PROTOBUF', expected: wire.length - 1, got: wire.length });
  t.match(await run(new Announce(9), wire.subarray(0, 4), wire.subarray(4, 10)), { code: 'ERR_VC_PROTOBUF', expected: 5, got: 6 });
  t.match(await run(wire), { code: 'ERR_VC_PROTOBUF', expected: 0, got: wire.length }, 'without a length');
  t.match(await run(...announced([wire]), wire), { code: 'ERR_VC_PROTOBUF', expected: 0 }, 'nor behind a message');
});

void t.test('a length over the limit is refused before anything is kept', async (t) => {
  t.match(layer.limits, { deliver: 'whole', maxMessageBytes: 2 ** 24 });
  t.match((await feed(layer.inbound(), [new Announce(2 ** 24 + 1)])).error, { code: 'ERR_VC_LIMIT', limit: 2 ** 24, got: 2 ** 24 + 1 });
  const tight = protobuf({ ...options, maxMessageBytes: 20 });
  t.equal((await feed(tight.inbound(), announced([write(Buffer.alloc(8))]))).error, undefined);
  t.match((await feed(tight.inbound(), announced([write(Buffer.alloc(9))]))).error, { code: 'ERR_VC_LIMIT', limit: 20, got: 21 });
});

void t.test('with onMalformed give, a broken message is told, and the next one comes', async (t) => {
  const giving = protobuf({ ...options, onMalformed: 'give' });
  const good = write(Buffer.from('good'));
  for (const [wire, malformed] of [
    [Buffer.from('0001', 'hex'), { code: 'ERR_VC_PROTOBUF', offset: 0 }],
    [delimited(11, delimited(1, Buffer.alloc(5000, 0x61))), { code: 'ERR_VC_LIMIT', limit: 4096 }],
  ] as const) {
    for (const pieces of [[wire], cutAt(wire, [1, 2, 3000])]) {
      const { items, error } = await feed(giving.inbound(new Connection('s1')), [...announced(pieces), ...announced([good])]);
      t.equal(error, undefined);
      t.match(items, [{ context: 0, oneof: null, malformed: { ...malformed, layer: 'protobuf', session: 's1' } }, { oneof: 'write_file' }]);
    }
  }
  const answers = protobuf({ ...options, receives: 'RuntimeManagerResponse', onMalformed: 'give' });
  t.match((await feed(answers.inbound(), announced([Buffer.from([0])]))).items, [{ status: 'UNSET', oneof: null, malformed: {} }]);
  t.match((await feed(giving.inbound(), [new Announce(2 ** 25)])).error, { code: 'ERR_VC_LIMIT' }, 'a length is no such thing');
});

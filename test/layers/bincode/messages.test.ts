import fc from 'fast-check';
import t from 'tap';
import { BincodeError } from '../../../lib/core/errors.js';
import {
  type Bytes,
  decodeRequest,
  decodeResponse,
  decodeStatus,
  encodeRequest,
  encodeResponse,
  encodeStatus,
  joined,
  REQUEST_KINDS,
  RESPONSE_KINDS,
  type Request,
  type Response,
  STATUSES,
  sliceBytes,
} from '../../../lib/layers/bincode/index.js';
import { DIALECTS, type Dialect } from '../../../lib/layers/formats/dialect.js';
import { cutAt, seeded } from '../../support/splits.js';
import { countCopies } from './drive.js';
import { plain } from './from-golden.js';

const bytes = (...parts: (string | Buffer)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part.replaceAll(' ', ''), 'hex') : part)));
const u64 = (value: bigint | number) => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer;
};

void t.test('the vectors of the specification', async (t) => {
  const send = { kind: 'SendTlsData', session: 5, data: Buffer.from('1603', 'hex') } as const;
  t.equal(joined(encodeRequest(send, '2207')).toString('hex'), '070000000500000002000000000000001603');
  t.equal(joined(encodeResponse({ kind: 'TlsData', data: [], active: true }, '2207')).toString('hex'), '02000000000000000000000001');
  t.equal(joined(encodeResponse({ kind: 'Status', status: 'Fail' }, '2207')).toString('hex'), '0100000001000000');
});

void t.test('byte vectors stand in the encoding uncopied, in their order', async (t) => {
  const [a, b, empty] = [Buffer.from('aa'), Buffer.from('bb'), Buffer.alloc(0)];
  const sent = encodeRequest({ kind: 'SendTlsData', session: 1, data: [a, empty, b] }, 'head');
  t.equal(sent.length, 3, 'the empty slice is dropped');
  t.equal(sent[0]?.length, 16);
  t.equal(sent[1], a);
  t.equal(sent[2], b);
  const chained = encodeRequest({ kind: 'Initialize', policy: 'p', chain: [a, empty, [b]] }, '2207');
  t.equal(chained[3], a);
  t.equal(chained.at(-1), b);
  t.same(
    chained.map((slice) => slice.length),
    [12, 1, 16, 2, 16, 2],
    'the small fields between two vectors share a Buffer',
  );
  const many = encodeRequest({ kind: 'Initialize', policy: '', chain: Array(50).fill(empty) }, '2207');
  t.equal(sliceBytes(many), 4 + 8 + 8 + 50 * 8, 'also when they outgrow it');
  const huge = encodeRequest({ kind: 'SendTlsData', session: 1, data: Array<Buffer>(65).fill(Buffer.alloc(2 ** 26)) }, '2207');
  t.equal(huge[0]?.readBigUInt64LE(8), 65n * 2n ** 26n, 'lengths have 64 bits');
});

void t.test('byte vectors come out as views', async (t) => {
  const whole = bytes('07000000 05000000', u64(4), '01020304');
  const cut = [whole.subarray(0, 17), Buffer.alloc(0), whole.subarray(17, 19), whole.subarray(19)];
  const message = decodeRequest(cut, '2207');
  if (message.kind !== 'SendTlsData') return t.fail();
  t.same(
    message.data.map((slice) => slice.length),
    [1, 2, 1],
  );
  whole[17] = 0xff;
  t.equal(joined(message.data).toString('hex'), '01ff0304', 'written through');
  t.equal(
    countCopies(() => decodeRequest(cut, '2207')),
    0,
  );
});

void t.test('joined and sliceBytes', async (t) => {
  const [a, b] = [Buffer.from('aa'), Buffer.from('b')];
  t.equal(joined(a), a);
  t.equal(joined([a]), a);
  t.same(joined([a, b]), Buffer.from('aab'));
  t.same(joined([]), Buffer.alloc(0));
  t.same([sliceBytes(a), sliceBytes([a, b]), sliceBytes([])], [2, 3, 0]);
});

void t.test('lengths that the message has no room for are refused, exactly told', async (t) => {
  const fields: [string, Buffer, (wire: Buffer) => unknown][] = [
    ['challenge', bytes('00000000'), (wire) => decodeRequest(wire, '2207')],
    ['data', bytes('07000000 01000000'), (wire) => decodeRequest(wire, '2207')],
    ['policy', bytes('04000000'), (wire) => decodeRequest(wire, '2207')],
    ['chain of head', bytes('03000000', u64(0)), (wire) => decodeRequest(wire, 'head')],
    ['chain', bytes('04000000', u64(0)), (wire) => decodeRequest(wire, '2207')],
    ['item of the chain', bytes('04000000', u64(0), u64(1)), (wire) => decodeRequest(wire, '2207')],
    ['uuid', bytes('00000000', u64(0)), (wire) => decodeRequest(wire, 'head')],
    ['data of TlsData', bytes('02000000'), (wire) => decodeResponse(wire, '2207')],
    ['token', bytes('00000000'), (wire) => decodeResponse(wire, '2207-nitro')],
    ['csr', bytes('00000000', u64(0)), (wire) => decodeResponse(wire, 'head')],
  ];
  // 2^61 items of 8 bytes wrap a 64-bit product round to 0; 2^53 + 1 has no double.
  const lengths = [6n, 2n ** 31n, 2n ** 32n, 2n ** 32n + 5n, 2n ** 53n - 1n, 2n ** 53n + 1n, 2n ** 61n, 2n ** 63n, 2n ** 64n - 1n];
  for (const [what, before, decode] of fields) {
    for (const length of lengths) {
      const error = thrown(() => decode(bytes(before, u64(length), 'aaaaaaaaaa')));
      t.type(error, BincodeError, `${what} ${length}`);
      t.equal(BigInt((error as BincodeError).expected as bigint), length);
      t.equal((error as BincodeError).offset, before.length);
      t.ok(Number((error as BincodeError).got) <= 5);
    }
  }
});

void t.test('a list may have as many items as eight bytes each allow', async (t) => {
  const list = (count: number, room: number) => bytes('04000000', u64(0), u64(count), Buffer.alloc(room));
  const message = decodeRequest(list(1000, 8000), '2207');
  t.equal(message.kind === 'Initialize' && message.chain.length, 1000);
  for (const room of [7999, 7992, 0]) {
    t.throws(() => decodeRequest(list(1000, room), '2207'), {
      code: 'ERR_VC_BINCODE',
      offset: 12,
      expected: 1000,
      got: Math.floor(room / 8),
    });
  }
});

void t.test('variants', async (t) => {
  for (const dialect of DIALECTS) {
    for (const [kinds, decode] of [
      [REQUEST_KINDS, decodeRequest],
      [RESPONSE_KINDS, decodeResponse],
    ] as const) {
      const count = kinds[dialect].length;
      for (const index of [count, 0xff, 0xffff_ffff]) {
        const wire = Buffer.alloc(64);
        wire.writeUInt32LE(index);
        const figures = { code: 'ERR_VC_BINCODE', offset: 0, expected: `0..${count - 1}`, got: index };
        t.throws(() => decode(wire, dialect, { allowTrailing: true }), figures, `${dialect} ${index}`);
      }
    }
  }
  t.throws(() => decodeStatus(bytes('03000000')), { code: 'ERR_VC_BINCODE', offset: 0, got: 3 });
  t.throws(() => decodeResponse(bytes('01000000 03000000'), 'head'), { code: 'ERR_VC_BINCODE', offset: 4, got: 3 });
});

void t.test('a flag is 0 or 1', async (t) => {
  for (const value of [2, 0x80, 0xff]) {
    t.throws(() => decodeResponse(bytes('03000000', Buffer.of(value)), '2207'), { code: 'ERR_VC_BINCODE', offset: 4, got: value });
    t.throws(() => decodeResponse(bytes('02000000', u64(1), '00', Buffer.of(value)), 'head'), { code: 'ERR_VC_BINCODE', offset: 13 });
  }
});

void t.test('text is UTF-8, all of it, and only that', async (t) => {
  const policy = (text: Buffer) => decodeRequest(bytes('03000000', u64(text.length), text, u64(0)), 'head');
  for (const text of ['ff', '6180', 'c080', 'eda080', 'f4908080', 'e69d', 'f888808080', '61c3']) {
    t.throws(() => policy(bytes(text)), { code: 'ERR_VC_BINCODE', offset: 4, expected: 'UTF-8' }, text);
  }
  for (const text of ['\ufeffpolicy', '\0', 'é東🦀', '\ufffd', '']) {
    const message = policy(Buffer.from(text));
    t.equal(message.kind === 'Initialize' && message.policy, text);
  }
});

void t.test('a UUID has sixteen bytes', async (t) => {
  const head = (id: Buffer) => decodeRequest(bytes('00000000', u64(0), u64(id.length), id), 'head');
  for (const length of [0, 15, 17, 36]) {
    t.throws(() => head(Buffer.alloc(length)), { code: 'ERR_VC_BINCODE', offset: 12, expected: 16, got: length });
  }
  t.match(head(bytes('f81d4fae7dec41d0a76500a0c91e6bf6')), { deviceId: 'f81d4fae-7dec-41d0-a765-00a0c91e6bf6' });
});

void t.test('what a dialect cannot say is the mistake of the caller', async (t) => {
  const data = Buffer.alloc(1);
  const id = 'f81d4fae-7dec-41d0-a765-00a0c91e6bf6';
  const requests: [unknown, Dialect][] = [
    [{ kind: 'GetTlsDataNeeded', session: 1 }, 'head'],
    [{ kind: 'ResetEnclave' }, 'head'],
    [{ kind: 'Status', status: 'Success' }, '2207'],
    [{ kind: 'toString' }, '2207'],
    [{}, '2207'],
    [undefined, '2207'],
    [{ kind: 'NewTlsSession' }, 'constructor' as Dialect],
    [{ kind: 'NewTlsSession' }, '2206' as Dialect],
    ...[-1, 0.5, 2 ** 32, Number.NaN, '1', undefined].map((session): [unknown, Dialect] => [{ kind: 'GetTlsData', session }, '2207']),
    ...['text', undefined, new Uint8Array(1), [data, 'text']].map((bad): [unknown, Dialect] => [
      { kind: 'SendTlsData', session: 1, data: bad },
      '2207',
    ]),
    ...[2 ** 31, -(2 ** 31) - 1, 1.5, id].map((deviceId): [unknown, Dialect] => [
      { kind: 'Attestation', challenge: data, deviceId },
      '2207',
    ]),
    ...[1, '', id.slice(1), `${id}0`, id.replace('f', 'g'), id.replaceAll('-', '')].map((deviceId): [unknown, Dialect] => [
      { kind: 'Attestation', challenge: data, deviceId },
      'head',
    ]),
    [{ kind: 'Initialize', policy: '\ud800', chain: [data] }, 'head'],
    [{ kind: 'Initialize', policy: data, chain: [data] }, 'head'],
    [{ kind: 'Initialize', policy: '', chain: [] }, 'head'],
    [{ kind: 'Initialize', policy: '', chain: [data, data] }, 'head'],
    [{ kind: 'Initialize', policy: '', chain: data }, '2207'],
  ];
  for (const [message, dialect] of requests) {
    t.throws(
      () => encodeRequest(message as Request, dialect),
      { code: 'ERR_VC_INVALID_ARGUMENT', layer: 'bincode' },
      `${dialect} ${JSON.stringify(message)}`,
    );
  }
  const responses: [unknown, Dialect][] = [
    [{ kind: 'TlsDataNeeded', needed: true }, 'head'],
    [{ kind: 'TlsDataNeeded', needed: 1 }, '2207'],
    [{ kind: 'TlsData', data, active: undefined }, '2207'],
    [{ kind: 'TlsSession', session: 2 ** 32 }, '2207'],
    [{ kind: 'Status', status: 'SUCCESS' }, '2207'],
    [{ kind: 'AttestationData', token: data }, '2207'],
    [{ kind: 'AttestationData', token: data }, 'head'],
    [{ kind: 'AttestationData', token: data, csr: data }, '2207-nitro'],
    [{ kind: 'NewTlsSession' }, '2207'],
  ];
  for (const [message, dialect] of responses) {
    t.throws(
      () => encodeResponse(message as Response, dialect),
      { code: 'ERR_VC_INVALID_ARGUMENT', layer: 'bincode' },
      `${dialect} ${JSON.stringify(message)}`,
    );
  }
  t.throws(() => decodeRequest(bytes('05000000'), '2206' as Dialect), { code: 'ERR_VC_INVALID_ARGUMENT', got: '2206' });
});

void t.test('a message never tells what it refused', async (t) => {
  const secret = Buffer.from('secret');
  const wire = bytes('04000000', u64(secret.length + 1), secret, 'ff', u64(0));
  t.notMatch((thrown(() => decodeRequest(wire, '2207')) as Error).message, /secret/);
  const session = 'secret' as unknown as number;
  t.notMatch((thrown(() => encodeRequest({ kind: 'GetTlsData', session }, '2207')) as Error).message, /secret/);
});

const vector = fc.array(
  fc.uint8Array({ maxLength: 12 }).map((part) => Buffer.from(part)),
  { maxLength: 3 },
);
const session = fc.nat(0xffff_ffff);
const text = fc.string({ unit: 'binary', maxLength: 12 });

function requests(dialect: Dialect): fc.Arbitrary<Request<Bytes>> {
  const head = dialect === 'head';
  const kinds: fc.Arbitrary<Request<Bytes>>[] = [
    fc.record({ kind: fc.constant('Attestation'), challenge: vector, deviceId: head ? fc.uuid() : fc.integer() }),
    fc.record({ kind: fc.constantFrom('CloseTlsSession', 'GetTlsData'), session }),
    fc.record({
      kind: fc.constant('Initialize'),
      policy: text,
      chain: fc.array(vector, head ? { minLength: 1, maxLength: 1 } : { maxLength: 4 }),
    }),
    fc.record({ kind: fc.constant('NewTlsSession') }),
    fc.record({ kind: fc.constant('SendTlsData'), session, data: vector }),
  ];
  if (!head) kinds.push(fc.record({ kind: fc.constant('GetTlsDataNeeded'), session }), fc.record({ kind: fc.constant('ResetEnclave') }));
  return fc.oneof(...kinds);
}

function responses(dialect: Dialect): fc.Arbitrary<Response<Bytes>> {
  const kinds: fc.Arbitrary<Response<Bytes>>[] = [
    dialect === '2207-nitro'
      ? fc.record({ kind: fc.constant('AttestationData'), token: vector })
      : fc.record({ kind: fc.constant('AttestationData'), token: vector, csr: vector }),
    fc.record({ kind: fc.constant('Status'), status: fc.constantFrom(...STATUSES) }),
    fc.record({ kind: fc.constant('TlsData'), data: vector, active: fc.boolean() }),
    fc.record({ kind: fc.constant('TlsSession'), session }),
  ];
  if (dialect !== 'head') kinds.push(fc.record({ kind: fc.constant('TlsDataNeeded'), needed: fc.boolean() }));
  return fc.oneof(...kinds);
}

for (const dialect of DIALECTS) {
  void t.test(`round trips, ${dialect}`, async (t) => {
    const cuts = fc.array(fc.nat(), { maxLength: 6 });
    fc.assert(
      fc.property(requests(dialect), cuts, (message, offsets) => {
        const wire = Buffer.concat(encodeRequest(message, dialect));
        t.strictSame(plain(decodeRequest(cutAt(wire, offsets), dialect)), plain(message));
      }),
      seeded(300),
    );
    fc.assert(
      fc.property(responses(dialect), cuts, (message, offsets) => {
        const wire = Buffer.concat(encodeResponse(message, dialect));
        t.strictSame(plain(decodeResponse(cutAt(wire, offsets), dialect)), plain(message));
      }),
      seeded(300),
    );
  });

  void t.test(`any bytes are refused with a BincodeError, or are the one encoding of what is read, ${dialect}`, async (t) => {
    const outcomes = { read: 0, refused: 0 };
    // Small numbers are the ones that mean something.
    const byte = fc.oneof(
      { weight: 4, arbitrary: fc.nat(8) },
      { weight: 2, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.nat(255) },
    );
    const wires = fc.oneof(
      fc.array(byte, { maxLength: 40 }).map((list) => Buffer.from(list)),
      fc
        .tuple(
          fc.oneof(
            requests(dialect).map((m) => encodeRequest(m, dialect)),
            responses(dialect).map((m) => encodeResponse(m, dialect)),
          ),
          fc.nat(),
          byte,
        )
        .map(([slices, at, value]) => {
          const wire = Buffer.concat(slices);
          wire[at % wire.length] = value;
          return wire;
        }),
    );
    const check = (wire: Buffer, read: () => Buffer) => {
      try {
        const again = read();
        outcomes.read++;
        return again.equals(wire);
      } catch (error) {
        outcomes.refused++;
        return error instanceof BincodeError && error.layer === 'bincode' && (error.offset as number) <= wire.length;
      }
    };
    fc.assert(
      fc.property(wires, (wire) => {
        const request = check(wire, () => Buffer.concat(encodeRequest(decodeRequest(wire, dialect), dialect)));
        return request && check(wire, () => Buffer.concat(encodeResponse(decodeResponse(wire, dialect), dialect)));
      }),
      seeded(3000),
    );
    t.ok(outcomes.read > 100 && outcomes.refused > 100, JSON.stringify(outcomes));
  });
}

void t.test('the bare status', async (t) => {
  for (const status of STATUSES) t.equal(decodeStatus(encodeStatus(status)), status);
});

function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

void t.test('bytes of another dialect: the error says of which', async (t) => {
  const challenge = Buffer.alloc(32);
  const asked = (deviceId: number | string, dialect: Dialect) =>
    joined(encodeRequest({ kind: 'Attestation', challenge, deviceId }, dialect));
  const cases: [Buffer, Dialect, RegExp][] = [
    [asked('00000000-0000-0000-0000-000000000001', 'head'), '2207', /not in the dialect 2207; in head these bytes are Attestation/],
    [asked(1, '2207'), 'head', /not in the dialect head; in 2207 and 2207-nitro these bytes are Attestation/],
    [bytes('07000000 05000000 0200000000000000 1603'), 'head', /in 2207 and 2207-nitro these bytes are SendTlsData/],
  ];
  for (const [wire, dialect, message] of cases) {
    t.throws(() => decodeRequest(wire, dialect), { code: 'ERR_VC_BINCODE', layer: 'bincode', message });
  }
  const evidence = joined(encodeResponse({ kind: 'AttestationData', token: bytes('aa'), csr: bytes('bb') }, '2207'));
  t.throws(() => decodeResponse(evidence, '2207-nitro'), { message: /in 2207 and head these bytes are AttestationData/ });
  t.throws(() => decodeRequest(bytes('63000000'), 'head'), { message: /^the request 99 does not exist$/ }, 'of none');
});

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { ProtobufError, type VeracruzError } from '../../../lib/core/errors.js';
import { decodeMessage, ENVELOPES, encodeMessage, PROTOBUF_DEFAULTS } from '../../../lib/layers/protobuf/index.js';
import { seeded } from '../../support/splits.js';
import { delimited, patterned, plain } from './support.js';
import '../../support/processes.js';

const REQUEST = 'RuntimeManagerRequest';
const RESPONSE = 'RuntimeManagerResponse';

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const context = fc.nat({ max: 0xffffffff });
const int32 = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const arm = (oneof: string, fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record({ context, oneof: fc.constant(oneof), fields: fc.record(fields) });

const requests: fc.Arbitrary<any> = fc.oneof(
  arm('write_file', { file_name: text, data: bytes }),
  arm('append_file', { file_name: text, data: bytes }),
  arm('psa_attestation_init', { challenge: bytes, device_id: int32 }),
  arm('request_pipeline', { file_name: text }),
  arm('request_shutdown', {}),
);

void t.test('round trips, and every truncation has an outcome', async (t) => {
  fc.assert(
    fc.property(requests, fc.nat(), (message, cut) => {
      const wire = encodeMessage(REQUEST, message, { dialect: 'head' });
      t.same(plain(decodeMessage(REQUEST, wire, { dialect: 'head' })), plain(message));
      return outcome(wire.subarray(0, cut % (wire.length + 1))) !== 'uncoded';
    }),
    seeded(500),
  );
});

/** What becomes of arbitrary bytes: a message, a refusal of ours, or something that must not be. */
function outcome(wire: Buffer): 'message' | 'refused' | 'uncoded' {
  let refused = 0;
  for (const type of ENVELOPES) {
    try {
      const message: any = decodeMessage(type, wire);
      // What is read can be written, and reads the same.
      if (JSON.stringify(plain(decodeMessage(type, encodeMessage(type, message)))) !== JSON.stringify(plain(message))) return 'uncoded';
    } catch (thrown) {
      refused++;
      if (!['ERR_VC_PROTOBUF', 'ERR_VC_LIMIT'].includes((thrown as VeracruzError).code)) return 'uncoded';
    }
  }
  return refused === ENVELOPES.length ? 'refused' : 'message';
}

void t.test('arbitrary bytes, and messages with one byte changed, have an outcome', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (wire) => outcome(Buffer.from(wire)) !== 'uncoded'),
    seeded(3000),
  );
  fc.assert(
    fc.property(requests, fc.nat(), fc.nat({ max: 255 }), (message, at, byte) => {
      const wire = encodeMessage(REQUEST, message, { dialect: 'head' });
      if (wire.length > 0) wire[at % wire.length] = byte;
      return outcome(wire) !== 'uncoded';
    }),
    seeded(2000),
  );
  t.pass('no outcome without a code');
});

void t.test('what cannot be sent is refused, with a name and without contents', async (t) => {
  const cases: [string, any, RegExp][] = [
    [REQUEST, null, /takes a message, got object/],
    [REQUEST, { oneof: 'result', fields: {} }, /oneof takes null or an arm/],
    [REQUEST, { fields: {} }, /oneof takes/],
    [REQUEST, { oneof: '__proto__' }, /oneof takes/],
    [REQUEST, { oneof: 'context' }, /oneof takes/],
    [REQUEST, { oneof: 'request_pipeline', fields: { file_name: 'a' } }, /oneof takes/],
    [REQUEST, { oneof: null, fields: {} }, /fields takes nothing where oneof is null/],
    [REQUEST, { oneof: 'read_file', fields: 5 }, /fields takes an object, got 5/],
    [REQUEST, { oneof: 'read_file', fields: null }, /fields takes an object/],
    [REQUEST, { oneof: null, context: -1 }, /context takes 0\.\.4294967295, got -1/],
    [REQUEST, { oneof: null, context: 2 ** 32 }, /context takes/],
    [REQUEST, { oneof: null, context: 1.5 }, /context takes/],
    [REQUEST, { oneof: null, status: 'SUCCESS' }, /got status/],
    [RESPONSE, { oneof: null, status: 'toString' }, /name of a status/],
    [RESPONSE, { oneof: null, status: 1 }, /name of a status/],
    [REQUEST, { oneof: 'write_file', fields: { name: 'a' } }, /fields of the dialect, got name/],
    [REQUEST, { oneof: 'write_file', fields: { file_name: 7 } }, /file_name takes a string, got 7/],
    [REQUEST, { oneof: 'write_file', fields: { file_name: 'a\ud800' } }, /lone surrogate/],
    [REQUEST, { oneof: 'write_file', fields: { file_name: 'a', data: 'text' } }, /data takes a Buffer, or a length and a source/],
    [REQUEST, { oneof: 'write_file', fields: { file_name: 'a', data: { length: 1 } } }, /data takes/],
    [REQUEST, { oneof: 'psa_attestation_init', fields: { device_id: 2 ** 31 } }, /device_id takes/],
    [REQUEST, { oneof: 'psa_attestation_init', fields: { challenge: 'secret' } }, /challenge takes a Buffer or Uint8Array/],
  ];
  for (const [type, message, expected] of cases) {
    t.throws(() => encodeMessage(type as typeof REQUEST, message), {
      code: 'ERR_VC_INVALID_ARGUMENT',
      layer: 'protobuf',
      message: expected,
    });
  }
  const source = (async function* () {})();
  const streamed: any = { oneof: 'write_file', fields: { data: { length: 0, source } } };
  t.throws(() => encodeMessage(REQUEST, streamed), { code: 'ERR_VC_INVALID_ARGUMENT', message: /only the layer/ });
  t.throws(
    () =>
      encodeMessage(
        'ProxyAttestationServerRequest',
        { oneof: 'start_msg', fields: { protocol: 'a', firmware_version: '1' } },
        { dialect: 'head' },
      ),
    {
      code: 'ERR_VC_INVALID_ARGUMENT',
    },
  );
});

void t.test('bad options', async (t) => {
  for (const options of [
    { maxMessageBytes: 0 },
    { maxMessageBytes: 2 ** 53 },
    { maxBufferedMessageBytes: 1.5 },
    { maxFileNameBytes: Number.NaN },
    { maxFields: 0 },
    { dialect: '2208' as 'head' },
    { maxFileNameBytes: 2 ** 20 + 1 },
  ]) {
    t.throws(() => decodeMessage(REQUEST, Buffer.alloc(0), options), { code: 'ERR_VC_INVALID_OPTION' }, JSON.stringify(options));
  }
});

void t.test('limits hold at the figure and one over, in both directions', async (t) => {
  const named = (count: number) => ({ oneof: 'read_file' as const, fields: { file_name: 'n'.repeat(count) } });
  const max = PROTOBUF_DEFAULTS.maxFileNameBytes;
  t.same(plain(decodeMessage(REQUEST, encodeMessage(REQUEST, named(max)))).fields, named(max).fields);
  t.throws(() => encodeMessage(REQUEST, named(max + 1)), { code: 'ERR_VC_LIMIT', limit: max, got: max + 1 });
  const wide = encodeMessage(REQUEST, named(max + 1), { maxFileNameBytes: max + 1 });
  t.throws(() => decodeMessage(REQUEST, wide), { code: 'ERR_VC_LIMIT', limit: max, got: max + 1 });
  // Bytes count, not characters.
  t.throws(() => encodeMessage(REQUEST, { oneof: 'read_file', fields: { file_name: 'é'.repeat(max / 2 + 1) } }), {
    code: 'ERR_VC_LIMIT',
    got: max + 2,
  });

  const cert = (count: number) => ({ oneof: 'cert' as const, fields: { data: Buffer.alloc(count) } });
  const wire = encodeMessage(RESPONSE, cert(1000));
  const inner = 1003;
  t.equal(decodeMessage(RESPONSE, wire, { maxBufferedMessageBytes: inner, maxFileNameBytes: 1 }).oneof, 'cert');
  const tight = { maxBufferedMessageBytes: inner - 1, maxFileNameBytes: 1 };
  t.throws(() => decodeMessage(RESPONSE, wire, tight), { code: 'ERR_VC_LIMIT', limit: inner - 1, got: inner });
  t.throws(() => encodeMessage(RESPONSE, cert(1000), tight), { code: 'ERR_VC_LIMIT', limit: inner - 1, got: inner });

  t.equal(decodeMessage(RESPONSE, wire, { maxMessageBytes: wire.length }).oneof, 'cert');
  t.throws(() => decodeMessage(RESPONSE, wire, { maxMessageBytes: wire.length - 1 }), { code: 'ERR_VC_LIMIT', got: wire.length });
  t.throws(() => encodeMessage(RESPONSE, cert(1000), { maxMessageBytes: wire.length - 1 }), { code: 'ERR_VC_LIMIT', got: wire.length });

  const unknown = (count: number) => Buffer.concat(Array.from({ length: count }, () => Buffer.from('7801', 'hex')));
  t.equal(decodeMessage(REQUEST, unknown(1024)).oneof, null);
  t.throws(() => decodeMessage(REQUEST, unknown(1025)), { code: 'ERR_VC_LIMIT', limit: 1024, got: 1025 });
  const inside = (count: number) => delimited(8, unknown(count));
  t.equal(decodeMessage(REQUEST, inside(1023)).oneof, 'request_shutdown');
  t.throws(() => decodeMessage(REQUEST, inside(1024)), { code: 'ERR_VC_LIMIT', limit: 1024, got: 1025 });
});

void t.test('an error says where', async (t) => {
  const at = (hex: string) => {
    try {
      return decodeMessage(REQUEST, Buffer.from(hex, 'hex'));
    } catch (thrown) {
      t.type(thrown, ProtobufError);
      t.equal((thrown as VeracruzError).layer, 'protobuf');
      return (thrown as VeracruzError).offset;
    }
  };
  t.equal(at('08050001'), 2, 'field 0');
  t.equal(at('08057b08017c'), 2, 'group');
  t.equal(at('080512030a01ff'), 4, 'text inside an arm');
  t.equal(at('0805120212050a'), 4, 'length past the arm');
  t.equal(at('08ffffffffffffffffff02'), 10, 'tenth byte of a varint');
  t.equal(at('0805' + '888080808001' + '05'), 2, 'a tag of 36 bits whose low ones are a known field');
});

void t.test('nested hostility: no names from the wire become keys, nothing nests', async (t) => {
  const deep = Array.from({ length: 10_000 }).reduce<Buffer>((inner) => Buffer.concat([Buffer.from([0x7b]), inner]), Buffer.alloc(0));
  t.throws(() => decodeMessage(REQUEST, deep), { code: 'ERR_VC_PROTOBUF', offset: 0 });
  const message: any = decodeMessage(REQUEST, encodeMessage(REQUEST, { oneof: 'read_file', fields: { file_name: '__proto__' } }));
  t.same(Object.keys(message.fields), ['file_name']);
  t.equal(message.fields.file_name, '__proto__');
});

void t.test('an unknown field among known ones is skipped, also where another dialect knows it', async (t) => {
  const unknown = delimited(15, patterned(40));
  const field = (number: number, value: string) => delimited(number, Buffer.from(value));
  const wire = delimited(2, field(1, 'a'), unknown, field(2, 'body'), unknown);
  t.same(plain(decodeMessage(REQUEST, wire)).fields, { file_name: 'a', data: { hex: Buffer.from('body').toString('hex') } });
  // firmware_version as a varint, and as bytes that are no text: nothing to head.
  for (const odd of [Buffer.from('1001', 'hex'), delimited(2, Buffer.from([0xff]))]) {
    const start = delimited(2, odd, field(1, 'psa'));
    t.same(plain(decodeMessage('ProxyAttestationServerRequest', start, { dialect: 'head' })).fields, { protocol: 'psa' });
    t.throws(() => decodeMessage('ProxyAttestationServerRequest', start, { dialect: '2207-nitro' }), { code: 'ERR_VC_PROTOBUF' });
  }
});

void t.test('known and unknown fields in turn, as many as the limit lets in', async (t) => {
  // Field 2, then field 3, of an arm that has field 2 only.
  const pairs = Buffer.alloc(4 * 130_000, Buffer.of(0x10, 0x07, 0x18, 0x00));
  const message = decodeMessage('ProxyAttestationServerResponse', delimited(2, pairs), { maxFields: 2 ** 20 });
  t.equal((message as { fields?: { device_id?: number } }).fields?.device_id, 7);
});

void t.test('the last known status counts', async (t) => {
  t.equal(decodeMessage(RESPONSE, Buffer.from('08010808', 'hex')).status, 'SUCCESS');
  t.equal(decodeMessage(RESPONSE, Buffer.from('08010804', 'hex')).status, 'FAILED_GENERIC');
});

void t.test('a whole message of any size is read without copying its body', async (t) => {
  const data = patterned(3_000_000);
  const wire = encodeMessage(RESPONSE, { status: 'SUCCESS', oneof: 'result', fields: { data } });
  const message = decodeMessage(RESPONSE, wire);
  t.ok(message.oneof === 'result' && message.fields.data.equals(data) && message.fields.data.buffer === wire.buffer);
  // Trailing scalars after the body; a second arm after it.
  const later = decodeMessage(RESPONSE, Buffer.concat([wire, Buffer.from('4007', 'hex')]));
  t.equal(later.context, 7);
  t.throws(() => decodeMessage(RESPONSE, Buffer.concat([wire, Buffer.from('2200', 'hex')])), { code: 'ERR_VC_PROTOBUF', got: 'result' });
});

const PROTOC = '/usr/bin/protoc';
void t.test('protoc reads what we write', { skip: existsSync(PROTOC) ? false : `${PROTOC} is not there` }, async (t) => {
  const decode = (type: string, wire: Buffer) =>
    spawnSync(PROTOC, ['--proto_path=proto', `--decode=transport_protocol.${type}`, 'transport_protocol.proto'], {
      input: wire,
      encoding: 'utf8',
    });
  const raw = (wire: Buffer) => spawnSync(PROTOC, ['--decode_raw'], { input: wire, encoding: 'utf8' });
  const write = encodeMessage(REQUEST, { context: 5, oneof: 'write_file', fields: { file_name: 'in.txt', data: Buffer.from('abc') } });
  t.equal(raw(write).stdout, '1: 5\n2 {\n  1: "in.txt"\n  2: "abc"\n}\n');
  t.equal(decode(REQUEST, write).stdout, 'context: 5\nwrite_file {\n  file_name: "in.txt"\n  data: "abc"\n}\n');
  const result = encodeMessage(RESPONSE, { status: 'SUCCESS', context: 9, oneof: 'result', fields: { data: Buffer.from('xyz') } });
  t.equal(raw(result).stdout, '1: 1\n8: 9\n4 {\n  1: "xyz"\n}\n');
  t.equal(decode(RESPONSE, result).stdout, 'status: SUCCESS\nresult {\n  data: "xyz"\n}\ncontext: 9\n');
  const long = encodeMessage(REQUEST, { oneof: 'append_file', fields: { file_name: 'f', data: Buffer.alloc(70_000, 0x61) } });
  t.equal(raw(long).stdout, `3 {\n  1: "f"\n  2: "${'a'.repeat(70_000)}"\n}\n`);
  const token = { token: Buffer.from('t'), device_id: -2, csr: Buffer.from('c') };
  const native = encodeMessage('ProxyAttestationServerRequest', { oneof: 'native_psa_attestation_token', fields: token });
  t.equal(
    decode('ProxyAttestationServerRequest', native).stdout,
    'native_psa_attestation_token {\n  token: "t"\n  device_id: -2\n  csr: "c"\n}\n',
  );
});

/** The strict reader: what it takes, and each kind of thing that it must not. */
import t from 'tap';
import { readCbor, Tagged, writeCbor } from '../../../lib/attestation/evidence/cbor.js';
import { cbor, hex } from './support.js';

const LIMITS = { maxDepth: 32 };
const read = (...bytes: string[]) => readCbor(hex(...bytes), 'a value', LIMITS);
const nested = (levels: number, opening = '81') => `${opening.repeat(levels)}00`;

void t.test('values, as they are', async (t) => {
  t.same(
    read('a2 01 26 63 6b6579 f6'),
    new Map<unknown, unknown>([
      [1, -7],
      ['key', null],
    ]),
  );
  t.same(read('83 00 20 43 010203'), [0, -1, new Uint8Array([1, 2, 3])]);
  t.same(read('82 f5 f4'), [true, false]);
  t.equal(read('1b 0020000000000000'), 2n ** 53n, 'beyond 2^53 - 1: a bigint');
  t.equal(read('63 e282ac'), '€');
  t.same(read('a0'), new Map());
  t.same(read('80'), []);
  const tagged = read('d2 80');
  t.ok(tagged instanceof Tagged && tagged.tag === 18);
  const bytes = hex('43 010203');
  const value = readCbor(bytes, 'a value', LIMITS) as Uint8Array;
  bytes.fill(0);
  t.same([...value], [1, 2, 3], 'a copy of the input');
});

void t.test('what is refused, each for its reason', async (t) => {
  const cases: Array<readonly [what: string, bytes: string, message: RegExp]> = [
    ['nothing', '', /did not find any content/],
    ['bytes after the value', '00 00', /too many terminals/],
    ['a truncated byte string', '42 01', /not enough data/],
    ['a truncated array', '82 00', /not enough entries/],
    ['a map without its last value', 'a1 00', /not enough entries/],
    ['an integer that is too long', '18 17', /more bytes than necessary/],
    ['a length that is too long', '58 01 00', /more bytes than necessary/],
    ['an 8-byte length of nothing', '5b ffffffffffffffff', /./],
    ['an array of 2^53 - 1', '9b 001fffffffffffff', /not enough entries/],
    ['an indefinite byte string', '5f 41 00 ff', /indefinite/],
    ['an indefinite text', '7f 61 61 ff', /indefinite/],
    ['an indefinite array', '9f 00 ff', /indefinite/],
    ['an indefinite map', 'bf 00 00 ff', /indefinite/],
    ['an end alone', 'ff', /indefinite length items not allowed/],
    ['an end in an array', '81 ff', /indefinite length items not allowed/],
    ['an end in a map', 'a1 00 ff', /indefinite length items not allowed/],
    ['an end under a tag', 'd2 ff', /indefinite length items not allowed/],
    ['a label twice', 'a2 01 00 01 00', /a label twice/],
    ['a text label twice', 'a2 61 61 00 61 61 00', /a label twice/],
    ['a big label twice', 'a2 1b 0020000000000000 00 1b 0020000000000000 00', /a label twice/],
    ['a label twice, further in', '81 a2 01 00 01 00', /a label twice/],
    ['a label of bytes', 'a1 41 00 00', /a label of type bytes/],
    ['a label of an array', 'a1 80 00', /a label of type array/],
    ['a label of a map', 'a1 a0 00', /a label of type map/],
    ['a label that is null', 'a1 f6 00', /a label of type null/],
    ['a half float', 'f9 3c00', /floating-point/],
    ['a single float', 'fa 3f800000', /floating-point/],
    ['a double float', 'fb 3ff0000000000000', /floating-point/],
    ['NaN', 'f9 7e00', /floating-point/],
    ['undefined', 'f7', /undefined/],
    ['a simple value', 'e0', /./],
    ['a reserved length', '1c', /./],
    ['tag 17', 'd1 80', /tag not supported \(17\)/],
    ['tag 55799', 'd9 d9f7 80', /tag not supported/],
    ['text that is no UTF-8', '61 ff', /no UTF-8/],
    ['an overlong slash', '62 c0af', /no UTF-8/],
    ['a surrogate', '63 eda080', /no UTF-8/],
    ['a byte order mark', '64 efbbbf 61', /no UTF-8/],
    ['a label that is no UTF-8', 'a1 61 ff 00', /no UTF-8/],
  ];
  for (const [what, bytes, message] of cases) t.throws(() => read(bytes), { code: 'ERR_VC_EVIDENCE', layer: 'cbor', message }, what);
});

void t.test('depth: arrays, maps and tags alike, at the limit and one over', async (t) => {
  for (const opening of ['81', 'a100', 'd2']) {
    t.doesNotThrow(() => read(nested(32, opening)), `32 times ${opening}`);
    t.throws(() => read(nested(33, opening)), { code: 'ERR_VC_EVIDENCE', message: /more than 32 levels/ });
  }
  t.doesNotThrow(() => readCbor(hex(nested(3)), 'a value', { maxDepth: 3 }));
  t.throws(() => readCbor(hex(nested(4)), 'a value', { maxDepth: 3 }), { message: /more than 3 levels/ });
  t.doesNotThrow(() => read('98 40', '8180'.repeat(64)), 'side by side is not deep');
  t.throws(() => read('81'.repeat(65_000)), { message: /more than 32 levels/ }, 'and the stack is never tried');
});

void t.test('an outermost map of indefinite length, where it is allowed', async (t) => {
  const open = (...bytes: string[]) => readCbor(hex(...bytes), 'a value', { maxDepth: 32, openEnd: true });
  t.same(
    open('bf 01 02 61 61 81 00 ff'),
    new Map<unknown, unknown>([
      [1, 2],
      ['a', [0]],
    ]),
  );
  t.same(open('bf ff'), new Map());
  t.same(open('a1 01 02'), new Map([[1, 2]]), 'a definite one still');
  const wrong: Array<readonly [what: string, bytes: string]> = [
    ['an array', '9f 00 ff'],
    ['a map in a map', 'bf 01 bf ff ff'],
    ['a map in an array', '81 bf ff'],
    ['a map under a tag', 'd2 bf ff'],
    ['an end in place of a value', 'bf 01 ff'],
    ['no end', 'bf 01 02'],
    ['two ends', 'bf ff ff'],
    ['a label twice', 'bf 01 02 01 02 ff'],
    ['bytes after it', 'bf ff 00'],
    ['an indefinite byte string in it', 'bf 01 5f 41 00 ff ff'],
  ];
  for (const [what, bytes] of wrong) t.throws(() => open(bytes), { code: 'ERR_VC_EVIDENCE' }, what);
});

void t.test('what is written is read again, in the order of the Map', async (t) => {
  const value = new Map<unknown, unknown>([
    [-75008, Buffer.alloc(2)],
    [1, ['x', 2 ** 40]],
    ['a', null],
  ]);
  t.equal(writeCbor(value).toString('hex'), '' + 'a3' + '3a000124ff420000' + '0182' + '6178' + '1b0000010000000000' + '6161f6');
  t.same(
    readCbor(writeCbor(value), 'a value', LIMITS),
    new Map<unknown, unknown>([
      [-75008, new Uint8Array(2)],
      [1, ['x', 2 ** 40]],
      ['a', null],
    ]),
  );
  t.not(cbor(value).toString('hex'), writeCbor(value).toString('hex'), 'cborg left to itself sorts');
});

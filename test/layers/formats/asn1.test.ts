/** DER values as certificates are put together from them, and how they are taken apart. */
import t from 'tap';
import { boolean, content, derItems, derOf, fromDer, items, nil, octets, sequence, toDer } from '../../../lib/layers/formats/asn1.js';

void t.test('what a value holds: items or bytes, and never both', async (t) => {
  const list = fromDer(toDer(sequence(nil(), octets(Buffer.from('ab')))));
  t.equal(items(list).length, 2);
  t.equal(content(list).length, 0, 'a constructed value has no bytes of its own');
  t.same(content(items(list)[1]), Buffer.from('ab'));
  t.same(items(items(list)[1]), [], 'a primitive one has no items');
  t.same([items(undefined), content(undefined).length], [[], 0], 'what is not there has neither');
});

void t.test('truth values', async (t) => {
  t.equal(toDer(boolean(true)).toString('hex'), '0101ff');
  t.equal(toDer(boolean(false)).toString('hex'), '010100');
});

void t.test('items as the bytes that they are, whatever the width of their lengths', async (t) => {
  const long = Buffer.concat([Buffer.from('0481c8', 'hex'), Buffer.alloc(200, 1)]);
  const list = Buffer.concat([Buffer.from('3081cd', 'hex'), Buffer.from('0500', 'hex'), long]);
  t.same(derItems(list), [Buffer.from('0500', 'hex'), long]);
  t.same(derItems(Buffer.from('3000', 'hex')), []);
  t.equal(
    toDer(sequence(derOf(list)))
      .subarray(3)
      .toString('hex'),
    list.toString('hex'),
    'written again as they stand',
  );
});

void t.test('lengths that do not fit are refused', async (t) => {
  for (const [hex, why] of [
    ['3080', 'an indefinite length'],
    ['30850000000001', 'a length of five bytes'],
    ['3003040400', 'an item that is longer than what it stands in'],
    ['30', 'no length at all'],
  ] as const) {
    t.throws(() => derItems(Buffer.from(hex, 'hex')), RangeError, why);
  }
});

/** DER values as certificates are put together from them, and how they are taken apart. */
import t from 'tap';
import { boolean, content, fromDer, items, nil, octets, sequence, toDer } from '../../../lib/layers/formats/asn1.js';

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

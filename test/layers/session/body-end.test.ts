/** The outbound direction of a server's session layer carries many bodies, one after the other, with BODY_END between them. */
import t from 'tap';
import { Connection } from '../../../lib/core/connection.js';
import { BODY_END, BOUNDARY } from '../../../lib/core/unit.js';
import { Base64Encoder, base64 } from '../../../lib/layers/base64/index.js';
import { session } from '../../../lib/layers/session/index.js';
import { feed } from '../../support/feed.js';

/** What a stream gave, with the marks by name and the bytes between them joined. */
function shown(items: readonly unknown[]): string[] {
  const texts: string[] = [];
  let open = '';
  for (const item of items) {
    if (Buffer.isBuffer(item)) open += item.toString('latin1');
    else {
      texts.push(open, item === BOUNDARY ? 'BOUNDARY' : item === BODY_END ? 'BODY_END' : String(item));
      open = '';
    }
  }
  return open === '' ? texts : [...texts, open];
}

void t.test('bodies follow each other, each with its id', async (t) => {
  const layer = session({ end: 'server', id: 71 });
  const text = (letters: string) => Buffer.from(letters);
  const { items, error } = await feed(layer.outbound(new Connection()), [
    ...[text('aGVs'), text('bG8='), BOUNDARY, text('/w=='), BOUNDARY, BODY_END],
    BODY_END,
    ...[text('AA=='), BOUNDARY, BODY_END],
  ]);
  t.equal(error, undefined);
  t.same(shown(items), ['71 aGVsbG8= /w==', 'BOUNDARY', '71 ', 'BOUNDARY', '71 AA==', 'BOUNDARY'], 'a body without items has its id');
});

void t.test('base64 ends an open text at BODY_END and passes the mark on', async (t) => {
  const bytes = Buffer.from('hello');
  const { items } = await feed(base64().outbound(), [bytes, BOUNDARY, BODY_END, bytes.subarray(0, 1), BODY_END, BODY_END]);
  t.same(shown(items), ['aGVsbG8=', 'BOUNDARY', '', 'BODY_END', 'aA==', 'BODY_END', '', 'BODY_END']);
  const encoder = new Base64Encoder();
  t.throws(() => encoder.push(Symbol('other') as never), { code: 'ERR_VC_INVALID_ARGUMENT' });
});

void t.test('a client that is given BODY_END takes it for the end of its body', async (t) => {
  const { items } = await feed(session({ end: 'client', id: 5 }).outbound(new Connection()), [Buffer.from('AA=='), BODY_END]);
  t.same(shown(items), ['5 AA==', 'BOUNDARY']);
});

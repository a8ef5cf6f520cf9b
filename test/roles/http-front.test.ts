/** How the Server finds out whose body it is. */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import t from 'tap';
import { readSessionId } from '../../lib/roles/server/http-front.js';
import { within } from '../support/foreign.js';

/** A request whose body comes as the test pushes it. */
function requestOf(contentLength?: number): { request: IncomingMessage; body: Readable } {
  const body = new Readable({ read() {} });
  const headers = contentLength === undefined ? {} : { 'content-length': String(contentLength) };
  return { request: Object.assign(body, { headers }) as unknown as IncomingMessage, body };
}

void t.test('what has come with the head is there at once', (t) => {
  for (const [text, length, whole] of [
    ['71 aGk=', 7, true],
    ['71 aGk=', 8, false],
    ['71 aGk=', undefined, false],
    ['0 ', 2, true],
  ] as const) {
    const { request, body } = requestOf(length);
    body.push(text);
    t.same(readSessionId(request), { id: Number.parseInt(text, 10), body: { pieces: [Buffer.from(text)], whole } }, `${text}, ${length}`);
  }
  const { request, body } = requestOf(3);
  body.push('x y');
  t.throws(() => readSessionId(request), { code: 'ERR_VC_SESSION_TEXT' });
  t.end();
});

void t.test('the rest is waited for, and no more is read than it takes', async (t) => {
  const { request, body } = requestOf(9);
  body.push('7');
  const start = Promise.resolve(readSessionId(request));
  for (const piece of ['1', ' a', 'Gk=', 'AA']) {
    body.push(piece);
    await new Promise((go) => setImmediate(go));
  }
  t.same(await within('the id', start), {
    id: 71,
    body: { pieces: [Buffer.from('7'), Buffer.from('1'), Buffer.from(' a')], whole: false },
  });
  t.equal(request.isPaused(), true);
  t.same(request.listenerCount('data') + request.listenerCount('close'), 0);
});

void t.test('who goes away before that is not waited for', async (t) => {
  const { request: ended, body } = requestOf();
  body.push(null);
  await t.rejects(within('an end', Promise.resolve(readSessionId(ended))), { code: 'ERR_VC_SESSION_TEXT', message: /ended/ });
  const { request: closing } = requestOf();
  const start = Promise.resolve(readSessionId(closing));
  closing.destroy();
  await t.rejects(within('a close', start), { code: 'ERR_VC_SESSION_TEXT', message: /went away/ });
  // Its turn came when it was over.
  await t.rejects(within('a closed one', Promise.resolve(readSessionId(closing))), { code: 'ERR_VC_SESSION_TEXT', message: /went away/ });
  const { request: bad } = requestOf();
  const wrong = Promise.resolve(readSessionId(bad));
  bad.push('no id');
  await t.rejects(within('what is none', wrong), { code: 'ERR_VC_SESSION_TEXT' });
});

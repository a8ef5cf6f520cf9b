/** Bodies from elsewhere than their session: whole or not at all, and bounded in sum and by address. */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import t from 'tap';
import { ForeignBodies } from '../../lib/roles/server/foreign-bodies.js';
import { until, within } from '../support/foreign.js';

/** A request whose body comes as the test pushes it, and whether all that was pushed has been taken. */
function requestOf(headers: Record<string, string> = {}) {
  const body = new Readable({ read() {} });
  const request = Object.assign(body, { headers }) as unknown as IncomingMessage;
  return { body, request, taken: () => until('all taken', () => body.readableLength === 0) };
}

const begun = (text = '') => ({ pieces: text === '' ? [] : [Buffer.from(text)], whole: false });
/** What a piece counts for, beside its bytes. */
const PIECE = 128;

void t.test('a body comes whole, and is no longer counted then', async (t) => {
  const bodies = new ForeignBodies(4 * (2 * PIECE + 6), 100);
  for (let time = 0; time < 3; time++) {
    const { body, request } = requestOf();
    const whole = bodies.read(request, begun('7 Q'), 'a');
    body.push('UJD');
    body.push(null);
    t.same(await within('the body', whole), { pieces: [Buffer.from('7 Q'), Buffer.from('UJD')], whole: true });
  }
  const all = { pieces: [Buffer.from('7 QUJD')], whole: true };
  t.equal(await new ForeignBodies(0, 100).read(requestOf().request, all, 'a'), all, 'what is there is not awaited');
});

void t.test('at the limit, and one over: of one body', async (t) => {
  for (const [limit, most] of [
    [10, 10],
    [2 ** 20, 262_144],
  ] as const) {
    const bodies = new ForeignBodies(2 ** 24, limit);
    for (const length of [most, most + 1]) {
      const { body, request } = requestOf();
      const whole = bodies.read(request, begun('7 '), 'a');
      body.push(Buffer.alloc(length - 2));
      body.push(null);
      if (length === most) t.equal((await whole).whole, true);
      else await t.rejects(whole, { code: 'ERR_VC_LIMIT', got: length, limit: most });
    }
  }
});

void t.test('at the limit, and one over: of one address, and of all', async (t) => {
  const share = 1000;
  const bodies = new ForeignBodies(4 * share, 100_000);
  const wait = async (address: string, bytes: number) => {
    const one = requestOf();
    const whole = bodies.read(one.request, begun(), address);
    whole.catch(() => {});
    one.body.push(Buffer.alloc(bytes - PIECE));
    await one.taken();
    return { ...one, whole };
  };
  await wait('a', share / 2);
  const second = await wait('a', share / 2);
  await t.rejects((await wait('a', PIECE + 1)).whole, { code: 'ERR_VC_BUSY', limit: share, got: share + PIECE + 1 });
  for (const address of ['b', 'c', 'd']) await wait(address, share);
  await t.rejects((await wait('e', PIECE + 1)).whole, { code: 'ERR_VC_BUSY', limit: 4 * share, got: 4 * share + PIECE + 1 });
  second.body.destroy();
  await t.rejects(second.whole, { code: 'ERR_VC_SESSION_TEXT', message: /went away/ });
  const { body, whole } = await wait('e', share / 2);
  body.push(null);
  t.equal((await within('room again', whole)).whole, true);
});

void t.test('many tiny pieces count for what they cost', async (t) => {
  const bodies = new ForeignBodies(4 * 10 * (PIECE + 1), 1000);
  const { body, request } = requestOf();
  const whole = bodies.read(request, begun(), 'a');
  whole.catch(() => {});
  for (let piece = 0; piece < 11; piece++) {
    body.push('x');
    await new Promise((go) => setImmediate(go));
  }
  await t.rejects(within('the refusal', whole), { code: 'ERR_VC_BUSY', got: 11 * (PIECE + 1) });
});

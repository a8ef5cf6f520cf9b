/** Challenges and rates, by a clock of the test's own. */
import t from 'tap';
import { Challenges } from '../../lib/roles/attestation-server/challenges.js';
import { RequestRate } from '../../lib/roles/attestation-server/request-rate.js';

const LIFETIME = 1000;
const never = async () => false;

function fresh(limit = 100): { challenges: Challenges; clock: { now: number } } {
  const clock = { now: 0 };
  return { challenges: new Challenges(limit, LIFETIME, () => clock.now), clock };
}

void t.test('32 random bytes, and an id that nobody has', async (t) => {
  const { challenges } = fresh(1000);
  const given = await Promise.all(Array.from({ length: 500 }, () => challenges.give('psa', '0.0', never)));
  t.equal(new Set(given.map(({ deviceId }) => deviceId)).size, 500);
  t.equal(new Set(given.map(({ nonce }) => nonce.toString('hex'))).size, 500);
  t.ok(given.every(({ deviceId, nonce }) => Number.isInteger(deviceId) && deviceId > 0 && deviceId < 2 ** 31 && nonce.length === 32));
  t.equal(challenges.size, 500);
});

void t.test('ids of devices that are there already are passed over', async (t) => {
  const { challenges } = fresh();
  const asked: number[] = [];
  const { deviceId } = await challenges.give('psa', '', async (id) => {
    asked.push(id);
    return asked.length < 4;
  });
  t.equal(asked.length, 4);
  t.equal(deviceId, asked.at(-1));
});

void t.test('each serves once, right or wrong', async (t) => {
  const { challenges } = fresh();
  const { deviceId, nonce } = await challenges.give('psa', '0.3.0', never);
  t.match(challenges.take(deviceId, 'psa'), { deviceId, nonce, protocol: 'psa', firmwareVersion: '0.3.0' });
  t.throws(() => challenges.take(deviceId, 'psa'), { code: 'ERR_VC_CHALLENGE' });
  const other = await challenges.give('nitro', '', never);
  t.throws(() => challenges.take(other.deviceId, 'psa'), { code: 'ERR_VC_CHALLENGE', expected: 'nitro', got: 'psa' });
  t.throws(() => challenges.take(other.deviceId, 'nitro'), { code: 'ERR_VC_CHALLENGE' }, 'the wrong use has burnt it');
  for (const deviceId of [0, -1, 2 ** 31, Number.NaN]) t.throws(() => challenges.take(deviceId, 'psa'), { code: 'ERR_VC_CHALLENGE' });
  t.equal(challenges.size, 0);
});

void t.test('lifetime: at it, and one past it', async (t) => {
  const { challenges, clock } = fresh();
  const [first, second] = [await challenges.give('psa', '', never), await challenges.give('psa', '', never)];
  clock.now = LIFETIME;
  t.equal(challenges.take(first.deviceId, 'psa').deviceId, first.deviceId);
  clock.now = LIFETIME + 1;
  t.throws(() => challenges.take(second.deviceId, 'psa'), { code: 'ERR_VC_CHALLENGE_EXPIRED', limit: LIFETIME, got: LIFETIME + 1 });
  t.throws(() => challenges.take(second.deviceId, 'psa'), { code: 'ERR_VC_CHALLENGE' });
});

void t.test('limit: at it, and one over; a late one makes room, and is forgotten in the end', async (t) => {
  const { challenges, clock } = fresh(3);
  for (let i = 0; i < 3; i++) await challenges.give('psa', '', never);
  await t.rejects(challenges.give('psa', '', never), { code: 'ERR_VC_LIMIT', limit: 3 });
  clock.now = LIFETIME;
  await t.rejects(challenges.give('psa', '', never), { code: 'ERR_VC_LIMIT' });
  clock.now = LIFETIME + 1;
  const { deviceId } = await challenges.give('psa', '', never);
  t.equal(challenges.size, 1, 'the late ones are gone');
  clock.now = 3 * LIFETIME + 2;
  const late = await challenges.give('psa', '', never);
  t.equal(challenges.size, 1);
  t.throws(() => challenges.take(deviceId, 'psa'), { code: 'ERR_VC_CHALLENGE' });
  t.equal(challenges.take(late.deviceId, 'psa').deviceId, late.deviceId);
});

void t.test('the limit holds while the registry is asked', async (t) => {
  const { challenges } = fresh(5);
  let go: (taken: boolean) => void = () => {};
  const answer = new Promise<boolean>((resolve) => {
    go = resolve;
  });
  const outcomes = Promise.allSettled(Array.from({ length: 20 }, () => challenges.give('psa', '', () => answer)));
  go(false);
  t.equal((await outcomes).filter(({ status }) => status === 'fulfilled').length, 5);
  t.equal(challenges.size, 5);
});

void t.test('a registry that fails: no challenge', async (t) => {
  const { challenges } = fresh();
  const failing = challenges.give('psa', '', async () => {
    throw new Error('gone');
  });
  await t.rejects(failing, { message: 'gone' });
  t.equal(challenges.size, 0);
});

void t.test('rate: as many as allowed, not one more; then as many a second', async (t) => {
  const clock = { now: 5 };
  const rate = new RequestRate(4, () => clock.now);
  const times = (count: number, address = '192.0.2.1') => Array.from({ length: count }, () => rate.allows(address));
  t.same(times(5), [true, true, true, true, false]);
  clock.now += 249;
  t.same(times(1), [false]);
  clock.now += 1;
  t.same(times(2), [true, false], 'a quarter of a second is one of four');
  t.same(times(5, '192.0.2.2'), [true, true, true, true, false], 'another address');
  clock.now += 3_600_000;
  t.same(times(5), [true, true, true, true, false], 'not more than at the start');
  const free = new RequestRate(0, () => 0);
  t.ok(Array.from({ length: 1000 }, () => free.allows('192.0.2.1')).every(Boolean));
  t.equal(free.size, 0);
});

void t.test('rate: an IPv6 network of 64 bits counts as one, a mapped IPv4 address as itself', async (t) => {
  const same: [string, string, boolean][] = [
    ['2001:db8::1', '2001:db8::2', true],
    ['2001:db8::1', '2001:db8:0:0:ffff:1:2:3', true],
    ['2001:db8:0:0::1', '2001:db8:0:1::1', false],
    ['::1', '::2', true],
    ['::1', '2001::1', false],
    ['fe80::1', 'fe80:0:0:0:1::', true],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::', true],
    ['::ffff:192.0.2.1', '192.0.2.1', true],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
    ['192.0.2.1', '192.0.2.2', false],
  ];
  for (const [one, other, together] of same) {
    const rate = new RequestRate(1, () => 0);
    t.equal(rate.allows(one), true);
    t.equal(rate.allows(other), !together, `${one} and ${other}`);
  }
});

void t.test('rate: a flood of addresses is not remembered for ever', async (t) => {
  const rate = new RequestRate(1, () => 0);
  for (let i = 0; i < 30_000; i++) rate.allows(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
  t.equal(rate.size, 10_000);
});

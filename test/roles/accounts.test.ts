/** What a manager counts for its principals, and the answers that it holds back. */
import t from 'tap';
import { systemClock, useClock } from '../../lib/core/clock.js';
import type { LimitError } from '../../lib/core/errors.js';
import { Accounts } from '../../lib/roles/runtime-manager/accounts.js';

const MIB = 2 ** 20;

/** Accounts, and sessions of them that only count. */
function bank(maxWaitingBytes = 64 * MIB, maxSessionsPerPrincipal = 64) {
  const accounts = new Accounts({ maxWaitingBytes, maxSessionsPerPrincipal });
  const ended: string[] = [];
  const session = (principal: number, name: string, bytes: number) => {
    const member = {
      waitingBytes: bytes,
      destroy: (reason: LimitError) => {
        ended.push(`${name} ${reason.code}`);
        leave();
      },
    };
    const leave = () => {
      accounts.add(principal, -member.waitingBytes);
      accounts.leave(principal, member);
    };
    accounts.join(principal, member);
    accounts.add(principal, bytes);
    return leave;
  };
  return { accounts, ended, session };
}

void t.test('so many sessions of a principal, and no more', async (t) => {
  const { accounts, session } = bank(64 * MIB, 2);
  const leave = session(0, 'a', 0);
  session(0, 'b', 0);
  t.throws(() => session(0, 'c', 0), { code: 'ERR_VC_BUSY', got: 2, limit: 2 });
  session(1, 'of another', 0);
  leave();
  t.equal(accounts.sessions(0), 1);
  session(0, 'c', 0);
  t.equal(accounts.sessions(0), 2);
});

void t.test('a principal has a quarter; beyond it his largest sessions end, as few as must', async (t) => {
  const { accounts, ended, session } = bank();
  session(0, 'small', 5 * MIB);
  session(0, 'middle', 6 * MIB);
  t.notOk(accounts.over(0));
  session(0, 'large', 7 * MIB);
  session(1, 'of another', 15 * MIB);
  t.ok(accounts.over(0));
  t.same(ended, [], 'whoever notices ends them');
  accounts.relieve(0);
  t.same(ended, ['large ERR_VC_LIMIT']);
  t.notOk(accounts.over(0));
  t.equal(accounts.bytes, 26 * MIB);
});

void t.test('more principals have smaller shares, and all together no more than there is', async (t) => {
  const { accounts, ended, session } = bank();
  for (let principal = 0; principal < 8; principal++) session(principal, `of ${principal}`, (principal === 3 ? 9 : 7) * MIB);
  t.same(
    Array.from({ length: 8 }, (_, principal) => accounts.over(principal)),
    Array.from({ length: 8 }, (_, principal) => principal === 3),
    'an eighth each',
  );
  session(8, 'of 8', 7 * MIB);
  t.same(ended, ['of 3 ERR_VC_LIMIT'], 'the greediest makes room for what is too much in all');
  t.equal(accounts.bytes, 8 * 7 * MIB, 'the others have theirs');
});

void t.test('what every session may have waiting ends nobody', async (t) => {
  t.equal(new Accounts({ maxWaitingBytes: 512 * MIB, maxSessionsPerPrincipal: 64 }).freeBytes, MIB, 'at the defaults');
  const { accounts, ended, session } = bank(MIB, 64);
  t.equal(accounts.freeBytes, 65_536, 'at least');
  for (let i = 0; i < 16; i++) session(0, `${i}`, 65_536);
  t.ok(accounts.over(0));
  accounts.relieve(0);
  t.same(ended, []);
});

void t.test('many sessions with little each are bounded, too: the largest of whoever has the most end', async (t) => {
  const { accounts, ended, session } = bank(4 * MIB, 64);
  for (let principal = 0; principal < 8; principal++) {
    for (let i = 0; i < 8; i++) session(principal, `${principal}/${i}`, 65_536);
  }
  t.same(ended, [], 'all there may be');
  session(8, '8/0', 60_000);
  t.same(ended, ['0/0 ERR_VC_LIMIT'], 'not the one that came last');
  for (let i = 1; i < 8; i++) session(8, `8/${i}`, 60_000);
  t.same(
    ended.map((name) => name.split(' ')[0]),
    ['0/0', '1/0', '2/0', '3/0', '4/0', '5/0', '6/0', '7/0'],
    'each in its turn',
  );
  t.ok(accounts.bytes <= 4 * MIB, `${accounts.bytes} bytes`);
  session(0, 'large', 5 * MIB);
  t.equal(ended.at(-1), 'large ERR_VC_LIMIT');
});

void t.test('a principal for whom a Status was held back in vain holds up nobody for a second', async (t) => {
  let now = 1000;
  t.teardown(useClock({ ...systemClock, monotonic: () => now }));
  const { accounts, session } = bank();
  session(0, 'a', 0);
  t.ok(accounts.mayHold(0));
  accounts.heldInVain(0);
  t.notOk(accounts.mayHold(0));
  t.ok(accounts.mayHold(1));
  now += 1000;
  t.ok(accounts.mayHold(0));
});

/** The sessions of a manager: who makes room for whom, and what ends by itself. */
import t, { type Test } from 'tap';
import { type Clock, systemClock, type Timer, useClock } from '../../lib/core/clock.js';
import { type SessionLimits, SessionTable } from '../../lib/roles/runtime-manager/session-table.js';

interface Link {
  readonly key: string;
  readonly proven: () => boolean;
}

const link = (key: string, proven = false): Link => ({ key, proven: () => proven });

/** A table whose time the test moves. Its sessions are admitted, working and ended as the test says. */
function tableOf(t: Test, limits: Partial<SessionLimits> = {}, links = 2) {
  let now = 0;
  let look = () => {};
  const timer: Timer = { unref: () => timer, refresh: () => timer };
  const setInterval = (call: () => void) => {
    look = call;
    return timer;
  };
  const clock: Clock = { ...systemClock, monotonic: () => now, setInterval };
  t.teardown(useClock(clock));
  const ended: number[] = [];
  const lines: unknown[] = [];
  const table = new SessionTable<Link, { id: number; admitted: boolean; working: boolean; ended: boolean }>(
    {
      maxSessions: 6,
      maxPendingSessions: 4,
      maxUnprovenSessions: 2,
      sessionIdleTimeoutMs: 60_000,
      handshakeTimeoutMs: 10_000,
      log: (level, event, figures) => lines.push([level, event, figures]),
      ...limits,
    },
    () => links,
    (session) => {
      ended.push(session.id);
      table.delete(session.id);
    },
  );
  let last = 0;
  /** A new session, if there is room; the client has said something unless it is `silent`. */
  const open = (of: Link, { silent = false } = {}) => {
    if (!table.room(of)) return undefined;
    const session = { id: ++last, admitted: false, working: false, ended: false };
    table.add(session, of);
    if (!silent) table.moved(session.id);
    return session;
  };
  const at = (ms: number) => {
    now = ms;
    look();
  };
  return { table, open, ended, lines, at };
}

void t.test('one more than may be pending: the oldest of the link that has most makes room', (t) => {
  const { table, open, ended } = tableOf(t);
  const [a, b] = [link('a', true), link('b', true)];
  for (const of of [a, a, a, b]) open(of);
  t.equal(open(a), undefined, 'not of the same link, while it is young');
  t.ok(open(b), 'two each');
  t.same(ended, [1]);
  t.equal(open(b), undefined, 'a would have fewer than b');
  t.same([table.size, table.pending], [4, 4]);
  t.end();
});

void t.test('of the same link only one that is a second old', (t) => {
  const { open, ended, at } = tableOf(t);
  const a = link('a', true);
  for (let i = 0; i < 4; i++) open(a);
  at(999);
  t.equal(open(a), undefined);
  at(1000);
  t.ok(open(a));
  t.same(ended, [1]);
  t.end();
});

void t.test('a link that is not proven makes room first, at once, and has few while there are others', (t) => {
  const { open, ended, at } = tableOf(t);
  const [stranger, server] = [link('stranger'), link('server', true)];
  t.ok(open(stranger));
  t.ok(open(stranger));
  t.equal(open(stranger), undefined, 'two of it');
  t.ok(open(server));
  t.ok(open(server));
  t.ok(open(server), 'the table is full of pending ones');
  t.same(ended, [1]);
  at(1000);
  t.ok(open(stranger), 'the stranger has one left, so that this is its second');
  t.same(ended, [1, 2], 'it takes none of a link that is proven');
  t.end();
});

void t.test('the only link may have all that may be pending, and loses it when another comes', (t) => {
  const only = tableOf(t, {}, 1);
  const stranger = link('stranger');
  for (let i = 0; i < 4; i++) t.ok(only.open(stranger));
  t.equal(only.open(stranger), undefined);
  t.ok(only.open(link('server')));
  t.ok(only.open(link('other')));
  t.same(only.ended, [1, 2]);
  t.end();
});

void t.test('who is admitted is pending no more, and is ended for nobody', (t) => {
  const { table, open, ended, at } = tableOf(t);
  const server = link('server', true);
  const principals = Array.from({ length: 4 }, () => open(server));
  for (const session of principals) Object.assign(session as object, { admitted: true });
  at(5000);
  t.equal(table.pending, 0);
  t.ok(open(server));
  t.ok(open(server));
  t.equal(table.size, 6);
  at(5500);
  t.equal(open(server), undefined, 'all sessions: two are pending and young');
  at(6000);
  t.ok(open(server));
  t.same(ended, [5]);
  t.end();
});

void t.test('one that was admitted since the last look makes no room', (t) => {
  const { open, ended, at } = tableOf(t);
  const server = link('server', true);
  const [first] = Array.from({ length: 4 }, () => open(server));
  at(2000);
  Object.assign(first as object, { admitted: true });
  t.ok(open(server));
  t.same(ended, [2]);
  t.end();
});

void t.test('a client that says nothing, and an end that nobody fetches, have a deadline', (t) => {
  const { open, ended, lines, at } = tableOf(t);
  const server = link('server', true);
  open(server, { silent: true });
  const spoken = open(server);
  at(9999);
  t.same(ended, []);
  at(10_000);
  t.same(ended, [1]);
  t.same(lines, [['warn', 'sessions ended', { forRoom: 0, silent: 1, idle: 0, pending: 1, left: 1 }]]);
  Object.assign(spoken as object, { ended: true });
  at(10_001);
  t.same(ended, [1, 2], 'its last byte was long ago');
  t.end();
});

void t.test('idle is who moves no ciphertext and does not work; 0 is never', (t) => {
  for (const sessionIdleTimeoutMs of [60_000, 0]) {
    const { table, open, ended, at } = tableOf(t, { sessionIdleTimeoutMs });
    const server = link('server', true);
    const [idle, working, moving] = [open(server), open(server), open(server)];
    for (const session of [idle, working, moving]) Object.assign(session as object, { admitted: true });
    Object.assign(working as object, { working: true });
    at(30_000);
    table.moved(moving?.id as number);
    at(59_999);
    t.same(ended, []);
    at(60_000);
    t.same(ended, sessionIdleTimeoutMs === 0 ? [] : [1]);
    Object.assign(working as object, { working: false });
    at(60_001);
    t.same(ended, sessionIdleTimeoutMs === 0 ? [] : [1, 2]);
  }
  t.end();
});

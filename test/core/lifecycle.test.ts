import fc from 'fast-check';
import t from 'tap';
import { Lifecycle, type RoleState } from '../../lib/core/lifecycle.js';
import { within } from '../support/foreign.js';
import { seeded } from '../support/splits.js';

const turn = () => new Promise((go) => setImmediate(go));

/** A role whose closing ends only when the test calls `finish` or `fail`. */
class Role {
  closings = 0;
  /** The state in which the closing began. */
  began: RoleState | undefined;
  finish!: () => void;
  fail!: (error: Error) => void;
  readonly life = new Lifecycle('role', () => {
    this.closings++;
    this.began = this.life.state;
    return new Promise<void>((resolve, reject) => {
      this.finish = resolve;
      this.fail = reject;
    });
  });
}

type Event = 'listening' | 'drain' | 'close' | 'end';

/** The table of the doc comment. `end` is possible only while a closing is in progress. */
const TABLE: Record<RoleState, Partial<Record<Event, RoleState>>> = {
  starting: { listening: 'listening', drain: 'draining', close: 'draining' },
  listening: { listening: 'listening', drain: 'draining', close: 'draining' },
  draining: { listening: 'draining', drain: 'draining', close: 'draining', end: 'closed' },
  closed: { listening: 'closed', drain: 'closed', close: 'closed' },
};

void t.test('any sequence of events goes through the states of the table, and the closing is called once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom<Event>('listening', 'drain', 'close', 'end'), { maxLength: 12 }), async (events) => {
      const role = new Role();
      const { life } = role;
      let state: RoleState = 'starting';
      let closed = false;
      /** `close()` was called before. */
      let told = false;
      void life.closed.then(() => {
        closed = true;
      });
      for (const event of events) {
        if (event === 'end' && (!told || state === 'closed')) continue;
        told ||= event === 'close';
        if (event === 'listening') await life.listening();
        else if (event === 'drain') life.drain();
        else if (event === 'close') void life.close();
        else role.finish();
        await turn();
        state = TABLE[state][event] as RoleState;
        if (life.state !== state || life.serving !== (state === 'starting' || state === 'listening')) return false;
        if (role.closings !== (told ? 1 : 0)) return false;
        if (closed !== (state === 'closed')) return false;
      }
      return true;
    }),
    seeded(200),
  );
});

void t.test('the closing begins after the state has become draining', async (t) => {
  const role = new Role();
  await role.life.listening();
  const closing = role.life.close();
  t.equal(role.began, 'draining');
  role.finish();
  await within('the closing', closing);
  t.equal(role.life.state, 'closed');
});

void t.test('every call of close, also a later one, waits for the same end', async (t) => {
  const role = new Role();
  const closings = [role.life.close(), role.life.close()];
  let over = 0;
  for (const closing of closings) void closing.then(() => over++);
  await turn();
  t.equal(over, 0);
  role.finish();
  await within('both', Promise.all(closings));
  await within('a late one', role.life.close());
  t.equal(role.closings, 1);
});

void t.test('a closing that calls close itself does not begin again', async (t) => {
  let closings = 0;
  const life: Lifecycle = new Lifecycle('role', async () => {
    closings++;
    void life.close();
  });
  await within('the closing', life.close());
  t.equal(closings, 1);
});

void t.test('if the closing fails, every close rejects, and the role is closed all the same', async (t) => {
  const role = new Role();
  const closing = role.life.close();
  role.fail(new Error('the disk is full'));
  await t.rejects(closing, { message: 'the disk is full' });
  await t.rejects(role.life.close(), { message: 'the disk is full' });
  await within('closed', role.life.closed);
  t.equal(role.life.state, 'closed');
});

void t.test('a signal that fires closes the role, and no listener stays on the signal', async (t) => {
  const role = new Role();
  const end = new AbortController();
  await role.life.listening(end.signal);
  t.equal(role.life.state, 'listening');
  end.abort();
  t.equal(role.life.state, 'draining');
  role.finish();
  await within('closed', role.life.closed);
  t.equal(role.closings, 1);

  const other = new Role();
  const kept = new AbortController();
  await other.life.listening(kept.signal);
  const closing = other.life.close();
  other.finish();
  await closing;
  kept.abort();
  t.equal(other.closings, 1);
});

void t.test('if the signal fired during the start, the role is closed first, then the start fails', async (t) => {
  const role = new Role();
  const reason = new Error('no more');
  const start = role.life.listening(AbortSignal.abort(reason));
  let settled = false;
  void start
    .catch(() => {})
    .finally(() => {
      settled = true;
    });
  await turn();
  t.notOk(settled);
  t.equal(role.life.state, 'draining');
  role.finish();
  await t.rejects(start, { code: 'ERR_VC_ABORTED', layer: 'role', cause: reason });
  t.equal(role.life.state, 'closed');
});

void t.test('a role that was closed during its start does not listen afterwards', async (t) => {
  const role = new Role();
  const closing = role.life.close();
  await role.life.listening(new AbortController().signal);
  t.equal(role.life.state, 'draining');
  role.finish();
  await closing;
  await role.life.listening();
  t.equal(role.life.state, 'closed');
});

void t.test('a role that ends by itself, or by its signal, and fails at that: it is told, and nothing is left unhandled', async (t) => {
  for (const how of ['end', 'signal'] as const) {
    const failures: string[] = [];
    const life = new Lifecycle(
      'role',
      async () => {
        throw new Error('no');
      },
      ({ message }) => void failures.push(message),
    );
    const controller = new AbortController();
    await life.listening(controller.signal);
    if (how === 'end') life.end();
    else controller.abort();
    await t.rejects(life.close(), { message: 'no' }, 'who asks is told, too');
    t.same([life.state, failures], ['closed', ['no']], how);
  }
});

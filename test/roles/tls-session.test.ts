/** A session of the manager, under the questions of a Server that asks at any moment: each is answered once, and rightly. */
import { Duplex, PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import t from 'tap';
import { IncomingBody } from '../../lib/layers/protobuf/index.js';
import { Accounts } from '../../lib/roles/runtime-manager/accounts.js';
import { RUNTIME_MANAGER_DEFAULTS } from '../../lib/roles/runtime-manager/options.js';
import type { ReceivedRequest, SentResponse } from '../../lib/roles/runtime-manager/requests.js';
import { type SessionState, TlsSession } from '../../lib/roles/runtime-manager/tls-session.js';
import { directClientStack, managerClientStack } from '../../lib/roles/stacks.js';
import { until } from '../support/foreign.js';
import { alice, authority, managerIdentity } from '../support/roles.js';
import { seeded } from '../support/splits.js';

const MESSAGES = { dialect: '2207', maxMessageBytes: 2 ** 30 } as const;
const identity = managerIdentity();
const managerStack = managerClientStack({ ...MESSAGES, tls: { role: 'server', ...identity, identities: [alice.certificate] } });
const clientStack = directClientStack({ ...MESSAGES, tls: { role: 'client', ...alice, authority: authority.certificate } });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** What a client has written and nobody has carried away yet. */
class Wire extends Duplex {
  readonly out: Buffer[] = [];
  override _read(): void {
    // What is fetched is pushed at once.
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.out.push(chunk);
    done();
  }
  carry(max: number): Buffer[] {
    const all = Buffer.concat(this.out.splice(0));
    if (all.length > max) this.out.push(all.subarray(max));
    return all.length === 0 ? [] : [all.subarray(0, max)];
  }
}

type Answer = (request: ReceivedRequest, signal: AbortSignal) => Promise<SentResponse>;

const hashOf = (text: string): SentResponse => ({ status: 'SUCCESS', oneof: 'policy_hash', fields: { data: Buffer.from(text) } });

/** A session, its client, and the Server between them, which the test plays. */
function played(answer: Answer) {
  const ended: unknown[] = [];
  const session = new TlsSession(
    7,
    managerStack,
    { maxBacklogBytes: 64 * 2 ** 20, accounts: new Accounts(RUNTIME_MANAGER_DEFAULTS) },
    {
      answer: (request, _principal, signal) => answer(request, signal),
      onEnd: (_session, error) => void ended.push(error),
    },
  );
  const wire = new Wire();
  const client = clientStack.over(wire);
  const answers: string[] = [];
  const faults: unknown[] = [];
  client.on('error', (error) => faults.push(error));
  client.on('data', (response) => {
    const data = response.fields !== undefined && 'data' in response.fields ? response.fields.data : undefined;
    if (data instanceof IncomingBody) void buffer(data).then((bytes) => answers.push(`body ${bytes.length}`));
    else answers.push(data?.toString() ?? 'none');
  });
  t.teardown(() => {
    client.destroy();
    session.destroy();
  });
  const feed = (max = Number.POSITIVE_INFINITY) => {
    const data = wire.carry(max);
    return data.length > 0 && session.feed(data);
  };
  /** Asks as a Server does, and fetches when the answer is yes. */
  const ask = async (max = 2 ** 20): Promise<boolean> => {
    const needed = session.needed();
    const answered = typeof needed === 'boolean' ? needed : await needed.needed;
    if (answered) for (const slice of session.fetch(max)) wire.push(slice);
    return answered;
  };
  /** Carries everything both ways until `done`, as a Server does: feeds what there is, asks until the answer is no. */
  const serve = async (done: () => boolean) => {
    await until('the session comes to it', async () => {
      void feed();
      while (await ask()) await turn();
      return done();
    });
  };
  return { session, client, wire, answers, faults, ended, feed, ask, serve };
}

const ask = { oneof: 'request_policy_hash', fields: {} } as const;

void t.test('the handshake, step by step: it is never called at rest before it has answered', async (t) => {
  const { session, client, wire, feed, ask: question } = played(async () => hashOf('hash'));
  await until('the ClientHello', () => wire.out.length > 0);
  void feed(10);
  t.equal(await question(), false, 'half a ClientHello: the client has more to say');
  void feed();
  t.equal(await question(), true, 'the flight that answers it');
  await until('the second flight', () => wire.out.length > 0);
  void feed();
  t.equal(await question(), true, 'the tickets');
  while (await question()) await turn();
  t.equal(session.state, 'resting');
  t.equal(session.needed(), false, 'at rest it says so at once');
  client.destroy();
});

void t.test('what comes during the handshake is in no account, and bounded all the same', async (t) => {
  const { session, client, wire, ended, feed, ask: question } = played(async () => hashOf('hash'));
  await until('the ClientHello', () => wire.out.length > 0);
  void feed();
  t.equal(await question(), true, 'the handshake has begun');
  const taken = Array.from({ length: 5 }, () => session.feed([Buffer.alloc(2 ** 20)]));
  t.same(taken, [true, true, true, true, false], 'more while 4 MiB and a ClientHello wait');
  await until('its end', () => ended.length > 0);
  t.match(ended[0], { code: 'ERR_VC_LIMIT', limit: 4 * 2 ** 20 });
  client.destroy();
});

void t.test('a question behind a request waits for its answer; one behind the answer does not wait', async (t) => {
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { session, client, wire, feed, serve, answers } = played(async () => {
    await held;
    return hashOf('late');
  });
  client.write(ask);
  await serve(() => session.state === 'answering');
  const needed = session.needed();
  if (typeof needed === 'boolean') return t.fail(`answered ${needed} at once`);
  let known: boolean | undefined;
  void needed.needed.then((answer) => {
    known = answer;
  });
  for (let i = 0; i < 10; i++) await turn();
  t.equal(known, undefined, 'a program may take its time');
  release();
  t.equal(await needed.needed, true);
  for (const slice of session.fetch(2 ** 20)) wire.push(slice);
  t.equal(session.needed(), false, 'nothing more is due, and that is known at once');
  await until('the answer', () => answers.length === 1);
  t.equal(feed(), false);
});

void t.test('a question behind a program is known to wait long, before any has waited', async (t) => {
  const ends: (() => void)[] = [];
  const { session, client, serve, answers } = played(async () => {
    await new Promise<void>((go) => ends.push(go));
    return hashOf('at last');
  });
  const slow = () => {
    const question = session.needed();
    return typeof question === 'boolean' ? question : question.slow;
  };
  client.write({ oneof: 'request_result', fields: { file_name: '/p' } });
  await serve(() => ends.length === 1);
  t.equal(slow(), true);
  ends[0]?.();
  await serve(() => answers.length === 1);
  client.write(ask);
  await serve(() => ends.length === 2);
  t.equal(slow(), false, 'of another answer nothing is known');
  ends[1]?.();
  await serve(() => answers.length === 2);
});

void t.test('hurry: no, and the answer comes all the same', async (t) => {
  let release: () => void = () => {};
  const { session, client, serve, answers } = played(
    () =>
      new Promise((resolve) => {
        release = () => resolve(hashOf('at last'));
      }),
  );
  client.write(ask);
  await serve(() => session.state === 'answering');
  const needed = session.needed();
  if (typeof needed === 'boolean') return t.fail(`answered ${needed} at once`);
  needed.hurry();
  t.equal(await needed.needed, false);
  t.equal(needed.slow, false, 'nobody knew');
  const again = session.needed();
  if (typeof again === 'boolean') return t.fail(`answered ${again} at once`);
  t.equal(again.slow, true, 'now it is known to take long');
  release();
  t.equal(await again.needed, true);
  await serve(() => answers.length === 1);
  t.same(answers, ['at last']);
  client.write(ask);
  await serve(() => session.state === 'answering');
  const next = session.needed();
  t.equal(typeof next === 'boolean' ? next : next.slow, false, 'of the next answer nothing is known');
});

void t.test('an answer that its session does not live to send: its file is closed', async (t) => {
  const source = new PassThrough();
  let answer = (_response: SentResponse) => {};
  const { session, client, serve } = played(() => new Promise((resolve) => (answer = resolve)));
  let asked = false;
  client.write({ oneof: 'read_file', fields: { file_name: '/f' } });
  await serve(() => {
    asked ||= session.state === 'answering';
    return asked;
  });
  session.destroy();
  answer({ status: 'SUCCESS', oneof: 'result', fields: { data: { length: 1000, source } } });
  await until('the end of the source', () => source.destroyed);
  t.ok(session.over);
});

void t.test('goodbye: our close_notify is waited for, and then there is nothing more', async (t) => {
  const { session, client, feed, ask: question, serve, answers, faults, ended } = played(async () => hashOf('hash'));
  client.write(ask);
  await serve(() => answers.length === 1);
  client.end();
  await until('the close_notify', () => feed() !== false);
  t.equal(await question(), true, 'the close_notify of the manager');
  await until('the end', () => ended.length === 1);
  t.same([session.over, faults, ended], [true, [], [undefined]]);
  t.equal(session.needed(), false);
});

void t.test('any requests, fed in any pieces, asked at any moment: one answer a question, none before its cause, no stall', async () => {
  const request = fc.oneof(
    fc.record({ kind: fc.constant('hash' as const), turns: fc.nat({ max: 4 }) }),
    fc.record({ kind: fc.constant('write' as const), bytes: fc.nat({ max: 200_000 }), turns: fc.nat({ max: 4 }), reads: fc.boolean() }),
    fc.record({ kind: fc.constant('read' as const), bytes: fc.nat({ max: 200_000 }), turns: fc.nat({ max: 4 }) }),
  );
  const step = fc.oneof(
    fc.record({ do: fc.constant('send' as const), request }),
    fc.record({ do: fc.constant('feed' as const), max: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 300_000 })) }),
    fc.record({ do: fc.constant('ask' as const), max: fc.integer({ min: 1, max: 300_000 }), hurry: fc.boolean() }),
    fc.record({ do: fc.constant('turn' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
      const sent: string[] = [];
      const plan: { turns: number; bytes: number; reads: boolean }[] = [];
      let [asked, answered, taken] = [0, 0, 0];
      const play = played(async (received) => {
        const { turns, bytes, reads } = plan[taken++] as (typeof plan)[number];
        for (let i = 0; i < turns; i++) await turn();
        if (received.oneof === 'write_file') {
          if (reads) await buffer(received.fields.data);
          return { status: 'SUCCESS', oneof: null };
        }
        return received.oneof === 'read_file'
          ? { status: 'SUCCESS', oneof: 'result', fields: { data: Buffer.alloc(bytes) } }
          : hashOf('hash');
      });
      const { session, client, feed, wire, answers, faults } = play;
      client.removeAllListeners('data');
      client.on('data', (response) => {
        if (response.oneof === 'result') {
          void buffer(response.fields.data).then((bytes) => answers.push(`read ${bytes.length}`));
        } else answers.push(response.oneof ?? 'written');
      });
      let question: ReturnType<TlsSession['needed']> | undefined;
      const moment = (): { state: SessionState; due: number } => ({ state: session.state, due: sent.length - answers.length });
      const put = async (max: number, hurry: boolean) => {
        // A link has one question of a session at a time.
        if (question !== undefined) {
          if (hurry && typeof question !== 'boolean') question.hurry();
          return;
        }
        asked++;
        question = session.needed();
        if (hurry && typeof question !== 'boolean') question.hurry();
        const needed = typeof question === 'boolean' ? question : await question.needed;
        answered++;
        question = undefined;
        if (!needed) return;
        const slices = session.fetch(max);
        if (slices.length === 0) throw new Error(`yes, and there is nothing: ${JSON.stringify(moment())}`);
        for (const slice of slices) wire.push(slice);
      };
      const putting: Promise<void>[] = [];
      for (const one of steps) {
        if (one.do === 'send') {
          const { request: what } = one;
          plan.push({ turns: what.turns, bytes: what.kind === 'hash' ? 0 : what.bytes, reads: what.kind === 'write' && what.reads });
          if (what.kind === 'hash') {
            sent.push('policy_hash');
            client.write(ask);
          } else if (what.kind === 'write') {
            sent.push('written');
            client.write({ oneof: 'write_file', fields: { file_name: '/f', data: Buffer.alloc(what.bytes) } });
          } else {
            sent.push(`read ${what.bytes}`);
            client.write({ oneof: 'read_file', fields: { file_name: '/f' } });
          }
        } else if (one.do === 'feed') void feed(one.max);
        else if (one.do === 'ask') putting.push(put(one.max, one.hurry));
        else await turn();
      }
      await Promise.all(putting);
      // From here on the Server does as it should. When it has fed all, asked, and heard no, everything must be out.
      let lastNo: SessionState | undefined;
      await until('all answers', async () => {
        await until(
          'the client has said what it can',
          () => client.writableLength === 0 || wire.out.length > 0 || session.state === 'output',
        );
        for (let i = 0; i < 3; i++) await turn();
        void feed();
        lastNo = undefined;
        for (;;) {
          const needed = session.needed();
          const yes = typeof needed === 'boolean' ? needed : await needed.needed;
          if (!yes) break;
          for (const slice of session.fetch(2 ** 20)) wire.push(slice);
        }
        lastNo = session.state;
        for (let i = 0; i < 6; i++) await turn();
        return answers.length === sent.length;
      });
      if (faults.length > 0) throw faults[0] as Error;
      if (asked !== answered) throw new Error(`${asked} questions, ${answered} answers`);
      if (JSON.stringify(answers) !== JSON.stringify(sent)) throw new Error(`${JSON.stringify(answers)} to ${JSON.stringify(sent)}`);
      if (lastNo !== 'resting') throw new Error(`the last no was said in the state ${lastNo}`);
      client.destroy();
      session.destroy();
    }),
    { ...seeded(60), numRuns: 60 },
  );
});

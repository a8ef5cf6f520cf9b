/** What a Server carries between a client and its Runtime Manager (wire spec §C.7, §C.8, §D.8). */
import { type Case, expect, expectBytes, passed, weaker } from '../case.js';
import { piecesOf, writeApart } from '../peers/pipe.js';
import type { Request } from '../peers/played-manager.js';
import { record } from '../peers/played-session.js';
import type { ServerContext } from './context.js';

type ServerCase = Case<ServerContext>;

/** The requests that the manager got for a session. */
const of = (context: ServerContext, id: number, kind: Request['kind']) =>
  context.manager.requests.filter((request) => request.kind === kind && 'session' in request && request.session === id);

/** Nothing wrong came while `act` ran. */
async function faultless(context: ServerContext, act: () => Promise<void>): Promise<undefined> {
  const before = context.manager.faults.length;
  await act();
  const faults = context.manager.faults.slice(before);
  expect(faults.length === 0, faults.join('; '));
  return undefined;
}

export const RELAY_CASES: readonly ServerCase[] = [
  {
    name: 'relay.echo',
    section: 'D.8',
    level: 'wire',
    expects: 'A client’s ciphertext reaches the manager, and what the manager has comes back.',
    run: async (context, scope) => {
      const { client } = await context.open(scope);
      await context.echoes(client);
      return undefined;
    },
  },
  {
    name: 'relay.exact-requests',
    section: 'D.3',
    level: 'wire',
    expects: 'Each request to the manager is exact: its header, its ninth byte 0, its bincode; and of a session that is there.',
    run: (context, scope) =>
      faultless(context, async () => {
        const { client } = await context.open(scope);
        for (const length of [1, 100, 16_000]) await context.echoes(client, length);
      }),
  },
  {
    name: 'relay.untouched',
    section: 'D.8',
    level: 'wire',
    expects: 'The ciphertext in SendTlsData is what the client sent, all of it, once, and in order.',
    run: async (context, scope) => {
      const { client, session } = await context.open(scope);
      const before = session.received.length;
      const records = [record(10), record(5000), record(16_400)];
      for (const bytes of records) await client.exchange(bytes, bytes.length);
      expectBytes('what the manager got', session.received.subarray(before), Buffer.concat(records));
      return undefined;
    },
  },
  {
    name: 'relay.one-session',
    section: 'D.7',
    level: 'wire',
    expects: 'One NewTlsSession for a client, before its first SendTlsData.',
    run: async (context, scope) => {
      const before = context.manager.sessions.size;
      const { client, session } = await context.open(scope);
      await context.echoes(client);
      expect(context.manager.sessions.size === before + 1, `${context.manager.sessions.size - before} sessions for one client`);
      expect(of(context, session.id, 'SendTlsData').length > 0, 'no SendTlsData');
      return undefined;
    },
  },
  {
    name: 'relay.asks-until-empty',
    section: 'D.8',
    level: 'wire',
    expects: 'The Server fetches all output: GetTlsData while GetTlsDataNeeded is true (2207), or until it is empty (head).',
    run: async (context, scope) => {
      const { client, session } = await context.open(scope);
      session.echo = (bytes) => [...piecesOf(bytes, 700)];
      const sent = record(9000);
      expectBytes('the output', await client.exchange(sent, sent.length), sent);
      return undefined;
    },
  },
  {
    name: 'relay.two-clients',
    section: 'D.8',
    level: 'wire',
    expects: 'Sessions of two clients do not mix.',
    run: async (context, scope) => {
      const [one, two] = [await context.open(scope), await context.open(scope)];
      const [first, second] = [record(300), record(300)];
      const outputs = await Promise.all([one.client.exchange(first, first.length), two.client.exchange(second, second.length)]);
      expectBytes('the output of the first', outputs[0], first);
      expectBytes('the output of the second', outputs[1], second);
      expect(one.session.received.includes(first), 'ciphertext of the first is not in its session');
      expect(two.session.received.includes(second), 'ciphertext of the second is not in its session');
      expect(!one.session.received.includes(second), 'ciphertext of the second in the session of the first');
      expect(!two.session.received.includes(first), 'ciphertext of the first in the session of the second');
      return undefined;
    },
  },
  {
    name: 'relay.large',
    section: 'C.3',
    level: 'wire',
    expects: 'Records of 128 KiB at once go up and come down.',
    run: async (context, scope) => {
      const { client } = await context.open(scope);
      const sent = Buffer.concat(Array.from({ length: 8 }, () => record(16_384)));
      expectBytes('the output', await client.exchange(sent, sent.length), sent);
      return undefined;
    },
  },
  {
    name: 'relay.answers-split',
    section: 'D.4',
    level: 'wire',
    expects: 'Answers of the manager may come byte by byte.',
    run: async (context, scope) => {
      const { client } = await context.open(scope);
      context.behave(scope, {
        write: (bytes, pipe) => writeApart(pipe, piecesOf(bytes, 1)),
      });
      await context.echoes(client);
      return undefined;
    },
  },
  {
    name: 'relay.answers-odd',
    section: 'D.4',
    level: 'wire',
    expects: 'Answers of the manager may be cut inside their headers: five bytes a piece.',
    run: async (context, scope) => {
      const { client } = await context.open(scope);
      context.behave(scope, {
        write: (bytes, pipe) => writeApart(pipe, piecesOf(bytes, 5)),
      });
      await context.echoes(client);
      return undefined;
    },
  },
  {
    name: 'relay.ninth-byte',
    section: 'D.4',
    level: 'wire',
    expects: 'The ninth byte of a tcp9 header is never looked at.',
    run: async (context, scope) => {
      if (context.target.frame !== 'tcp9') return passed('frames of this kind have no ninth byte');
      const { client } = await context.open(scope);
      context.behave(scope, {
        write: (bytes, pipe) => {
          bytes[8] = 0xff;
          return new Promise<void>((done) => pipe.write(bytes, () => done()));
        },
      });
      await context.echoes(client);
      return undefined;
    },
  },
  {
    name: 'relay.large-session-id',
    section: 'D.8',
    level: 'wire',
    expects: 'A session id of the manager is any u32.',
    run: async (context, scope) => {
      const id = 0xffff_fffe;
      context.behave(scope, {
        answer: (request) => {
          if (request.kind !== 'NewTlsSession') return undefined;
          context.manager.openAs(id);
          return { kind: 'TlsSession', session: id };
        },
      });
      const { client, session } = await context.open(scope);
      expect(session.id === id, `the session is ${session.id}`);
      await context.echoes(client);
      return undefined;
    },
  },
  {
    name: 'relay.client-leaves',
    section: 'B.6',
    level: 'robust',
    dialects: ['head'],
    expects: 'When a client’s connection ends, its session is closed (CloseTlsSession). Weaker: it stays, as the original leaves it.',
    run: async (context, scope) => {
      const { client, session } = await context.open(scope);
      client.leave();
      const closed = await scope.comes(() => session.closed, Math.min(2000, scope.waitMs));
      return closed ? undefined : weaker('no CloseTlsSession');
    },
  },
];

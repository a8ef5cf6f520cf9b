/** A Runtime Manager that refuses, is hostile, or is gone (wire spec §D.4, §D.8). */
import { encodeHeader, FRAME_HEADERS } from '../../layers/frame/index.js';
import { type Case, CaseFailed, expect, passed, weaker } from '../case.js';
import type { Manners, Request } from '../peers/played-manager.js';
import { clientHello, record } from '../peers/played-session.js';
import type { Scope } from '../scope.js';
import type { ServerContext } from './context.js';

type ServerCase = Case<ServerContext>;

/** The manager does something to the next SendTlsData of a client who is in; the client must hear of it, and others go on. */
async function upset(context: ServerContext, scope: Scope, manners: Manners): Promise<string> {
  const { client } = await context.open(scope);
  context.behave(scope, manners);
  const saw = await client.refusal(record(100));
  context.manager.manners = {};
  return saw;
}

/** The same where the link does not outlive it. */
async function hostile(context: ServerContext, scope: Scope, manners: Manners): Promise<string> {
  context.needRelink();
  const saw = await upset(context, scope, manners);
  await context.serves(scope);
  return saw;
}

const isSend = ({ kind }: Request) => kind === 'SendTlsData';
const once = (answer: NonNullable<Manners['answer']>): Manners => ({
  answer: (request) => (isSend(request) ? answer(request) : undefined),
});

/** Answers with raw bytes in a right frame. */
const raw = (name: string, hex: string, expects: string): ServerCase => ({
  name,
  section: 'D.1',
  level: 'robust',
  expects: `${expects} The client is refused and does not hang, and a new link serves.`,
  run: async (context, scope) =>
    passed(
      await hostile(
        context,
        scope,
        once(() => Buffer.from(hex, 'hex')),
      ),
    ),
});

/** Acts at once; nothing is to be waited for. */
function at(act: () => unknown): Promise<void> {
  act();
  return Promise.resolve();
}

/** Writes something else in the place of the answer to SendTlsData. */
function instead(write: NonNullable<Manners['write']>): Manners {
  let due = false;
  return {
    answer: (request) => {
      due ||= isSend(request);
      return undefined;
    },
    write: (bytes, pipe) => {
      if (due) return write(bytes, pipe);
      return new Promise<void>((done) => pipe.write(bytes, () => done()));
    },
  };
}

export const LINK_CASES: readonly ServerCase[] = [
  {
    name: 'manager.refuses-session',
    section: 'D.8',
    level: 'robust',
    expects: 'NewTlsSession is answered with Status Fail: the client is refused, and the next one is served.',
    run: async (context, scope) => {
      await context.serves(scope);
      context.behave(scope, { answer: ({ kind }) => (kind === 'NewTlsSession' ? { kind: 'Status', status: 'Fail' } : undefined) });
      const saw = await (await context.connect(scope)).refusal(clientHello());
      context.manager.manners = {};
      await context.serves(scope);
      return passed(saw);
    },
  },
  {
    name: 'manager.refuses-data',
    section: 'D.10',
    level: 'robust',
    expects: 'SendTlsData is answered with Status Fail: the client is refused, and others are served.',
    run: async (context, scope) => {
      const saw = await upset(
        context,
        scope,
        once(() => ({ kind: 'Status', status: 'Fail' })),
      );
      await context.serves(scope);
      return passed(saw);
    },
  },
  raw('manager.unknown-answer', '090000000000000000000000', 'A variant that the dialect does not have.'),
  raw('manager.truncated-answer', '010000', 'An answer that is cut inside its frame.'),
  raw('manager.wrong-answer', '0400000007000000', 'An answer of another kind than the request asks for.'),
  {
    name: 'manager.huge-length',
    section: 'D.4',
    level: 'robust',
    expects: 'A frame that announces more bytes than any message has is refused when its length is read. Weaker: it is waited for.',
    run: async (context, scope) => {
      const { bytes } = FRAME_HEADERS[context.target.frame];
      const huge = Buffer.concat([Buffer.alloc(bytes, 0xff), Buffer.alloc(64)]);
      try {
        return passed(
          await hostile(
            context,
            scope,
            instead((_, pipe) => at(() => pipe.write(huge))),
          ),
        );
      } catch (error) {
        if (!(error instanceof CaseFailed) || !error.message.includes('hang')) throw error;
        context.manager.manners = {};
        context.manager.cut();
        await context.serves(scope);
        return weaker('waits for all of it');
      }
    },
  },
  {
    name: 'manager.gone',
    section: 'D.5',
    level: 'robust',
    expects: 'The link ends with a request unanswered: the client is refused and does not hang, and a new link serves.',
    run: async (context, scope) =>
      passed(
        await hostile(
          context,
          scope,
          instead((_, pipe) => at(() => pipe.destroy())),
        ),
      ),
  },
  {
    name: 'manager.half-an-answer',
    section: 'D.4',
    level: 'robust',
    expects: 'The link ends inside an answer: the client is refused and does not hang, and a new link serves.',
    run: async (context, scope) =>
      passed(
        await hostile(
          context,
          scope,
          instead((bytes, pipe) => at(() => pipe.end(bytes.subarray(0, -2)))),
        ),
      ),
  },
  {
    name: 'manager.surplus-answer',
    section: 'D.8',
    level: 'robust',
    expects: 'An answer that nobody asked for puts no session’s output into another: the link ends, or it is dropped.',
    run: async (context, scope) => {
      context.needRelink();
      const { client } = await context.open(scope);
      const surplus = Buffer.from('01000000' + '00000000', 'hex');
      const header = encodeHeader(FRAME_HEADERS[context.target.frame], surplus.length);
      let said = false;
      context.behave(scope, {
        write: (bytes, pipe) => {
          const all = said ? bytes : Buffer.concat([bytes, header, surplus]);
          said = true;
          return new Promise<void>((done) => pipe.write(all, () => done()));
        },
      });
      const sent = record(100);
      const got = await client.exchange(sent, sent.length).catch(() => undefined);
      expect(got === undefined || got.equals(sent), 'other output than the session has');
      context.manager.manners = {};
      await context.serves(scope);
      return undefined;
    },
  },
  {
    name: 'manager.relink',
    section: 'D.5',
    level: 'robust',
    expects: 'A link that is lost between two requests is replaced, and new clients are served.',
    run: async (context, scope) => {
      context.needRelink();
      await context.serves(scope);
      const before = context.manager.links;
      context.manager.cut();
      await scope.until('new link', () => context.manager.links > before);
      await context.serves(scope);
      return undefined;
    },
  },
  {
    name: 'end.inactive',
    section: 'C.7',
    level: 'wire',
    ends: true,
    expects: 'TlsData says that the enclave is no longer active: the answer under way still goes out.',
    run: async (context, scope) => {
      const { client, session } = await context.open(scope);
      session.active = false;
      await context.echoes(client);
      return undefined;
    },
  },
];

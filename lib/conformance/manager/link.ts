/** The link of a Runtime Manager: frames, order, sessions, and what is hostile (wire spec §D). */
import { encodeHeader, FRAME_HEADERS } from '../../layers/frame/index.js';
import { type Case, expect, expectBytes, passed, weaker } from '../case.js';
import { type Link, nameOf } from '../peers/link.js';
import { piecesOf } from '../peers/pipe.js';
import type { Scope } from '../scope.js';
import type { ManagerContext } from './context.js';

type ManagerCase = Case<ManagerContext>;

/** A session that no manager has opened, as ids count up from 1. */
const UNKNOWN = 4_000_000_000;

const newSessions = (link: Link, count: number) => Buffer.concat(Array(count).fill(link.framed(link.bytesOf({ kind: 'NewTlsSession' }))));

/** Sends hostile bytes on a link of its own: it must end, and the manager must go on. */
async function hostile(context: ManagerContext, scope: Scope, bytesOf: (link: Link) => Buffer): Promise<string | undefined> {
  const link = await context.ownLink(scope);
  link.pipe.write(bytesOf(link));
  const refusal = await link.refuses();
  link.pipe.destroy();
  await context.answers(scope);
  return refusal;
}

const FRAMES: readonly ManagerCase[] = [
  {
    name: 'link.session',
    section: 'D.8',
    level: 'wire',
    expects: 'NewTlsSession is answered with TlsSession; two sessions have two ids.',
    run: async (context, scope) => {
      const link = await context.link(scope);
      const ids = [await link.open(), await link.open()];
      expect(ids[0] !== ids[1], `two sessions have the id ${ids[0]}`);
      return undefined;
    },
  },
  {
    name: 'link.exact-bytes',
    section: 'D.4',
    level: 'wire',
    expects: 'An answer stands in one frame, whose header is exactly that of its length, and its bytes are those of bincode.',
    run: async (context, scope) => {
      const link = await context.ownLink(scope);
      link.pipe.write(link.framed(link.bytesOf({ kind: 'CloseTlsSession', session: UNKNOWN })));
      const header = encodeHeader(FRAME_HEADERS[context.target.frame], 8);
      const expected = Buffer.concat([header, Buffer.from('0100000000000000', 'hex')]);
      expectBytes('Status Success', await link.pipe.take(expected.length, 'a Status'), expected);
      return undefined;
    },
  },
  {
    name: 'link.split',
    section: 'D.4',
    level: 'wire',
    expects: 'A request that comes byte by byte is the same request.',
    run: async (context, scope) => {
      const link = await context.ownLink(scope);
      await link.pipe.writePieces(piecesOf(newSessions(link, 1), 1));
      const answer = await link.answer();
      expect(answer.kind === 'TlsSession', `answered with ${nameOf(answer)}`);
      return undefined;
    },
  },
  {
    name: 'link.every-cut',
    section: 'D.4',
    level: 'wire',
    expects: 'A request that is cut in two anywhere is the same request.',
    run: async (context, scope) => {
      const link = await context.ownLink(scope);
      const whole = newSessions(link, 1);
      for (let at = 1; at < whole.length; at++) {
        await link.pipe.writePieces([whole.subarray(0, at), whole.subarray(at)]);
        const answer = await link.answer();
        expect(answer.kind === 'TlsSession', `cut at ${at}: answered with ${nameOf(answer)}`);
      }
      return undefined;
    },
  },
  {
    name: 'link.coalesced',
    section: 'D.8',
    level: 'wire',
    expects: 'Requests that come in one piece are answered one by one, in their order.',
    run: async (context, scope) => {
      const link = await context.ownLink(scope);
      const requests = [link.bytesOf({ kind: 'NewTlsSession' }), link.bytesOf({ kind: 'CloseTlsSession', session: UNKNOWN })];
      link.pipe.write(Buffer.concat([...requests, ...requests].map((bytes) => link.framed(bytes))));
      const answers = [await link.answer(), await link.answer(), await link.answer(), await link.answer()].map(nameOf);
      expect(answers.join() === 'TlsSession,Status Success,TlsSession,Status Success', `answers: ${answers.join(', ')}`);
      return undefined;
    },
  },
  {
    name: 'link.ninth-byte',
    section: 'D.4',
    level: 'wire',
    expects: 'The ninth byte of a tcp9 header is never looked at.',
    run: async (context, scope) => {
      if (context.target.frame !== 'tcp9') return passed('frames of this kind have no ninth byte');
      const link = await context.ownLink(scope);
      const bytes = newSessions(link, 1);
      bytes[8] = 0xff;
      link.pipe.write(bytes);
      const answer = await link.answer();
      expect(answer.kind === 'TlsSession', `answered with ${nameOf(answer)}`);
      return undefined;
    },
  },
  {
    name: 'link.huge-length',
    section: 'D.4',
    level: 'robust',
    expects:
      'A frame that announces more bytes than any message has is refused as soon as its length is read. Weaker: all of it is waited for.',
    run: async (context, scope) => {
      const refusal = await hostile(context, scope, ({ settings }) => Buffer.alloc(FRAME_HEADERS[settings.frame].bytes, 0xff));
      return refusal === undefined ? weaker('waits for all of it') : passed(refusal);
    },
  },
  {
    name: 'link.truncated-frame',
    section: 'D.4',
    level: 'robust',
    expects: 'A link that ends inside a frame is over, and the manager goes on.',
    run: async (context, scope) => {
      const link = await context.ownLink(scope);
      link.pipe.write(newSessions(link, 1).subarray(0, -1));
      link.pipe.end();
      expect(await link.pipe.ends(), 'the link is not ended by the manager: it hangs on the end of its input');
      await context.answers(scope);
      return undefined;
    },
  },
  {
    name: 'link.closed',
    section: 'D.4',
    level: 'robust',
    expects: 'A link that ends between two frames is over, and the manager goes on.',
    run: async (context, scope) => {
      const link = await context.ownLink(scope);
      await link.open();
      link.pipe.end();
      expect(await link.pipe.ends(), 'the link is not ended by the manager: it hangs on the end of its input');
      await context.answers(scope);
      return undefined;
    },
  },
];

const SESSIONS: readonly ManagerCase[] = [
  {
    name: 'session.unknown-send',
    section: 'D.8',
    level: 'robust',
    expects: 'SendTlsData to a session that is not there: Status Fail.',
    run: async (context, scope) => {
      const answer = await (await context.link(scope)).call({ kind: 'SendTlsData', session: UNKNOWN, data: Buffer.from('hello') });
      expect(nameOf(answer) === 'Status Fail', `answered with ${nameOf(answer)}`);
      return undefined;
    },
  },
  {
    name: 'session.unknown-get',
    section: 'D.8',
    level: 'robust',
    expects: 'GetTlsData of a session that is not there: Status Fail.',
    run: async (context, scope) => {
      const answer = await (await context.link(scope)).call({ kind: 'GetTlsData', session: UNKNOWN });
      expect(nameOf(answer) === 'Status Fail', `answered with ${nameOf(answer)}`);
      return undefined;
    },
  },
  {
    name: 'session.unknown-needed',
    section: 'D.8',
    level: 'robust',
    dialects: ['2207', '2207-nitro'],
    expects: 'GetTlsDataNeeded of a session that is not there: Status Fail.',
    run: async (context, scope) => {
      const answer = await (await context.link(scope)).call({ kind: 'GetTlsDataNeeded', session: UNKNOWN });
      expect(nameOf(answer) === 'Status Fail', `answered with ${nameOf(answer)}`);
      return undefined;
    },
  },
  {
    name: 'session.unknown-close',
    section: 'D.8',
    level: 'wire',
    expects: 'CloseTlsSession of a session that is not there: Status Success.',
    run: async (context, scope) => {
      const answer = await (await context.link(scope)).call({ kind: 'CloseTlsSession', session: UNKNOWN });
      expect(nameOf(answer) === 'Status Success', `answered with ${nameOf(answer)}`);
      return undefined;
    },
  },
  {
    name: 'session.nothing-to-get',
    section: 'D.8',
    level: 'wire',
    expects: 'GetTlsData with nothing there: Status Fail in 2207, an empty TlsData in head.',
    run: async (context, scope) => {
      const link = await context.link(scope);
      const answer = await link.call({ kind: 'GetTlsData', session: await link.open() });
      const expected = context.target.dialect === 'head' ? 'TlsData' : 'Status Fail';
      expect(nameOf(answer) === expected, `answered with ${nameOf(answer)}, not ${expected}`);
      return undefined;
    },
  },
  {
    name: 'session.nothing-needed',
    section: 'D.8',
    level: 'wire',
    dialects: ['2207', '2207-nitro'],
    expects: 'GetTlsDataNeeded with nothing there: TlsDataNeeded, false.',
    run: async (context, scope) => {
      const link = await context.link(scope);
      const answer = await link.call({ kind: 'GetTlsDataNeeded', session: await link.open() });
      expect(answer.kind === 'TlsDataNeeded' && !answer.needed, `answered with ${nameOf(answer)}`);
      return undefined;
    },
  },
  {
    name: 'session.closed',
    section: 'D.8',
    level: 'wire',
    expects: 'After CloseTlsSession the session is not there any more.',
    run: async (context, scope) => {
      const link = await context.link(scope);
      const session = await link.open();
      const closed = await link.call({ kind: 'CloseTlsSession', session });
      expect(nameOf(closed) === 'Status Success', `CloseTlsSession was answered with ${nameOf(closed)}`);
      const answer = await link.call({ kind: 'SendTlsData', session, data: Buffer.from('hello') });
      expect(nameOf(answer) === 'Status Fail', `SendTlsData behind it was answered with ${nameOf(answer)}`);
      return undefined;
    },
  },
  {
    name: 'session.of-another-link',
    section: 'D.8',
    level: 'trust',
    expects: 'One link cannot reach the sessions of another.',
    run: async (context, scope) => {
      const [one, other] = [await context.ownLink(scope), await context.ownLink(scope)];
      const session = await one.open();
      const answer = await other.call({ kind: 'SendTlsData', session, data: Buffer.from('16030100', 'hex') });
      expect(nameOf(answer) === 'Status Fail', `its session took ciphertext of another link: ${nameOf(answer)}`);
      return undefined;
    },
  },
  {
    name: 'session.reset',
    section: 'D.7',
    level: 'wire',
    dialects: ['2207', '2207-nitro'],
    expects: 'ResetEnclave: Status Unimplemented; over icecap4 frames Status Success.',
    run: async (context, scope) => {
      const expected = context.target.frame === 'icecap4' ? 'Status Success' : 'Status Unimplemented';
      const answer = await (await context.ownLink(scope)).call({ kind: 'ResetEnclave' });
      expect(nameOf(answer) === expected, `answered with ${nameOf(answer)}, not ${expected}`);
      return undefined;
    },
  },
];

export const LINK_CASES: readonly ManagerCase[] = [...FRAMES, ...SESSIONS];

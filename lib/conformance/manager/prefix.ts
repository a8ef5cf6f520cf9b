/** The length prefix inside TLS: cuts, surplus, hostile lengths, ends (wire spec §A.7, §A.8). */
import { type Case, expect, passed, weaker } from '../case.js';
import { type Ask, statusOf } from '../peers/visitor.js';
import type { ManagerContext } from './context.js';
import { framedMessage } from './messages.js';

type ManagerCase = Case<ManagerContext>;

const HASH: Ask = { oneof: 'request_policy_hash', fields: {} };
/** Milliseconds after which a manager that says nothing is taken for one that has lost the bytes, as the original does. */
const LOST_MS = 1000;

export const PREFIX_CASES: readonly ManagerCase[] = [
  {
    name: 'prefix.every-cut',
    section: 'A.8',
    level: 'wire',
    expects: 'A request may be cut in two TLS records anywhere behind its eighth byte.',
    run: async (context, scope) => {
      const visitor = await context.visit(scope);
      const bytes = visitor.bytesOf({ oneof: 'read_file', fields: { file_name: '/conformance-nothing' } });
      const whole = visitor.bytesOf(HASH);
      for (const message of [whole, bytes]) {
        for (let at = 8; at < message.length; at++) {
          const reply = await visitor.tell(message.subarray(0, at), message.subarray(at));
          if (message === whole) expect(statusOf(reply) === 'SUCCESS', `cut at ${at}: ${statusOf(reply)}`);
          // In 2207 a refusal may end the session, and the rest of the cuts with it.
          if (reply.refused !== undefined) return passed(`refused: ${reply.refused}`);
        }
      }
      return undefined;
    },
  },
  {
    name: 'prefix.in-pieces',
    section: 'A.8',
    level: 'wire',
    expects: 'A prefix may itself come in pieces. Weaker: its first bytes are forgotten, as the original does.',
    run: async (context, scope) => {
      const visitor = await context.visit(scope);
      await visitor.ask(HASH);
      const whole = visitor.bytesOf(HASH);
      const before = visitor.tls.bytesRead;
      await visitor.say(whole.subarray(0, 3), whole.subarray(3));
      if (!(await visitor.comes(() => visitor.tls.bytesRead > before || visitor.over !== undefined, LOST_MS))) return weaker('no answer');
      if (visitor.over !== undefined) return weaker(visitor.over);
      const reply = await visitor.reply();
      return statusOf(reply) === 'SUCCESS' ? undefined : weaker(statusOf(reply));
    },
  },
  {
    name: 'prefix.byte-by-byte',
    section: 'A.8',
    level: 'wire',
    expects: 'A request may come one byte a TLS record. Weaker: the first bytes are forgotten, as the original does.',
    run: async (context, scope) => {
      const visitor = await context.visit(scope);
      await visitor.say(...Array.from(visitor.bytesOf(HASH), (byte) => Buffer.of(byte)));
      const came = await visitor.comes(() => visitor.tls.bytesRead > 0 || visitor.over !== undefined, LOST_MS);
      if (!came || visitor.over !== undefined) return weaker(visitor.over ?? 'no answer');
      const reply = await visitor.reply();
      return statusOf(reply) === 'SUCCESS' ? undefined : weaker(statusOf(reply));
    },
  },
  {
    name: 'prefix.two-in-one',
    section: 'A.8',
    level: 'wire',
    expects: 'Two requests in one record are two requests. Weaker: both are lost, as the original does.',
    run: async (context, scope) => {
      const visitor = await context.visit(scope);
      await visitor.say(Buffer.concat([visitor.bytesOf(HASH), visitor.bytesOf(HASH)]));
      const came = await visitor.comes(() => visitor.tls.bytesRead > 0 || visitor.over !== undefined, LOST_MS);
      if (!came || visitor.over !== undefined) return weaker(visitor.over ?? 'no answer');
      const replies = [statusOf(await visitor.reply()), statusOf(await visitor.reply())];
      return replies.join() === 'SUCCESS,SUCCESS' ? undefined : weaker(replies.join(', '));
    },
  },
  {
    name: 'prefix.empty-message',
    section: 'A.8',
    level: 'wire',
    expects: 'A prefix of 0 is an empty message: FAILED_INVALID_REQUEST.',
    run: async (context, scope) => {
      const reply = await (await context.visit(scope)).tell(framedMessage(''));
      expect(statusOf(reply) === 'FAILED_INVALID_REQUEST', `answered with ${statusOf(reply)}`);
      return undefined;
    },
  },
  {
    name: 'prefix.huge-length',
    section: 'A.8',
    level: 'robust',
    expects: 'A prefix of 2^64 - 1 is refused when it is read. Weaker: all of it is waited for, as the original does.',
    run: async (context, scope) => {
      const visitor = await context.visit(scope);
      await visitor.ask(HASH);
      await visitor.say(Buffer.alloc(16, 0xff));
      const ended = await visitor.comes(() => visitor.over !== undefined || visitor.goodbye, LOST_MS);
      const why = visitor.over ?? 'TLS was ended';
      await context.serves(scope);
      return ended || visitor.over !== undefined ? passed(why) : weaker('waits for all of it');
    },
  },
  {
    name: 'prefix.truncated',
    section: 'A.7',
    level: 'robust',
    expects: 'A client that ends inside a message harms nobody else.',
    run: async (context, scope) => {
      const visitor = await context.visit(scope);
      await visitor.ask(HASH);
      await visitor.say(visitor.bytesOf({ oneof: 'write_file', fields: { file_name: '/half', data: Buffer.alloc(100) } }).subarray(0, 60));
      visitor.tls.end();
      await visitor.comes(() => visitor.over !== undefined, LOST_MS);
      const other = await context.visit(scope);
      const reply = await other.ask({ oneof: 'read_file', fields: { file_name: '/half' } });
      expect(statusOf(reply) !== 'SUCCESS', 'half a file was kept');
      await context.serves(scope);
      return undefined;
    },
  },
];

/** What requests mean, and what a client's bytes may look like (wire spec §A, §D.9 to §D.11). */
import { createHash, randomBytes } from 'node:crypto';
import { policyHash } from '../../enclave/policy/index.js';
import { encodeMessage } from '../../layers/protobuf/index.js';
import { type Case, expect, expectBytes, passed, weaker } from '../case.js';
import { need, PINNED } from '../material.js';
import { type Ask, type Reply, statusOf, type Visitor } from '../peers/visitor.js';
import type { ManagerContext } from './context.js';

type ManagerCase = Case<ManagerContext>;

const HASH: Ask = { oneof: 'request_policy_hash', fields: {} };
const write = (file_name: string, data: Buffer): Ask => ({ oneof: 'write_file', fields: { file_name, data } });
const append = (file_name: string, data: Buffer): Ask => ({ oneof: 'append_file', fields: { file_name, data } });
const read = (file_name: string): Ask => ({ oneof: 'read_file', fields: { file_name } });
const compute = (file_name: string): Ask => ({ oneof: 'request_result', fields: { file_name } });

function succeeds(what: string, reply: Reply): void {
  expect(statusOf(reply) === 'SUCCESS', `${what}: ${statusOf(reply)}`);
}

/** The bytes of a `result`, which may be missing where it is empty. */
function resultOf(what: string, reply: Reply): Buffer {
  succeeds(what, reply);
  const { message } = reply as Extract<Reply, { readonly bytes: Buffer }>;
  if (message.oneof === null) return Buffer.alloc(0);
  expect(message.oneof === 'result', `${what}: answered with ${message.oneof}, not result`);
  return message.fields.data;
}

/** A refusal is a status; in 2207 it may be the end of the session. */
function refusal(what: string, reply: Reply): string {
  expect(statusOf(reply) !== 'SUCCESS', `${what} was granted`);
  return statusOf(reply);
}

/** A name that no other case has. */
const fresh = (folder = '') => `${folder}/conformance-${randomBytes(6).toString('hex')}`;

async function writes(visitor: Visitor, name: string, data: Buffer): Promise<void> {
  succeeds(`write_file of ${data.length} bytes`, await visitor.ask(write(name, data)));
}

const FILES: readonly ManagerCase[] = [
  {
    name: 'request.policy-hash',
    section: 'D.9',
    level: 'wire',
    expects: 'request_policy_hash: SUCCESS and SHA-256 of the exact text of the policy, 64 lowercase hexadecimal digits.',
    run: async (context, scope) => {
      const reply = await (await context.visit(scope)).ask(HASH);
      succeeds('request_policy_hash', reply);
      const message = reply.refused === undefined ? reply.message : undefined;
      expect(message?.oneof === 'policy_hash', `answered with ${message?.oneof}`);
      expectBytes('the hash', message.fields.data, Buffer.from(policyHash(need(context.material.policy, 'a policy'))));
      return undefined;
    },
  },
  {
    name: 'request.exact-bytes',
    section: 'A.2',
    level: 'wire',
    expects: 'The bytes of an answer are those of its message, each field once and in the order of the original.',
    run: async (context, scope) => {
      const visitor = await context.visit(scope);
      const name = fresh();
      await writes(visitor, name, Buffer.from('hello'));
      const reply = await visitor.ask(read(name));
      expect(reply.refused === undefined, `read_file: ${reply.refused}`);
      const { dialect } = context.target;
      expectBytes('the answer', reply.bytes, encodeMessage('RuntimeManagerResponse', reply.message, { dialect }));
      return undefined;
    },
  },
  {
    name: 'request.write-read',
    section: 'D.9',
    level: 'wire',
    expects: 'A file that was written is read as it was written; a second write replaces it.',
    run: async (context, scope) => {
      const [visitor, name] = [await context.visit(scope), fresh()];
      for (const data of [randomBytes(5000), Buffer.from('short')]) {
        await writes(visitor, name, data);
        expectBytes('the file', resultOf('read_file', await visitor.ask(read(name))), data);
      }
      return undefined;
    },
  },
  {
    name: 'request.append',
    section: 'D.9',
    level: 'wire',
    expects: 'append_file adds to a file, or makes it.',
    run: async (context, scope) => {
      const [visitor, name] = [await context.visit(scope), fresh()];
      for (const piece of ['one', 'two']) succeeds('append_file', await visitor.ask(append(name, Buffer.from(piece))));
      expectBytes('the file', resultOf('read_file', await visitor.ask(read(name))), Buffer.from('onetwo'));
      return undefined;
    },
  },
  {
    name: 'request.large',
    section: 'B.5',
    level: 'wire',
    expects: 'A file of 1 MiB, over many TLS records, up and down.',
    run: async (context, scope) => {
      const [visitor, name, data] = [await context.visit(scope), fresh(), randomBytes(2 ** 20)];
      await writes(visitor, name, data);
      const got = resultOf('read_file', await visitor.ask(read(name)));
      expect(sha256(got) === sha256(data), `${got.length} bytes came back, not the same ${data.length}`);
      return undefined;
    },
  },
  {
    name: 'request.empty-file',
    section: 'D.9',
    level: 'wire',
    expects: 'read_file of an empty file: SUCCESS and an empty result. Weaker: no result, which the original’s client takes for a failure.',
    run: async (context, scope) => {
      const [visitor, name] = [await context.visit(scope), fresh()];
      await writes(visitor, name, Buffer.alloc(0));
      const reply = await visitor.ask(read(name));
      expectBytes('the file', resultOf('read_file', reply), Buffer.alloc(0));
      return reply.refused === undefined && reply.message.oneof === null ? weaker('no result') : undefined;
    },
  },
  {
    name: 'request.missing-file',
    section: 'D.10',
    level: 'wire',
    expects: 'read_file of a file that is not there is refused: by a status, or in 2207 by the end of the session.',
    run: async (context, scope) => passed(refusal('a file that is not there', await (await context.visit(scope)).ask(read(fresh())))),
  },
  {
    name: 'request.missing-program',
    section: 'D.10',
    level: 'wire',
    expects: 'request_result of a program that is not there is refused.',
    run: async (context, scope) => passed(refusal('a program that is not there', await (await context.visit(scope)).ask(compute(fresh())))),
  },
  {
    name: 'request.goes-on',
    section: 'D.10',
    level: 'wire',
    expects: 'A session goes on after a refusal. Weaker: it is over, as in 2207 of the original.',
    run: async (context, scope) => {
      const visitor = await context.visit(scope);
      refusal('a file that is not there', await visitor.ask(read(fresh())));
      const reply = visitor.over === undefined ? await visitor.ask(HASH) : { refused: visitor.over };
      return statusOf(reply) === 'SUCCESS' ? undefined : weaker(`over: ${statusOf(reply)}`);
    },
  },
  {
    name: 'request.pipeline',
    section: 'A.4',
    level: 'wire',
    dialects: ['2207', '2207-nitro'],
    expects: 'request_pipeline, which only head has, is an unknown arm: FAILED_INVALID_REQUEST.',
    run: async (context, scope) => {
      const visitor = await context.visit(scope);
      return passed(refusal('an arm of another dialect', await visitor.tell(framedMessage('62040a023030'))));
    },
  },
  {
    name: 'request.unknown-pipeline',
    section: 'D.9',
    level: 'wire',
    dialects: ['head'],
    expects: 'request_pipeline with an index that the policy does not have is refused.',
    run: async (context, scope) =>
      passed(
        refusal(
          'a pipeline that is not there',
          await (await context.visit(scope)).ask({ oneof: 'request_pipeline', fields: { file_name: '4711' } }),
        ),
      ),
  },
];

const RIGHTS: readonly ManagerCase[] = [
  {
    name: 'rights.own',
    section: 'D.11',
    level: 'wire',
    expects: 'A principal writes and reads where the policy lets him.',
    run: async (context, scope) => {
      const bob = need(context.material.bob, 'a second principal (--material)');
      const [visitor, name] = [await context.visit(scope, bob), fresh('/bob')];
      await writes(visitor, name, Buffer.from('mine'));
      expectBytes('the file', resultOf('read_file', await visitor.ask(read(name))), Buffer.from('mine'));
      return undefined;
    },
  },
  ...(['read', 'write', 'append', 'compute'] as const).map(
    (what): ManagerCase => ({
      name: `rights.no-${what}`,
      section: 'D.11',
      level: 'trust',
      expects: `A principal who has no right to ${what} a file is refused.`,
      run: async (context, scope) => {
        const bob = need(context.material.bob, 'a second principal (--material)');
        const name = fresh();
        await writes(await context.visit(scope), name, Buffer.from('secret'));
        const asked = {
          read: read(name),
          write: write(name, Buffer.from('x')),
          append: append(name, Buffer.from('x')),
          compute: compute(name),
        };
        return passed(refusal(`to ${what} it`, await (await context.visit(scope, bob)).ask(asked[what])));
      },
    }),
  ),
  {
    name: 'rights.dot-dot',
    section: 'D.11',
    level: 'trust',
    expects: '`..` in a name does not lead to where the policy lets nobody. Weaker: it does, as in the original.',
    run: async (context, scope) => {
      const bob = need(context.material.bob, 'a second principal (--material)');
      const name = fresh();
      await writes(await context.visit(scope), name, Buffer.from('secret'));
      const reply = await (await context.visit(scope, bob)).ask(read(`/bob/..${name}`));
      return statusOf(reply) === 'SUCCESS' ? weaker('the file was read') : passed(statusOf(reply));
    },
  },
  {
    name: 'rights.pin',
    section: 'D.11',
    level: 'trust',
    expects: 'A pinned file takes only contents of its SHA-256, and is never appended to.',
    run: async (context, scope) => {
      const open = () => context.visit(scope);
      refusal('other contents of a pinned file', await (await open()).ask(write(PINNED.name, Buffer.from('other'))));
      succeeds('the contents of a pinned file', await (await open()).ask(write(PINNED.name, PINNED.contents)));
      return passed(refusal('an append to a pinned file', await (await open()).ask(append(PINNED.name, Buffer.from('x')))));
    },
  },
];

/** The bytes of a message given in hexadecimal digits, behind its prefix. */
export function framedMessage(hex: string): Buffer {
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32BE(hex.length / 2, 4);
  return Buffer.concat([prefix, Buffer.from(hex, 'hex')]);
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

export const MESSAGE_CASES: readonly ManagerCase[] = [...FILES, ...RIGHTS];

/** The stacks of client and manager on each other, without Server, HTTP or link: over memory, and over TCP. */
import type { Duplex } from 'node:stream';
import t from 'tap';
import { readPolicy } from '../../lib/enclave/policy/index.js';
import { DirectoryStore } from '../../lib/enclave/store/file-store.js';
import type { Received, Sent } from '../../lib/layers/protobuf/index.js';
import { GuardedFiles } from '../../lib/roles/runtime-manager/guarded-files.js';
import { answerRequest, type ReceivedRequest, type SentResponse } from '../../lib/roles/runtime-manager/requests.js';
import {
  clientStack,
  directClientStack,
  managerClientStack,
  managerServerStack,
  serverClientStack,
  serverManagerStack,
} from '../../lib/roles/stacks.js';
import { parseAddress } from '../../lib/transports/address.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { connectSocket, listenSocket } from '../../lib/transports/socket.js';
import { within } from '../support/foreign.js';
import {
  alice,
  authority,
  bob,
  collect,
  content,
  freshFolder,
  managerIdentity,
  POLICY,
  POLICY_HASH,
  slices,
  stored,
} from '../support/roles.js';

type T = Parameters<typeof freshFolder>[0];
type Answer = Received<'RuntimeManagerResponse'>;

const MESSAGES = { dialect: '2207', maxMessageBytes: 2 ** 40 } as const;
const manager = managerIdentity();
const client = { role: 'client', certificate: alice.certificate, key: alice.key, authority: authority.certificate } as const;

/** A manager's stack over `pipe`, at work on a store. */
async function serve(t: T, pipe: Duplex) {
  const store = await DirectoryStore.open(freshFolder(t), { sync: 'none' });
  t.teardown(() => store.close());
  const tls = { role: 'server', ...manager, identities: [alice.certificate, bob.certificate] } as const;
  const channel = managerClientStack({ ...MESSAGES, tls }).over(pipe);
  t.teardown(() => channel.destroy());
  channel.on('error', () => {});
  const files = new GuardedFiles(readPolicy(POLICY), store);
  const service = { files, programs: undefined, policyHash: POLICY_HASH, shutdown: () => {}, log: () => {} };
  const caller = { principal: { kind: 'identity', id: 0 }, session: 1, signal: new AbortController().signal } as const;
  void (async () => {
    for await (const request of channel.iterator({ destroyOnReturn: false }) as AsyncIterable<ReceivedRequest>) {
      const response: SentResponse = await answerRequest(request, service, caller);
      channel.write(response);
    }
    channel.end();
  })().catch(() => {});
  return store;
}

const PIPES: Record<string, (t: T) => Promise<[Duplex, Duplex]>> = {
  memory: async () => memoryPipe(),
  'memory, one byte at a time': async () => memoryPipe({ highWaterMark: 1 }),
  TCP: async (t) => {
    let accept: (socket: Duplex) => void = () => {};
    const accepted = new Promise<Duplex>((resolve) => {
      accept = resolve;
    });
    const listener = await listenSocket(parseAddress('tcp://127.0.0.1:0'), (socket) => accept(socket));
    t.teardown(() => listener.close());
    return [await connectSocket(listener.address), await accepted];
  },
};

for (const [name, connect] of Object.entries(PIPES)) {
  void t.test(`protobuf, length prefix and TLS over ${name}`, async (t) => {
    const [near, far] = await connect(t);
    const store = await serve(t, far);
    const channel = directClientStack({ ...MESSAGES, tls: client }).over(near);
    t.teardown(() => channel.destroy());
    const answers = channel.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Answer>;
    const ask = async (request: Sent<'RuntimeManagerRequest'>): Promise<Answer> => {
      channel.write(request);
      return (await within(`${request.oneof} over ${name}`, answers.next())).value as Answer;
    };
    for (const size of [0, 1, 16_383, 16_384, 16_385, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1]) {
      const bytes = content(size);
      const data = size % 2 === 0 ? bytes : { length: size, source: slices(bytes, 10_007) };
      t.equal((await ask({ oneof: 'write_file', fields: { file_name: '/f', data } })).status, 'SUCCESS');
      t.ok((await stored(store, '/f'))?.equals(bytes), `${size} bytes there`);
      const answer = await ask({ oneof: 'read_file', fields: { file_name: '/f' } });
      if (answer.oneof !== 'result') throw new Error(`no result: ${answer.oneof}`);
      t.ok((await within('the body', collect(answer.fields.data))).equals(bytes), `${size} bytes back`);
    }
    channel.end();
    t.equal((await within('the end', answers.next())).done, true);
  });
}

void t.test('each stack says what it is', async (t) => {
  const tls = { role: 'server', ...manager, identities: [alice.certificate] } as const;
  const names = (described: string) => described.split('\n').map((line) => line.split(' ')[0]);
  t.same(names(clientStack({ ...MESSAGES, tls: client, batchBytes: () => 1 }).describe()), [
    'protobuf',
    'length-prefix',
    'tls',
    'records',
    'base64',
    'session',
  ]);
  t.same(names(directClientStack({ ...MESSAGES, tls: client }).describe()), ['protobuf', 'length-prefix', 'tls']);
  t.same(names(managerClientStack({ ...MESSAGES, tls }).describe()), ['protobuf', 'length-prefix', 'tls']);
  t.same(names(serverClientStack(1).describe()), ['base64', 'session']);
  for (const make of [serverManagerStack, managerServerStack]) {
    t.same(names(make({ dialect: '2207', frame: 'tcp9' }).describe()), ['bincode', 'frame']);
  }
});

import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { type IncomingBody, protobuf, type Received, type Sent } from '../../../lib/layers/protobuf/index.js';
import { stack } from '../../../lib/pipeline/stack.js';
import { memoryPipe } from '../../../lib/transports/memory.js';
import { patterned } from './support.js';

void t.test('two stacks converse, and the compiler knows the messages', async (t) => {
  const [left, right] = memoryPipe({ objectMode: true });
  const client = stack(protobuf({ sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerResponse' })).over(left);
  const manager = stack(protobuf({ sends: 'RuntimeManagerResponse', receives: 'RuntimeManagerRequest' })).over(right);
  const data = patterned(300_000);
  const request: Sent<'RuntimeManagerRequest'> = { oneof: 'write_file', fields: { file_name: 'in.bin', data } };
  client.write(request);
  const serve = (async () => {
    for await (const item of manager) {
      const message: Received<'RuntimeManagerRequest'> = item;
      if (message.oneof !== 'write_file') throw new Error(`got ${message.oneof}`);
      const text: string = message.fields.file_name;
      const body: IncomingBody = message.fields.data;
      const answer: Sent<'RuntimeManagerResponse'> = {
        status: 'SUCCESS',
        oneof: 'result',
        fields: { data: { length: body.length, source: body } },
      };
      t.equal(text, 'in.bin');
      manager.end(answer);
    }
  })();
  for await (const item of client) {
    const answer: Received<'RuntimeManagerResponse'> = item;
    t.equal(answer.status, 'SUCCESS');
    if (answer.oneof === 'result') t.ok((await buffer(answer.fields.data)).equals(data));
    else t.fail(`got ${answer.oneof}`);
    client.end();
  }
  await serve;
});

void t.test('the compiler refuses what the schema does not have', async (t) => {
  const messages: Sent<'RuntimeManagerRequest'>[] = [
    { oneof: null },
    { oneof: 'read_file', fields: { file_name: 'a' } },
    { oneof: 'request_pi_hash', fields: { file_name: 'a' }, context: 1 },
    // @ts-expect-error an arm of another envelope
    { oneof: 'result', fields: { data: Buffer.alloc(0) } },
    // @ts-expect-error a field of another arm
    { oneof: 'read_file', fields: { challenge: Buffer.alloc(0) } },
    // @ts-expect-error no status in a request
    { oneof: null, status: 'SUCCESS' },
  ];
  const start: Sent<'ProxyAttestationServerRequest'> = { oneof: 'start_msg', fields: { protocol: 'psa' } };
  t.equal(messages.length + Object.keys(start).length, 8);
});

void t.test('options are checked at once, and describe() shows the limits', async (t) => {
  const bad: any[] = [
    { sends: 'Data' },
    { receives: 'toString' },
    { onMalformed: 'skip' },
    { deliver: 'later' },
    { dialect: 'head ' },
    { maxFields: 0 },
  ];
  for (const options of bad) {
    t.throws(() => protobuf({ sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerResponse', ...options }), {
      code: 'ERR_VC_INVALID_OPTION',
    });
  }
  const layer = protobuf({ sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerResponse', dialect: 'head', maxFields: 9 });
  t.match(layer.limits, {
    dialect: 'head',
    maxFields: 9,
    maxMessageBytes: 2 ** 34,
    maxBufferedMessageBytes: 2 ** 20,
    maxFileNameBytes: 4096,
  });
  t.ok(Object.isFrozen(layer.limits));
  t.match(stack(layer).describe(), /^protobuf {2}deliver streamed, dialect head, maxMessageBytes 17179869184/);
});

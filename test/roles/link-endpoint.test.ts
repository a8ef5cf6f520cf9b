/** The manager's end of a link, behind a Server that asks more than it may. */
import t from 'tap';
import type { Request, Response } from '../../lib/layers/bincode/index.js';
import { LinkEndpoint } from '../../lib/roles/runtime-manager/link.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { ask, Deframer, framed, tell, until } from '../support/foreign.js';

const QUESTIONS = 120_000;

void t.test('questions behind one that waits are left on the link, and answered in order', async (t) => {
  let release: (response: Response) => void = () => {};
  const first = new Promise<Response>((resolve) => {
    release = resolve;
  });
  let handled = 0;
  const handle = (request: Request) => {
    const session = 'session' in request ? Number(request.session) : 0;
    return handled++ === 0 ? { response: first, hurry: () => {} } : ({ kind: 'TlsDataNeeded', needed: session % 3 === 0 } as const);
  };
  const [server, pipe] = memoryPipe();
  const endpoint = new LinkEndpoint(pipe, { dialect: '2207', frame: 'tcp9' }, handle, () => {});
  t.teardown(() => {
    endpoint.destroy();
    server.destroy();
  });
  const deframer = new Deframer();
  const answers: Buffer[] = [];
  server.on('error', () => {});
  server.on('data', (chunk: Buffer) => void answers.push(...deframer.push(chunk)));
  for (let at = 0; at < QUESTIONS; at += 1000) {
    server.write(Buffer.concat(Array.from({ length: 1000 }, (_, i) => framed(ask.needed(at + i)))));
  }
  const asked = server.writableLength;
  await until('the first question', () => handled === 1);
  for (let turn = 0; turn < 500; turn++) await new Promise((go) => setImmediate(go));
  t.ok(server.writableLength > asked / 2, `${server.writableLength} of ${asked} bytes are still to be read`);
  release({ kind: 'TlsDataNeeded', needed: true });
  await until('all answers', () => answers.length === QUESTIONS);
  t.ok(answers.every((answer, i) => answer.equals(tell.needed(i % 3 === 0))));
});

void t.test('a Server that reads no answers is asked for no more questions', async (t) => {
  let handled = 0;
  const handle = () => {
    handled++;
    return { kind: 'Status', status: 'Success' } as const;
  };
  const [server, pipe] = memoryPipe();
  const endpoint = new LinkEndpoint(pipe, { dialect: '2207', frame: 'tcp9' }, handle, () => {});
  t.teardown(() => {
    endpoint.destroy();
    server.destroy();
  });
  server.on('error', () => {});
  for (let at = 0; at < QUESTIONS; at += 1000) {
    server.write(Buffer.concat(Array.from({ length: 1000 }, (_, i) => framed(ask.close(at + i)))));
  }
  await until('the first question', () => handled > 0);
  for (let turn = 0; turn < 500; turn++) await new Promise((go) => setImmediate(go));
  t.ok(handled < QUESTIONS / 4, `${handled} of ${QUESTIONS} questions`);
  const deframer = new Deframer();
  let answers = 0;
  server.on('data', (chunk: Buffer) => {
    answers += deframer.push(chunk).length;
  });
  await until('all answers', () => answers === QUESTIONS);
  t.equal(handled, QUESTIONS);
});

void t.test('an answer that is known to take long holds nobody up; another is told to hurry after a while', async (t) => {
  for (const slow of [true, false]) {
    let hurried = 0;
    let byTimer = false;
    let settle: (response: Response) => void = () => {};
    const response = new Promise<Response>((resolve) => {
      settle = resolve;
    });
    const pending = {
      response,
      slow,
      hurry: () => {
        hurried++;
        byTimer = new Error('where').stack?.includes('listOnTimeout') === true;
        settle({ kind: 'TlsDataNeeded', needed: false });
      },
    };
    const [server, pipe] = memoryPipe();
    const handle = (request: Request) =>
      'session' in request && request.session === 1 ? pending : ({ kind: 'TlsDataNeeded', needed: true } as const);
    const endpoint = new LinkEndpoint(pipe, { dialect: '2207', frame: 'tcp9' }, handle, () => {});
    t.teardown(() => {
      endpoint.destroy();
      server.destroy();
    });
    const deframer = new Deframer();
    const answers: Buffer[] = [];
    server.on('error', () => {});
    server.on('data', (chunk: Buffer) => void answers.push(...deframer.push(chunk)));
    server.write(Buffer.concat([ask.needed(1), ask.needed(2)].map(framed)));
    await until('both answers', () => answers.length === 2);
    t.equal(hurried, 1);
    t.same(answers, [tell.needed(false), tell.needed(true)], 'in order');
    t.equal(byTimer, !slow, slow ? 'at once' : 'after 5 ms');
  }
});

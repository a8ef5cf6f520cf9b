/** A Server that answers every POST and brings nothing of the manager's: the client hears of it within its deadline. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import '../support/long.js';
import { connectClient, startRoles } from '../support/roles.js';
import { patience } from '../support/time.js';

/** Long enough for the answers that do come, on a machine that has other things to do. */
const SILENT_MS = patience(4000);

/** These tests wait for a deadline most of the time, and do so together. */
t.jobs = 4;
const TOGETHER = { buffered: true };

/** What a hostile Server does with the answer to a POST, once it has begun. */
type Trick = (answer: Buffer, id: string) => Buffer;

/** Relays POSTs to the real Server, until `hostile` is set. */
async function relay(t: Test, url: string) {
  const state: { hostile: Trick | undefined; drops: boolean } = { hostile: undefined, drops: false };
  const server = createServer((request: IncomingMessage, response) => {
    void (async () => {
      const pieces: Buffer[] = [];
      for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
      const body = Buffer.concat(pieces);
      const id = body.toString('latin1').split(' ')[0] as string;
      if (request.method === 'POST' && state.drops) return response.end(`${id} `);
      const answer = await fetch(`${url}${request.url}`, { method: request.method as string, ...(body.length > 0 && { body }) });
      const bytes = Buffer.from(await answer.arrayBuffer());
      const header = answer.headers.get('x-veracruz-max-body-bytes');
      response.writeHead(answer.status, header === null ? {} : { 'x-veracruz-max-body-bytes': header });
      response.end(state.hostile?.(bytes, id) ?? bytes);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, state };
}

/** The first record's length made one larger: TLS waits for a byte that never comes. */
const lengthened: Trick = (answer, id) => {
  const [, text = ''] = answer.toString('latin1').split(' ');
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length < 5) return answer;
  bytes.writeUInt16BE(bytes.readUInt16BE(3) + 1, 3);
  return Buffer.from(`${id} ${bytes.toString('base64')}`);
};

const TRICKS: Readonly<Record<string, { readonly hostile?: Trick; readonly drops?: boolean }>> = {
  'answers with an empty body': { hostile: () => Buffer.alloc(0) },
  'answers with the id alone': { hostile: (_answer, id) => Buffer.from(`${id} `) },
  'drops POSTs and says that all is well': { drops: true },
  "makes a record's length one larger": { hostile: lengthened },
};

for (const [what, trick] of Object.entries(TRICKS)) {
  void t.test(`a Server that ${what}`, TOGETHER, async (t) => {
    const { server } = await startRoles(t);
    const { url, state } = await relay(t, server.url);
    const client = await connectClient(t, url, { answerTimeoutMs: SILENT_MS });
    await client.writeFile('/f', Buffer.from('fine'));
    Object.assign(state, trick);
    await t.rejects(client.readFile('/f'), {
      code: 'ERR_VC_OUTCOME_UNKNOWN',
      cause: { code: 'ERR_VC_TIMEOUT', layer: 'client', limit: SILENT_MS },
    });
    await client.close();
  });
}

void t.test('a program may take as long as it is given, and no longer', TOGETHER, async (t) => {
  const { server } = await startRoles(t);
  const { url, state } = await relay(t, server.url);
  const client = await connectClient(t, url, { answerTimeoutMs: SILENT_MS / 2, computeTimeoutMs: SILENT_MS });
  state.drops = true;
  const began = performance.now();
  await t.rejects(client.compute('/p.wasm'), { code: 'ERR_VC_OUTCOME_UNKNOWN', cause: { code: 'ERR_VC_TIMEOUT', limit: SILENT_MS } });
  t.ok(performance.now() - began >= SILENT_MS, 'the limit of other answers is not its own');
  await client.close();
});

void t.test('the limit of a program is not that of the answers after it', TOGETHER, async (t) => {
  const { server } = await startRoles(t);
  const { url, state } = await relay(t, server.url);
  const client = await connectClient(t, url, { answerTimeoutMs: SILENT_MS, computeTimeoutMs: 86_400_000 });
  await client.writeFile('/f', Buffer.from('fine'));
  // The timer of the answers before it has fired by then: the program's is the one that runs.
  await new Promise((go) => setTimeout(go, 2 * SILENT_MS));
  await t.rejects(client.compute('/f'), { code: 'ERR_VC_REQUEST_FAILED' }, 'there is no engine');
  state.drops = true;
  await t.rejects(client.readFile('/f'), { code: 'ERR_VC_OUTCOME_UNKNOWN', cause: { code: 'ERR_VC_TIMEOUT', limit: SILENT_MS } });
  await client.close();
});

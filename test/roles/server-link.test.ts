/** The Server before Runtime Managers of another make, in good order and out of it. */
import type { Socket } from 'node:net';
import t from 'tap';
import {
  ask,
  HELLO as BEGUN,
  type Behaviour,
  dial,
  echoing,
  foreignManager,
  NO_TLS,
  post,
  RawHttp,
  tell,
  until,
  within,
} from '../support/foreign.js';
import '../support/long.js';
import { content, portOf, startServer } from '../support/roles.js';

const HELLO = `0 ${BEGUN.toString('base64')}`;
type T = Parameters<typeof startServer>[0];

async function serve(t: T, behave: Behaviour, options: Parameters<typeof startServer>[2] = {}) {
  const manager = await foreignManager(t, behave);
  const server = await startServer(t, manager.address, { ...NO_TLS, ...options });
  const connect = () => RawHttp.connect(t, portOf(server));
  return { manager, server, connect };
}

/** Bytes that begin as a session does. */
const begun = (length: number) => Buffer.concat([BEGUN, content(length)]);

void t.test('strict request and response, one link for all', async (t) => {
  const { manager, connect } = await serve(t, echoing());
  const answers = await Promise.all(
    Array.from({ length: 10 }, async (_, i) => (await connect()).send(post(`0 ${begun(10 + i).toString('base64')}`))),
  );
  t.ok(answers.every(({ status, body }, i) => status === 200 && body.endsWith(` ${begun(10 + i).toString('base64')}`)));
  t.equal(manager.links.size, 1);
  t.same(
    new Set(manager.requests.map(({ session }) => session)),
    new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    "its own ids, not the clients'",
  );
});

void t.test('the bytes on the link are those of the wire spec', async (t) => {
  const { manager, connect } = await serve(t, echoing());
  await (await connect()).send(post(HELLO));
  const sent = Buffer.concat(manager.seen).toString('hex');
  t.equal(
    sent,
    [
      ...['040000000000000000', '05000000'],
      ...['200000000000000000', '07000000', '01000000', '1000000000000000', BEGUN.toString('hex')],
      ...['080000000000000000', '02000000', '01000000'],
      ...['080000000000000000', '03000000', '01000000'],
    ].join(''),
  );
});

void t.test('a manager that acknowledges nothing gets no more than may be unacknowledged', async (t) => {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const behave = echoing({
    send: async () => {
      await opened;
      return tell.success;
    },
  });
  const { manager, connect } = await serve(t, behave, { maxUnacknowledgedBytes: 100_000 });
  const bytes = begun(3_000_000);
  const http = await connect();
  http.write(post(`0 ${bytes.toString('base64')}`));
  const got = () => manager.seen.reduce((sum, { length }) => sum + length, 0);
  await until('it has begun', () => got() > 100_000);
  for (let quiet = 0, before = 0; quiet < 50; quiet++, await new Promise((go) => setImmediate(go))) {
    if (got() !== before) quiet = 0;
    before = got();
  }
  // What is gathered for one request may go beyond the limit.
  t.ok(got() < 100_000 + 2 * 262_144, `${got()} bytes`);
  open();
  t.equal((await within('the answer', http.answer())).status, 200);
  t.ok(got() > bytes.length);
});

void t.test('a manager that answers late, and answers byte by byte', async (t) => {
  const inner = echoing();
  const { connect } = await serve(t, async (request, socket) => {
    const answer = (await inner(request, socket)) as Buffer;
    const frame = Buffer.concat([Buffer.from([answer.length, 0, 0, 0, 0, 0, 0, 0, 0xff]), answer]);
    for (const byte of frame) {
      socket.write(Buffer.of(byte));
      await new Promise((go) => setImmediate(go));
    }
    return undefined;
  });
  const answer = await (await connect()).send(post(HELLO));
  t.equal(answer.status, 200);
  t.match(answer.body, / FgMBAgABAAH8AwNoZWxsbw==$/);
});

void t.test('a manager that has much to say', async (t) => {
  const items = Array.from({ length: 40 }, (_, i) => content(60_000, i + 1));
  let at = 0;
  const { connect } = await serve(
    t,
    echoing({ needed: () => tell.needed(at < items.length), get: () => tell.data(items[at++] as Buffer) }),
  );
  const answer = await (await connect()).send(post(HELLO));
  const data = Buffer.concat(
    answer.body
      .split(' ')
      .slice(1)
      .map((item) => Buffer.from(item, 'base64')),
  );
  t.ok(data.equals(Buffer.concat(items)));
});

const kindsOf = (requests: readonly { kind: string }[]) => requests.map(({ kind }) => kind);

void t.test('a small POST: the answer is asked for at once, without a word of the manager', async (t) => {
  const { manager, connect } = await serve(t, echoing());
  const http = await connect();
  const { body } = await http.send(post(HELLO));
  manager.requests.length = 0;
  // From here on nothing is answered before all that is asked has come.
  for (const link of manager.links) link.pause();
  http.write(post(`${body.split(' ')[0]} d29ybGQ=`));
  await new Promise((go) => setTimeout(go, 50));
  const read = manager.seen.length;
  for (const link of manager.links) link.resume();
  t.match((await http.answer()).body, / d29ybGQ=$/);
  t.same(kindsOf(manager.requests), ['send', 'get', 'needed']);
  t.equal(manager.seen.length, read + 1, 'in one write');
});

void t.test('asked ahead in vain: whatever a manager says then, the answer is empty and the session goes on', async (t) => {
  for (const nothing of [tell.fail, tell.success, tell.unimplemented, tell.data(Buffer.alloc(0))]) {
    let quiet = true;
    const inner = echoing();
    const { connect, server } = await serve(t, (request, socket) => {
      if (!quiet || request.kind === 'open') return inner(request, socket);
      return request.kind === 'send' ? tell.success : request.kind === 'needed' ? tell.needed(false) : nothing;
    });
    const http = await connect();
    const { status, body } = await http.send(post(HELLO));
    const what = nothing.toString('hex');
    t.equal(status, 200, what);
    t.match(body, /^\d+ $/, what);
    quiet = false;
    t.match((await http.send(post(`${body}d29ybGQ=`))).body, / d29ybGQ=$/, 'and the session goes on');
    t.match(server.managers, [{ up: true, sessions: 1 }], 'as does the link');
  }
});

void t.test('asked ahead, and in vain only for a moment: what came in between is not lost', async (t) => {
  const late = [Buffer.from('late'), Buffer.from('later')];
  let asked = 0;
  const behave = echoing({
    send: () => tell.success,
    needed: () => tell.needed(late.length > 0),
    get: () => (asked++ === 0 ? tell.fail : tell.data(late.shift() as Buffer)),
  });
  const { connect } = await serve(t, behave);
  t.match((await (await connect()).send(post(HELLO))).body, / bGF0ZQ== bGF0ZXI=$/);
});

void t.test('asked ahead though the manager says there is something, and then has nothing', async (t) => {
  const { connect, server } = await serve(t, echoing({ needed: () => tell.needed(true), get: () => tell.fail }));
  t.equal((await (await connect()).send(post(HELLO))).status, 404);
  t.match(server.managers, [{ up: true, sessions: 0 }]);
});

void t.test('what is not asked ahead: the piece of an upload, and a manager that takes it amiss', async (t) => {
  const large = Buffer.concat([BEGUN, content(16 * 1024)]).toString('base64');
  for (const [text, options] of [
    [large, {}],
    [BEGUN.toString('base64'), { askAhead: false }],
  ] as const) {
    const { manager, connect } = await serve(t, echoing({ send: () => tell.success, needed: () => tell.needed(false) }), options);
    const answer = await (await connect()).send(post(`0 ${text}`));
    t.match(answer.body, /^\d+ $/);
    t.notOk(kindsOf(manager.requests).includes('get'));
  }
});

void t.test('askAhead is told a manager at a time, too', async (t) => {
  const [trusting, touchy] = [await foreignManager(t, echoing()), await foreignManager(t, echoing({ needed: () => tell.needed(false) }))];
  const server = await startServer(t, trusting.address, {
    runtime: [{ address: trusting.address }, { address: touchy.address, askAhead: false }],
  });
  const http = await RawHttp.connect(t, portOf(server));
  for (let i = 0; i < 4; i++) t.equal((await http.send(post(HELLO))).status, 200);
  t.ok(kindsOf(trusting.requests).includes('get'));
  t.ok(kindsOf(touchy.requests).includes('needed'), 'it had sessions');
  t.notOk(kindsOf(touchy.requests).includes('get'));
});

void t.test('no TLS session to be had', async (t) => {
  const { connect, server } = await serve(t, echoing({ open: () => tell.fail }));
  for (let i = 0; i < 2; i++) t.equal((await (await connect()).send(post(HELLO))).status, 503);
  t.equal(server.sessions, 0);
  t.equal(server.managers[0]?.up, true, 'which is no fault of the link');
});

void t.test('a session that the manager does not know any more', async (t) => {
  for (const kind of ['send', 'needed', 'get'] as const) {
    const more = { get: { needed: () => tell.needed(true) }, send: { needed: () => tell.needed(false) }, needed: { get: () => tell.fail } }[
      kind
    ];
    const { connect, server } = await serve(t, echoing({ ...more, [kind]: () => tell.fail }));
    const http = await connect();
    const answer = await http.send(post(HELLO));
    t.equal(answer.status, 404, kind);
    t.equal(server.sessions, 0);
    t.equal(server.managers[0]?.up, true, 'the link stays');
  }
});

void t.test('what the manager had to say before it closed the session is told', async (t) => {
  let left = 1;
  const { connect, server } = await serve(
    t,
    echoing({
      send: () => tell.fail,
      needed: () => (left > 0 ? tell.needed(true) : tell.fail),
      get: () => (left-- > 0 ? tell.data(Buffer.from('alert')) : tell.fail),
    }),
  );
  const answer = await (await connect()).send(post(HELLO));
  t.equal(answer.status, 200);
  t.match(answer.body, / YWxlcnQ=$/);
  await until('then the session is over', () => server.sessions === 0);
});

function breakOff(socket: Socket): undefined {
  socket.write(Buffer.from('0500', 'hex'));
  socket.resetAndDestroy();
}

const OUT_OF_ORDER: Record<string, Behaviour> = {
  'TlsDataNeeded for NewTlsSession': echoing({ open: () => tell.needed(true) }),
  'TlsSession for SendTlsData': echoing({ send: () => tell.session(7) }),
  'TlsData for SendTlsData': echoing({ send: () => tell.data(Buffer.from('x')) }),
  'TlsData for GetTlsDataNeeded': echoing({ needed: () => tell.data(Buffer.from('x')) }),
  'TlsSession for GetTlsDataNeeded': echoing({ needed: () => tell.session(1) }),
  'TlsDataNeeded for GetTlsData': echoing({ get: () => tell.needed(true) }),
  'an answer too many': echoing({ send: () => [tell.success, tell.success] }),
  'many answers too many': echoing({ open: () => [tell.session(1), ...Array<Buffer>(50).fill(tell.success)] }),
  'Status for NewTlsSession': (_request, socket) =>
    void socket.write(Buffer.concat([Buffer.from('080000000000000000', 'hex'), tell.success])),
  'an unknown variant': echoing({ send: () => Buffer.from('63000000', 'hex') }),
  'an unknown status': echoing({ send: () => Buffer.from('0100000063000000', 'hex') }),
  'trailing bytes': echoing({ send: () => Buffer.concat([tell.success, Buffer.of(0)]) }),
  'no bytes': echoing({ send: () => Buffer.alloc(0) }),
  'a length of 2^63': (_request, socket) => void socket.write(Buffer.from('000000000000008000', 'hex')),
  'a length over the limit': (_request, socket) => void socket.write(Buffer.from('00000f000000000000'.replace('0f', 'ff'), 'hex')),
  'an end in the middle of an answer': echoing({ needed: (_request, socket) => void socket.end(Buffer.from('0500', 'hex')) }),
  'a reset in the middle of an answer': echoing({
    needed: (_request, socket) => breakOff(socket),
  }),
  'an end in place of an answer': echoing({ send: (_request, socket) => void socket.end() }),
};

for (const [what, behave] of Object.entries(OUT_OF_ORDER)) {
  void t.test(`a manager out of order: ${what}`, async (t) => {
    let broken = true;
    const good = echoing();
    const { connect, server, manager } = await serve(t, (request, socket) => (broken ? behave : good)(request, socket));
    const [first] = manager.links;
    const http = await connect();
    const { status } = await http.send(post(HELLO));
    t.equal(status, 503);
    await until('the link is given up', () => first?.destroyed === true && server.sessions === 0);
    broken = false;
    // A link that is restored carries new sessions as if nothing had been.
    await until('the next link', async () => (await (await connect()).send(post(HELLO))).status === 200);
  });
}

void t.test('a manager that never answers', async (t) => {
  const { connect, server } = await serve(t, () => undefined, { maxSilenceMs: 100 });
  const http = await connect();
  t.equal((await http.send(post(HELLO))).status, 503);
  t.equal(server.sessions, 0);
});

void t.test('POSTs under way when the link dies: 503 once each, and the session with it', async (t) => {
  const inner = echoing();
  let held = false;
  const { connect, manager, server } = await serve(t, (request, socket) =>
    held && request.kind === 'needed' ? new Promise<never>(() => {}) : inner(request, socket),
  );
  const sessions = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const http = await connect();
      return { http, id: Number((await http.send(post(HELLO))).body.split(' ')[0]) };
    }),
  );
  held = true;
  for (const { http, id } of sessions) http.write(Buffer.concat([post(`${id} aGVsbG8=`), post(`${id} aGVsbG8=`)]));
  await until('all are under way', () => Buffer.concat(manager.seen).toString('latin1').split('hello').length - 1 === 12);
  for (const link of manager.links) link.destroy();
  for (const { http } of sessions) for (let i = 0; i < 2; i++) t.equal((await http.answer()).status, 503);
  t.equal(server.sessions, 0);
});

void t.test('a manager that shuts down: the answer is told, then the Server ends', async (t) => {
  let said = false;
  const sayBye = () => {
    said = true;
    return tell.data(Buffer.from('bye'), false);
  };
  const { connect, server, manager } = await serve(t, echoing({ needed: () => tell.needed(!said), get: sayBye }));
  const http = await connect();
  const answer = await http.send(post(HELLO));
  t.equal(answer.status, 200);
  t.match(answer.body, / Ynll$/);
  for (const link of manager.links) link.end();
  await within('the Server after the manager', server.closed);
});

void t.test('a manager that shuts down, and nobody is there to be told: the Server ends all the same', async (t) => {
  for (const by of ['http', 'direct'] as const) {
    let said = false;
    let leave: () => Promise<void> = async () => {};
    const sayBye = async () => {
      said = true;
      await leave();
      return tell.data(Buffer.from('bye'), false);
    };
    const options = { direct: 'tcp://127.0.0.1:0' };
    const { server } = await serve(t, echoing({ needed: () => tell.needed(!said), get: sayBye }), options);
    const socket = await dial(t, by === 'http' ? portOf(server) : (server.directAddress as { port: number }).port);
    leave = async () => {
      socket.resetAndDestroy();
      await until('the end of the session', () => server.sessions === 0);
    };
    socket.write(by === 'http' ? post(HELLO) : BEGUN);
    await within(`the Server after the manager, ${by}`, server.closed);
  }
});

void t.test('reset and drain', async (t) => {
  const { manager, server, connect } = await serve(t, echoing());
  const http = await connect();
  await http.send(post(HELLO));
  await server.reset(manager.address);
  t.equal(manager.requests.at(-1)?.kind, 'reset');
  t.equal(ask.reset().toString('hex'), '06000000');
  await within('the Server without managers', server.closed);
});

/** A session of the Server, under any sequence of POSTs: one answer each, in order, none before its cause, none too little. */
import fc from 'fast-check';
import t from 'tap';
import { type Behaviour, echoing, foreignManager, HELLO, NO_TLS, post, RawHttp, within } from '../support/foreign.js';
import { content, portOf, startServer } from '../support/roles.js';
import { seeded } from '../support/splits.js';

const text = (data: Buffer | string) => Buffer.from(data).toString('base64');
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function open(body: string): { id: number; data: Buffer } {
  const [id, ...items] = body.split(' ');
  return { id: Number(id), data: Buffer.concat(items.map((item) => Buffer.from(item, 'base64'))) };
}

/** The echo, in which every answer takes as many turns as `turns` gives. */
function slowEcho(turns: () => number): Behaviour {
  const inner = echoing();
  return async (request, socket) => {
    for (let left = turns(); left > 0; left--) await turn();
    return inner(request, socket);
  };
}

/** Two sessions on two connections of one Server, whose manager takes as long as `delays` says, request by request. */
async function sessions(delays: number[]) {
  let asked = 0;
  const manager = await foreignManager(
    t,
    slowEcho(() => delays[asked++ % Math.max(delays.length, 1)] ?? 0),
  );
  const server = await startServer(t, manager.address, NO_TLS);
  const open1 = async () => {
    const http = await RawHttp.connect(t, portOf(server));
    return { http, id: open((await http.send(post(`0 ${text(HELLO)}`))).body).id };
  };
  return { server, manager, all: [await open1(), await open1()] };
}

void t.test('any POSTs, pipelined, in any pieces: one answer each, in order, with all that came before it', async () => {
  const one = fc.record({
    session: fc.nat({ max: 1 }),
    bytes: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 400_000 })),
    /** Where the POST is cut on its way, as parts of 1000, and the turns at each cut. */
    cuts: fc.array(fc.nat({ max: 999 }), { maxLength: 3 }),
    turns: fc.nat({ max: 3 }),
    /** The client waits for all answers before it sends the next POST. */
    waits: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(one, { minLength: 1, maxLength: 14 }),
      fc.array(fc.nat({ max: 3 }), { maxLength: 5 }),
      async (posts, delays) => {
        const { server, manager, all } = await sessions(delays);
        const sent = all.map(() => [] as Buffer[]);
        const got = all.map(() => [] as Buffer[]);
        const fault = (what: string) => {
          throw new Error(what);
        };
        const answered = async (index: number) => {
          const { http, id } = all[index] as (typeof all)[number];
          const answer = await within('an answer', http.answer());
          if (answer.status !== 200) fault(`${answer.status}: ${answer.body}`);
          const { id: told, data } = open(answer.body);
          if (told !== id) fault(`the answer of session ${told} to session ${id}`);
          (got[index] as Buffer[]).push(data);
          const sum = (list: readonly Buffer[]) => list.reduce((bytes, { length }) => bytes + length, 0);
          const through = sum(got[index] as Buffer[]);
          const count = (got[index] as Buffer[]).length;
          if (through < sum((sent[index] as Buffer[]).slice(0, count))) fault(`answer ${count} has not all of its POST`);
          if (through > sum(sent[index] as Buffer[])) fault(`answer ${count} has more than was sent`);
        };
        for (const [index, { session, bytes, cuts, turns, waits }] of posts.entries()) {
          const { http, id } = all[session] as (typeof all)[number];
          const data = Buffer.concat([content(bytes), Buffer.from(bytes === 0 ? '' : String(index))]);
          (sent[session] as Buffer[]).push(data);
          const request = post(`${id} ${text(data)}`);
          let at = 0;
          for (const cut of [...cuts].sort((a, b) => a - b)) {
            const end = Math.max(at, Math.floor((request.length * cut) / 1000));
            http.write(request.subarray(at, end));
            at = end;
            for (let i = 0; i < turns; i++) await turn();
          }
          http.write(request.subarray(at));
          const due = () => (sent[session] as Buffer[]).length - (got[session] as Buffer[]).length;
          // No more than may wait on one connection, whatever the plan says.
          while (due() > (waits ? 0 : 10)) await answered(session);
        }
        for (const index of all.keys()) while ((got[index] as Buffer[]).length < (sent[index] as Buffer[]).length) await answered(index);
        for (const index of all.keys()) {
          const [there, back] = [sent, got].map((lists) => Buffer.concat(lists[index] as Buffer[])) as [Buffer, Buffer];
          if (!there.equals(back)) fault(`session ${index}: ${back.length} bytes of ${there.length}, or others`);
        }
        for (const { http } of all) http.socket.destroy();
        await server.close();
        for (const link of manager.links) link.destroy();
      },
    ),
    { ...seeded(30), numRuns: 30 },
  );
});

void t.test('a POST that is cut off ends its session and no other', async () => {
  const { server, all } = await sessions([]);
  const [first, second] = all as [(typeof all)[number], (typeof all)[number]];
  const request = post(`${first.id} ${text(content(50_000))}`);
  first.http.write(request.subarray(0, 40_000));
  await turn();
  first.http.socket.destroy();
  const after = await second.http.send(post(`${second.id} ${text('still here')}`));
  t.same([after.status, open(after.body).data.toString()], [200, 'still here']);
  const again = await RawHttp.connect(t, portOf(server));
  let answer = await again.send(post(`${first.id} ${text('again')}`));
  for (let i = 0; i < 100 && answer.status === 409; i++)
    answer = await (await again.next(t, answer)).send(post(`${first.id} ${text('again')}`));
  t.equal(answer.status, 404);
});

/** Honest clients, a process of its own: each connects, writes and reads a little, and goes, several times a second. */
import { VeracruzClient } from 'veracruz-streams';
import type { Target } from '../attack/target.js';
import { sinkOf } from '../harness/contents.js';
import { serveCommands } from '../harness/serve-commands.js';

export interface HonestTask {
  readonly target: Target;
  readonly clients: number;
  /** What is written before anything begins, base64, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** One more client runs this program again and again. */
  readonly program?: string | undefined;
}

/** What clients want: files, or that a program runs. */
type Want = 'request' | 'compute';

/** What honest clients saw in a phase. Times are milliseconds. */
export interface Seen {
  /** How long each handshake, each write or read, each run of the program took. */
  readonly connect: number[];
  readonly request: number[];
  readonly compute: number[];
  /** Attempts that failed, by the code of the error. */
  readonly refused: Record<string, number>;
  /** How long a client wanted something and did not get it, at most, through as many attempts as it made. */
  readonly longest: Record<Want, number>;
}

/** Milliseconds between the beginnings of two rounds of a client, and after one that failed. */
const EVERY_MS = 200;
const RETRY_MS = 50;
/** Writes and reads of a round. */
const PAIRS = 3;
const PAYLOAD = Buffer.alloc(64, 7);

let seen = nothing();
/** Since when each client has wanted what it has not got. */
const unserved = new Map<string, { readonly want: Want; readonly since: number }>();

function nothing(): Seen {
  return { connect: [], request: [], compute: [], refused: {}, longest: { request: 0, compute: 0 } };
}

async function timed<T>(samples: Want | 'connect', work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  seen[samples].push(performance.now() - began);
  return result;
}

/** What a client wants: it is served when that is done. A handshake alone is no service. */
async function served<T>(who: string, want: Want, work: () => Promise<T>): Promise<T> {
  const result = await timed(want, work);
  noteGap(unserved.get(who));
  unserved.set(who, { want, since: performance.now() });
  return result;
}

function noteGap(waits: { readonly want: Want; readonly since: number } | undefined): void {
  if (waits !== undefined) seen.longest[waits.want] = Math.max(seen.longest[waits.want], performance.now() - waits.since);
}

function connect({ url, pki }: Target): Promise<VeracruzClient> {
  return timed('connect', () => VeracruzClient.connect({ url, identity: pki.client, authority: pki.authority }));
}

/** Lets one client do `round` for ever. */
async function live(who: string, want: Want, round: () => Promise<void>): Promise<never> {
  for (;;) {
    const began = performance.now();
    if (!unserved.has(who)) unserved.set(who, { want, since: began });
    try {
      await round();
      unserved.delete(who);
    } catch (error) {
      const { code = String(error), got } = error as { code?: string; got?: string | number };
      const name = got === undefined ? code : `${code} ${got}`;
      seen.refused[name] = (seen.refused[name] ?? 0) + 1;
      await new Promise((go) => setTimeout(go, RETRY_MS));
    }
    await new Promise((go) => setTimeout(go, Math.max(0, began + EVERY_MS - performance.now())));
  }
}

/** Connects, writes and reads, and goes. */
async function visit(target: Target, i: number): Promise<void> {
  const [who, name] = [`client ${i}`, `/bench/${i}`];
  const client = await connect(target);
  try {
    for (let pair = 0; pair < PAIRS; pair++) {
      await served(who, 'request', () => client.writeFile(name, PAYLOAD));
      await served(who, 'request', async () => sinkOf(await client.readFile(name), undefined));
    }
  } finally {
    await client.close();
  }
}

/** Runs `program` again and again, in one session as long as it lasts. */
async function runPrograms(target: Target, program: string): Promise<never> {
  let client: VeracruzClient | undefined;
  return live('program', 'compute', async () => {
    client ??= await connect(target);
    const own = client;
    client = undefined;
    await served('program', 'compute', () => own.compute(program));
    client = own;
  });
}

serveCommands({
  begin: async ({ target, clients, files, program }: HonestTask): Promise<void> => {
    const first = await connect(target);
    for (const [name, base64] of Object.entries(files)) await first.writeFile(name, Buffer.from(base64, 'base64'));
    await first.close();
    for (let i = 0; i < clients; i++) void live(`client ${i}`, 'request', () => visit(target, i));
    if (program !== undefined) void runPrograms(target, program);
  },
  /** What was seen since the last time this was asked. */
  take: (): Seen => {
    for (const waits of unserved.values()) noteGap(waits);
    const taken = seen;
    seen = nothing();
    return taken;
  },
});

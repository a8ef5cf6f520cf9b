/** The clients of the soak: some that stay and send requests, and many that come and go. Every read is checked. */
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { VeracruzClient } from 'veracruz-streams';
import type { Pki } from '../../../harness/pki.js';
import { serveCommands } from '../../../harness/serve-commands.js';
import { leftovers } from '../leftovers.js';

export interface ConnectTask {
  readonly url: string;
  readonly pki: Pki;
  /** Clients that stay. */
  readonly lanes: number;
}

export interface WorkTask {
  readonly requests: number;
  readonly sessions: number;
}

export interface WorkResult {
  /** Reads that gave other bytes than were written. */
  readonly wrong: number;
  readonly seconds: number;
}

/** Bytes of the longest file; most are much shorter. */
const MAX_BYTES = 20_000;

let task: ConnectTask;
let clients: VeracruzClient[] = [];
let written = 0;
let wrong = 0;

const open = () => VeracruzClient.connect({ url: task.url, identity: task.pki.client, authority: task.pki.authority });

/** A file that its number decides, unlike the one before it under the same name. */
function fileOf(i: number): Buffer {
  return Buffer.alloc((i * 7919) % (i % 16 === 0 ? MAX_BYTES : 700), createHash('sha256').update(String(i)).digest());
}

/** Writes, then reads what was written: two requests. */
async function pair(client: VeracruzClient, lane: number): Promise<void> {
  const content = fileOf(written++);
  const name = `/bench/soak-${lane}`;
  await client.writeFile(name, content);
  if (!(await buffer(await client.readFile(name))).equals(content)) wrong++;
}

/** Takes turns until `left` are done. */
async function share(count: number, lanes: number, turn: (lane: number) => Promise<void>): Promise<void> {
  let left = count;
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      while (left-- > 0) await turn(lane);
    }),
  );
}

serveCommands({
  connect: async (given: ConnectTask): Promise<void> => {
    task = given;
    clients = await Promise.all(Array.from({ length: task.lanes }, open));
  },
  work: async ({ requests, sessions }: WorkTask): Promise<WorkResult> => {
    const begun = performance.now();
    wrong = 0;
    await Promise.all([
      share(Math.ceil(requests / 2), clients.length, (lane) => pair(clients[lane] as VeracruzClient, lane)),
      share(sessions, 4, async () => (await open()).close()),
    ]);
    return { wrong, seconds: (performance.now() - begun) / 1000 };
  },
  leftovers: () => leftovers({ clients: clients.length }),
});

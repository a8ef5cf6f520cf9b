/**
 * The client that is killed, a process of its own. Its parent sends one task over IPC; it does the same operation over and
 * over, and tells each one that was acknowledged before it begins the next.
 */
import { buffer } from 'node:stream/consumers';
import { VeracruzClient } from '../../../lib/roles/client/client.js';
import { fileOf, listsOf, READ_FILE, recordOf } from './content.js';
import { FIRST, OUTPUT, PROGRAM, SECOND } from './names.js';

export type Operation = 'write' | 'append' | 'read' | 'compute';

export interface Task {
  readonly operation: Operation;
  readonly round: number;
  readonly url: string;
  readonly policy: string;
  readonly identity: { readonly certificate: string; readonly key: string };
}

export type Said =
  | { readonly kind: 'begun' }
  | { readonly kind: 'acknowledged' }
  | { readonly kind: 'failed'; readonly code: string }
  | { readonly kind: 'wrong'; readonly what: string };

type Step = (client: VeracruzClient, round: number, i: number) => Promise<void>;

const STEPS: Readonly<Record<Operation, Step>> = {
  write: (client, round, i) => client.writeFile(`/write/${round}`, fileOf(round, i)),
  append: (client, round, i) => client.appendFile(`/log/${round}`, recordOf(round, i)),
  read: async (client) => {
    const bytes = await buffer(await client.readFile(READ_FILE.name));
    if (!bytes.equals(READ_FILE.content)) throw new Wrong(`other contents were read: ${bytes.length} bytes`);
  },
  compute: async (client, _round, i) => {
    const { first, second, common } = listsOf(i);
    await client.writeFile(FIRST, first);
    await client.writeFile(SECOND, second);
    const code = await client.compute(PROGRAM);
    if (code !== 0) throw new Wrong(`the program ended with ${code}`);
    const bytes = await buffer(await client.readFile(OUTPUT));
    if (!bytes.equals(common)) throw new Wrong(`another result: ${bytes.length} bytes`);
  },
};

/** An answer that must not be. */
class Wrong extends Error {}

const say = (said: Said) => new Promise<void>((done) => process.send?.(said, undefined, undefined, () => done()));

async function work({ operation, round, url, policy, identity }: Task): Promise<void> {
  try {
    const client = await VeracruzClient.connect({ url, policy, identity });
    await say({ kind: 'begun' });
    for (let i = 0; ; i++) {
      await STEPS[operation](client, round, i);
      await say({ kind: 'acknowledged' });
    }
  } catch (error) {
    if (error instanceof Wrong) await say({ kind: 'wrong', what: error.message });
    else await say({ kind: 'failed', code: (error as { code?: string }).code ?? String(error) });
  }
  process.exit();
}

process.once('message', (task: Task) => void work(task));
process.once('disconnect', () => process.exit());

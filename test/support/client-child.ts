/**
 * A client as a process of its own. Takes a `ClientTask` as JSON on standard input and says, a line each: `connected`,
 * `stalled` (when the source has stopped), `wrote <sha256>`, `read <sha256>`; or `failed <code>`.
 */
import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { generatedFile } from '../../lib/cli/demo/generated.js';
import { VeracruzClient } from '../../lib/roles/client/client.js';
import type { ClientTask } from './roles.js';

const say = (line: string) => process.stdout.write(`${line}\n`);

async function* source(task: ClientTask, hash: ReturnType<typeof createHash>): AsyncGenerator<Buffer> {
  let given = 0;
  for (const chunk of generatedFile(task.size)) {
    if (task.stallAfter !== undefined && given >= task.stallAfter) {
      say('stalled');
      await new Promise((go) => setTimeout(go, 2 ** 30));
    }
    hash.update(chunk);
    given += chunk.length;
    yield chunk;
  }
}

try {
  const task = JSON.parse(await text(process.stdin)) as ClientTask;
  const client = await VeracruzClient.connect(task);
  say('connected');
  const hash = createHash('sha256');
  await client.writeFile(task.name, source(task, hash), { size: task.size });
  say(`wrote ${hash.digest('hex')}`);
  const back = createHash('sha256');
  for await (const chunk of await client.readFile(task.name)) back.update(chunk as Buffer);
  say(`read ${back.digest('hex')}`);
  await client.close();
} catch (error) {
  say(`failed ${(error as { code?: string }).code ?? String(error)}`);
}

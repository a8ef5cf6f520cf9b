/**
 * The three roles in one process: a file goes up to the Runtime Manager, through a Server that sees ciphertext only, and
 * comes back. Usually each role is a process of its own: `veracruz-streams runtime`, `veracruz-streams server`, and yours.
 *
 *     node dist/examples/upload-with-progress.js [file]
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type Progress, RuntimeManager, VeracruzClient, VeracruzServer } from 'veracruz-streams';
import { makeCertificates } from './support/certificates.js';

// Contents are text, bytes, a stream or the file at a path; a stream needs its size to go out as one message.
const CHUNK = Buffer.alloc(100_000, 'veracruz');
const path = process.argv[2];
const source = path !== undefined ? { path } : Readable.from(Array.from({ length: 10 }, () => CHUNK));
const size = path === undefined ? 10 * CHUNK.length : (await stat(path)).size;
const folder = await mkdtemp(join(tmpdir(), 'veracruz-streams-example-'));
const { manager, client, policy } = makeCertificates();

// Port 0: any that is free.
const runtime = await RuntimeManager.start({
  listen: 'tcp://127.0.0.1:0',
  ...manager,
  policy,
  store: join(folder, 'store'),
});
const server = await VeracruzServer.start({ listen: 'tcp://127.0.0.1:0', runtime: runtime.address });

try {
  // What the policy says of the manager is checked before a byte of data leaves; the port is known only now.
  const session = await VeracruzClient.connect({ policy, url: server.url, identity: client });
  console.log(`the manager's policy has the hash ${await session.policyHash()}`);

  // Called with every chunk: a line for each quarter will do.
  let quarter = 0;
  const onProgress = ({ operation, bytes, total = 1 }: Progress) => {
    if (Math.floor((bytes / total) * 4) === quarter) return;
    quarter = Math.floor((bytes / total) * 4);
    console.log(`${operation}: ${bytes} of ${total} bytes`);
  };
  await session.writeFile('/input/file', source, { size, onProgress });
  quarter = 0;
  const copy = await session.readFile('/input/file', { to: { path: join(folder, 'copy') }, onProgress });
  console.log(`sent ${size} bytes, got ${copy.bytes} back`);

  // A request that the manager refuses is an error with a code; the session goes on.
  await session.readFile('/not/for/us').catch((error: Error & { code?: string }) => console.log(`${error.code}: ${error.message}`));
  await session.close();
} finally {
  await server.close();
  await runtime.close();
  await rm(folder, { recursive: true });
}

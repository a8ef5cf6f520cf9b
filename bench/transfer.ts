/**
 * A large transfer from memory to memory through three processes, beside raw TLS in the same run: no disk, no hash.
 *
 *     npm run bench -- [bytes] [rounds]        default 512 MiB, 5 rounds; prints medians and ratios
 *
 * Machines differ and are shared: only the ratios of one run mean anything.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import {
  type FileStore,
  formatAddress,
  issueCertificate,
  makeAuthority,
  makeIdentity,
  makeKey,
  pemOf,
  RuntimeManager,
  VeracruzClient,
  VeracruzServer,
} from 'veracruz-streams';
import { tuneHeap } from '../lib/cli/heap.js';

const CHUNK = Buffer.alloc(256 * 1024, 7);
const SELF = fileURLToPath(import.meta.url);

interface Pki {
  readonly authority: string;
  readonly manager: { readonly certificate: string; readonly key: string };
  readonly client: { readonly certificate: string; readonly key: string };
}

/** What a child is told to be. */
type Part =
  | { readonly part: 'manager' | 'raw-server'; readonly pki: Pki }
  | { readonly part: 'server'; readonly runtime: string }
  | { readonly part: 'client'; readonly pki: Pki; readonly url: string; readonly bytes: number }
  | { readonly part: 'raw-client'; readonly pki: Pki; readonly port: number; readonly bytes: number };

function zeros(bytes: number): Readable {
  let left = bytes;
  return new Readable({
    highWaterMark: 2 * CHUNK.length,
    read() {
      const size = Math.min(left, CHUNK.length);
      left -= size;
      this.push(size === 0 ? null : CHUNK.subarray(0, size));
    },
  });
}

/** A store that counts what is written and makes up what is read. */
function nullStore(): FileStore {
  const lengths = new Map<string, number>();
  const sink = (name: string) => {
    let length = 0;
    return new Writable({
      highWaterMark: 2 ** 20,
      write(chunk: Buffer, _encoding, done) {
        length += chunk.length;
        lengths.set(name, length);
        done();
      },
    });
  };
  return {
    write: sink,
    append: sink,
    read: (name: string) => Promise.resolve({ length: lengths.get(name) ?? 0, stream: zeros(lengths.get(name) ?? 0) }),
    close: () => Promise.resolve(),
  } as unknown as FileStore;
}

const seconds = (since: number) => (performance.now() - since) / 1000;

/** Plays a part in a process of its own; gives what the parent is told. */
async function play(part: Part): Promise<unknown> {
  switch (part.part) {
    case 'manager': {
      const { pki } = part;
      const manager = await RuntimeManager.start({
        listen: 'tcp://127.0.0.1:0',
        ...pki.manager,
        identities: [pki.client.certificate],
        policy: '{}',
        store: nullStore(),
      });
      return formatAddress(manager.address);
    }
    case 'server': {
      const server = await VeracruzServer.start({ listen: 'tcp://127.0.0.1:0', direct: 'tcp://127.0.0.1:0', runtime: part.runtime });
      return { http: server.url, direct: `tcp://127.0.0.1:${(server.directAddress as { port: number }).port}` };
    }
    case 'client': {
      const { pki, url, bytes } = part;
      const client = await VeracruzClient.connect({ url, identity: pki.client, authority: pki.authority });
      let started = performance.now();
      await client.writeFile('/bench', zeros(bytes), { size: bytes });
      const up = seconds(started);
      started = performance.now();
      for await (const _chunk of await client.readFile('/bench'));
      const down = seconds(started);
      await client.close();
      return { up, down };
    }
    case 'raw-server': {
      const { manager, client } = part.pki;
      const server = createServer({
        cert: manager.certificate,
        key: manager.key,
        ca: client.certificate,
        requestCert: true,
        minVersion: 'TLSv1.3',
      });
      server.on('secureConnection', (socket: TLSSocket) => socket.on('end', () => socket.end('.')).resume());
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return (server.address() as { port: number }).port;
    }
    case 'raw-client': {
      const { pki, port, bytes } = part;
      const { certificate: cert, key } = pki.client;
      const socket = connect({ port, host: '127.0.0.1', cert, key, ca: pki.authority, checkServerIdentity: () => undefined });
      await once(socket, 'secureConnect');
      const started = performance.now();
      zeros(bytes).pipe(socket);
      await once(socket, 'data');
      return seconds(started);
    }
  }
}

async function startPart<T>(part: Part, children: ChildProcess[]): Promise<T> {
  const child = fork(SELF, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  children.push(child);
  child.send(part);
  const [answer] = (await once(child, 'message')) as [T];
  if (part.part === 'client' || part.part === 'raw-client') child.kill();
  return answer;
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

async function bench(bytes: number, rounds: number): Promise<void> {
  const authority = makeAuthority();
  const key = makeKey('ec');
  const leaf = pemOf(issueCertificate(authority, { subject: 'bench', publicKey: createPublicKey(key) }));
  const pki: Pki = {
    authority: authority.certificate,
    manager: { certificate: leaf + authority.certificate, key: key.export({ type: 'pkcs8', format: 'pem' }).toString() },
    client: makeIdentity({ commonName: 'bench' }),
  };
  const children: ChildProcess[] = [];
  try {
    const runtime = await startPart<string>({ part: 'manager', pki }, children);
    const urls = await startPart<{ http: string; direct: string }>({ part: 'server', runtime }, children);
    const port = await startPart<number>({ part: 'raw-server', pki }, children);
    const cases: Record<string, number[]> = { 'raw node:tls': [], 'full up': [], 'full down': [], 'direct up': [], 'direct down': [] };
    for (let round = 0; round < rounds; round++) {
      cases['raw node:tls']?.push(await startPart<number>({ part: 'raw-client', pki, port, bytes }, children));
      for (const [name, url] of [
        ['full', urls.http],
        ['direct', urls.direct],
      ] as const) {
        const { up, down } = await startPart<{ up: number; down: number }>({ part: 'client', pki, url, bytes }, children);
        cases[`${name} up`]?.push(up);
        cases[`${name} down`]?.push(down);
      }
    }
    const raw = median(cases['raw node:tls'] as number[]);
    for (const [name, times] of Object.entries(cases)) {
      const time = median(times);
      process.stdout.write(`${name.padEnd(14)} ${(bytes / 1e6 / time).toFixed(0).padStart(6)} MB/s  ${(raw / time).toFixed(2)} of raw\n`);
    }
  } finally {
    for (const child of children) child.kill();
  }
}

if (process.send === undefined) {
  await bench(Number(process.argv[2] ?? 512 * 2 ** 20), Number(process.argv[3] ?? 5));
} else {
  tuneHeap();
  process.once('message', (part: Part) => void play(part).then((answer) => process.send?.(answer)));
}

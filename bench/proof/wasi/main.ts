/**
 * Runs the preview 1 programs of the WebAssembly project's wasi-testsuite as a Runtime Manager runs programs.
 *
 *     git clone --branch prod/testsuite-base https://github.com/WebAssembly/wasi-testsuite
 *     npm run wasi -- wasi-testsuite
 *
 * Each has all rights on `/` and its streams, the clock, and the arguments and variables that its file asks for, by a
 * policy. Ends with 1 when one does not pass that is not known to be refused, or when one passes that is.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { Command } from 'commander';
import { createPolicy, DirectoryStore, type FileStore, makeIdentity, readPolicy, WasiEngine } from 'veracruz-streams';
import { temporaryFolder } from '../../harness/temporary.js';
import { conclude } from '../report.js';
import { type Case, casesIn } from './cases.js';
import { REFUSED } from './refused.js';

const PROGRAM = '/program.wasm';
/** Every right of WASI. */
const ALL_RIGHTS = 2 ** 29 - 1;
const identity = makeIdentity({ commonName: 'wasi' });

await new Command('wasi')
  .argument('<folder>', 'a checkout of wasi-testsuite, branch prod/testsuite-base')
  .action(async (folder: string) => {
    const engine = new WasiEngine({ timeLimitMs: 60_000 });
    const violations: string[] = [];
    const rows: string[][] = [];
    let passed = 0;
    const cases = casesIn(folder);
    for (const each of cases) {
      const wrong = await run(engine, each);
      const reason = REFUSED[each.name];
      if (wrong === undefined) passed++;
      else rows.push([each.name, reason ?? wrong]);
      if ((wrong === undefined) !== (reason === undefined))
        violations.push(`${each.name}: ${wrong ?? 'passes, though it is listed as refused'}`);
    }
    await engine.close();
    if (cases.length === 0) violations.push(`${folder} has no programs`);
    conclude(undefined, { table: [['program', 'refused because'], ...rows, [`${passed} of ${cases.length} pass`]], violations });
  })
  .parseAsync();

/** Runs one program. Returns what is wrong, or undefined. */
async function run(engine: WasiEngine, { program, args, env, files, exitCode, stdout }: Case): Promise<string | undefined> {
  const store = await DirectoryStore.open(join(temporaryFolder(), 'store'), { sync: 'none' });
  try {
    await put(store, PROGRAM, program);
    for (const [name, content] of files) await put(store, name, content);
    const policy = readPolicy(policyFor(program, args, env));
    const principal = { kind: 'program', path: PROGRAM } as const;
    const code = await engine.run({ program: PROGRAM, principal, policy, store, signal: new AbortController().signal });
    const said = await contentOf(store, 'stdout');
    if (code !== exitCode) return `ends with ${code}, not ${exitCode}: ${await lastWords(store)}`;
    return stdout !== undefined && said !== stdout ? `writes ${JSON.stringify(said)}` : undefined;
  } catch (error) {
    return `${(error as Error).message}: ${await lastWords(store)}`;
  } finally {
    await store.close();
  }
}

function policyFor(program: Buffer, args: readonly string[], environment: Readonly<Record<string, string>>): string {
  const rights = ['/', 'stdin', 'stdout', 'stderr'].map((file_name) => ({ file_name, rights: ALL_RIGHTS }));
  const sha256 = createHash('sha256').update(program).digest('hex');
  return createPolicy({
    identities: [{ certificate: identity.certificate, capabilities: '/:rwx' }],
    programs: [{ name: PROGRAM, sha256, capabilities: rights, arguments: args, environment }],
    serverUrl: '127.0.0.1:3011',
    attestationUrl: '127.0.0.1:3010',
    authority: identity.certificate,
    certificateExpiry: new Date(Date.UTC(2040, 0)),
    enableClock: true,
  });
}

async function put(store: FileStore, name: string, content: Buffer): Promise<void> {
  await pipeline([content], store.write(name, content.length));
}

async function contentOf(store: FileStore, name: string): Promise<string> {
  const file = await store.read(name).catch(() => undefined);
  return file === undefined ? '' : String(await buffer(file.stream));
}

async function lastWords(store: FileStore): Promise<string> {
  return (await contentOf(store, 'stderr')).trim().replaceAll(/\s+/g, ' ').slice(0, 300);
}

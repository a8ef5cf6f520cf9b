/** A program with the client in it, bundled to one file, uploads a real file: as an ES module and as CommonJS. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { build, type Format } from 'esbuild';
import t, { type Test } from 'tap';
import { PROJECT_ROOT } from '../support/golden.js';
import { alice, POLICY, startRoles } from '../support/roles.js';
import { HANG_MS } from '../support/time.js';
import { execute } from './installed.js';

/** The program: it sends a file and reads it back. */
const programOf = (subpath: string) => `
import { createHash } from 'node:crypto';
import { VeracruzClient } from 'veracruz-streams${subpath}';

async function main({ url, policy, identity, path, size }) {
  const client = await VeracruzClient.connect({ url, policy, identity });
  await client.writeFile('/input/bundled', { path }, { size });
  const hash = createHash('sha256');
  for await (const chunk of await client.readFile('/input/bundled')) hash.update(chunk);
  await client.close();
  console.log(hash.digest('hex'));
}
main(JSON.parse(process.env.PROGRAM_OPTIONS));
`;

/** What esbuild needs for CommonJS packages in an ES module: they require parts of Node, which an ES module cannot. */
const REQUIRE = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;

const SIZE = 3_000_000;
// Outside of the checkout: no package can be found from here.
const folder = mkdtempSync(join(tmpdir(), 'veracruz-streams-bundle-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

async function bundle(t: Test, subpath: string, format: Format): Promise<string> {
  const outfile = join(folder, `bundle-${subpath.replace(/\W/g, '')}.${format === 'esm' ? 'mjs' : 'cjs'}`);
  const { warnings } = await build({
    stdin: { contents: programOf(subpath), resolveDir: PROJECT_ROOT },
    bundle: true,
    platform: 'node',
    format,
    outfile,
    logLevel: 'silent',
    ...(format === 'esm' && { banner: { js: REQUIRE } }),
  });
  // esbuild looks at files of the root that it leaves out afterwards: those that start threads and processes.
  const ofClient = warnings.filter(({ id }) => subpath !== '' || id !== 'empty-import-meta');
  t.same(
    ofClient.map(({ text }) => text),
    [],
  );
  return outfile;
}

for (const subpath of ['', '/roles/client']) {
  for (const format of ['esm', 'cjs'] as const) {
    void t.test(`veracruz-streams${subpath} as ${format}`, async (t) => {
      const { server, store } = await startRoles(t);
      const contents = randomBytes(SIZE);
      const path = join(folder, 'contents');
      writeFileSync(path, contents);
      const options = { url: server.url, policy: POLICY, identity: alice, path, size: SIZE };
      const { stdout, stderr } = await execute(process.execPath, [await bundle(t, subpath, format)], {
        cwd: folder,
        env: { ...process.env, PROGRAM_OPTIONS: JSON.stringify(options) },
        timeout: HANG_MS,
      });
      t.equal(stderr, '');
      t.equal(stdout, `${createHash('sha256').update(contents).digest('hex')}\n`);
      t.ok((await buffer((await store.read('/input/bundled')).stream)).equals(contents), 'the manager has it');
    });
  }
}

/** The runtime hash of a library that no hardware measures. */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import t from 'tap';
import { measureRuntime } from '../../../lib/attestation/evidence/index.js';
import { PROJECT_ROOT } from '../../support/golden.js';
import '../../support/long.js';

const folder = mkdtempSync(join(tmpdir(), 'vc-measure-'));
t.teardown(() => rmSync(folder, { recursive: true }));

/** A folder with these files, made in the order given. */
function tree(files: Readonly<Record<string, string | Buffer>>): string {
  const root = mkdtempSync(join(folder, 'tree-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}
const measured = async (files: Readonly<Record<string, string | Buffer>>) => (await measureRuntime(tree(files))).toString('hex');

void t.test('the hash is what the documentation says', async (t) => {
  const big = Buffer.alloc(300_000, 'x');
  const files = { 'b.js': 'two', 'a/z.js': big, 'a.js': '', 'a/ä.js': 'ä', 'B.js': 'upper', 'proto.json': '{}' };
  const expected = createHash('sha256');
  for (const [name, content] of [
    ['B.js', 'upper'],
    ['a.js', ''],
    ['a/z.js', big],
    ['a/ä.js', 'ä'],
    ['b.js', 'two'],
    ['proto.json', '{}'],
  ] as const) {
    expected
      .update(name)
      .update('\0')
      .update(String(Buffer.byteLength(content)))
      .update('\0')
      .update(content);
  }
  t.equal(await measured(files), expected.digest('hex'));
  t.equal((await measureRuntime(tree(files))).length, 32);
});

void t.test('what counts, and what does not', async (t) => {
  const files = { 'a.js': 'a', 'b/c.js': 'c' };
  const same = await measured(files);
  t.equal(await measured({ 'b/c.js': 'c', 'a.js': 'a' }), same, 'the order in which they were made');
  t.equal(await measured({ ...files, 'a.d.ts': 'x', 'a.js.map': 'y' }), same, 'declarations and maps');
  const touched = tree(files);
  utimesSync(join(touched, 'a.js'), 1, 1);
  mkdirSync(join(touched, 'empty'));
  t.equal((await measureRuntime(`${touched}/`)).toString('hex'), same, 'times, empty folders, a slash at the end');
  const changes: Array<Readonly<Record<string, string>>> = [
    { 'a.js': 'b', 'b/c.js': 'c' },
    { 'a.js': 'a', 'b/d.js': 'c' },
    { 'a.js': 'a', 'c.js': 'c' },
    { 'a.js': 'ac', 'b/c.js': '' },
    { 'a.js': 'c', 'b/c.js': 'a' },
    { 'a.js': 'a' },
    { ...files, 'd.js': '' },
    { ...files, 'a.ts': '' },
  ];
  const others = await Promise.all(changes.map(measured));
  t.equal(new Set([same, ...others]).size, changes.length + 1, 'every change shows');
});

void t.test('what cannot be measured', async (t) => {
  const linked = tree({ 'a.js': 'a' });
  symlinkSync('a.js', join(linked, 'b.js'));
  for (const [what, path] of [
    ['a link', linked],
    ['nothing', tree({})],
    ['no folder', join(folder, 'none')],
    ['a file', join(tree({ 'a.js': 'a' }), 'a.js')],
  ] as const) {
    await t.rejects(measureRuntime(path), { code: 'ERR_VC_INVALID_ARGUMENT', message: /^cannot measure/ }, what);
  }
});

void t.test('the library itself: the same in every checkout, and what attesters say without being told', async (t) => {
  const compiled = fileURLToPath(new URL('../../../lib/', import.meta.url));
  t.ok(readdirSync(compiled).includes('index.js'));
  const checkouts = ['one', 'another place/two'].map((name) => join(folder, name));
  const [first, second] = checkouts.map((checkout) => join(checkout, 'dist', 'lib')) as [string, string];
  cpSync(compiled, first, { recursive: true });
  cpSync(first, second, { recursive: true });
  for (const checkout of checkouts) {
    writeFileSync(join(checkout, 'package.json'), '{"type":"module"}');
    symlinkSync(join(PROJECT_ROOT, 'node_modules'), join(checkout, 'node_modules'));
  }
  const hash = await measureRuntime(first);
  for (const lib of [first, second]) {
    const evidence = (await import(
      pathToFileURL(join(lib, 'attestation/evidence/index.js')).href
    )) as typeof import('../../../lib/attestation/evidence/index.js');
    t.same(await evidence.measureRuntime(), hash, 'itself, by default');
    const keyFiles = [join(lib, '..', 'psa.pem'), join(lib, '..', 'nitro.pem')] as const;
    t.same((await evidence.InsecureSoftwareAttester.open({ keyFile: keyFiles[0] })).runtimeHash, hash);
    t.same((await evidence.InsecureNitroAttester.open({ keyFile: keyFiles[1] })).runtimeHash, hash);
  }
  renameSync(join(second, 'index.js'), join(second, 'other.js'));
  t.notSame(await measureRuntime(second), hash);
});

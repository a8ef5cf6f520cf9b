/** What is loaded with each subpath: a layer loads itself alone, and nothing that few need is loaded before it is used. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { PROJECT_ROOT } from '../support/golden.js';
import { HANG_MS } from '../support/time.js';
import { execute } from './installed.js';

const RECORDER = new URL('./record-modules.js', import.meta.url).href;
const LIB = new URL('../../lib/', import.meta.url).href;

interface Loaded {
  /** Files of lib/, by their paths in it. */
  readonly files: string[];
  /** Names of packages. */
  readonly packages: string[];
}

/** The modules that a program loads. */
async function loadedBy(t: Test, program: string): Promise<Loaded> {
  const folder = mkdtempSync(join(tmpdir(), 'veracruz-streams-modules-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const env = { ...process.env, MODULES_FILE: join(folder, 'modules') };
  await execute(process.execPath, [`--import=${RECORDER}`, '--input-type=module', '--eval', program], {
    cwd: PROJECT_ROOT,
    env,
    timeout: HANG_MS,
  });
  const urls = readFileSync(env.MODULES_FILE, 'utf8').trim().split('\n');
  const packages = urls.map((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]).filter((name) => name !== undefined);
  return {
    files: urls.filter((url) => url.startsWith(LIB)).map((url) => url.slice(LIB.length)),
    packages: [...new Set(packages)].sort(),
  };
}

const importOf = (subpath: string) => `await import('veracruz-streams${subpath}');`;

/** The packages that each layer stands on. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  base64: [],
  bincode: [],
  frame: [],
  protobuf: ['protobufjs'],
  records: [],
  session: [],
  tls: ['node-forge'],
};

void t.test('a layer loads itself, and what all layers stand on', async (t) => {
  for (const [layer, packages] of Object.entries(LAYERS)) {
    const loaded = await loadedBy(t, importOf(`/layers/${layer}`));
    t.ok(loaded.files.includes(`layers/${layer}/index.js`), layer);
    const others = loaded.files.filter((file) => !new RegExp(`^(core|layers/formats|layers/${layer})/`).test(file));
    t.same(others, [], `${layer}: files`);
    t.same(loaded.packages, packages, `${layer}: packages`);
  }
});

void t.test('every layer of the package is tried', async (t) => {
  const { exports } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as { exports: Record<string, string> };
  const layers = Object.keys(exports).filter((subpath) => subpath.startsWith('./layers/'));
  t.same(
    layers.sort(),
    Object.keys(LAYERS).map((layer) => `./layers/${layer}`),
  );
});

void t.test('core, the pipeline and the store load no package, and no layer', async (t) => {
  for (const subpath of ['core', 'pipeline', 'store']) {
    const { files, packages } = await loadedBy(t, importOf(`/${subpath}`));
    t.same(packages, [], subpath);
    t.same(
      files.filter((file) => file.startsWith('layers/')),
      [],
      subpath,
    );
  }
});

void t.test('the client loads no package before it connects', async (t) => {
  const imported = await loadedBy(t, importOf('/roles/client'));
  t.same(imported.packages, []);
  t.ok(imported.files.length < 10, imported.files.join(' '));
  const connects = `const { VeracruzClient } = await import('veracruz-streams/roles/client');
    const identity = { certificate: '', key: '' };
    await VeracruzClient.connect({ identity, url: 'http://127.0.0.1:1', authority: '' }).catch(() => {});`;
  t.same((await loadedBy(t, connects)).packages, ['node-forge', 'protobufjs', 'undici']);
});

void t.test('the root and the roles load no HTTP client, no database, no console and nothing of the command line', async (t) => {
  for (const subpath of ['', '/roles', '/roles/server', '/roles/runtime-manager', '/roles/attestation-server']) {
    const { packages } = await loadedBy(t, importOf(subpath));
    t.same(
      packages.filter((name) => !['cborg', 'node-forge', 'protobufjs'].includes(name)),
      [],
      `veracruz-streams${subpath}`,
    );
  }
});

/** What is packed works in a fresh project: it compiles under TypeScript's defaults, its README's scripts run, its links lead somewhere. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { PROJECT_ROOT } from '../support/golden.js';
import { blocksOf, linksOf } from '../support/markdown.js';
import { HANG_MS } from '../support/time.js';
import { bytesIn, dependencies, execute, install, installed } from './installed.js';

/** What `npm install` of the tarball may bring, in MB (10^6 bytes): the package itself, and its dependencies. */
const BUDGET_MB = { package: 9, dependencies: 12 };

const folder = await installed(t);
const home = join(folder, 'node_modules', 'veracruz-streams');
const { exports } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { exports: Record<string, string> };
const modules = Object.entries(exports)
  .filter(([, file]) => file.endsWith('.js'))
  .map(([subpath]) => subpath.replace('.', 'veracruz-streams'));

/** A program that names every subpath, and uses the types of some. */
const PROGRAM = `${modules.map((name, i) => `import * as m${i} from '${name}';`).join('\n')}
import { type ClientOptions, lengthPrefix, memoryPipe, stack, VeracruzClient } from 'veracruz-streams';
import { vectors } from 'veracruz-streams/wire';

const [left] = memoryPipe();
stack(lengthPrefix()).over(left).destroy();
// @ts-expect-error a limit is a number
lengthPrefix({ maxMessageBytes: 'many' });
export const connect = (options: ClientOptions): Promise<VeracruzClient> => VeracruzClient.connect(options);
export const header: 'tcp9' | 'icecap4' | undefined = vectors('frame')[0]?.value.header;
export const all = [${modules.map((_, i) => `m${i}`).join(', ')}];
`;

void t.test('every subpath can be imported', async (t) => {
  t.ok(modules.length >= 15);
  const program = modules.map((name) => `console.log(Object.keys(await import('${name}')).length > 0);`).join('\n');
  const { stdout, stderr } = await execute(process.execPath, ['--input-type=module', '--eval', program], { cwd: folder, timeout: HANG_MS });
  t.equal(stderr, '');
  t.same(stdout.trim().split('\n'), Array(modules.length).fill('true'));
});

void t.test('it compiles in strict mode, with the declarations checked', async (t) => {
  install(folder, ['node_modules/@types/node', 'node_modules/undici-types']);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'program.ts'), PROGRAM);
  const tsc = join(PROJECT_ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  for (const [module, moduleResolution] of [
    ['NodeNext', 'NodeNext'],
    ['ESNext', 'Bundler'],
  ] as const) {
    const compilerOptions = {
      module,
      moduleResolution,
      target: 'ES2022',
      strict: true,
      skipLibCheck: false,
      noEmit: true,
      types: ['node'],
    };
    const project = join(folder, `tsconfig.${moduleResolution}.json`);
    writeFileSync(project, JSON.stringify({ compilerOptions, files: ['program.ts'] }));
    const said = await execute(process.execPath, [tsc, '-p', project], { cwd: folder, timeout: HANG_MS }).then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    );
    t.equal(said, '', moduleResolution);
  }
});

void t.test('scripts of the README files run there', async (t) => {
  const texts = ['README.md', 'fixtures/wire/README.md'].map((file) => readFileSync(join(home, file), 'utf8'));
  const scripts = texts.flatMap(blocksOf).filter(({ language, info }) => language === 'js' && /^run\b/.test(info));
  t.ok(scripts.length >= 2);
  for (const { text } of scripts) {
    const { stdout, stderr } = await execute(process.execPath, ['--input-type=module', '--eval', text], { cwd: folder, timeout: HANG_MS });
    t.equal(stderr, '');
    t.not(stdout, '');
  }
});

void t.test('relative links of its documents lead to files of the package', async (t) => {
  const documents = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.md'));
  for (const one of ['README.md', 'fixtures/wire/README.md', 'docs/threat-model.md']) t.ok(documents.includes(one), one);
  for (const document of documents) {
    const links = linksOf(readFileSync(join(home, document), 'utf8')).filter((link) => !/^[a-z]+:|^#/.test(link));
    const dead = links.filter((link) => !existsSync(join(home, dirname(document), link.replace(/#.*/, ''))));
    t.same(dead, [], document);
  }
});

void t.test('source maps have their sources in them', async (t) => {
  const maps = readdirSync(join(home, 'dist'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.map'));
  t.ok(maps.length > 0);
  const without = maps.filter((file) => {
    const map = JSON.parse(readFileSync(join(home, 'dist', file), 'utf8')) as { sources: string[]; sourcesContent?: string[] };
    return map.sourcesContent?.length !== map.sources.length;
  });
  t.same(without, []);
});

void t.test('the command works, and says what to install for what few need', async (t) => {
  const main = join(home, 'dist', 'lib', 'cli', 'main.js');
  const run = (...parameters: string[]) =>
    execute(process.execPath, [main, ...parameters], { cwd: folder, timeout: HANG_MS }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
  for (const command of ['client', 'server', 'runtime', 'attest', 'demo', 'policy', 'inspect']) {
    t.match(await run(command, '--help'), { code: 0, stdout: /^Usage: veracruz-streams / }, command);
  }
  const missing = (name: string) => ({ code: 1, stderr: new RegExp(`npm install ${name} \\(ERR_VC_MISSING_PACKAGE\\)`) });
  t.match(await run('attest', 'allow', 'linux', 'ab'.repeat(32)), missing('@electric-sql/pglite'));
  t.match(await run('attest', 'devices', '--database', 'postgres://127.0.0.1:1/none'), missing('pg'));
  t.match(await run('demo', '--size', '1M'), missing('@electric-sql/pglite'));
  const listens = `import { listenPipe, parseAddress } from 'veracruz-streams';
    await listenPipe(parseAddress('serial:///dev/null'), () => {}).catch(({ code, message }) => console.log(code, message));`;
  const { stdout } = await execute(process.execPath, ['--input-type=module', '--eval', listens], { cwd: folder, timeout: HANG_MS });
  t.match(stdout, /^ERR_VC_MISSING_PACKAGE a serial address needs the package serialport: npm install serialport\n$/);
});

void t.test('it stays within its weight', async (t) => {
  const weights = { package: bytesIn(home), dependencies: 0 };
  const roots = dependencies().filter((path) => path.indexOf('node_modules/', 1) === -1);
  for (const path of roots) weights.dependencies += bytesIn(join(folder, path));
  for (const [what, bytes] of Object.entries(weights)) {
    const limit = BUDGET_MB[what as keyof typeof BUDGET_MB];
    t.comment(`${what}: ${(bytes / 1e6).toFixed(1)} MB`);
    t.ok(bytes <= limit * 1e6, `${what}: ${(bytes / 1e6).toFixed(1)} MB of ${limit}`);
  }
});

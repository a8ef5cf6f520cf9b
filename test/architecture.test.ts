/** The rules of the architecture: who may import whom, and that every kind of error is documented. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { ESLint } from 'eslint';
import t, { type Test } from 'tap';
import { ERROR_CLASSES, VeracruzError } from '../lib/core/errors.js';
import { PROJECT_ROOT } from './support/golden.js';
import './support/long.js';

/** Files that need not exist, and what they must not import. */
const WRONG = [
  ['lib/core/planted.ts', '../pipeline/stack.js'],
  ['lib/core/planted.ts', '../enclave/store/file-name.js'],
  ['lib/pipeline/planted.ts', '../transports/memory.js'],
  ['lib/transports/planted.ts', '../pipeline/stack.js'],
  ['lib/enclave/planted.ts', '../transports/memory.js'],
  ['lib/layers/frame/planted.ts', '../bincode/index.js'],
  ['lib/layers/frame/planted.ts', '../../pipeline/stack.js'],
  ['lib/layers/formats/planted.ts', '../frame/index.js'],
  ['lib/layers/formats/planted.ts', '../../transports/memory.js'],
  ['lib/roles/client/planted.ts', '../server/server.js'],
] as const;
const RIGHT = [
  ['lib/core/planted.ts', './errors.js'],
  ['lib/layers/frame/planted.ts', './index.js'],
  ['lib/layers/frame/planted.ts', '../../core/errors.js'],
  ['lib/layers/frame/planted.ts', '../formats/dialect.js'],
  ['lib/layers/formats/planted.ts', '../../core/errors.js'],
  ['lib/roles/client/planted.ts', '../http-answers.js'],
  ['lib/roles/client/planted.ts', '../../layers/formats/dialect.js'],
  ['lib/enclave/planted.ts', '../core/errors.js'],
  ['lib/roles/planted.ts', '../transports/memory.js'],
] as const;

// One list for all: the first one that the type checker is given counts for the whole process.
const planted = [...new Set([...WRONG, ...RIGHT].map(([file]) => file))];
const eslint = new ESLint({
  cwd: PROJECT_ROOT,
  overrideConfig: {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: planted } } },
  },
});

/** Rules that the project's own configuration finds broken by a file that holds one import. */
async function broken(file: string, specifier: string): Promise<Array<string | null>> {
  const [result] = await eslint.lintText(`import * as planted from '${specifier}';\nconsole.log(planted);\n`, { filePath: file });
  return (result?.messages ?? []).map(({ ruleId }) => ruleId);
}

void t.test('an import against the direction of the architecture fails the lint', async (t) => {
  for (const [file, specifier] of WRONG) {
    t.same(await broken(file, specifier), ['no-restricted-imports'], `${file} must not import ${specifier}`);
  }
  for (const [file, specifier] of RIGHT) t.same(await broken(file, specifier), [], `${file} may import ${specifier}`);
});

/**
 * Lints one import in a project of the test's own that has this project's configuration and, in lib/, empty folders of the
 * same names besides `folders`. The configuration reads those folders when it is loaded, so a new folder shows there.
 */
async function brokenBeside(t: Test, folders: readonly string[], file: string, specifier: string): Promise<Array<string | null>> {
  const root = t.testdir({
    'tsconfig.json': '{ "compilerOptions": { "module": "nodenext", "strict": true }, "include": ["lib"] }',
    'package.json': '{ "type": "module" }',
  });
  copyFileSync(join(PROJECT_ROOT, 'eslint.config.js'), join(root, 'eslint.config.js'));
  const lib = join(PROJECT_ROOT, 'lib');
  const known = readdirSync(lib, { withFileTypes: true, recursive: true }).filter((entry) => entry.isDirectory());
  for (const { parentPath, name } of known) mkdirSync(join(root, 'lib', parentPath.slice(lib.length), name), { recursive: true });
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, file), `import * as planted from '${specifier}';\nconsole.log(planted);\n`);
  const [result] = await new ESLint({ cwd: root }).lintFiles([file]);
  return (result?.messages ?? []).map(({ ruleId }) => ruleId);
}

void t.test('the folder of a new layer or role cannot escape the lint', async (t) => {
  const layer = ['lib/layers/new-layer'];
  const role = ['lib/roles/new-role'];
  const cases = [
    [layer, 'lib/layers/new-layer/index.ts', '../base64/index.js', ['no-restricted-imports']],
    [layer, 'lib/layers/new-layer/index.ts', '../../pipeline/stack.js', ['no-restricted-imports']],
    [layer, 'lib/layers/base64/index.ts', '../new-layer/index.js', ['no-restricted-imports']],
    [layer, 'lib/layers/new-layer/index.ts', '../formats/dialect.js', []],
    [role, 'lib/roles/new-role/role.ts', '../client/client.js', ['no-restricted-imports']],
    [role, 'lib/roles/client/client.ts', '../new-role/role.js', ['no-restricted-imports']],
    [role, 'lib/roles/new-role/role.ts', '../stacks.js', []],
  ] as const;
  for (const [folders, file, specifier, expected] of cases) {
    await t.test(`${file} imports ${specifier}`, async (t) => t.same(await brokenBeside(t, folders, file, specifier), expected));
  }
  await t.test('a folder of lib/ that the rules do not name', async (t) =>
    t.rejects(brokenBeside(t, ['lib/new-folder'], 'lib/core/errors.ts', './check.js'), { message: /lib\/new-folder/ }),
  );
});

void t.test('every file of layers/ is in the folder of a layer', async (t) => {
  const entries = readdirSync(join(PROJECT_ROOT, 'lib', 'layers'), { withFileTypes: true });
  t.same(
    entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name),
    ['index.ts'],
    'besides the list of what all of them export',
  );
});

/** The files that import each other in a circle, type-only imports included; each circle in the order of the alphabet. */
function cyclesOf(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const reach = (from: string) => {
    const seen = new Set<string>();
    const next = [...(imports.get(from) ?? [])];
    for (let file = next.pop(); file !== undefined; file = next.pop()) {
      if (seen.has(file)) continue;
      seen.add(file);
      next.push(...(imports.get(file) ?? []));
    }
    return seen;
  };
  const reached = new Map([...imports.keys()].map((file) => [file, reach(file)]));
  const circles = [...imports.keys()]
    .filter((file) => reached.get(file)?.has(file))
    .map((file) => [...imports.keys()].filter((other) => reached.get(file)?.has(other) && reached.get(other)?.has(file)).sort());
  return [...new Map(circles.map((circle) => [circle.join(), circle])).values()];
}

/** What each file of lib/ imports from lib/. */
function importsOfLib(): Map<string, string[]> {
  const files = readdirSync(join(PROJECT_ROOT, 'lib'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return new Map(
    files.map((file) => {
      const text = readFileSync(join(PROJECT_ROOT, 'lib', file), 'utf8');
      const specifiers = [...text.matchAll(/(?:\bfrom|\bimport\(|\bimport) ?'(\.[^']+)\.js'/g)].map(([, path]) => path as string);
      const paths = specifiers.map((path) => normalize(join(dirname(file), path)));
      return [file, paths.map((path) => (files.includes(`${path}.ts`) ? `${path}.ts` : `${path}.d.ts`))];
    }),
  );
}

void t.test('no file imports itself by way of others, not even for a type', async (t) => {
  const made = new Map([
    ['a.ts', ['b.ts']],
    ['b.ts', ['c.ts', 'd.ts']],
    ['c.ts', ['a.ts']],
    ['d.ts', []],
    ['e.ts', ['e.ts', 'a.ts']],
  ]);
  t.same(cyclesOf(made), [['a.ts', 'b.ts', 'c.ts'], ['e.ts']], 'circles are found');
  const imports = importsOfLib();
  t.ok([...imports.values()].flat().length > 500, 'imports are found');
  t.same(
    [...imports.values()].flat().filter((file) => !imports.has(file)),
    [],
    'all of them lead to files',
  );
  t.same(cyclesOf(imports), []);
});

void t.test('core needs nothing but Node', async (t) => {
  const core = join(PROJECT_ROOT, 'lib', 'core');
  const specifiers = readdirSync(core).flatMap((file) =>
    [...readFileSync(join(core, file), 'utf8').matchAll(/(?:from|import\() ?'([^']+)'/g)].map((match) => match[1] as string),
  );
  t.ok(specifiers.length > 0);
  t.same(
    specifiers.filter((specifier) => !/^(node:|\.\/)/.test(specifier)),
    [],
  );
});

void t.test('every class of error has a code of its own, and a row in docs/errors.md', async (t) => {
  const page = readFileSync(join(PROJECT_ROOT, 'docs', 'errors.md'), 'utf8');
  const documented = [...page.matchAll(/^\| `(\w+)` +\| `(\w+)` +\| (.+) \|$/gm)].map(([, code, name]) => `${code} ${name}`);
  const classes = ERROR_CLASSES.map((ErrorClass) => {
    const error = new ErrorClass('x');
    t.ok(error instanceof VeracruzError);
    // All aborts in Node have this name.
    t.equal(error.name, ErrorClass.name === 'AbortedError' ? 'AbortError' : ErrorClass.name);
    t.match(error.code, /^ERR_VC_[A-Z0-9_]+$/);
    return `${error.code} ${ErrorClass.name}`;
  });
  t.equal(new Set(ERROR_CLASSES.map((ErrorClass) => new ErrorClass('x').code)).size, classes.length, 'no code twice');
  t.same(documented.sort(), classes.sort());
});

void t.test('no class of error is missing from the table', async (t) => {
  const errors = await import('../lib/core/errors.js');
  const exported = Object.values(errors).filter((value) => typeof value === 'function' && value.prototype instanceof VeracruzError);
  t.same(new Set(exported), new Set(ERROR_CLASSES));
});

/** The rules of the architecture: who may import whom, and that every kind of error is documented. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ESLint } from 'eslint';
import t from 'tap';
import { ERROR_CLASSES, VeracruzError } from '../lib/core/errors.js';
import { PROJECT_ROOT } from './support/golden.js';

/** Files that need not exist, and what they must not import. */
const WRONG = [
  ['lib/core/planted.ts', '../pipeline/stack.js'],
  ['lib/core/planted.ts', '../enclave/store/file-name.js'],
  ['lib/pipeline/planted.ts', '../transports/memory.js'],
  ['lib/transports/planted.ts', '../pipeline/stack.js'],
  ['lib/enclave/planted.ts', '../transports/memory.js'],
  ['lib/layers/frame/planted.ts', '../bincode/index.js'],
  ['lib/layers/frame/planted.ts', '../../pipeline/stack.js'],
] as const;
const RIGHT = [
  ['lib/core/planted.ts', './errors.js'],
  ['lib/layers/frame/planted.ts', './index.js'],
  ['lib/layers/frame/planted.ts', '../../core/errors.js'],
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

void t.test('every class of error has a code of its own, and a row in the README', async (t) => {
  const readme = readFileSync(join(PROJECT_ROOT, 'README.md'), 'utf8');
  const section = /^## Errors$([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(readme)?.[1] ?? '';
  const documented = [...section.matchAll(/^\| `(\w+)` +\| `(\w+)` +\| (.+) \|$/gm)].map(([, code, name]) => `${code} ${name}`);
  const classes = ERROR_CLASSES.map((ErrorClass) => {
    const error = new ErrorClass('x');
    t.ok(error instanceof VeracruzError);
    t.equal(error.name, ErrorClass.name);
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

/** The examples in docstrings compile, with the names that the package exports. */
import { join } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { exportedNames, sourceProgram } from '../../docs/tools/exports.js';
import { readFolder } from '../../docs/tools/generated.js';
import { REFERENCE } from '../../docs/tools/reference.js';
import { PROJECT_ROOT } from '../support/golden.js';

/** What examples take for granted. */
const GIVEN = `
import type { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import '../support/long.js';
declare const socket: Duplex, upload: Readable;
declare const certificate: string, key: string, authority: string, hash: string;
declare const policy: import('PROJECT/lib/enclave/policy/index.js').Policy;
declare const principal: import('PROJECT/lib/enclave/policy/index.js').Principal;
declare const store: import('PROJECT/lib/enclave/store/file-store.js').DirectoryStore;
declare const signal: AbortSignal;
`;

/** Faults of names that are not used: an example may end with one. */
const UNUSED = new Set([6133, 6192, 6198]);

/** The examples of the reference; each once. */
function examples(): string[] {
  const pages = [...readFolder(REFERENCE, '.md').values()].join('\n');
  const found = [...pages.matchAll(/^#+ Example\n\n```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code as string);
  return [...new Set(found)];
}

const exported = exportedNames();

/** A module with one example in it, and the imports that it needs. */
function moduleOf(code: string): string {
  const names = exported.filter(({ name }) => new RegExp(`(?<![.\\w'])${name}\\b`).test(code));
  const declared = new Set([...code.matchAll(/const (?:\{ ([^}]*) \}|(\w+))/g)].flatMap(([, many, one]) => many?.split(', ') ?? [one]));
  const imports = names.map(
    ({ name, declared: own, file }) => `import { ${own} as ${name} } from 'PROJECT/lib/${file.replace(/\.ts$/, '.js')}';`,
  );
  const given = GIVEN.replaceAll(/declare const (.*);/g, (_, list: string) => {
    const kept = list.split(/, (?=\w+:)/).filter((one) => !declared.has(one.split(':')[0] as string));
    return kept.length === 0 ? '' : `declare const ${kept.join(', ')};`;
  });
  return `${given}\n${imports.join('\n')}\n${code}\nexport {};\nvoid [socket, upload, pipeline];`.replaceAll(
    'PROJECT',
    PROJECT_ROOT.replace(/\/$/, ''),
  );
}

void t.test('every example compiles', async (t) => {
  const codes = examples();
  t.ok(codes.length >= 10, `${codes.length} examples`);
  const folder = t.testdir(Object.fromEntries(codes.map((code, i) => [`example-${i}.ts`, moduleOf(code)])));
  const program = sourceProgram(codes.map((_, i) => join(folder, `example-${i}.ts`)));
  for (const [i, code] of codes.entries()) {
    const faults = program.getSemanticDiagnostics(program.getSourceFile(join(folder, `example-${i}.ts`)));
    t.same(
      faults.filter((fault) => !UNUSED.has(fault.code)).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
      [],
      code,
    );
  }
});

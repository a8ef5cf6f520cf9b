/** What the package exports, read from the sources behind `exports` of package.json. */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export interface Exported {
  /** The name under which it is exported. */
  readonly name: string;
  /** Its name in the file that declares it. */
  readonly declared: string;
  /** That file, by its path in lib/. */
  readonly file: string;
  /** Whether it is a type alone. */
  readonly isType: boolean;
  /** What it is imported from, e.g. `veracruz-streams/policy`. The first one of package.json that has it under this name. */
  readonly from: string;
}

interface Manifest {
  readonly name: string;
  /** Each a compiled file, or files of conditions. */
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

/** The source of each entry point, by what it is imported from. */
function entryPoints(): Map<string, string> {
  const { name, exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
  const typed = Object.entries(exports).flatMap(([path, target]) => {
    const compiled = typeof target === 'string' ? target : target.default;
    const [, source] = /^\.\/dist\/(lib\/.*)\.js$/.exec(compiled ?? '') ?? [];
    return source === undefined ? [] : [[path.replace(/^\./, name), `${source}.ts`] as const];
  });
  return new Map(typed.map(([from, source]) => [from, join(ROOT, source)]));
}

function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as { config: unknown };
  const { tsBuildInfoFile: _, ...options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT).options;
  return { ...options, noEmit: true, incremental: false };
}

/** The sources that begin with `files`, as the compiler sees them. */
export function sourceProgram(files: readonly string[]): ts.Program {
  return ts.createProgram(files, compilerOptions());
}

/** Every exported name, once for each thing that it stands for. */
export function exportedNames(): Exported[] {
  const entries = entryPoints();
  const program = sourceProgram([...entries.values()]);
  const found = new Map<string, Exported>();
  for (const [from, source] of entries) {
    for (const one of exportsOf(program, from, source)) {
      const thing = `${one.file}#${one.declared}`;
      if (!found.has(thing)) found.set(thing, one);
    }
  }
  return [...found.values()];
}

function exportsOf(program: ts.Program, from: string, source: string): Exported[] {
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(source);
  const module = file === undefined ? undefined : checker.getSymbolAtLocation(file);
  if (module === undefined) throw new Error(`${from} of package.json has no source at ${source}`);
  return checker.getExportsOfModule(module).map((symbol) => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const declaredIn = target.declarations?.[0]?.getSourceFile().fileName;
    if (declaredIn === undefined) throw new Error(`${from} exports ${symbol.name}, which is nothing`);
    return {
      name: symbol.name,
      declared: target.name,
      file: relative(join(ROOT, 'lib'), declaredIn),
      isType: (target.flags & ts.SymbolFlags.Value) === 0,
      from,
    };
  });
}

/** The programs of a checkout of the WebAssembly project's wasi-testsuite, with what each is given and must come to. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Case {
  /** `<language>/<name>` */
  readonly name: string;
  readonly program: Buffer;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Files below the root, by their names. */
  readonly files: ReadonlyMap<string, Buffer>;
  readonly exitCode: number;
  /** Undefined where it does not matter. */
  readonly stdout: string | undefined;
}

/** What a file beside a program says, in the older of the suite's two forms. */
interface Specification {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly root?: string | null;
  readonly exit_code?: number;
  readonly stdout?: string;
}

const TARGET = 'wasm32-wasip1';

/** @param folder the checkout, of the branch that has the compiled programs (prod/testsuite-base) */
export function casesIn(folder: string): Case[] {
  const tests = join(folder, 'tests');
  const languages = existsSync(tests) ? readdirSync(tests).filter((name) => existsSync(join(tests, name, 'testsuite', TARGET))) : [];
  return languages.flatMap((language) => {
    const at = join(tests, language, 'testsuite', TARGET);
    return readdirSync(at)
      .filter((name) => name.endsWith('.wasm'))
      .map((name) => caseOf(at, language, name.slice(0, -'.wasm'.length)));
  });
}

function caseOf(at: string, language: string, name: string): Case {
  const path = join(at, `${name}.json`);
  const said = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Specification) : {};
  return {
    name: `${language}/${name}`,
    program: readFileSync(join(at, `${name}.wasm`)),
    args: said.args ?? [],
    env: said.env ?? {},
    files: said.root ? filesBelow(join(at, said.root)) : new Map(),
    exitCode: said.exit_code ?? 0,
    stdout: said.stdout,
  };
}

/** Files of the suite's own work, like `.keep`, are there so that git keeps their folders. */
function filesBelow(root: string): Map<string, Buffer> {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(root.length), readFileSync(path)];
    }),
  );
}

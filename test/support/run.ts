/**
 * Runs the tests: `node dist/test/support/run.js [--fast|--versions] [arguments of tap]`. With `--fast` those files alone that
 * start no process, open no database and do not take long; with `--versions` those without processes and databases in which a
 * version of Node may make a difference. Exits as tap does.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROJECT_ROOT } from './golden.js';
import { FILE_MS } from './time.js';

const TESTS = join(PROJECT_ROOT, 'dist', 'test');
/** The modules that mark a file; each says what of. */
const PROCESSES = join(TESTS, 'support', 'processes.js');
const LONG = join(TESTS, 'support', 'long.js');

/** The modules of `test/` that a compiled module imports. */
function importsOf(path: string): string[] {
  const text = readFileSync(path, 'utf8');
  return [...text.matchAll(/^(?:import|export)\s(?:[^'"]*\sfrom\s)?['"](\.[^'"]+)['"]/gm)]
    .map(([, specifier]) => resolve(dirname(path), specifier as string))
    .filter((imported) => !relative(TESTS, imported).startsWith('..') && existsSync(imported));
}

/** Whether a compiled test imports a mark, itself or through others. */
export function isMarked(path: string, mark = PROCESSES): boolean {
  const seen = new Set<string>();
  const waiting = [path];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next === mark) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    waiting.push(...importsOf(next));
  }
  return false;
}

/** Every compiled test file. */
export function testFiles(): string[] {
  const names = readdirSync(TESTS, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.test.js')).map((name) => join(TESTS, name));
}

/** Those that start no process and open no database. */
function withoutProcesses(): string[] {
  return testFiles().filter((path) => !isMarked(path));
}

/** Those of them that take no longer than some seconds each. */
export function fastFiles(): string[] {
  return withoutProcesses().filter((path) => !isMarked(path, LONG));
}

/** What stands on streams, sockets, HTTP and TLS of Node, and some sessions through all layers. */
const ON_NODE =
  /^(?:golden|layers|pipeline|transports|wire)\/|^roles\/(?:abort|client-ends|direct-session|http-session|manager-admission|stacks|tls-session)\./;
/** Long computations, the same in every version. */
const THE_SAME = /^layers\/(?:tls\/integrity|base64\/base64|bincode\/messages)\./;

/** Those that other versions of Node run, in CI: less than a minute each. */
export function versionFiles(): string[] {
  return withoutProcesses().filter((path) => {
    const name = relative(TESTS, path);
    return ON_NODE.test(name) && !THE_SAME.test(name);
  });
}

const SETS: Readonly<Record<string, () => string[]>> = { '--fast': fastFiles, '--versions': versionFiles };

async function main(parameters: readonly string[]): Promise<void> {
  const others = parameters.filter((parameter) => !(parameter in SETS));
  const files = parameters.flatMap((parameter) => SETS[parameter]?.() ?? []).map((path) => relative(PROJECT_ROOT, path));
  const tap = [join(PROJECT_ROOT, 'node_modules', '.bin', 'tap'), `--timeout=${FILE_MS / 1000}`, ...others, ...files];
  const plain = `--import=${new URL('./plain-tap.js', import.meta.url).href}`;
  const child = spawn(process.execPath, [plain, ...tap], { cwd: PROJECT_ROOT, stdio: 'inherit' });
  const [code] = (await once(child, 'close')) as [number | null];
  process.exitCode = code ?? 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(process.argv.slice(2));

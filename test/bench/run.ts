import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Test } from 'tap';
import type { Measured, Run } from '../../bench/harness/result.js';
import { PROJECT_ROOT } from '../support/golden.js';
import '../support/processes.js';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the suite to its end. */
export async function runBench(module: string, args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [join(PROJECT_ROOT, 'dist', 'bench', `${module}.js`), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

/** Runs the suite; gives what it wrote. */
export async function runSuite(t: Pick<Test, 'teardown'>, args: readonly string[]): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'vc-bench-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const json = join(folder, 'run.json');
  const { code, stderr } = await runBench('main', [...args, '--json', json]);
  if (code !== 0) throw new Error(`exit ${code}: ${stderr}`);
  return JSON.parse(readFileSync(json, 'utf8')) as Run;
}

/** What every result has. */
export function checkResults(t: Pick<Test, 'ok'>, results: readonly Measured[]): void {
  for (const { name, by, bytes, seconds, mbPerSecond, rounds, spread } of results) {
    const figures = [bytes, seconds, mbPerSecond, rounds];
    t.ok(
      figures.every((figure) => figure > 0 && Number.isFinite(figure)),
      `${name} by ${by}: ${figures.join(', ')}`,
    );
    t.ok(spread >= 0, `${name}: spread`);
  }
}

/** The package as its users have it: packed, and installed into a folder of its own outside of the checkout. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { PROJECT_ROOT } from '../support/golden.js';
import '../support/processes.js';
import { HANG_MS } from '../support/time.js';

export const execute = promisify(execFile);

interface Locked {
  dev?: boolean;
}

/** Folders of the packages that come with this one: all of the lock file that is there not for development alone. */
export function dependencies(): string[] {
  const lock = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, Locked> };
  return Object.entries(lock.packages)
    .filter(([folder, { dev }]) => folder !== '' && dev !== true)
    .map(([folder]) => folder);
}

/** Bytes of all files in a folder. */
export function bytesIn(folder: string): number {
  const files = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

/** Copies packages of the checkout. A package that stands inside another one comes with it. */
export function install(folder: string, packages: readonly string[]): void {
  for (const path of packages) {
    if (!existsSync(join(folder, path))) cpSync(join(PROJECT_ROOT, path), join(folder, path), { recursive: true });
  }
}

/**
 * A fresh folder with the packed package and its dependencies in `node_modules`, and nothing else. Removed behind the test.
 * The dependencies are copies: a link would lead back into the checkout, where every package can be found.
 */
export async function installed(t: Test): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'veracruz-streams-installed-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const { stdout } = await execute('npm', pack, { cwd: PROJECT_ROOT, timeout: HANG_MS, maxBuffer: 2 ** 26 });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  await execute('tar', ['-xzf', filename], { cwd: folder, timeout: HANG_MS });
  mkdirSync(join(folder, 'node_modules'));
  renameSync(join(folder, 'package'), join(folder, 'node_modules', 'veracruz-streams'));
  install(folder, dependencies());
  return folder;
}

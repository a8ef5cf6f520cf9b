import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import t from 'tap';
import { makeFolder } from '../../lib/core/make-folder.js';

function fresh(t: { teardown: (end: () => void) => unknown }): string {
  const folder = mkdtempSync(join(tmpdir(), 'vc-make-folder-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const modeOf = (path: string) => statSync(path).mode & 0o777;

void t.test('a folder, and those above it, for their owner alone', async (t) => {
  const folder = fresh(t);
  t.equal(await makeFolder(join(folder, 'a', 'b', 'c')), join(folder, 'a'), 'the topmost that was missing is told');
  t.equal(await makeFolder(join(folder, 'a', 'b', 'c')), undefined);
  t.equal(await makeFolder(join(folder, 'a', 'b', 'd')), join(folder, 'a', 'b', 'd'));
  for (const path of ['a', 'a/b', 'a/b/c']) t.equal(modeOf(join(folder, path)), 0o700, path);
  await makeFolder(relative(process.cwd(), join(folder, 'd', 'e')));
  t.equal(modeOf(join(folder, 'd', 'e')), 0o700, 'by a relative path');
  await makeFolder(`${join(folder, 'f')}/`);
  t.ok(existsSync(join(folder, 'f')));
});

void t.test('one that is there is left as it is', async (t) => {
  const folder = fresh(t);
  mkdirSync(join(folder, 'open'));
  chmodSync(join(folder, 'open'), 0o755);
  symlinkSync('open', join(folder, 'link'));
  for (const path of ['open', 'link', '.', '..']) await makeFolder(join(folder, path));
  await makeFolder('/');
  t.equal(modeOf(join(folder, 'open')), 0o755);
});

void t.test('what refuses says so, and there is an end', async (t) => {
  const folder = fresh(t);
  writeFileSync(join(folder, 'file'), '');
  symlinkSync('nowhere', join(folder, 'dangling'));
  await t.rejects(makeFolder(join(folder, 'file')), { code: 'EEXIST' });
  await t.rejects(makeFolder(join(folder, 'dangling')), { code: 'EEXIST' });
  await t.rejects(makeFolder(join(folder, 'file', 'below')), { code: 'ENOTDIR' });
  if (existsSync('/proc/self')) {
    await t.rejects(makeFolder('/proc/veracruz'), { code: 'ENOENT' });
    await t.rejects(makeFolder('/proc/veracruz/below'), { code: 'ENOENT' });
  }
});

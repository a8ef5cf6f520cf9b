/** docs/reference is what the docstrings give. */
import t from 'tap';
import { differences, readFolder } from '../../docs/tools/generated.js';
import { GROUPS, pageOf } from '../../docs/tools/pages.js';
import { REFERENCE, referencePages } from '../../docs/tools/reference.js';
import '../support/long.js';
import { DIALECTS, ERROR_CLASSES } from '../support/public.js';

void t.test('the pages are up to date', async (t) => {
  const made = await referencePages();
  t.ok(made.size > 20, `${made.size} pages`);
  t.same(differences(made, readFolder(REFERENCE, '.md')), [], 'run `npm run docs:reference`');
  const errors = made.get('errors.md') as string;
  for (const { name } of ERROR_CLASSES) t.ok(errors.includes(`\n### ${name}\n`), name);
  for (const dialect of DIALECTS) t.ok(made.get('bincode.md')?.includes(`"${dialect}"`), dialect);
});

void t.test('a page that differs, is missing or is left over is noticed', async (t) => {
  const made = new Map([
    ['a.md', 'a'],
    ['b.md', 'b'],
    ['c.md', 'c'],
  ]);
  const there = new Map([
    ['a.md', 'a'],
    ['b.md', 'other'],
    ['d.md', 'd'],
  ]);
  t.same(differences(made, there), ['b.md', 'c.md', 'd.md']);
});

void t.test('each file of lib/ has one page, and each page a title of its own', async (t) => {
  t.equal(pageOf('layers/frame/length-prefix.ts').name, 'length-prefix');
  t.equal(pageOf('layers/frame/frame.ts').name, 'frame');
  t.equal(pageOf('attestation/evidence/psa.ts').name, 'evidence');
  t.throws(() => pageOf('nowhere/at-all.ts'), { message: /has no page for lib\/nowhere\/at-all\.ts/ });
  const titles = GROUPS.flatMap(({ pages }) => pages.map(({ title }) => title));
  t.equal(new Set(titles).size, titles.length);
});

/** What can be imported is what the page says, and the page says all of it. */
import t from 'tap';
import { projectText, tableRows } from '../support/markdown.js';

const NAME = 'veracruz-streams';

void t.test('every export of the package is in the table, and nothing else', (t) => {
  const { exports } = JSON.parse(projectText('package.json')) as { exports: Record<string, unknown> };
  const expected = Object.keys(exports)
    .filter((path) => path !== './package.json')
    .map((path) => path.replace('.', NAME));
  const listed: string[] = [];
  for (const [cell = ''] of tableRows(projectText('docs/imports.md'), ['import', 'has'])) {
    let folder = '';
    for (const [, path = ''] of cell.matchAll(/`([^`]+)`/g)) {
      if (!path.startsWith('…')) folder = path.slice(0, path.lastIndexOf('/'));
      listed.push(path.replace('…', folder));
    }
  }
  t.same(listed.sort(), expected.sort());
  t.end();
});

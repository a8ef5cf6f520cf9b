/** docs/errors.md and docs/limits.md are what the code gives, and say nothing that the code does not have. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { BEYOND } from '../../docs/tools/beyond.js';
import { ERRORS, errorsPage } from '../../docs/tools/errors.js';
import { OPTION_SETS } from '../../docs/tools/limit-options.js';
import { LIMITS, limitsPage, shown, split } from '../../docs/tools/limits.js';
import '../support/long.js';
import { tableRows } from '../support/markdown.js';
import * as api from '../support/public.js';

const codes = api.ERROR_CLASSES.map((ErrorClass) => new ErrorClass('').code);

void t.test('the pages are up to date', async (t) => {
  t.equal(readFileSync(ERRORS, 'utf8'), errorsPage(), 'run `npm run docs:errors`');
  t.equal(readFileSync(LIMITS, 'utf8'), await limitsPage(), 'run `npm run docs:limits`');
});

void t.test('each error has its row', async (t) => {
  const rows = tableRows(errorsPage(), ['code', 'class', 'where', 'meaning', 'what to do']);
  t.same(
    rows.map(([code, name]) => `${code} ${name}`),
    api.ERROR_CLASSES.map(({ name }, i) => `\`${codes[i]}\` \`${name}\``),
  );
  for (const row of rows) t.ok(row.length === 5 && row.every((cell) => cell !== ''), String(row[0]));
});

/** Constants of defaults without a limit that anybody could pass. */
const WITHOUT = ['CREATE_POLICY_DEFAULTS', 'EVIDENCE_DEFAULTS'];

void t.test('each constant of defaults has its table, with every limit of it', async (t) => {
  const exported = Object.keys(api).filter((name) => name.endsWith('_DEFAULTS') && !WITHOUT.includes(name));
  t.same(OPTION_SETS.flatMap(({ defaults = [] }) => defaults).sort(), exported.sort());
  const page = await limitsPage();
  const rows = tableRows(page, ['option', 'default', 'flag', 'bounds', 'beyond']);
  t.ok(rows.length > 100, `${rows.length} limits`);
  for (const { title, defaults } of OPTION_SETS) {
    const section = page.slice(page.indexOf(`\n## ${title}\n`)).split('\n## ')[1] as string;
    for (const [name, value] of Object.entries<unknown>(defaults === undefined ? {} : (api as any)[defaults])) {
      if (!/^max[A-Z]|Ms$|Bytes$|Mib$/.test(name) || name === 'maxWholeMessageBytes') continue;
      t.match(section, new RegExp(`^\\| \`${name}\` \\| ${String(value)} `, 'm'), `${title}: ${name}`);
    }
  }
});

void t.test('what happens beyond a limit is an error that exists', async (t) => {
  const named = Object.values(BEYOND).flatMap((entries) => Object.values(entries).flatMap((text) => text.match(/ERR_VC_\w+/g) ?? []));
  t.ok(named.length > 40);
  t.same(
    named.filter((code) => !codes.includes(code)),
    [],
  );
});

void t.test('docstrings are read, and numbers shown', async (t) => {
  t.same(split('Bytes of a thing. Default 1,024.'), { bounds: 'Bytes of a thing.', told: '1024' });
  t.same(split('Bytes of a thing. Default 64 KiB; 0 for none. More.'), {
    bounds: 'Bytes of a thing. Default 64 KiB; 0 for none. More.',
    told: '64 KiB',
  });
  t.same(split('Bytes of a thing.'), { bounds: 'Bytes of a thing.', told: 'none' });
  t.equal(shown(131_072), '131072 (128 KiB)');
  t.equal(shown(17_179_869_184), '17179869184 (16 GiB)');
  t.equal(shown(1024), '1024');
  t.equal(shown(2_147_475_455), '2147475455');
});

/** The README is one page that a stranger understands: short, with the words explained, and links that work in the package. */
import t from 'tap';
import { blocksOf, linksOf, projectText, proseOf, sectionsOf } from './support/markdown.js';

const readme = projectText('README.md');
const prose = proseOf(readme);

void t.test('it is one page, and its contents are its sections', async (t) => {
  const lines = readme.trimEnd().split('\n');
  t.ok(lines.length <= 100, `${lines.length} lines`);
  const words = prose.split(/\s+/).length;
  t.ok(words <= 1000, `${words} words`);
  const [, contents = ''] = /^\*\*Contents:\*\* (.*)$/m.exec(readme) ?? [];
  const listed = linksOf(contents).map((link) => link.slice(1));
  const titles = sectionsOf(readme).filter(({ level }) => level === 2);
  t.same(
    listed,
    titles.map(({ title }) => title.toLowerCase().replaceAll(' ', '-')),
  );
});

void t.test('the first paragraph says what it is for, in two sentences', async (t) => {
  const [, paragraph = ''] = prose.split('\n\n');
  t.equal(paragraph.split(/(?<=\.)\s+(?=[A-Z])/).length, 2, paragraph);
  t.match(paragraph, /without Veracruz/);
});

/** Words of the domain, each as the README explains it. */
const TERMS: Readonly<Record<string, string>> = {
  roles: '*roles*',
  principal: '*principal*',
  enclave: '*enclave*',
  evidence: '*evidence*',
  attestation: '*attestation*',
  'runtime hash': '*runtime hash*',
  policy: '*policy*',
  Initialize: '*Initialize*',
  layer: '*layer*',
  stack: '*stack*',
  dialect: '*dialect*',
};

void t.test('a word of the domain is explained where it first stands', async (t) => {
  // Pictures, links and contents name sections before the text begins.
  const text = prose
    .replace(/^\*\*Contents:.*$/m, '')
    .replace(/!\[[^\]]*\]\([^)]*\)/g, '')
    .replace(/^#.*$/gm, '')
    .replace(/^[\s\S]*?\n\n(?=Four programs)/, '');
  for (const [word, explained] of Object.entries(TERMS)) {
    const at = text.indexOf(explained);
    t.ok(at >= 0, `${word} is explained`);
    const first = new RegExp(`(?<!Proxy )(?<![\\w-])${word}\\b`).exec(text)?.index ?? -1;
    t.ok(first >= at, `${word} does not stand before that`, { before: text.slice(Math.max(0, first - 40), first + 40) });
  }
  for (const dialect of ['2207', '2207-nitro', 'head']) t.match(text, new RegExp(`A \\*dialect\\*[^\\n]*\`${dialect}\``));
});

void t.test('it has a way to install, two commands and a script of ten lines at most', async (t) => {
  const blocks = blocksOf(readme);
  t.equal(blocks[0]?.text, 'npm install veracruz-streams\n');
  t.equal(blocks[1]?.text.trimEnd().split('\n').length, 2);
  const scripts = blocks.filter(({ language, info }) => language === 'js' && info.startsWith('run'));
  t.equal(scripts.length, 1);
  for (const { text } of scripts) t.ok(text.trimEnd().split('\n').length <= 10, 'ten lines');
});

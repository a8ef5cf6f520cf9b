/** Every link of every Markdown file into this repository leads to a file, and to a heading where it names one. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { PROJECT_ROOT } from '../support/golden.js';
import { anchorsOf, linksOf, projectFiles, projectText } from '../support/markdown.js';

const documents = projectFiles(['.md']);
const anchors = new Map(documents.map((path) => [path, anchorsOf(projectText(path))]));

interface Package {
  readonly repository: { readonly url: string };
  readonly files: readonly string[];
}
const { repository, files } = JSON.parse(projectText('package.json')) as Package;
/** Where the repository is published: links of packed documents that lead out of the package begin so. */
const HOME = new RegExp(`^${repository.url.replace(/^git\+|\.git$/g, '')}/(?:blob|raw|tree)/main/`);

/** Whether a file or a folder comes with the package. `files` of package.json has paths, some with a star, some excluded. */
function isPacked(path: string): boolean {
  const within = (pattern: string) => path === pattern || path.startsWith(`${pattern}/`) || matchesGlob(pattern, path);
  if (['README.md', 'LICENSE', 'package.json'].includes(path)) return true;
  const excluded = files.filter((pattern) => pattern.startsWith('!')).some((pattern) => within(pattern.slice(1)));
  return !excluded && files.some((pattern) => within(pattern));
}

function matchesGlob(pattern: string, path: string): boolean {
  return pattern.includes('*') && new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`).test(path);
}

/** What is wrong with a link in `document`; undefined when it leads somewhere. */
function fault(document: string, link: string): string | undefined {
  if (!HOME.test(link) && /^[a-z][a-z0-9+.-]*:/i.test(link)) return undefined;
  const [path = '', anchor] = decodeURI(link.replace(HOME, '')).split('#');
  const target = path === '' ? document : join(HOME.test(link) ? '.' : dirname(document), path);
  if (target.startsWith('..')) return 'leads out of the repository';
  if (!existsSync(join(PROJECT_ROOT, target))) return 'leads nowhere';
  if (isPacked(document) && !HOME.test(link) && !isPacked(target.replace(/\/$/, ''))) return 'leads out of the package';
  if (anchor === undefined) return undefined;
  return anchors.get(target)?.has(anchor) === true ? undefined : 'names no heading';
}

void t.test('the documents are found', async (t) => {
  for (const path of ['README.md', 'CONTRIBUTING.md', 'docs/wire.md', 'docs/decisions/README.md', 'fixtures/wire/README.md']) {
    t.ok(documents.includes(path), path);
  }
  t.notOk(documents.some((path) => path.includes('node_modules')));
});

void t.test('every relative link leads somewhere', async (t) => {
  let checked = 0;
  for (const document of documents) {
    for (const link of linksOf(projectText(document))) {
      t.equal(fault(document, link), undefined, `${document}: ${link}`);
      checked++;
    }
  }
  t.ok(checked > 50, `${checked} links`);
});

void t.test('a link that leads nowhere is noticed', async (t) => {
  t.equal(fault('README.md', 'docs/nothing.md'), 'leads nowhere');
  t.equal(fault('docs/wire.md', '#nothing'), 'names no heading');
  t.equal(fault('docs/wire.md', '../README.md#nothing'), 'names no heading');
  t.equal(fault('README.md', '../elsewhere.md'), 'leads out of the repository');
  t.equal(fault('docs/wire.md', '../README.md#two-commands'), undefined);
  t.equal(fault('docs/wire.md', '../test/docs/links.test.ts'), 'leads out of the package');
  t.equal(fault('docs/wire.md', '../bench'), 'leads out of the package');
  t.equal(fault('docs/api/index.api.md', '../tools/main.ts'), undefined, 'neither is packed');
  const home = 'https://github.com/veracruz-project/veracruz-streams';
  t.equal(fault('docs/wire.md', `${home}/blob/main/test/docs/links.test.ts`), undefined);
  t.equal(fault('docs/wire.md', `${home}/blob/main/test/nothing.ts`), 'leads nowhere');
  t.equal(fault('docs/wire.md', `${home}/blob/main/README.md#nothing`), 'names no heading');
  t.equal(fault('README.md', 'https://example.org/nothing'), undefined);
  t.same(linksOf('[a](b.md) `[c](d.md)`\n```\n[e](f.md)\n```\n![g](h.svg)'), ['b.md', 'h.svg']);
  t.same([...anchorsOf('# A b\n## §C.4 D/e &lt;f&gt;\n## A b\n')], ['a-b', 'c4-de-f', 'a-b-1']);
});

void t.test('every decision is in the index, under its own title', async (t) => {
  const index = projectText('docs/decisions/README.md');
  const records = documents.filter((path) => /^docs\/decisions\/\d{4}-.+\.md$/.test(path));
  t.ok(records.length >= 5);
  records.forEach((path, i) => {
    const number = String(i + 1).padStart(4, '0');
    const title = /^# (\d{4}) (.+)$/m.exec(projectText(path));
    t.equal(title?.[1], number, `${path} has the number that follows`);
    t.match(path, new RegExp(`/${number}-`));
    t.ok(index.includes(`| [${number}](${path.slice('docs/decisions/'.length)}) | ${title?.[2]} |`), `${path} is in the index`);
    for (const part of ['Asked', 'Measured', 'Decided', 'Consequences']) {
      t.match(projectText(path), new RegExp(`^## ${part}$`, 'm'), `${path}: ${part}`);
    }
  });
});

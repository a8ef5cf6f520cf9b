/** docs/reference is what the docstrings give. */
import { join } from 'node:path';
import t from 'tap';
import { differences, readFolder } from '../../docs/tools/generated.js';
import { GROUPS, pageOf } from '../../docs/tools/pages.js';
import { REFERENCE, referencePages } from '../../docs/tools/reference.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { DIALECTS, ERROR_CLASSES } from '../support/public.js';

void t.test('the pages are up to date', async (t) => {
  const made = await referencePages();
  t.ok(made.size > 20, `${made.size} pages`);
  t.same(differences(made, readFolder(REFERENCE, '.md')), [], 'run `npm run docs:reference`');
  const errors = made.get('errors.md') as string;
  for (const { name } of ERROR_CLASSES) t.ok(errors.includes(`\n### ${name}\n`), name);
  for (const dialect of DIALECTS) t.ok(made.get('bincode.md')?.includes(`"${dialect}"`), dialect);
});

/** Names in the documents that are of Node, of other packages, of the wire, or of the system. */
const FOREIGN = new Set([
  ...['ArrayBufferLike', 'Infinity', 'Readable.toWeb', 'process.emitWarning', 'using', 'stdin', 'stdout', 'stderr'],
  ...['MockBinding', 'SerialPort.binding', 'serialport', 'nice'],
  // Keys of policies, messages and evidence, and what a trace calls things.
  ...['proxy_service_cert', 'proxy_attestation_server_url', 'veracruz_server_url', 'enable_clock', 'max_memory_mib', 'file_name'],
  ...['SUCCESS', 'UNSET', 'FAILED_INVALID_ROLE', 'StartMsg', 'Sig_structure', 'alg', 'crit', 'kid', 'TLS1_3_X', 'TLS_X'],
  ...['ComputeEnclave.dev', 'devices.pubkey_hash', 'negative.json', 'announces', 'application', 'bound', 'ms', 'ok'],
  ...['EMLINK', 'ENOENT', 'ENOSPC', 'ENOTSUP'],
]);

/** Every name of the public API: exports, their members and parameters. */
function publicNames(): Set<string> {
  const reports = [...readFolder(join(PROJECT_ROOT, 'docs', 'api'), '.md').values()];
  return new Set(reports.flatMap((report) => report.match(/[A-Za-z_$][\w$]*/g) ?? []));
}

/** The names in what a page says: in the text, in the last column of its tables, and below "See". */
function namesIn(page: string): string[] {
  const said = page
    .replace(/^```[\s\S]*?^```$/gm, '')
    .split('\n')
    // Types and defaults are the compiler's words.
    .filter((line) => !line.includes('\\<') && !/^\s+`/.test(line))
    .map((line) => (line.startsWith('|') ? (line.split(/(?<!\\)\|/).at(-2) ?? '').replace(/^ `[^`]*` $/, '') : line))
    .join('\n');
  const quoted = [...said.matchAll(/`([A-Za-z_$][\w$.]*)(?:\(\))?`/g)].map(([, name]) => name as string);
  const seen = [...said.matchAll(/^#+ See\n\n(\w+)/gm)].map(([, name]) => name as string);
  return [...quoted, ...seen];
}

void t.test('the docstrings name what is there', async (t) => {
  const known = publicNames();
  const isKnown = (name: string) => FOREIGN.has(name) || name.split('.').every((part) => known.has(part));
  let found = 0;
  for (const [page, text] of readFolder(REFERENCE, '.md')) {
    const names = namesIn(text);
    found += names.length;
    t.same([...new Set(names.filter((name) => !isKnown(name)))], [], `${page}: it is internal, or there is no such thing`);
  }
  t.ok(found > 500, `${found} names`);
  const page =
    'Like `encodeNothing()`.\n\n| a | `Type` | `DEFAULT` |\n| a | `Type` | see `nowhere` |\n\n#### See\n\ndecodeNothing\n\n```ts\n`code`\n```\n';
  t.same(namesIn(page), ['encodeNothing', 'nowhere', 'decodeNothing']);
  t.notOk(isKnown('encodeNothing'));
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

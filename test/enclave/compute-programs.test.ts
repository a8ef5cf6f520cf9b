/** The programs that the demo runs, as `npm run build` makes them. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { PROJECT_ROOT } from '../support/golden.js';
import { seeded } from '../support/splits.js';
import { contents, type Place, place, policyWith, type Rights, run } from './compute-support.js';
import { freshFolder, get, put } from './store-support.js';
import '../support/processes.js';

const SOURCES = join(PROJECT_ROOT, 'lib', 'cli', 'demo', 'programs');
const built = freshFolder(t);
execFileSync(process.execPath, [join(SOURCES, 'build.js'), built]);
const programOf = (name: string): Buffer => readFileSync(join(built, `${name}.wasm`));

void t.test('every source becomes a program', async (t) => {
  const names = (folder: string, ending: string) =>
    readdirSync(folder).flatMap((file) => (file.endsWith(ending) ? [file.slice(0, -ending.length)] : []));
  t.same(names(built, '.wasm'), names(SOURCES, '.wat'));
  t.ok(names(built, '.wasm').length >= 2);
});

/** Makes `/input` hold just these files. */
async function fill({ store }: Place, files: Readonly<Record<string, string>>): Promise<void> {
  for await (const { name } of store.list('/')) if (!name.startsWith('/program')) await store.remove(name);
  for (const [name, content] of Object.entries(files)) await put(store, name, content);
}

async function runs(at: Place, name: string, rights: Rights, files: Readonly<Record<string, string>>): Promise<number> {
  await fill(at, files);
  return run(at, programOf(name), policyWith(rights));
}

// ── sum ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

const SUM = { '/input': 'r', '/output': 'w' };

/** What the sum of these files is said to be; the exit code where there is none. */
async function sumOf(at: Place, ...files: string[]): Promise<string | number> {
  const code = await runs(at, 'sum', SUM, Object.fromEntries(files.map((file, i) => [`/input/${i}`, file])));
  return code === 0 ? String(await get(at.store, '/output/sum')) : code;
}

const MAX = 2n ** 63n - 1n;

void t.test('sum: numbers', async (t) => {
  const at = await place(t);
  const cases: [string[], string | number][] = [
    [[], '0\n'],
    [[''], '0\n'],
    [['5'], '5\n'],
    [['5\n'], '5\n'],
    [['1\n2\n', '3', '\r\n-10\r\n\n'], '-4\n'],
    [['007\n-0\n'], '7\n'],
    [[`${MAX}\n`], `${MAX}\n`],
    [[`${-MAX - 1n}\n`], `${-MAX - 1n}\n`],
    [[`${MAX}\n${-MAX - 1n}\n`], '-1\n'],
    [[`${MAX}\n1\n`], 2],
    [[`${-MAX - 1n}\n-1\n`], 2],
    [[`${MAX + 1n}\n`], 2],
    [[`${-MAX - 2n}\n`], 2],
    [['9'.repeat(19)], 2],
    [['9'.repeat(30)], 2],
    [['1.5'], 1],
    [['-'], 1],
    [['--1'], 1],
    [['1-'], 1],
    [['1 2'], 1],
    [['ten'], 1],
    [['1', '2', 'x'], 1],
  ];
  for (const [files, expected] of cases)
    t.equal(await sumOf(at, ...files), expected, JSON.stringify(files.map((file) => file.slice(0, 25))));
});

void t.test('sum: many files, and files that are larger than what is held of them', async (t) => {
  const at = await place(t);
  const names = Array.from({ length: 300 }, (_, i) => `/input/${'n'.repeat(i % 200)}${i}`);
  t.equal(
    await runs(at, 'sum', SUM, { ...Object.fromEntries(names.map((name, i) => [name, `${i}\n`])), '/input/folder/f': 'not looked at' }),
    0,
  );
  t.equal(String(await get(at.store, '/output/sum')), `${(299 * 300) / 2}\n`);
  const lines = Array.from({ length: 400_000 }, (_, i) => `${i * (i % 2 === 0 ? 1 : -1)}`);
  t.equal(await sumOf(at, lines.join('\n')), '-200000\n');
  for (const padding of [65_534, 65_535, 65_536, 65_537]) {
    t.equal(await sumOf(at, `${'\n'.repeat(padding)}12345\n-5`), '12340\n', `a number at ${padding}`);
  }
});

void t.test('sum: without the rights for it', async (t) => {
  const at = await place(t);
  for (const rights of [{ '/input': 'r' }, { '/output': 'w' }, { '/input': 'w', '/output': 'w' }, {}])
    t.equal(await runs(at, 'sum', rights, { '/input/a': '1' }), 3);
});

// ── intersection ─────────────────────────────────────────────────────────────────────────────────────────────────────

const INTERSECTION = { '/first': 'r', '/second': 'r', '/output': 'w' };

async function commonOf(at: Place, first: string, second: string): Promise<string | number> {
  const code = await runs(at, 'intersection', INTERSECTION, { '/first/list': first, '/second/list': second });
  return code === 0 ? String(await get(at.store, '/output/common')) : code;
}

void t.test('intersection: lists', async (t) => {
  const at = await place(t);
  const cases: [string, string, string | number][] = [
    ['', '', ''],
    ['a\n', '', ''],
    ['a\nb\nc\n', 'b\nc\nd\n', 'b\nc\n'],
    ['a\nb\nc', 'c', 'c\n'],
    ['\na\n', '\nb\n', '\n'],
    ['a\nab\nb\n', 'ab\nabc\n', 'ab\n'],
    ['Z\na\n\u00e9\n', 'a\n\u00e9\n', 'a\n\u00e9\n'],
    ['b\na\n', 'a\n', 1],
    ['a\n', 'b\na\n', 1],
    ['a\na\n', '', 1],
    ['', 'x\nx\n', 1],
    ['a\n', 'a\nb\n\n', 1],
    ['a\r\n', 'a\n', ''],
  ];
  for (const [first, second, expected] of cases) t.equal(await commonOf(at, first, second), expected, JSON.stringify([first, second]));
});

void t.test('intersection: a line at the limit and one over', async (t) => {
  const at = await place(t);
  for (const end of ['', '\n']) {
    t.equal(await commonOf(at, `${'x'.repeat(4096)}${end}`, `a\n${'x'.repeat(4096)}${end}`), `${'x'.repeat(4096)}\n`);
    t.equal(await commonOf(at, `${'x'.repeat(4097)}${end}`, 'a'), 2);
    t.equal(await commonOf(at, 'a', `${'x'.repeat(4097)}${end}`), 2);
  }
});

void t.test('intersection: lists that are larger than what is held of them', async (t) => {
  const at = await place(t);
  const multiples = (of: number) => Array.from({ length: 60_000 }, (_, i) => String(i * of).padStart(12, '0'));
  const [threes, fives] = [multiples(3), multiples(5)];
  const common = threes.filter((line) => Number(line) % 5 === 0);
  t.equal(await commonOf(at, `${threes.join('\n')}\n`, fives.join('\n')), `${common.join('\n')}\n`);
});

void t.test('intersection: as sets have it', async (t) => {
  const at = await place(t);
  const line = fc.string({ unit: fc.constantFrom('a', 'b', '\u00e9', ' ', '\u{1f600}'), maxLength: 4 });
  const list = fc.uniqueArray(line, { maxLength: 25 }).map((lines) =>
    lines
      .map((text) => Buffer.from(text))
      .sort((a, b) => Buffer.compare(a, b))
      .map(String),
  );
  await fc.assert(
    fc.asyncProperty(list, list, async (first, second) => {
      const text = (lines: string[]) => lines.map((one) => `${one}\n`).join('');
      const common = first.filter((one) => second.includes(one));
      return (await commonOf(at, text(first), text(second))) === text(common);
    }),
    seeded(25),
  );
});

void t.test('intersection: neither sees more than the result', async (t) => {
  const at = await place(t);
  t.equal(await runs(at, 'intersection', INTERSECTION, { '/first/list': 'a\nb\n', '/second/list': 'b\nc\n' }), 0);
  t.same(await contents(at.store), { '/first/list': 'a\nb\n', '/second/list': 'b\nc\n', '/output/common': 'b\n' });
  t.equal(await runs(at, 'intersection', { '/first': 'r', '/output': 'w' }, { '/first/list': 'a', '/second/list': 'a' }), 3);
});

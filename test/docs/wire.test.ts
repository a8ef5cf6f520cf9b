/** What docs/wire.md says is so: its sections, golden vectors, limits and tables are compared with the code and the fixtures. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PROJECT_ROOT } from '../support/golden.js';
import { blocksOf, projectFiles, projectText, sectionsOf, tableRows } from '../support/markdown.js';
import * as api from '../support/public.js';

const wire = projectText('docs/wire.md');
const blocks = blocksOf(wire);
const sections = sectionsOf(wire);

/** The text of a section by its number, subsections included; undefined when there is none. */
function section(number: string): string | undefined {
  return sections.find(({ title }) => title.startsWith(`§${number} `))?.text;
}

// ── References ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A reference to the specification in a text of the repository. */
interface Reference {
  readonly where: string;
  readonly number: string;
  /** What it names in the section: a phrase in quotes, or the number of a list item. */
  readonly named: readonly string[];
}

/** The references of one text. A comment may break a reference over two lines. */
function referencesOf(where: string, text: string): Reference[] {
  const flat = text.replace(/\s*\n\s*(?:\*|\/\/)?\s*/g, ' ');
  return [...flat.matchAll(/[Ww]ire spec ((?:(?:, )?§[A-Z](?:\.\d+)?)+)([^)§]{0,100})/g)].flatMap(([, numbers = '', rest = '']) => {
    const quoted = /^(?: |, |: )("[^"]+"(?: and "[^"]+")*)/.exec(rest)?.[1] ?? '';
    const items =
      /^, (?:[a-z ]+ )?(\d+)(?: and (\d+))?/
        .exec(rest)
        ?.slice(1)
        .filter((item) => item !== undefined) ?? [];
    const named = [...[...quoted.matchAll(/"([^"]+)"/g)].map(([, phrase]) => phrase as string), ...items.map((item) => `\n${item}. `)];
    return [...numbers.matchAll(/§([A-Z](?:\.\d+)?)/g)].map(([, number]) => ({ where, number: number as string, named }));
  });
}

function faultsOf({ where, number, named }: Reference): string[] {
  const text = section(number);
  if (text === undefined) return [`${where}: there is no §${number}`];
  return named.filter((name) => !text.includes(name)).map((name) => `${where}: §${number} does not have ${JSON.stringify(name)}`);
}

void t.test('every reference to the wire specification leads to a section', async (t) => {
  const files = [
    'README.md',
    ...projectFiles(['.ts', '.md', '.proto']).filter((path) => /^(lib|test|bench|examples|proto|docs)\//.test(path)),
  ].filter((path) => path !== 'test/docs/wire.test.ts');
  const references = files.flatMap((path) => referencesOf(path, projectText(path)));
  t.ok(references.length >= 100, `${references.length} references`);
  t.ok(references.filter(({ named }) => named.length > 0).length >= 5, 'some name a part of their section');
  t.same(references.flatMap(faultsOf), []);
});

void t.test('a reference that leads nowhere is noticed', async (t) => {
  const faults = (text: string) => referencesOf('x', text).flatMap(faultsOf).length;
  t.equal(faults('wire spec §A'), 0);
  t.equal(faults('(wire spec §B, §F)'), 0);
  t.equal(faults('(wire spec §B, §Z)'), 1);
  t.equal(faults('wire spec\n * §Z)'), 1, 'over two lines');
  t.equal(faults('wire spec §A.99'), 1);
  t.equal(faults('wire spec §D, "VFS semantics"'), 0);
  t.equal(faults('wire spec §A, "VFS semantics"'), 1);
  t.equal(faults('wire spec §D, "RM internals" and "no such thing"'), 1);
  t.equal(faults('wire spec §A, 3'), 0);
  t.equal(faults('wire spec §A, 30'), 1);
});

// ── Golden vectors ────────────────────────────────────────────────────────────────────────────────────────────────────

interface StoredVector {
  readonly name: string;
  readonly wire?: { readonly hex?: string };
  readonly chunks?: readonly { readonly hex: string }[];
}

/** The bytes of a vector of this repository's fixtures, chunk by chunk; undefined when it has none of that name, or a digest only. */
function storedVector(reference: string): readonly string[] | undefined {
  const [file = '', ...name] = reference.split('#');
  const path = join(PROJECT_ROOT, 'fixtures', 'wire', file);
  const all = JSON.parse(readFileSync(path, 'utf8')) as StoredVector[];
  const found = all.find((vector) => vector.name === name.join('#'));
  return found?.chunks?.map(({ hex }) => hex) ?? (found?.wire?.hex === undefined ? undefined : [found.wire.hex]);
}

/** The bytes that a block quotes, as hexadecimal digits; a line of `chunks` is a chunk. */
const QUOTED: Readonly<Record<string, (text: string, chunks: boolean) => readonly string[]>> = {
  vector: (text, chunks) => {
    const lines = text.split('\n').map((line) => line.replace(/#.*$/, '').replace(/\s/g, ''));
    return chunks ? lines.filter((line) => line !== '') : [lines.join('')];
  },
  'vector-text': (text) => [Buffer.from(text.replace(/\n$/, ''), 'utf8').toString('hex')],
  'vector-base64': (text) => [Buffer.from(text.trim(), 'base64').toString('hex')],
};

const quoted = blocks.filter(({ language }) => language.startsWith('vector'));

void t.test('every golden vector is one of the fixtures, byte for byte', async (t) => {
  t.ok(quoted.length >= 60, `${quoted.length} vectors`);
  for (const { language, info, text } of quoted) {
    const stored = storedVector(info);
    const read = QUOTED[language];
    if (stored === undefined || read === undefined) t.fail(`no ${language} ${info}`);
    else t.same(read(text, stored.length > 1), stored, info);
  }
});

void t.test('every envelope, every bincode message of every dialect, and every frame is quoted', async (t) => {
  const quotes = (pattern: RegExp) => quoted.some(({ info }) => pattern.test(info));
  for (const envelope of api.ENVELOPES) t.ok(quotes(new RegExp(`^protobuf.json#.*/${envelope}/`)), envelope);
  for (const kind of api.FRAME_KINDS) t.ok(quotes(new RegExp(`^frame.json#.*/${kind}/`)), kind);
  for (const dialect of api.DIALECTS) {
    for (const kind of api.BINCODE_RESPONSE_KINDS[dialect]) {
      t.ok(quotes(new RegExp(`^bincode.json#veracruz-${dialect}/RuntimeManagerResponse/${kind}/`)), `${dialect} ${kind}`);
    }
    // The fixtures have no requests of 2207-nitro: they are those of 2207.
    if (dialect === '2207-nitro') continue;
    for (const kind of api.BINCODE_REQUEST_KINDS[dialect]) {
      t.ok(quotes(new RegExp(`^bincode.json#veracruz-${dialect}/RuntimeManagerRequest/${kind}(/|$)`)), `${dialect} ${kind}`);
    }
  }
});

// ── Limits and tables ─────────────────────────────────────────────────────────────────────────────────────────────────

/** What the code has under a name of a table of limits: `CONSTANT`, `DEFAULTS.key`, `layer().limit`. */
function limitOf(name: string): unknown {
  const layers: Readonly<Record<string, api.AnyLayer>> = { 'records()': api.records() };
  const [first = '', ...keys] = name.split('.');
  const layer = layers[first];
  const start: unknown = layer === undefined ? (api as Readonly<Record<string, unknown>>)[first] : layer.limits;
  return keys.reduce<unknown>((value, key) => (value as Readonly<Record<string, unknown>> | undefined)?.[key], start);
}

void t.test('every limit is the one of the code', async (t) => {
  const rows = tableRows(wire, ['limit', 'value', 'meaning']);
  t.ok(rows.length >= 60, `${rows.length} limits`);
  for (const [name = '', value = ''] of rows) {
    const limit = limitOf(name.replaceAll('`', ''));
    t.not(limit, undefined, `${name} is exported`);
    t.equal(value, String(limit), name);
  }
  t.equal(limitOf('NOTHING.at.all'), undefined);
  t.equal(limitOf('TLS_DEFAULTS.nothing'), undefined);
});

void t.test('the numbers of the bincode messages are those of the code', async (t) => {
  const tables = [
    ['request', api.BINCODE_REQUEST_KINDS],
    ['response', api.BINCODE_RESPONSE_KINDS],
  ] as const;
  for (const [side, kinds] of tables) {
    const rows = tableRows(wire, [side, ...api.DIALECTS, 'fields']);
    api.DIALECTS.forEach((dialect, column) => {
      const listed = rows.filter((row) => row[column + 1] !== '—').map((row) => [row[0], Number(row[column + 1])]);
      t.same(
        listed,
        kinds[dialect].map((kind, number) => [kind, number]),
        `${side}, ${dialect}`,
      );
    });
  }
  const statuses = tableRows(wire, ['response', ...api.DIALECTS, 'fields']).find(([name]) => name === 'Status');
  t.equal(statuses?.[4], `u32: ${api.BINCODE_STATUSES.map((status, number) => `${number} ${status}`).join(', ')}`);
});

void t.test('the tables of messages and envelopes are those of the schema', async (t) => {
  const schema = projectText('proto/transport_protocol.proto').replace(/\/\/.*$/gm, '');
  const messages = new Map([...schema.matchAll(/^message (\w+) \{([\s\S]*?)\}$/gm)].map(([, name = '', body = '']) => [name, body]));
  const fieldsOf = (body: string) =>
    [...body.matchAll(/^\s+(\w+) (\w+) = (\d+);/gm)].map(([, type = '', name = '', number = '']) => ({ type, name, number }));

  const arms = tableRows(wire, ['envelope', 'number', 'arm', 'message']);
  let envelope = '';
  const listed = arms.map(([name = '', number, arm = '', type]) => {
    if (name !== '') envelope = name;
    return `${envelope} ${number} ${/`(\w+)`/.exec(arm)?.[1]} ${type}`;
  });
  const expected = api.ENVELOPES.flatMap((name) =>
    fieldsOf(messages.get(name) as string).map((field) => `${name} ${field.number} ${field.name} ${field.type}`),
  );
  t.same(listed.sort(), expected.sort());

  for (const [names = '', fields = ''] of tableRows(wire, ['message', 'fields (number: name type)'])) {
    const told = [...fields.matchAll(/(\d+): (\w+) (\w+)/g)].map(([, number, name, type]) => ({ type, name, number }));
    for (const name of names.split(', ')) t.same(told, fieldsOf(messages.get(name) ?? 'nothing'), name);
  }

  const statuses = [...(/^enum ResponseStatus \{([\s\S]*?)\}/m.exec(schema)?.[1] ?? '').matchAll(/(\w+) = (\d+);/g)];
  t.same(
    tableRows(wire, ['number', 'ResponseStatus']),
    statuses.map(([, name, number]) => [number, `\`${name}\``]),
  );
});

void t.test('rights, letters and cipher suites are those of the code', async (t) => {
  const rows = tableRows(wire, ['bit', 'right', 'bit', 'right', 'bit', 'right']);
  const rights = rows.flatMap((row) => [0, 2, 4].map((at) => [row[at + 1]?.replace(/ .*/, ''), 2 ** Number(row[at])]));
  t.same(Object.fromEntries(rights), api.RIGHTS);
  const letters = tableRows(wire, ['letters', 'rights']);
  t.equal(letters.length, 7);
  for (const [text = '', value] of letters) t.equal(api.parseRights(text.replaceAll('`', '')), Number(value), text);
  const suites = tableRows(wire, ['suite (IANA)', 'Mbed TLS, with `_` for `-`', 'without a policy']);
  t.same(
    suites.map(([iana]) => iana),
    api.CIPHER_SUITES.map((suite) => `\`${suite}\``),
  );
  for (const [iana = '', mbed = ''] of suites) t.equal(`\`${api.cipherSuite(mbed.replaceAll('`', ''))}\``, iana);
});

void t.test('what is said of pipelines and capabilities is so here', async (t) => {
  const tables = [
    ['pipeline', api.parsePipeline],
    ['capabilities', api.parseCapabilities],
  ] as const;
  for (const [column, read] of tables) {
    const rows = tableRows(wire, [column, 'original', 'ours']);
    t.ok(rows.length >= 3);
    for (const [cell = '', original, ours] of rows) {
      const text = cell === '(empty)' ? '' : cell.replaceAll('`', '');
      t.equal(original, 'taken', text);
      t.equal(takes(read, text) ? 'taken' : 'refused', ours, text);
    }
  }
});

function takes(read: (text: string) => unknown, text: string): boolean {
  try {
    read(text);
    return true;
  } catch {
    return false;
  }
}

void t.test('every code of an error exists', async (t) => {
  const known = new Set(api.ERROR_CLASSES.map((ErrorClass) => new ErrorClass('').code));
  const named = new Set(wire.match(/ERR_VC_[A-Z0-9_]+/g));
  t.ok(named.size >= 25, `${named.size} codes`);
  t.same(
    [...named].filter((code) => !known.has(code)),
    [],
  );
});

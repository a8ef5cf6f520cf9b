/** What docs/architecture.md says is so: its files, its map, its states; and that every role's stack is a chain of Transforms. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Duplex, type Readable, Transform, type Writable } from 'node:stream';
import t from 'tap';
import ts from 'typescript';
import type { Stack } from '../../lib/pipeline/stack.js';
import * as stacks from '../../lib/roles/stacks.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { blocksOf, projectFiles, projectText, proseOf, tableRows } from '../support/markdown.js';
import { alice, authority, managerIdentity } from '../support/roles.js';

const page = projectText('docs/architecture.md');

// ── Files and folders ─────────────────────────────────────────────────────────────────────────────────────────────────

/** The files and folders that a text names in code spans, without those that stand for a name of one's own. */
function pathsIn(markdown: string): string[] {
  const spans = [...proseOf(markdown).matchAll(/`((?:lib|test|docs|fixtures|proto|examples)\/[^`\s]*)`/g)].map(
    ([, path]) => path as string,
  );
  return spans.filter((path) => !path.includes('<'));
}

const missing = (markdown: string) => pathsIn(markdown).filter((path) => !existsSync(join(PROJECT_ROOT, path)));

void t.test('the files that the page names exist', async (t) => {
  t.ok(pathsIn(page).length > 100, `${pathsIn(page).length} paths`);
  t.same(missing(page), []);
  t.same(missing('`lib/core/unit.ts` `lib/core/no-unit.ts` `lib/layers/<name>/index.ts`'), ['lib/core/no-unit.ts']);
});

const foldersIn = (folder: string) =>
  readdirSync(join(PROJECT_ROOT, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${folder}${name}/`);
const folderOf = ([cell]: readonly string[]) => (cell as string).replaceAll('`', '');

/** What each folder of lib/ may import from, as the lint has it. */
function allowedImports(): Map<string, string> {
  const table = /^const MAY_IMPORT = \{\n([\s\S]*?)^\};/m.exec(projectText('eslint.config.js'))?.[1] ?? '';
  return new Map(
    [...table.matchAll(/^ {2}(\w+): \[(.*)\],$/gm)].map(([, folder, names]) => [`lib/${folder}/`, (names as string).replaceAll("'", '')]),
  );
}

void t.test('the map has the folders of lib/, and what each may import from', async (t) => {
  const rows = tableRows(page, ['folder', 'holds', 'may import from']);
  t.same(rows.map(folderOf).sort(), foldersIn('lib/').sort());
  const allowed = allowedImports();
  t.equal(allowed.size, rows.length);
  for (const row of rows) t.equal(row[2] === 'nothing but Node' ? '' : row[2], allowed.get(folderOf(row)), folderOf(row));
});

void t.test('the map has the folders in those', async (t) => {
  const rows = tableRows(page, ['folder', 'holds']);
  t.same(rows.map(folderOf).sort(), foldersIn('lib/').flatMap(foldersIn).sort());
});

// ── Running stacks ────────────────────────────────────────────────────────────────────────────────────────────────────

const messages = { dialect: '2207', maxMessageBytes: 2 ** 30 } as const;
const link = { dialect: '2207', frame: 'tcp9' } as const;
const clientTls = { role: 'client', certificate: alice.certificate, key: alice.key, authority: authority.certificate } as const;
const managerTls = { role: 'server', ...managerIdentity(), identities: [alice.certificate] } as const;

/** Each stack of lib/roles/stacks.ts, by its name there. */
const STACKS: Record<keyof typeof stacks, Stack<any>> = {
  clientStack: stacks.clientStack({ ...messages, tls: clientTls, batchBytes: () => 0 }),
  directClientStack: stacks.directClientStack({ ...messages, tls: clientTls }),
  serverClientStack: stacks.serverClientStack(1),
  serverManagerStack: stacks.serverManagerStack(link),
  managerServerStack: stacks.managerServerStack(link),
  managerClientStack: stacks.managerClientStack({ ...messages, tls: managerTls }),
  attestationClientStack: stacks.attestationClientStack(),
  attestationServerStack: stacks.attestationServerStack(),
};

/** Whether `from` is piped into `to`. It is no more afterwards. */
function wasPiped(from: Readable, to: Writable): boolean {
  let told = false;
  to.once('unpipe', (source) => {
    told = source === from;
  });
  from.unpipe(to);
  return told;
}

void t.test('the eight stacks of the roles run as 48 Transforms, one a layer and direction', async (t) => {
  t.same(Object.keys(STACKS).sort(), Object.keys(stacks).sort(), 'every stack is here');
  let count = 0;
  for (const [name, stack] of Object.entries(STACKS)) {
    const pipes = memoryPipe();
    const channel = stack.over(pipes[0]);
    for (const end of [channel, ...pipes] as Duplex[]) {
      end.on('error', () => {});
      t.teardown(() => end.destroy());
    }
    const names = stack.layers.map((layer) => layer.name);
    const { outbound, inbound } = channel.transforms;
    const namesOf = (stages: typeof outbound) => stages.map(({ layer }) => layer);
    t.same(namesOf(outbound), names, `${name}: outbound`);
    t.same(namesOf(inbound), names.toReversed(), `${name}: inbound`);
    count += new Set<unknown>([...outbound, ...inbound].filter((stage) => stage instanceof Transform)).size;
    for (const chain of [outbound, [pipes[0], ...inbound]]) {
      for (let at = 1; at < chain.length; at++) {
        t.ok(wasPiped(chain[at - 1] as Readable, chain[at] as Writable), `${name}: each is piped into the next`);
      }
    }
  }
  t.equal(count, 48, 'Transforms');
});

// ── Turns of the event loop ───────────────────────────────────────────────────────────────────────────────────────────

interface Call {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly explained: boolean;
}

/** The calls of setImmediate in a source text, under whatever object, and whether a comment stands on the line or the one above it. */
function callsIn(path: string, text: string): Call[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const lines = text.split('\n');
  const found: Call[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /(^|\.)setImmediate$/.test(node.expression.getText(source))) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
      const comment = /(^|\s)\/\/ \w/;
      found.push({ path, line: line + 1, explained: comment.test(lines[line] ?? '') || /^\s*\/\/ \w/.test(lines[line - 1] ?? '') });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

void t.test('turns of the event loop are waited for in TLS alone, five times at most, each with its reason', async (t) => {
  const calls = projectFiles(['.ts'], join(PROJECT_ROOT, 'lib')).flatMap((path) => callsIn(path, projectText(path)));
  t.ok(calls.length > 0 && calls.length <= 5, `${calls.length} calls`);
  for (const { path, line, explained } of calls) {
    t.match(path, /^lib\/layers\/tls\//);
    t.ok(explained, `${path}:${line} says why`);
  }
  const others = projectFiles(['.ts'], join(PROJECT_ROOT, 'lib')).filter((path) =>
    /\bsetImmediate\b[^;]* from 'node:timers/.test(projectText(path)),
  );
  t.same(others, [], 'nor under another name');
  const bare = callsIn(
    'x.ts',
    '// setImmediate(() => {})\nconst a = "setImmediate(";\nsetImmediate(() => {});\nglobalThis.setImmediate(f);',
  );
  t.same(
    bare.map(({ line, explained }) => [line, explained]),
    [
      [3, false],
      [4, false],
    ],
    'comments and texts are no calls',
  );
  t.same(
    callsIn('x.ts', '// Why.\nsetImmediate(f);\nsetImmediate(f); // Why.').map(({ explained }) => explained),
    [true, true],
  );
});

// ── States ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The text of the doc comments of a source, without what makes them comments. */
const commentsOf = (source: string) =>
  [...source.matchAll(/^\/\*\*\n([\s\S]*?)^ \*\/$/gm)].map(([, text]) => (text as string).replace(/^ \*(?: {5})?/gm, '')).join('\n');

const holds = (source: string, block: string) => `\n${commentsOf(source)}\n`.includes(`\n${block.trimEnd()}\n\n`);

void t.test('the tables of states are those of the code', async (t) => {
  const tables = blocksOf(page).filter(({ info }) => info.startsWith('states '));
  const files = tables.map(({ info }) => info.replace('states ', ''));
  for (const path of [
    'lib/roles/runtime-manager/tls-session.ts',
    'lib/layers/tls/engine.ts',
    'lib/roles/server/http-session.ts',
    'lib/core/lifecycle.ts',
  ]) {
    t.ok(files.includes(path), path);
  }
  for (const { info, text } of tables) {
    const path = info.replace('states ', '');
    t.ok(holds(projectText(path), text), `${path}: ${text.split('\n')[0]}`);
  }
});

void t.test('a table of states that is another is noticed', async (t) => {
  const source = '/**\n * States.\n *\n *     state  is\n *     a      first\n *     b      second\n *\n * More.\n */\n';
  t.ok(holds(source, 'state  is\na      first\nb      second\n'));
  t.notOk(holds(source, 'state  is\na      first\nb      third\n'), 'another cell');
  t.notOk(holds(source, 'state  is\na      first\n'), 'a row is missing');
  t.notOk(holds(source.replaceAll(' *', '  *'), 'state  is\na      first\nb      second\n'), 'no doc comment of the file');
});

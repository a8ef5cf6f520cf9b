/** Every block of code in a document runs in the tests, or is marked as one that cannot, and counted. What it names exists. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import t from 'tap';
import { attestCommand } from '../../lib/cli/attest.js';
import { clientCommand } from '../../lib/cli/client/command.js';
import { conformanceCommand } from '../../lib/cli/conformance.js';
import { demoCommand } from '../../lib/cli/demo/command.js';
import { deviceCommand } from '../../lib/cli/device.js';
import { identityCommand } from '../../lib/cli/identity.js';
import { inspectCommand } from '../../lib/cli/inspect/command.js';
import { measureCommand } from '../../lib/cli/measure.js';
import { policyCommand } from '../../lib/cli/policy.js';
import { runtimeCommand } from '../../lib/cli/runtime.js';
import { serverCommand } from '../../lib/cli/server.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { type Block, blocksOf, projectText, proseOf, writtenDocuments } from '../support/markdown.js';
import * as api from '../support/public.js';
import { commandsIn } from './transcript.js';

const documents = writtenDocuments().map((path) => ({ path, text: projectText(path), blocks: blocksOf(projectText(path)) }));
const everywhere = documents.flatMap(({ path, blocks }) => blocks.map((block) => ({ path, ...block })));

// ── Which blocks run ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Languages that a machine could run. */
const CODE = new Set(['js', 'mjs', 'ts', 'sh', 'bash', 'console']);
/** Blocks that have a test of their own, by what stands behind the fence. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  conformance: 'test/docs/conformance.test.ts',
  deployment: 'test/cli/deployment.test.ts',
  quickstart: 'test/cli/quickstart.test.ts',
};
/**
 * Blocks that cannot run in a test, by document: they need another machine, a network, an administrator, or hours. The first
 * word behind their fence is `static`. A number that grows is looked at here.
 */
const STATIC: Readonly<Record<string, number>> = {
  'docs/guides/run-the-four-roles.md': 2,
  'docs/guides/use-the-console.md': 3,
  'docs/hardening.md': 3,
  'docs/imports.md': 1,
};

/** How a block is tested: `run`, `file` (saved for one that runs), `npm` (its scripts exist), `static`, or the file of a test. */
function kindOf({ language, info }: Block): string | undefined {
  const [how = ''] = info.split(' ');
  if (how === 'run' || how === 'file' || how === 'static') return how;
  return language === 'sh' && how === 'npm' ? 'npm' : ELSEWHERE[how];
}

void t.test('every block of code says how it is tested', async (t) => {
  const code = everywhere.filter(({ language }) => CODE.has(language));
  t.ok(code.length > 20, `${code.length} blocks`);
  const untold = code.filter((block) => kindOf(block) === undefined);
  t.same(
    untold.map(({ path, language, info }) => `${path}: ${language} ${info}`),
    [],
  );
  for (const [name, file] of Object.entries(ELSEWHERE)) t.match(projectText(file), name, `${file} runs it`);
  t.equal(kindOf({ language: 'sh', info: '', text: '' }), undefined, 'a block that says nothing is noticed');
});

void t.test('those that cannot run are counted', async (t) => {
  const counted: Record<string, number> = {};
  for (const block of everywhere)
    if (CODE.has(block.language) && kindOf(block) === 'static') counted[block.path] = (counted[block.path] ?? 0) + 1;
  t.same(counted, STATIC);
});

void t.test('what a document leaves in the background it also ends', async (t) => {
  let found = 0;
  for (const { path, text, blocks } of documents) {
    const started = blocks.filter(({ language, text: block }) => CODE.has(language) && /^veracruz-streams .* &$/m.test(block));
    found += started.length;
    if (started.length > 0) t.match(text, /\bkill %1\b/, path);
  }
  t.ok(found >= 4, `${found} blocks`);
});

void t.test('a text that must be printed stands behind something that runs', async (t) => {
  let outputs = 0;
  for (const { path, blocks } of documents) {
    blocks.forEach(({ info }, i) => {
      if (info !== 'output') return;
      outputs++;
      t.equal(kindOf(blocks[i - 1] as Block), 'run', path);
    });
  }
  t.ok(outputs >= 5, `${outputs} outputs`);
});

// ── What is named in them ─────────────────────────────────────────────────────────────────────────────────────────────

const { scripts } = JSON.parse(projectText('package.json')) as { scripts: Record<string, string> };
/** Words behind `npm` that are no scripts. */
const NPM = new Set(['ci', 'install', 'i', 'audit', 'pack', 'publish', 'view', 'is', 'and', 'or', 'scripts', 'commands', 'script']);

void t.test('every npm command is a script of the package', async (t) => {
  let named = 0;
  for (const { path, text } of documents) {
    for (const [, name = ''] of text.matchAll(/`{1,3}[^`]*?\bnpm (?:run )?([a-z][\w:-]*)/g)) {
      if (NPM.has(name)) continue;
      named++;
      t.ok(name in scripts, `${path}: npm run ${name}`);
    }
  }
  t.ok(named >= 20, `${named} commands`);
});

void t.test('tap is given files: of a folder it may take the declarations, too', async (t) => {
  const texts = [...documents.map(({ text }) => text), projectText('package.json')].join('\n');
  const given = [...texts.matchAll(/\b(?:tap|run\.js) (?:--\S+ )*'?(dist\/[^\s'"`]+)/g)].map(([, path]) => path as string);
  t.ok(given.length >= 3);
  for (const path of given) t.match(path, /\.js$/);
});

const COMMANDS = [
  attestCommand(),
  clientCommand(),
  conformanceCommand(),
  demoCommand(),
  deviceCommand(),
  identityCommand(),
  inspectCommand(),
  measureCommand(),
  policyCommand(),
  runtimeCommand(),
  serverCommand(),
];
const within = (commands: readonly Command[]): Command[] => commands.flatMap((command) => [command, ...within(command.commands)]);
const flagsOf = (commands: readonly Command[]) =>
  new Set([...commands.flatMap(({ options }) => options.flatMap(({ long, short }) => [long, short])), '--help', '--version', '-h']);
const ALL_FLAGS = flagsOf(within(COMMANDS));

/** The faults of one command line of ours: a command or a flag that is not there. */
function faultsOf(line: string): string[] {
  const words = line.split(/\s+/).slice(1);
  const found: Command[] = [];
  let commands: readonly Command[] = COMMANDS;
  for (const word of words) {
    const command = commands.find((one) => one.name() === word);
    if (command === undefined) break;
    found.push(command);
    commands = command.commands;
  }
  const used = words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.replace(/=.*/, ''));
  if (found.length === 0) return words[0]?.startsWith('-') || words.length === 0 ? [] : [`no command ${words[0]}`];
  // `attest --listen` is `attest serve --listen`.
  const flags = flagsOf(found[0]?.name() === 'attest' ? within([found[0]]) : found.slice(-1));
  return used.filter((flag) => !flags.has(flag)).map((flag) => `${found.map((command) => command.name()).join(' ')} has no ${flag}`);
}

/** Our command lines in a text: in blocks of sh, and in code spans. */
function commandLines(text: string): string[] {
  const inBlocks = blocksOf(text).filter(({ language }) => language === 'sh');
  const spans = [...proseOf(text).matchAll(/`(veracruz-streams [^`]+)`/g)].map(([, span]) => span as string);
  const lines = [...inBlocks.flatMap((block) => commandsIn(block.text)), ...spans];
  // A command inside another, as in `"$(veracruz-streams measure)"`, is a line of its own.
  const inner = lines.flatMap((line) => [...line.matchAll(/\$\(([^)]*)\)/g)].map(([, command]) => command as string));
  const outer = lines.map((line) => line.replaceAll(/\$\([^)]*\)/g, 'X'));
  return [...outer, ...inner].flatMap((line) =>
    [...line.matchAll(/(?<![\w/-])veracruz-streams [^|;&$]*/g)].map(([command]) => command.trim()),
  );
}

void t.test('commands and flags in the documents exist', async (t) => {
  let checked = 0;
  for (const { path, text } of documents) {
    for (const line of commandLines(text)) {
      t.same(faultsOf(line), [], `${path}: ${line}`);
      checked++;
    }
  }
  t.ok(checked > 40, `${checked} command lines`);
  t.same(faultsOf('veracruz-streams runtime --store files --nothing x'), ['runtime has no --nothing']);
  t.same(faultsOf('veracruz-streams nothing --store files'), ['no command nothing']);
  t.same(faultsOf('veracruz-streams attest enroll device.pem --days 3'), []);
  t.same(commandLines('```sh\nveracruz-streams policy create -x "$(date --utc)" -b "$(veracruz-streams measure)"\n```\n'), [
    'veracruz-streams policy create -x "X" -b "X"',
    'veracruz-streams measure',
  ]);
  t.same(commandLines('```sh\nA=1 veracruz-streams measure | veracruz-streams inspect -\n```\n`veracruz-streams demo x`'), [
    'veracruz-streams measure',
    'veracruz-streams inspect -',
    'veracruz-streams demo x',
  ]);
});

/** Flags of other programs that documents name. */
const FOREIGN_FLAGS = new Set([
  // Node and V8
  ...['--always-sparkplug', '--debug', '--heap-growing-percent', '--heapsnapshot-near-heap-limit', '--heapsnapshot-signal'],
  ...['--inspect', '--interrupt-budget', '--max-inlined-bytecode-size-cumulative', '--max-semi-space-size'],
  ...['--no-lazy-feedback-allocation', '--no-parallel-scavenge', '--report-on-fatalerror', '--semi-space-growth-factor'],
  ...['--single-threaded-gc', '--v8-pool-size'],
  // Docker, and the programs of the original
  ...['--ulimit', '--address', '--port'],
  // our benchmarks and proofs
  ...['--json', '--nice', '--only', '--write-nl'],
]);

void t.test('flags that stand alone are of some command', async (t) => {
  const unknown = new Set<string>();
  let checked = 0;
  for (const { text } of documents) {
    for (const [, flag = ''] of proseOf(text).matchAll(/`(--[a-z][a-z0-9-]*)[ =]?[^`]*`/g)) {
      checked++;
      if (!ALL_FLAGS.has(flag) && !FOREIGN_FLAGS.has(flag)) unknown.add(flag);
    }
  }
  t.ok(checked > 60, `${checked} flags`);
  t.same([...unknown].sort(), []);
});

void t.test('names in code spans that look like ours are exported', async (t) => {
  const exported = new Set(Object.keys(api));
  const named = documents.flatMap(({ path, text }) =>
    [...proseOf(text).matchAll(/`([A-Z]+(?:_[A-Z]+)*_DEFAULTS|DIAGNOSTICS|DirectoryStore|\w+Stack)`/g)].map(([, name]) => ({
      path,
      name: name as string,
    })),
  );
  t.ok(named.length >= 10);
  for (const { path, name } of named) t.ok(exported.has(name), `${path}: ${name}`);
});

void t.test('every code of an error exists', async (t) => {
  const known = new Set(api.ERROR_CLASSES.map((ErrorClass) => new ErrorClass('').code));
  let named = 0;
  for (const { path, text } of documents) {
    for (const [code] of text.matchAll(/\bERR_VC_[A-Z0-9_]+\b/g)) {
      named++;
      t.ok(known.has(code), `${path}: ${code}`);
    }
  }
  t.ok(named > 100, `${named} codes`);
  t.ok(existsSync(join(PROJECT_ROOT, 'docs', 'errors.md')));
});

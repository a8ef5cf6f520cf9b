/**
 * Makes the static protobuf code of the library from transport_protocol.proto. Nothing of this runs at run time.
 *
 *     node proto/generate.js                 writes lib/layers/protobuf/*.generated.{js,d.ts}
 *     node proto/generate.js --check [file]  exits 1 when those (or those of another .proto) are not up to date
 *     node proto/generate.js --copy <dir>    copies them into <dir>, beside what tsc wrote
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const SOURCE = join(HERE, 'transport_protocol.proto');
const TARGET = join(HERE, '..', 'lib', 'layers', 'protobuf');
const FILES = ['schema.generated.js', 'schema.generated.d.ts', 'descriptor.generated.js', 'descriptor.generated.d.ts'];
const HEADER = '// Made by proto/generate.js from transport_protocol.proto. Do not edit.\n';

/** Only what encodes and decodes; comments stay, because pbjs makes the types of them. */
const STATIC_FLAGS = [
  ...['-t', 'static-module', '-w', 'esm', '--dts', '--root', 'veracruz-streams', '--dependency', 'protobufjs/minimal.js'],
  ...['--no-create', '--no-verify', '--no-convert', '--no-delimited', '--no-typeurl'],
];

function pbjs(source, ...flags) {
  const cli = createRequire(import.meta.url).resolve('protobufjs-cli/bin/pbjs');
  return execFileSync(process.execPath, [cli, '--keep-case', ...flags, source], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** The table that strict decoding needs: `messages` (message -> field -> number, type, oneof) and `enums`. */
function descriptorOf(source) {
  const { nested } = JSON.parse(pbjs(source, '-t', 'json')).nested.transport_protocol;
  const messages = {};
  const enums = {};
  for (const [name, type] of Object.entries(nested)) {
    if (type.values !== undefined) {
      enums[name] = type.values;
      continue;
    }
    const arms = new Map(Object.entries(type.oneofs ?? {}).flatMap(([oneof, { oneof: fields }]) => fields.map((field) => [field, oneof])));
    messages[name] = Object.fromEntries(
      Object.entries(type.fields).map(([field, { id, type: of }]) => [
        field,
        { number: id, type: of, ...(arms.has(field) && { oneof: arms.get(field) }) },
      ]),
    );
  }
  return { messages, enums };
}

/** `value` as one line of source, a member a line above depth 2. */
function literal(value, depth = 0) {
  if (typeof value !== 'object') return typeof value === 'string' ? `'${value}'` : String(value);
  const members = Object.entries(value).map(([key, member]) => `${key}: ${literal(member, depth + 1)}`);
  if (members.length === 0) return '{}';
  const pad = '  '.repeat(depth);
  return depth >= 2 ? `{ ${members.join(', ')} }` : `{\n${members.map((member) => `${pad}  ${member},\n`).join('')}${pad}}`;
}

function generate(source, folder) {
  const path = (name) => join(folder, name);
  pbjs(source, ...STATIC_FLAGS, '-o', path('schema.generated.js'));
  writeFileSync(path('schema.generated.js'), HEADER + readFileSync(path('schema.generated.js'), 'utf8'));
  // pbjs imports Long whether a 64-bit field needs it or not.
  const types = readFileSync(path('schema.generated.d.ts'), 'utf8');
  const rest = types.replace(/^import Long = .*\n/m, '');
  writeFileSync(path('schema.generated.d.ts'), HEADER + (/\bLong\b/.test(rest) ? types : rest));
  const { messages, enums } = descriptorOf(source);
  const js = (name, value) => `export const ${name} = ${literal(value)};\n`;
  const dts = (name, value) => `export declare const ${name}: ${literal(value)};\n`;
  writeFileSync(path('descriptor.generated.js'), HEADER + js('messages', messages) + js('enums', enums));
  writeFileSync(path('descriptor.generated.d.ts'), HEADER + dts('messages', messages) + dts('enums', enums));
}

/** Names of the files that differ from what `source` gives now. */
function outdated(source) {
  const folder = mkdtempSync(join(tmpdir(), 'veracruz-proto-'));
  try {
    generate(source, folder);
    return FILES.filter((name) => readFileSync(join(folder, name), 'utf8') !== readFileSync(join(TARGET, name), 'utf8'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const [mode, argument] = process.argv.slice(2);
if (mode === undefined) {
  generate(SOURCE, TARGET);
} else if (mode === '--check') {
  const source = argument === undefined ? SOURCE : resolve(argument);
  const names = outdated(source);
  if (names.length > 0) {
    console.error(`not up to date with ${basename(source)}: ${names.join(', ')}; run npm run proto`);
    process.exitCode = 1;
  }
} else if (mode === '--copy' && argument !== undefined) {
  mkdirSync(argument, { recursive: true });
  for (const name of FILES) copyFileSync(join(TARGET, name), join(argument, name));
} else {
  console.error('usage: node proto/generate.js [--check [file.proto] | --copy <dir>]');
  process.exitCode = 2;
}

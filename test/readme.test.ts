/** What the README says is so: its scripts run, its lists of layers and limits are those of the code, its links lead somewhere. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import * as api from '../lib/index.js';
import { PROJECT_ROOT } from './support/golden.js';
import './support/processes.js';
import { HANG_MS } from './support/time.js';

const readme = readFileSync(join(PROJECT_ROOT, 'README.md'), 'utf8');

/** Fenced blocks by what stands behind the fence. */
const blocks = [...readme.matchAll(/^```(\S+)(?: (.*))?\n([\s\S]*?)^```$/gm)].map(([, language, info, text]) => ({
  language,
  info: info ?? '',
  text: text as string,
}));

const identity = api.makeIdentity({ commonName: 'readme' });
const { certificate, key } = identity;
const { dialect, maxMessageBytes } = api.CLIENT_DEFAULTS;
const clientTls = { role: 'client', certificate, key, authority: certificate } as const;
const serverTls = { role: 'server', certificate, key, identities: [certificate] } as const;
const link = { dialect: api.SERVER_DEFAULTS.dialect, frame: api.SERVER_DEFAULTS.frame } as const;

void t.test('the lists of layers are what describe() prints', async (t) => {
  const lists: Record<string, string> = {
    client: api.clientStack({ dialect, maxMessageBytes, tls: clientTls, batchBytes: () => 0 }).describe(),
    direct: api.directClientStack({ dialect, maxMessageBytes, tls: clientTls }).describe(),
    'server-client': api.serverClientStack(1).describe(),
    'server-manager': api.serverManagerStack(link).describe(),
    'manager-server': api.managerServerStack(link).describe(),
    'manager-client': api
      .managerClientStack({
        dialect: api.RUNTIME_MANAGER_DEFAULTS.dialect,
        maxMessageBytes: api.RUNTIME_MANAGER_DEFAULTS.maxMessageBytes,
        tls: serverTls,
      })
      .describe(),
    'attestation-client': api.attestationClientStack().describe(),
    'attestation-server': api.attestationServerStack().describe(),
  };
  const printed = blocks
    .filter(({ info }) => info.startsWith('layers '))
    .map(({ info, text }) => [info.replace('layers ', ''), text.trimEnd()] as const);
  t.same(printed.map(([name]) => name).sort(), Object.keys(lists).sort());
  for (const [name, text] of printed) t.equal(text, lists[name], name);
});

void t.test('the table of layers has every limit, and only codes that exist', async (t) => {
  const envelopes = { sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerResponse' } as const;
  const layers: Record<string, api.AnyLayer> = {
    protobuf: api.protobuf(envelopes),
    lengthPrefix: api.lengthPrefix(),
    tls: api.tls(clientTls),
    records: api.records(),
    base64: api.base64(),
    session: api.session({ end: 'client' }),
    bincode: api.bincode({ dialect: '2207', sends: 'request', receives: 'response' }),
    frame: api.frame('tcp9'),
  };
  const section = /^## The layers$([\s\S]*?)^## /m.exec(readme)?.[1] as string;
  const rows = new Map(
    [...section.matchAll(/^\| `(\w+)\(\)` \|.*\| (.*) \| (.*) \|$/gm)].map(([, name, limits, codes]) => [name, [limits, codes]]),
  );
  t.same([...rows.keys()], Object.keys(layers));
  const known = new Set(api.ERROR_CLASSES.map((ErrorClass) => new ErrorClass('').code));
  for (const [name, layer] of Object.entries(layers)) {
    const [limits, codes] = rows.get(name) as string[];
    for (const [limit, value] of Object.entries(layer.limits)) {
      if (typeof value === 'number') t.match(limits, new RegExp(`\\b${limit} ${value}\\b`), `${name}: ${limit}`);
    }
    const mentioned = [...(codes as string).matchAll(/`(\w+)`/g)].map(([, code]) => code as string);
    t.ok(mentioned.length > 0);
    t.same(
      mentioned.filter((code) => !known.has(code)),
      [],
    );
  }
  const { maxWholeMessageBytes } = api.LENGTH_PREFIX_DEFAULTS;
  t.match(rows.get('lengthPrefix')?.[0], String(maxWholeMessageBytes));
});

void t.test('the table of limits of a computation is the defaults', async (t) => {
  const section = /^## Computation$([\s\S]*?)^## /m.exec(readme)?.[1] as string;
  const rows = [...section.matchAll(/^\| (\w+)[^|]* \| (\d+) \|/gm)].map(([, name, value]) => [name, Number(value)]);
  t.same(Object.fromEntries(rows), api.WASI_ENGINE_DEFAULTS);
});

void t.test('scripts that are marked for it run when pasted', async (t) => {
  const scripts = blocks.filter(({ language, info }) => language === 'js' && info === 'run');
  t.ok(scripts.length > 0);
  for (const { text } of scripts) {
    t.ok(text.trim().split('\n').length <= 10, 'ten lines');
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', text], { cwd: PROJECT_ROOT, timeout: HANG_MS });
    const { stdout, stderr } = await run;
    t.equal(stderr, '');
    t.ok(stdout.trim() !== '' && readme.includes(`It prints \`${stdout.trim()}\``), 'prints what is said behind it', { stdout });
  }
});

void t.test('every npm command is a script of the package', async (t) => {
  const { scripts } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
  const named = [...readme.matchAll(/npm (?:run )?([\w:]+)/g)].map(([, name]) => name as string).filter((name) => name !== 'ci');
  t.ok(named.includes('demo') && named.includes('test'));
  for (const name of named) t.ok(name in scripts, `npm run ${name}`);
});

void t.test('tap is given files: of a folder it may take the declarations, too', async (t) => {
  const manifest = readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8');
  const given = [...`${readme}\n${manifest}`.matchAll(/\b(?:tap|run\.js) (?:--\S+ )*'?(dist\/[^\s'"]+)/g)].map(
    ([, path]) => path as string,
  );
  t.ok(given.length >= 3);
  for (const path of given) t.match(path, /\.js$/);
});

void t.test('links and folders lead somewhere', async (t) => {
  for (const [, path] of readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g))
    t.ok(existsSync(join(PROJECT_ROOT, path as string)), path as string);
  const section = /^## Layout$([\s\S]*?)^## /m.exec(readme)?.[1] as string;
  const folders = [...section.matchAll(/^\| `([\w/]+)\/` \|/gm)].map(([, folder]) => folder as string);
  for (const folder of folders) t.ok(existsSync(join(PROJECT_ROOT, folder)), folder);
  const parts = readdirSync(join(PROJECT_ROOT, 'lib'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of parts) t.ok(folders.includes(`lib/${name}`), `lib/${name} is in the layout`);
});

void t.test('names in code spans that look like ours are exported', async (t) => {
  const exported = new Set(Object.keys(api));
  const named = [...readme.matchAll(/`((?:[A-Z]+_DEFAULTS|DIAGNOSTICS|DirectoryStore|\w+Stack))`/g)].map(([, name]) => name as string);
  t.ok(named.length >= 10);
  for (const name of named) t.ok(exported.has(name), name);
});

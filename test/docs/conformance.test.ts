/** The commands of docs/conformance.md run as they stand there, but on free ports. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import t, { type Test } from 'tap';
import { CONFORMANCE_CASES, TARGET_NAMES, VERDICTS } from '../../lib/conformance/index.js';
import { until, within } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { blocksOf, projectText, sectionsOf, tableRows } from '../support/markdown.js';
import '../support/processes.js';
import { freshFolder } from '../support/roles.js';

const page = projectText('docs/conformance.md');
const MAIN = join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'main.js');

/** Ports that nobody has at the moment. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  const ports: number[] = [];
  for (const server of servers) {
    if (!server.listening) await once(server, 'listening');
    ports.push((server.address() as { port: number }).port);
    server.close();
  }
  return ports;
}

interface Started {
  readonly child: ChildProcess;
  readonly said: { text: string };
  readonly ended: Promise<number | null>;
}

function start(t: Test, folder: string, command: string): Started {
  const env = { ...process.env, PATH: [folder, process.env.PATH].join(delimiter) };
  const child = spawn('sh', ['-c', `exec ${command}`], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env });
  const said = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said.text += text;
    });
  }
  const ended = once(child, 'close').then(([code]) => code as number | null);
  t.teardown(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  return { child, said, ended };
}

/** Runs a block line by line, as a shell does. */
async function runBlock(t: Test, text: string): Promise<string[]> {
  const folder = freshFolder(t);
  writeFileSync(join(folder, 'veracruz-streams'), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`, { mode: 0o755 });
  const [server, attestation, manager] = await freePorts(3);
  const put = (line: string) =>
    line.replaceAll(':3011', `:${server}`).replaceAll(':3010', `:${attestation}`).replaceAll(':6000', `:${manager}`);
  const behind: Started[] = [];
  const said: string[] = [];
  for (const line of text.trim().split('\n').map(put)) {
    if (line.endsWith('&')) {
      const started = start(t, folder, line.slice(0, -1));
      behind.push(started);
      await until(line, () => /listening|may be started/.test(started.said.text) || started.child.exitCode !== null);
      continue;
    }
    const kill = /^kill %(\d)$/.exec(line);
    if (kill !== null) {
      const job = behind[Number(kill[1]) - 1] as Started;
      job.child.kill('SIGTERM');
      await within(line, job.ended);
      continue;
    }
    const awaited = line === 'wait %1' ? (behind[0] as Started) : start(t, folder, line);
    t.equal(await within(line, awaited.ended), 0, `${line}\n${awaited.said.text}`);
    said.push(awaited.said.text);
  }
  return said;
}

const blocks = blocksOf(page).filter(({ info }) => info === 'conformance');

void t.test('there is a block for each role', async (t) => {
  t.equal(blocks.length, TARGET_NAMES.length);
});

for (const { text } of blocks) {
  const role = TARGET_NAMES.find((name) => text.includes(`conformance ${name} `)) as (typeof TARGET_NAMES)[number];
  void t.test(`the commands for a ${role} run`, async (t) => {
    const table = (await runBlock(t, text)).at(-1) ?? '';
    const counts = /^all +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)$/m.exec(table)?.slice(1).map(Number) ?? [];
    t.ok((counts[0] as number) >= 5, table);
    t.equal(counts[1], 0, table);
  });
}

void t.test('the verdicts and the fields of a case are those of the code', async (t) => {
  t.same(
    tableRows(page, ['verdict', 'means']).map(([verdict]) => verdict),
    VERDICTS,
  );
  const [item] = CONFORMANCE_CASES.manager.filter(({ ends }) => ends === true);
  const fields = tableRows(page, ['field', 'is']).map(([field]) => (field as string).replace(/^`(\w+).*$/, '$1'));
  for (const field of Object.keys(item as object)) t.ok(fields.includes(field), field);
});

void t.test('every case names a section of docs/wire.md, and has a name of its own in its dialect', async (t) => {
  const sections = new Set(sectionsOf(projectText('docs/wire.md')).map(({ title }) => title.split(' ')[0]));
  for (const role of TARGET_NAMES) {
    const names = new Set<string>();
    for (const { name, section, dialects = ['2207', '2207-nitro', 'head'], expects } of CONFORMANCE_CASES[role]) {
      t.ok(sections.has(`§${section}`), `${role} ${name}: §${section}`);
      t.match(name, /^[a-z]+\.[\w.-]+$/i);
      t.ok(expects.endsWith('.') || expects.endsWith(')'), `${name}: ${expects}`);
      for (const dialect of dialects) {
        t.notOk(names.has(`${dialect} ${name}`), `${name} is there once in ${dialect}`);
        names.add(`${dialect} ${name}`);
      }
    }
  }
});

/** What the documents say runs, runs: scripts and commands, with the output that stands behind them. */
import { join } from 'node:path';
import t from 'tap';
import { putDatabase } from '../support/databases.js';
import { blocksOf, projectText, writtenDocuments } from '../support/markdown.js';
import '../support/processes.js';
import { type Judge, printed, Transcript } from './transcript.js';

const RUNS = /^(run|file)\b/;
/** Folders of registries, and what in a document makes one. How a first start makes it is seen elsewhere. */
const REGISTRIES = [
  ['attestation/registry', 'attest serve'],
  ['registry', "folder: 'registry'"],
] as const;
const documents = writtenDocuments().filter((path) => blocksOf(projectText(path)).some(({ info }) => RUNS.test(info)));

void t.test('some documents have something that runs', async (t) => {
  for (const path of ['README.md', 'docs/guides/compose-a-stack.md', 'docs/guides/write-a-layer.md']) t.ok(documents.includes(path), path);
});

for (const path of documents) {
  void t.test(path, async (t) => {
    const text = projectText(path);
    const transcript = new Transcript(t);
    for (const [registry, named] of REGISTRIES) if (text.includes(named)) await putDatabase(join(transcript.folder, registry));
    const ran = await transcript.run(text);
    t.equal(ran, blocksOf(text).filter(({ info }) => RUNS.test(info)).length);
  });
}

void t.test('a script that fails, and an output that differs, are noticed', async (t) => {
  const failing = async (markdown: string) => {
    let failed = 0;
    const count = (ok: boolean) => {
      if (!ok) failed++;
    };
    const judge: Judge = { equal: (found, wanted) => count(found === wanted), match: (found, wanted) => count(wanted.test(found)) };
    await new Transcript(t, judge).run(markdown);
    return failed;
  };
  const block = (info: string, text: string) => `\`\`\`${info}\n${text}\n\`\`\`\n`;
  t.equal(await failing(block('js run', 'console.log(1 + 1)') + block('text output', '2')), 0);
  t.equal(await failing(block('js run', 'console.log(1 + 1)') + block('text output', '3')), 1);
  t.equal(await failing(block('js run', 'process.exit(3)')), 1);
  t.equal(await failing(block('js file a.mjs', 'console.log("a")') + block('sh run', 'node a.mjs\n# a comment')), 0);
  t.equal(await failing(block('sh run', 'true && \\\n  false')), 1);
  t.ok(printed('a … c\nd').test('a b c\nd\n'));
  t.notOk(printed('a.c').test('abc'));
});

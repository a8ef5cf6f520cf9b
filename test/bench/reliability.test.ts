/** The document of the proofs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { documentWith, sectionOf } from '../../bench/proof/reliability/document.js';
import { PROOFS, type ProofCommand } from '../../bench/proof/reliability/proofs.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { runBench } from './run.js';

const scripts = (JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }).scripts;

void t.test('every proof is a script of its name', async (t) => {
  for (const { name, module } of PROOFS) t.equal(scripts[name], `npm run build && node dist/bench/${module}.js`);
});

void t.test('a section is put in its place, and the others stay', async (t) => {
  const [one, two] = PROOFS as [ProofCommand, ProofCommand];
  const order = [one.name, two.name];
  const first = documentWith('', order, new Map([[two.name, sectionOf(two, ['--rounds', '3'], 'figures of two\n')]]));
  const both = documentWith(first, order, new Map([[one.name, sectionOf(one, [], 'figures of one')]]));
  t.match(both, /^# Reliability\n/);
  t.ok(both.indexOf('figures of one') < both.indexOf('figures of two'), 'in order');
  t.ok(both.includes(`$ npm run ${two.name} -- --rounds 3\nfigures of two\n`));
  const again = documentWith(both, order, new Map([[one.name, sectionOf(one, [], 'newer figures')]]));
  t.ok(again.includes('newer figures') && again.includes('figures of two') && !again.includes('figures of one'));
  t.equal(documentWith(again, order, new Map()), again, 'nothing new changes nothing');
});

void t.test('the document is of these proofs', async (t) => {
  const text = readFileSync(join(PROJECT_ROOT, 'docs', 'reliability.md'), 'utf8');
  const names = [...text.matchAll(/^## (\S+)/gm)].map(([, name]) => name);
  t.same(
    names,
    PROOFS.map(({ name }) => name),
  );
  t.equal(text.match(/^no violation/gm)?.length, names.length);
});

void t.test('the command', async (t) => {
  t.match(await runBench('proof/reliability/main', ['--only', 'dances']), {
    code: 1,
    stderr: /Allowed choices are fuzz, crash, faults, soak/,
  });
});

import fc from 'fast-check';
import t from 'tap';
import { ComputeError } from '../../lib/core/errors.js';
import type { Computation, ComputeEngine } from '../../lib/enclave/compute/engine.js';
import { MAX_PIPELINE_BYTES, MAX_PIPELINE_DEPTH, type Pipeline, parsePipeline, runPipeline } from '../../lib/enclave/compute/index.js';
import { type Policy, policyFaults, RIGHTS, readPolicy } from '../../lib/enclave/policy/index.js';
import { until } from '../support/foreign.js';
import { seeded } from '../support/splits.js';
import {
  command,
  contents,
  fileRights,
  opens,
  type Place,
  passes,
  place,
  policyWith,
  type Rights,
  reads,
  says,
  script,
} from './compute-support.js';
import { changed } from './policy-support.js';
import { get, put } from './store-support.js';
import '../support/processes.js';

const program = (path: string): Pipeline => ({ kind: 'program', path });
const sequence = (...steps: Pipeline[]): Pipeline => ({ kind: 'sequence', steps });
const either = (path: string, then: Pipeline, otherwise = sequence()): Pipeline => ({ kind: 'if', path, then, else: otherwise });

void t.test('what a script says', async (t) => {
  const scripts: [string, Pipeline][] = [
    ['', sequence()],
    [' \n ', sequence()],
    ['/a;', program('/a')],
    ['/a ; /b', sequence(program('/a'), program('/b'))],
    ['/a ; /b ; ', sequence(program('/a'), program('/b'))],
    ['/a ; if f { /b ; }', sequence(program('/a'), either('/f', sequence(program('/b'))))],
    ['if /f { } ; ', either('/f', sequence())],
    [
      'if /f { } else { /a } ; { /b ; /c }',
      sequence(either('/f', sequence(), sequence(program('/a'))), sequence(program('/b'), program('/c'))),
    ],
    ['/a', program('/a')],
    ['a', program('/a')],
    ['  /program//a.wasm/\n', program('/program/a.wasm')],
    ['{}', sequence()],
    ['{ }', sequence()],
    ['{/a}', sequence(program('/a'))],
    ['{ /a; }', sequence(program('/a'))],
    ['{ /a ; /b }', sequence(program('/a'), program('/b'))],
    ['{/a;/b;}', sequence(program('/a'), program('/b'))],
    ['{{/a};{{}}}', sequence(sequence(program('/a')), sequence(sequence()))],
    ['if /f {}', either('/f', sequence())],
    ['if/f{/a}', either('/if/f', sequence(program('/a')))],
    ['if /f{/a}else{/b}', either('/f', sequence(program('/a')), sequence(program('/b')))],
    [
      'if f { if /g { /a } else { } ; } else { /b ; /c }',
      either('/f', sequence(either('/g', sequence(program('/a')))), sequence(program('/b'), program('/c'))),
    ],
    ['if stdin { /a }', either('stdin', sequence(program('/a')))],
    ['{ /if ; /else ; iffy ; elsewhere }', sequence(program('/if'), program('/else'), program('/iffy'), program('/elsewhere'))],
    ['/\u00e9t\u00e9/\u{1f600}', program('/\u00e9t\u00e9/\u{1f600}')],
  ];
  for (const [text, pipeline] of scripts) {
    if (text === 'if/f{/a}') t.throws(() => parsePipeline(text), { code: 'ERR_VC_POLICY', offset: 4 }, 'if/f is a path');
    else t.same(parsePipeline(text), pipeline, text);
  }
});

void t.test('what is no script, and where', async (t) => {
  const wrong: [string, number][] = [
    ['/a /b', 3],
    ['/a ; ;', 5],
    ['/a ; /b /c', 8],
    ['/a ; /b }', 8],
    ['if /f { } /a', 10],
    [';', 0],
    ['}', 0],
    ['{', 1],
    ['{ /a', 4],
    ['{ /a /b }', 5],
    ['{ ; }', 2],
    ['{ /a ;; }', 6],
    ['{ /a } }', 7],
    ['if', 2],
    ['if {', 3],
    ['if /f', 5],
    ['if /f /a', 6],
    ['if if { }', 3],
    ['if else { }', 3],
    ['else', 0],
    ['else { }', 0],
    ['if /f { } else', 14],
    ['if /f { } else /a', 15],
    ['if /f { } else if /g { }', 15],
    ['{ stdin }', 2],
    ['stdout', 0],
    ['{ /a ; /../b }', 7],
    ['{ /a/./b }', 2],
    ['/', 0],
    ['/a\0b', 0],
    [`/${'n'.repeat(256)}`, 0],
    ['/a\ud800', 0],
  ];
  for (const [text, offset] of wrong)
    t.throws(() => parsePipeline(text), { code: 'ERR_VC_POLICY', layer: 'pipeline', offset }, JSON.stringify(text.slice(0, 30)));
});

void t.test('limits of a script: at them and one over', async (t) => {
  const nested = (depth: number) => `${'{'.repeat(depth)}${'}'.repeat(depth)}`;
  t.equal(parsePipeline(nested(MAX_PIPELINE_DEPTH)).kind, 'sequence');
  const deep = { code: 'ERR_VC_POLICY', got: MAX_PIPELINE_DEPTH + 1, limit: MAX_PIPELINE_DEPTH, offset: MAX_PIPELINE_DEPTH };
  t.throws(() => parsePipeline(nested(MAX_PIPELINE_DEPTH + 1)), deep);
  t.throws(() => parsePipeline('{'.repeat(60_000)), deep);
  const conditions = `${'if /f {'.repeat(MAX_PIPELINE_DEPTH)}${'}'.repeat(MAX_PIPELINE_DEPTH)}`;
  t.equal(parsePipeline(conditions).kind, 'if');
  t.throws(() => parsePipeline(`if /f {${conditions}}`), { code: 'ERR_VC_POLICY', limit: MAX_PIPELINE_DEPTH });
  t.equal(parsePipeline(`{${'{};'.repeat(1000)}}`).kind, 'sequence', 'blocks beside each other are not in each other');
  const long = (bytes: number) => `/\u00e9${' '.repeat(bytes - 3)}`;
  t.equal(parsePipeline(long(MAX_PIPELINE_BYTES)).kind, 'program');
  t.throws(() => parsePipeline(long(MAX_PIPELINE_BYTES + 1)), {
    code: 'ERR_VC_POLICY',
    got: MAX_PIPELINE_BYTES + 1,
    limit: MAX_PIPELINE_BYTES,
  });
});

const paths = fc.constantFrom('/a', '/program/b.wasm', '/if', '/\u00e9');
const pipelines = fc.letrec<{ any: Pipeline; block: Pipeline }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 5 },
    paths.map(program),
    tie('block'),
    fc.tuple(paths, tie('block'), tie('block')).map(([path, then, otherwise]) => either(path, then, otherwise)),
  ),
  block: fc.array(tie('any'), { maxLength: 4 }).map((steps) => sequence(...steps)),
})).any;

function written(pipeline: Pipeline, space: string): string {
  switch (pipeline.kind) {
    case 'program':
      return pipeline.path;
    case 'sequence':
      return `{${space}${pipeline.steps.map((step) => `${written(step, space)}${space};${space}`).join('')}}`;
    case 'if':
      return `if ${pipeline.path}${space}${written(pipeline.then, space)}${space}else${space}${written(pipeline.else, space)}`;
  }
}

void t.test('a pipeline that is written is read as itself', async () => {
  fc.assert(
    fc.property(pipelines, fc.constantFrom('', ' ', '\n\t '), (pipeline, space) => {
      const again = parsePipeline(written(pipeline, space));
      return JSON.stringify(again) === JSON.stringify(pipeline);
    }),
    seeded(300),
  );
});

void t.test('any text at all is read or refused with its place', async () => {
  const texts = fc
    .array(fc.constantFrom('{', '}', ';', 'if', 'else', '/a', ' ', 'stdin', '..', '\0', '\u00e9', '\ud800'), { maxLength: 30 })
    .map((all) => all.join(''));
  fc.assert(
    fc.property(fc.oneof(texts, fc.string({ unit: 'binary' })), (text) => {
      try {
        parsePipeline(text);
        return true;
      } catch (thrown) {
        const { code, offset } = thrown as { code: string; offset: number };
        return code === 'ERR_VC_POLICY' && offset >= 0 && offset <= text.length;
      }
    }),
    seeded(2000),
  );
});

void t.test('a policy whose pipeline cannot be read is refused', async (t) => {
  const withScript = (pipeline: string) =>
    changed((policy) => {
      policy.pipelines[0].pipeline = pipeline;
    });
  t.equal(readPolicy(withScript('{ /a ; }')).pipelines[0]?.pipeline, '{ /a ; }', 'the text stays as it is');
  t.match(policyFaults(withScript('{ /a ')), [
    { key: '/pipelines/0/pipeline', message: /must be a script: ; or } must stand at 5, not the end/ },
  ]);
  t.throws(() => readPolicy(withScript('/../a')), { code: 'ERR_VC_POLICY', message: /\.\. segment, in the path at 0/ });
});

// ── Running ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A policy with one pipeline, `p`, that has these rights; `listed` are its programs. */
function pipelinePolicy(text: string, rights: Rights, listed: readonly string[] = []): Policy {
  return policyWith({}, (policy) => {
    policy.pipelines = [{ name: 'p', pipeline: text, id: 0, file_rights: fileRights(rights) }];
    policy.programs = listed.map((program_file_name, id) => ({ program_file_name, id, file_rights: [] }));
  });
}

/** Runs it with an engine that only notes what it is asked; `code` says how each program ends. */
async function noted(
  { store }: Place,
  text: string,
  codes: Readonly<Record<string, number>> = {},
  rights: Rights = { '/program': 'x' },
  listed: readonly string[] = [],
) {
  const asked: Computation[] = [];
  const engine: ComputeEngine = {
    run: async (computation) => {
      asked.push(computation);
      return codes[computation.program] ?? 0;
    },
    close: async () => {},
  };
  const policy = pipelinePolicy(text, rights, listed);
  const [pipeline] = policy.pipelines as [Policy['pipelines'][number]];
  const code = await runPipeline({ pipeline, policy, store, engine, signal: new AbortController().signal });
  return { code, ran: asked.map(({ program: path }) => path.replace('/program/', '')).join(' '), asked };
}

void t.test('a sequence ends with the first code that is not 0', async (t) => {
  const at = await place(t);
  const text = '{ /program/a ; { /program/b ; /program/c } ; /program/d }';
  t.match(await noted(at, text), { code: 0, ran: 'a b c d' });
  t.match(await noted(at, text, { '/program/b': 7 }), { code: 7, ran: 'a b' });
  t.match(await noted(at, text, { '/program/d': 2 ** 32 - 1 }), { code: 2 ** 32 - 1, ran: 'a b c d' });
  t.match(await noted(at, '{}'), { code: 0, ran: '' });
  t.match(await noted(at, '/program/a', { '/program/a': 3 }), { code: 3, ran: 'a' });
});

void t.test('if asks whether a file is there', async (t) => {
  const at = await place(t);
  await put(at.store, '/flag', '');
  await put(at.store, 'stdin', '');
  t.match(await noted(at, 'if /flag { /program/a } else { /program/b }'), { code: 0, ran: 'a' });
  t.match(await noted(at, 'if /none { /program/a } else { /program/b }'), { code: 0, ran: 'b' });
  t.match(await noted(at, 'if /none { /program/a }'), { code: 0, ran: '' });
  t.match(await noted(at, 'if stdin { /program/a }'), { code: 0, ran: 'a' });
  t.match(await noted(at, '{ if /flag { /program/a } else { } ; /program/b }', { '/program/a': 5 }), { code: 5, ran: 'a' });
});

void t.test('a program is listed by the policy, or the pipeline may execute it', async (t) => {
  const at = await place(t);
  const denied = { code: 'ERR_VC_ACCESS_DENIED', layer: 'pipeline', got: '/program/b' };
  const text = '{ /program/a ; /program/b }';
  t.match(await noted(at, text, {}, { '/program': 'x' }), { ran: 'a b' });
  t.match(await noted(at, text, {}, {}, ['/program/a', '/program/b']), { ran: 'a b' });
  t.match(await noted(at, text, {}, { '/program/b': RIGHTS.FD_EXECUTE | RIGHTS.PATH_OPEN }, ['/program/a']), { ran: 'a b' });
  await t.rejects(noted(at, text, {}, {}, ['/program/a']), denied);
  await t.rejects(noted(at, text, {}, { '/program/b': 'rw' }, ['/program/a']), denied);
  await t.rejects(noted(at, text, {}, { '/program/b': RIGHTS.FD_EXECUTE }, ['/program/a']), denied);
});

void t.test('every program has the rights of the pipeline', async (t) => {
  const at = await place(t);
  const { asked } = await noted(at, '{ /program/a ; /program/b }');
  for (const { principal } of asked) t.same(principal, { kind: 'pipeline', name: 'p' });
});

void t.test('faults end it', async (t) => {
  const at = await place(t);
  const policy = pipelinePolicy('{ /program/a ; /program/b }', { '/program': 'x' });
  const [pipeline] = policy.pipelines as [Policy['pipelines'][number]];
  const fault = new ComputeError('trapped');
  let runs = 0;
  const engine: ComputeEngine = {
    run: () => {
      runs++;
      return Promise.reject(fault);
    },
    close: async () => {},
  };
  const signal = new AbortController().signal;
  await t.rejects(runPipeline({ pipeline, policy, store: at.store, engine, signal }), fault);
  t.equal(runs, 1);
  await t.rejects(runPipeline({ pipeline: { ...pipeline, pipeline: '{' }, policy, store: at.store, engine, signal }), {
    code: 'ERR_VC_POLICY',
  });
  await at.store.close();
  await t.rejects(runPipeline({ pipeline: { ...pipeline, pipeline: 'if /a { }' }, policy, store: at.store, engine, signal }), {
    code: 'ERR_VC_CLOSED',
  });
});

void t.test('real programs, one with the output of the other', async (t) => {
  const at = await place(t);
  const policy = pipelinePolicy(
    '{ /program/first ; if /between/f { /program/second } else { /program/none } ; if /input/extra { /program/none } }',
    { '/program': 'x', '/input': 'r', '/between': 'rw', '/output': 'w', stdout: 'w' },
  );
  await put(at.store, '/input/f', 'data');
  await put(
    at.store,
    '/program/first',
    script([opens('input/f', 'read'), reads({ fd: 0 }), opens('between/f', 'write'), passes({ fd: 2 })]),
  );
  await put(
    at.store,
    '/program/second',
    script([opens('between/f', 'read'), reads({ fd: 0 }), opens('output/f', 'write'), passes({ fd: 2 }), says({ fd: 2 }, ' and more')]),
  );
  const [pipeline] = policy.pipelines as [Policy['pipelines'][number]];
  const surroundings = { pipeline, policy, ...at };
  t.equal(await runPipeline({ ...surroundings, signal: new AbortController().signal }), 0);
  t.equal(String(await get(at.store, '/output/f')), 'data and more');
  await put(at.store, '/input/extra', '');
  await t.rejects(runPipeline({ ...surroundings, signal: new AbortController().signal }), {
    code: 'ERR_VC_NOT_READY',
    got: '/program/none',
  });

  await put(at.store, '/program/second', command('(loop $l (br $l))'));
  const ending = new AbortController();
  const running = runPipeline({ ...surroundings, signal: ending.signal });
  const store = at.store;
  await store.remove('/between/f');
  await until('what the first one wrote', async () => '/between/f' in (await contents(store)));
  ending.abort();
  await t.rejects(running, { code: 'ERR_VC_ABORTED' });
  t.ok('/between/f' in (await contents(store)), 'what the first one wrote stays');
});

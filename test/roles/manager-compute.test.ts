/** Computation at the manager's side: who may run what, what becomes of it, and how a run ends before its time. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { AbortedError, AccessDeniedError, ClosedError, ComputeError, NotReadyError } from '../../lib/core/errors.js';
import type { Computation, ComputeEngine } from '../../lib/enclave/compute/engine.js';
import { WasiEngine, type WasiEngineOptions } from '../../lib/enclave/compute/index.js';
import { readPolicy } from '../../lib/enclave/policy/index.js';
import type { RuntimeManagerOptions } from '../../lib/roles/runtime-manager/runtime-manager.js';
import { assemble } from '../enclave/compute-support.js';
import { secretOf, tapProxy, until, within } from '../support/foreign.js';
import { ALL_RIGHTS, alice, bob, collect, connectClient, content, policyOf, portOf, startRoles, stored } from '../support/roles.js';
import { patience } from '../support/time.js';
import '../support/processes.js';

/** An engine whose runs are what the test says. */
class ScriptedEngine implements ComputeEngine {
  readonly runs: Computation[] = [];
  closed = 0;
  behave: (run: Computation) => Promise<number> | number = () => 0;

  async run(computation: Computation): Promise<number> {
    this.runs.push(computation);
    return this.behave(computation);
  }

  async close(): Promise<void> {
    this.closed++;
  }

  /** Runs that end when they are aborted, and not before. */
  get endless(): (run: Computation) => Promise<number> {
    return ({ signal }) =>
      new Promise((_, reject) => {
        const abort = () => reject(new AbortedError('aborted'));
        if (signal.aborted) abort();
        else signal.addEventListener('abort', abort, { once: true });
      });
  }
}

const POLICY = policyOf({
  identities: [
    { certificate: alice.certificate, capabilities: ALL_RIGHTS },
    { certificate: bob.certificate, capabilities: '/input/:rw,/program/:w,/other/:x' },
  ],
});

async function start(t: Test, options: Partial<RuntimeManagerOptions> = {}) {
  const engine = new ScriptedEngine();
  const roles = await startRoles(t, {
    manager: { policy: POLICY, compute: engine, ...options },
    server: { direct: 'tcp://127.0.0.1:0' },
  });
  const direct = `tcp://127.0.0.1:${(roles.server.directAddress as { port: number }).port}`;
  return { ...roles, engine, direct };
}

void t.test('a run gets what it needs, and gives its exit code', async (t) => {
  const { connect, engine, store } = await start(t);
  const client = await connect();
  for (const code of [0, 1, 255, 0x12345678, 0xffffffff]) {
    engine.behave = () => code;
    t.equal(await client.compute('program//sum.wasm'), code);
  }
  const [run] = engine.runs as [Computation];
  t.equal(run.program, '/program/sum.wasm', 'normal');
  t.same(run.principal, { kind: 'program', path: '/program/sum.wasm' }, 'with its own rights, not those of who asks');
  t.same(run.policy, readPolicy(POLICY));
  t.equal(run.store, store);
  t.notOk(run.signal.aborted);
});

void t.test('a body that was given up is not taken for the answer of the program behind it', async (t) => {
  const { connect, engine } = await start(t);
  const client = await connect();
  await client.writeFile('/input/large', Buffer.alloc(24_000_000));
  // Longer than the first question waits, so that the client has to ask again.
  engine.behave = async () => {
    await sleep(2500);
    return 7;
  };
  (await client.readFile('/input/large')).destroy();
  t.equal(await within('the program', client.compute('/program/slow')), 7);
});

void t.test('who may not execute runs nothing', async (t) => {
  const { connect, engine } = await start(t);
  const client = await connect({ identity: bob });
  for (const program of ['/program/sum.wasm', '/input/x', '/elsewhere', 'stdin']) {
    await t.rejects(client.compute(program), { code: 'ERR_VC_REQUEST_FAILED', got: 'FAILED_INVALID_ROLE' }, program);
  }
  for (const program of ['/other/../program/sum.wasm', '/other/./x', '']) {
    await t.rejects(client.compute(program), { code: 'ERR_VC_REQUEST_FAILED', got: 'FAILED_INVALID_REQUEST' }, program);
  }
  t.same(engine.runs, []);
  t.equal(await client.compute('/other/x'), 0);
});

void t.test('what goes wrong in a run is a status, and the session goes on', async (t) => {
  const { connect, engine } = await start(t);
  const client = await connect();
  const faults: [string, Error][] = [
    ['FAILED_NOT_READY', new NotReadyError('no such program')],
    ['FAILED_NOT_READY', new ClosedError('the engine is closed')],
    ['FAILED_VM_ERROR', new ComputeError('trap: unreachable')],
    ['FAILED_VM_ERROR', new TypeError('the engine itself is broken')],
    ['FAILED_INVALID_ROLE', new AccessDeniedError('it wrote what a pin forbids')],
    ['FAILED_GENERIC', new AbortedError('for reasons of its own')],
  ];
  for (const [status, fault] of faults) {
    engine.behave = () => Promise.reject(fault);
    await t.rejects(client.compute('/program/p'), { code: 'ERR_VC_REQUEST_FAILED', got: status }, fault.message);
    engine.behave = () => {
      throw fault;
    };
    await t.rejects(client.compute('/program/p'), { code: 'ERR_VC_REQUEST_FAILED', got: status }, `${fault.message}, thrown at once`);
    t.equal((await client.policyHash()).length, 64);
  }
  engine.behave = () => 3;
  t.equal(await client.compute('/program/p'), 3);
});

void t.test('a manager without an engine computes nothing', async (t) => {
  const { connect } = await startRoles(t);
  const client = await connect();
  await t.rejects(client.compute('/program/p'), { code: 'ERR_VC_REQUEST_FAILED', got: 'FAILED_INVALID_REQUEST' });
});

void t.test('a long run delays its own session, and no other', async (t) => {
  const { connect, engine, manager, server, direct } = await start(t);
  const client = await connect();
  const other = await connect({ identity: bob });
  let end: (code: number) => void = () => {};
  engine.behave = () =>
    new Promise((resolve) => {
      end = resolve;
    });
  const computed = client.compute('/program/long');
  let over = false;
  const behind = client.writeFile('/input/behind', Buffer.from('x')).then(() => {
    over = true;
  });
  await until('the run', () => engine.runs.length === 1);
  const bytes = content(8_000_000, 3);
  await within('an upload beside it', other.writeFile('/input/large', bytes));
  t.ok((await within('a download beside it', other.readFile('/input/large').then(collect))).equals(bytes));
  for (const url of [server.url, direct]) {
    const late = await within('a new session', connectClient(t, url));
    await late.writeFile('/input/late', Buffer.from('late'));
    await late.close();
  }
  t.notOk(over, 'the request behind it waits');
  t.equal(manager.running, 1);
  end(9);
  t.equal(await within('the run', computed), 9);
  await within('the request behind it', behind);
});

void t.test('a run that outlasts many questions of the Server', async (t) => {
  const { connect, engine, direct } = await start(t);
  // The manager holds each question for a second at most.
  engine.behave = () => new Promise((resolve) => setTimeout(resolve, 2500, 5));
  const clients = [await connect(), await connectClient(t, direct)];
  t.same(await within('both', Promise.all(clients.map((client) => client.compute('/program/p')))), [5, 5]);
});

void t.test('a client that goes away takes its run with it', async (t) => {
  const { connect, engine, server, direct, store } = await start(t);
  engine.behave = engine.endless;
  const leaving: Record<string, () => Promise<unknown>> = {
    'its signal, over TCP': async () => {
      const end = new AbortController();
      const client = await connectClient(t, direct, { signal: end.signal });
      const run = client.compute('/program/p');
      await until('the run', () => engine.runs.length > 0);
      end.abort();
      return run;
    },
    'the signal of the request, over HTTP': async () => {
      const end = new AbortController();
      const client = await connectClient(t, server.url);
      const run = client.compute('/program/p', { signal: end.signal });
      run.catch(() => {});
      await until('the run', () => engine.runs.length > 0);
      end.abort();
      await client.close();
      return run;
    },
    'a signal between two POSTs': async () => {
      const end = new AbortController();
      const http = await tapProxy(t, portOf(server));
      const client = await connectClient(t, http.url);
      const run = client.compute('/program/p', { signal: end.signal });
      run.catch(() => {});
      await until('the run', () => engine.runs.length > 0);
      const answered = new Promise<void>((resolve) => {
        http.onDown = () => {
          resolve();
          return true;
        };
      });
      // The Server has answered, and waits for nothing: that a connection is gone then says nothing to it.
      await within('an answer that says nothing yet', answered);
      end.abort();
      return run;
    },
    'DELETE of its session': async () => {
      const http = await tapProxy(t, portOf(server));
      const client = await connectClient(t, http.url);
      const run = client.compute('/program/p');
      run.catch(() => {});
      await until('the run', () => engine.runs.length > 0);
      await fetch(`${server.url}/runtime_manager/${client.session}`, { method: 'DELETE', headers: secretOf(http.up()) });
      return run;
    },
  };
  for (const [what, leave] of Object.entries(leaving)) {
    engine.runs.length = 0;
    await t.rejects(within(what, leave()), { code: /^ERR_VC_(ABORTED|OUTCOME_UNKNOWN|SESSION_UNKNOWN)$/ }, what);
    await until(`the end of the run: ${what}`, () => engine.runs[0]?.signal.aborted === true);
  }
  const client = await connect();
  await client.writeFile('/input/f', Buffer.from('x'));
  t.equal(String(await stored(store, '/input/f')), 'x', 'the manager goes on');
});

void t.test('close() aborts what runs, and waits for it before the store goes', async (t) => {
  const { connect, engine, manager } = await start(t);
  const client = await connect();
  const order: string[] = [];
  engine.behave = ({ signal, store }) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        order.push('aborted');
        setImmediate(() => {
          void store.stat('/f').catch((error: { got?: unknown }) => {
            order.push(`the store says ${String(error.got)}`);
            reject(new AbortedError('aborted'));
          });
        });
      });
    });
  const run = client.compute('/program/p');
  run.catch(() => {});
  await until('the run', () => engine.runs.length === 1);
  await within(
    'close()',
    manager.close().then(() => order.push('closed')),
  );
  t.same(order, ['aborted', 'the store says ENOENT', 'closed']);
  t.equal(engine.closed, 0, 'the engine is whose it was');
  await t.rejects(within('the client', run));
});

void t.test('a shutdown by somebody else ends what runs', async (t) => {
  const { connect, engine, manager } = await start(t);
  engine.behave = engine.endless;
  const run = (await connect()).compute('/program/p');
  run.catch(() => {});
  await until('the run', () => engine.runs.length === 1);
  await (await connect({ identity: bob })).shutdown();
  await until('its end', () => engine.runs[0]?.signal.aborted === true);
  await t.rejects(within('who waits for it', run));
  await within('the manager', manager.closed);
});

void t.test('many runs leave nothing behind, and no listener', async (t) => {
  const warnings: string[] = [];
  const onWarning = (warning: Error) => warnings.push(warning.name);
  process.on('warning', onWarning);
  t.teardown(() => process.off('warning', onWarning));
  const { connect, engine, manager } = await start(t);
  const clients = await Promise.all(Array.from({ length: 15 }, () => connect()));
  for (let round = 0; round < 15; round++) await Promise.all(clients.map((client) => client.compute('/program/p')));
  t.equal(engine.runs.length, 225);
  t.equal(manager.running, 0);
  await new Promise((resolve) => setImmediate(resolve));
  t.same(warnings, []);
});

// ── Pipelines ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const PIPELINES = policyOf({
  identities: [
    { certificate: alice.certificate, capabilities: '/program/:wx,/input/:rw' },
    { certificate: bob.certificate, capabilities: '/program/a/:x,/input/:rw' },
  ],
  pipelines: [
    { script: '/program/a/one', capabilities: '/program/:x' },
    { script: '{ /program/a/one ; /program/b/two ; /program/a/three }', capabilities: '/program/:x' },
    { script: 'if /input/f { /program/a/one } else { /program/b/two }', capabilities: '/program/:x' },
    { name: 'the sum', script: '{ /program/a/one ; }', capabilities: '/program/:x' },
    { name: '17', script: '/program/a/named-17', capabilities: '/program/:x' },
    { script: '/program/a/forbidden', capabilities: '/program/b/:x' },
  ],
});

async function startHead(t: Test) {
  const engine = new ScriptedEngine();
  const roles = await startRoles(t, {
    manager: { policy: PIPELINES, compute: engine, dialect: 'head' },
    server: { dialect: 'head' },
  });
  const connect = (identity = alice) => roles.connect({ identity, dialect: 'head' });
  const ran = () => engine.runs.splice(0).map(({ program }) => program);
  return { ...roles, engine, connect, ran };
}

void t.test('a pipeline runs its programs with its own rights', async (t) => {
  const { engine, connect, ran } = await startHead(t);
  const client = await connect();
  const codes: Record<string, number> = { '/program/b/two': 5 };
  engine.behave = ({ program, principal }) => {
    t.same(principal, { kind: 'pipeline', name: '1' });
    return codes[program] ?? 0;
  };
  t.equal(await client.runPipeline(1), 5, 'the first code that is not 0');
  t.same(ran(), ['/program/a/one', '/program/b/two']);
  codes['/program/b/two'] = 0;
  t.equal(await client.runPipeline(1), 0);
  t.same(ran(), ['/program/a/one', '/program/b/two', '/program/a/three']);
});

void t.test('a pipeline by its index, with a slash before it or not, and by its name', async (t) => {
  const { connect, ran } = await startHead(t);
  const client = await connect();
  for (const [name, programs] of [
    [0, ['/program/a/one']],
    ['0', ['/program/a/one']],
    ['/0', ['/program/a/one']],
    ['the sum', ['/program/a/one']],
    ['/the sum', ['/program/a/one']],
    ['1', ['/program/a/one', '/program/b/two', '/program/a/three']],
    [4, ['/program/a/named-17']],
  ] as const) {
    await client.runPipeline(name);
    t.same(ran(), programs, String(name));
  }
  // A number is an index, even where a pipeline has it for its name.
  for (const name of [6, 17, 4294967296, -1, '00', '01', '0x0', '1.0', ' 0', '//0', '', '/', 'the', 'the sum ', 'toString']) {
    await t.rejects(client.runPipeline(name), { code: 'ERR_VC_REQUEST_FAILED', got: 'FAILED_INVALID_REQUEST' }, JSON.stringify(name));
  }
  t.same(ran(), []);
});

void t.test('who may run a pipeline: who may execute all of its programs', async (t) => {
  const { connect, ran } = await startHead(t);
  const [all, some] = [await connect(), await connect(bob)];
  for (const index of [0, 3, 4]) t.equal(await some.runPipeline(index), 0);
  ran();
  const denied = { code: 'ERR_VC_REQUEST_FAILED', got: 'FAILED_INVALID_ROLE' };
  await t.rejects(some.runPipeline(1), denied);
  await t.rejects(some.runPipeline(2), denied, 'the branch that is not taken counts');
  await all.writeFile('/input/f', Buffer.from('x'));
  await t.rejects(some.runPipeline(2), denied, 'so that the answer does not tell which it is');
  t.same(ran(), [], 'not even the first program ran');
  await all.runPipeline(2);
  t.same(ran(), ['/program/a/one']);
  await t.rejects(all.runPipeline(5), denied, 'the pipeline itself needs the right too');
  t.same(ran(), []);
});

void t.test('what goes wrong in a pipeline is a status, and it ends with who asked', async (t) => {
  const { engine, connect, manager } = await startHead(t);
  const client = await connect();
  for (const [status, fault] of [
    ['FAILED_NOT_READY', new NotReadyError('no such program')],
    ['FAILED_VM_ERROR', new ComputeError('trap')],
    ['FAILED_VM_ERROR', new TypeError('the engine itself is broken')],
  ] as const) {
    engine.behave = () => Promise.reject(fault);
    await t.rejects(client.runPipeline(1), { code: 'ERR_VC_REQUEST_FAILED', got: status }, fault.message);
    t.equal(engine.runs.splice(0).length, 1, 'nothing behind it runs');
  }
  engine.behave = engine.endless;
  const end = new AbortController();
  const run = client.runPipeline(1, { signal: end.signal });
  run.catch(() => {});
  await until('the run', () => manager.running === 1 && engine.runs.length === 1);
  end.abort();
  await t.rejects(within('who asked', run), { code: 'ERR_VC_ABORTED' });
  await until('its end', () => manager.running === 0);
  t.equal(engine.runs.length, 1);
});

void t.test('a policy whose pipeline is none is no policy', async (t) => {
  const policy = JSON.stringify({ ...JSON.parse(PIPELINES), pipelines: [{ name: '0', id: 0, file_rights: [], pipeline: '{ /a' }] });
  await t.rejects(startRoles(t, { manager: { policy } }), { code: 'ERR_VC_POLICY' });
});

// ── With the engine that comes with the library ───────────────────────────────────────────────────────────────────────

/** Copies standard input to standard output, and exits with 7. */
const COPY = assemble(`(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 64))
    (loop $more
      (i32.store (i32.const 4) (i32.const 4096))
      (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $exit (i32.const 1))))
      (if (i32.eqz (i32.load (i32.const 8))) (then (call $exit (i32.const 7))))
      (i32.store (i32.const 4) (i32.load (i32.const 8)))
      (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)) (then (call $exit (i32.const 2))))
      (br $more))))`);
const TRAP = assemble('(module (memory (export "memory") 1) (func (export "_start") unreachable))');
const LOOP = assemble('(module (memory (export "memory") 1) (func (export "_start") (loop $l (br $l))))');

async function startReal(t: Test, options: WasiEngineOptions = {}) {
  const engine = new WasiEngine(options);
  t.teardown(() => engine.close());
  const sha256 = createHash('sha256').update(COPY).digest('hex');
  const policy = policyOf({
    identities: [
      { certificate: alice.certificate, capabilities: '/program/:w,/input/:rw,stdin:w' },
      { certificate: bob.certificate, capabilities: '/program/:x,stdout:r' },
    ],
    programs: [{ name: '/program/copy.wasm', sha256, capabilities: 'stdin:r,stdout:w' }],
  });
  const roles = await startRoles(t, { manager: { policy, compute: engine } });
  return { ...roles, owner: await roles.connect(), analyst: await roles.connect({ identity: bob }) };
}

void t.test('one provisions, the other computes and reads', async (t) => {
  const { owner, analyst } = await startReal(t);
  const denied = { code: 'ERR_VC_REQUEST_FAILED', got: 'FAILED_INVALID_ROLE' };
  await t.rejects(analyst.compute('/program/copy.wasm'), { code: 'ERR_VC_REQUEST_FAILED', got: 'FAILED_NOT_READY' });
  await t.rejects(owner.writeFile('/program/copy.wasm', TRAP), denied, 'only the program of the policy');
  await owner.writeFile('/program/copy.wasm', COPY);
  const secret = content(100_000, 4);
  await owner.writeFile('stdin', secret);
  await t.rejects(owner.compute('/program/copy.wasm'), denied);
  await t.rejects(analyst.readFile('stdin'), denied);
  t.equal(await within('the run', analyst.compute('/program/copy.wasm')), 7);
  t.ok((await collect(await analyst.readFile('stdout'))).equals(secret));
});

void t.test('a trap, a program that is none, a loop: each is a status', async (t) => {
  const { owner, analyst } = await startReal(t, { timeLimitMs: patience(1000) });
  const failed = { code: 'ERR_VC_REQUEST_FAILED', got: 'FAILED_VM_ERROR' };
  for (const [what, program] of Object.entries({ trap: TRAP, none: content(1000), loop: LOOP })) {
    await owner.writeFile('/program/other.wasm', program);
    await t.rejects(within(what, analyst.compute('/program/other.wasm')), failed, what);
  }
  await t.rejects(analyst.compute('/program/missing.wasm'), { code: 'ERR_VC_REQUEST_FAILED', got: 'FAILED_NOT_READY' });
});

void t.test('a loop stalls nobody, and ends with the manager', async (t) => {
  const { owner, analyst, manager } = await startReal(t);
  await owner.writeFile('/program/loop.wasm', LOOP);
  const looping = analyst.compute('/program/loop.wasm');
  looping.catch(() => {});
  await until('the run', () => manager.running === 1);
  const bytes = content(5_000_000, 6);
  await within('an upload beside it', owner.writeFile('/input/large', bytes));
  t.ok((await within('a download beside it', owner.readFile('/input/large').then(collect))).equals(bytes));
  t.equal(manager.running, 1, 'it is still at it');
  await within('close()', manager.close());
  t.equal(manager.running, 0);
  await t.rejects(within('who began it', looping));
});

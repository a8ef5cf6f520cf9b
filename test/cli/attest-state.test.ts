/** The authority of a state folder, when several servers start on it at once. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { makeAuthority } from '../../lib/attestation/authority.js';
import { authorityOf } from '../../lib/cli/attest/state.js';
import { until, within } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { freshFolder } from '../support/roles.js';
import '../support/processes.js';

/** A process that says that it is ready, waits for a word, and then asks for the authority. */
const RACER = `
  const { once } = await import('node:events');
  const [module, state] = process.argv.slice(1);
  const { authorityOf } = await import(module);
  process.stdout.write('ready');
  await once(process.stdin, 'data');
  const { authority, made } = await (await authorityOf({ state })).settle();
  process.stdout.write(JSON.stringify({ certificate: authority.certificate, key: authority.key, made: made !== undefined }));
  process.stdin.destroy();
`;
const READY = 'ready';

interface Answer {
  readonly certificate: string;
  readonly key: string;
  readonly made: boolean;
}

class Racer {
  readonly #child;
  readonly #ended: Promise<unknown>;
  #said = '';

  constructor(t: Test, module: string, state: string) {
    this.#child = spawn(process.execPath, ['--input-type=module', '-e', RACER, module, state], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#ended = once(this.#child, 'close');
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
    t.teardown(() => this.#child.kill('SIGKILL'));
  }

  get ready(): boolean {
    return this.#said === READY;
  }

  async go(): Promise<Answer> {
    this.#child.stdin.write('go');
    await within('the authority', this.#ended);
    return JSON.parse(this.#said.slice(READY.length)) as Answer;
  }
}

void t.test('of several at once one makes it, and all have the same', async (t) => {
  const module = pathToFileURL(join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'attest', 'state.js')).href;
  for (let round = 0; round < 3; round++) {
    const state = join(freshFolder(t), 'state');
    const racers = Array.from({ length: 4 }, () => new Racer(t, module, state));
    await until('all are ready', () => racers.every(({ ready }) => ready));
    const all = await Promise.all(racers.map((racer) => racer.go()));
    t.equal(all.filter(({ made }) => made).length, 1, 'one has made it');
    t.equal(new Set(all.map(({ certificate, key }) => certificate + key)).size, 1, 'one pair for all');
    t.same(readdirSync(state).sort(), ['ca.key', 'ca.pem'], 'and nothing else is left');
    t.equal(readFileSync(join(state, 'ca.pem'), 'utf8'), all[0]?.certificate);
  }
});

void t.test('the certificate is still being written: it is waited for', async (t) => {
  const state = freshFolder(t);
  const { certificate, key } = makeAuthority();
  writeFileSync(join(state, 'ca.key'), key);
  const asked = authorityOf({ state });
  setTimeout(() => writeFileSync(join(state, 'ca.pem'), certificate), 30);
  const found = await asked;
  t.same(found.authority, { certificate, key });
  t.same(await found.settle(), { authority: { certificate, key }, made: undefined });
});

void t.test('nothing is written before it is settled', async (t) => {
  const state = join(freshFolder(t), 'state');
  const { authority, settle } = await authorityOf({ state });
  t.notOk(existsSync(state));
  t.same(await settle(), { authority, made: join(state, 'ca.pem') });
  t.equal(readFileSync(join(state, 'ca.key'), 'utf8'), authority.key);
});

void t.test('half an authority is none, and is not replaced', async (t) => {
  const { certificate, key } = makeAuthority();
  for (const [name, content] of [
    ['ca.key', key],
    ['ca.pem', certificate],
  ] as const) {
    const state = freshFolder(t);
    writeFileSync(join(state, name), content);
    await t.rejects(authorityOf({ state }), { code: 'ERR_VC_INVALID_ARGUMENT', message: /cannot read .*ca\.(pem|key)/ }, `only ${name}`);
    t.same(readdirSync(state), [name]);
    rmSync(state, { recursive: true });
  }
});

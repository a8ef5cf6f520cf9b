/** The authority of a state folder, when several servers start on it at once. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { makeAuthority } from '../../lib/attestation/authority.js';
import { authorityOf } from '../../lib/cli/attest/state.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { freshFolder } from '../support/roles.js';

/** A process that waits for a moment, and then asks for the authority. */
const RACER = `
  const [module, state, moment] = process.argv.slice(1);
  const { authorityOf } = await import(module);
  while (Date.now() < Number(moment));
  const { authority, made } = await authorityOf({ state });
  process.stdout.write(JSON.stringify({ certificate: authority.certificate, key: authority.key, made: made !== undefined }));
`;

void t.test('of several at once one makes it, and all have the same', async (t) => {
  const module = pathToFileURL(join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'attest', 'state.js')).href;
  for (let round = 0; round < 3; round++) {
    const state = join(freshFolder(t), 'state');
    const moment = String(Date.now() + 1500);
    const racers = Array.from({ length: 4 }, async () => {
      const args = ['--input-type=module', '-e', RACER, module, state, moment];
      const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 });
      return JSON.parse(stdout) as { certificate: string; key: string; made: boolean };
    });
    const all = await Promise.all(racers);
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
  t.same(await asked, { authority: { certificate, key }, made: undefined });
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

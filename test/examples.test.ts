/** Every script of examples/ is short, runs as it says itself, ends by itself, and prints what it promises. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { PROJECT_ROOT } from './support/golden.js';
import './support/processes.js';
import { HANG_MS } from './support/time.js';

const FOLDER = join(PROJECT_ROOT, 'examples');
const scripts = readdirSync(FOLDER).filter((name) => name.endsWith('.ts'));

/** What each script prints, besides what differs from run to run. */
const PRINTS: Record<string, (string | RegExp)[]> = {
  'compose-a-stack': [
    /^length-prefix +deliver whole, maxMessageBytes 1048576$/m,
    'answer: A MESSAGE\nanswer: IS ONE CHUNK\nanswer: WHATEVER ITS SIZE\n',
    'length-prefix: 38 bytes in, 62 out',
  ],
  'custom-layer': [/^checksum +maxChunkBytes 1048576$/m, 'got: checked on the way'],
  'decode-a-body': [
    'a body of 962 bytes\nsession 427313028\n  change_cipher_spec, version 0x0303, 1 bytes\n  application_data, version 0x0303, 495 bytes\n',
    'a link dump of 1048 bytes\n  NewTlsSession\n  SendTlsData of session 1: 221 bytes\n  GetTlsDataNeeded of session 1\n',
    '  SendTlsData of session 1: 713 bytes\n',
  ],
  diagnostics: [
    'connection 1 failed: ERR_VC_LIMIT in length-prefix',
    'connection 2 failed: ERR_VC_TRANSPORT in transport',
    /^ {2}protobuf +100021 bytes out +2 bytes in$/m,
    /^ {2}length-prefix +100029 bytes out +10 bytes in$/m,
  ],
  'upload-with-progress': [
    /^the manager's policy has the hash [0-9a-f]{64}$/m,
    'write: 1000000 of 1000000 bytes',
    'read: 1000000 of 1000000 bytes',
    'sent 1000000 bytes, got 1000000 back',
    'ERR_VC_REQUEST_FAILED: ',
  ],
};

void t.test('every example is here', async (t) => {
  t.same(scripts.map((name) => name.replace(/\.ts$/, '')).sort(), Object.keys(PRINTS).sort());
});

for (const [name, expected] of Object.entries(PRINTS)) {
  void t.test(name, async (t) => {
    const source = readFileSync(join(FOLDER, `${name}.ts`), 'utf8');
    t.ok(source.trimEnd().split('\n').length < 60, 'under 60 lines');
    t.match(source, `node dist/examples/${name}.js`, 'says how it is run');
    t.notMatch(source, /from '\.\.\//, 'uses the package by its name, as a user does');
    // A temporary folder of its own, to see that nothing is left in it.
    const temporary = mkdtempSync(join(tmpdir(), 'vc-example-'));
    t.teardown(() => rmSync(temporary, { recursive: true, force: true }));
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [join('dist', 'examples', `${name}.js`)], {
      cwd: PROJECT_ROOT,
      env: { ...process.env, TMPDIR: temporary },
      timeout: HANG_MS,
    });
    t.equal(stderr, '');
    for (const text of expected) {
      if (typeof text === 'string') t.ok(stdout.includes(text), `prints ${text.trim()}`, { stdout });
      else t.match(stdout, text);
    }
    t.same(readdirSync(temporary), [], 'leaves nothing behind');
  });
}

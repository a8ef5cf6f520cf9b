import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseExpiry } from '../../lib/cli/policy/expiry.js';
import { InvalidArgumentError } from '../../lib/core/errors.js';
import { POLICY_SCHEMA, policyHash, readPolicy } from '../../lib/enclave/policy/index.js';
import { alice, authority, bob, changed, goodPolicy } from '../enclave/policy-support.js';
import { PROJECT_ROOT } from '../support/golden.js';
import '../support/processes.js';

const MAIN = join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'main.js');
const PCR0 = 'ab'.repeat(48);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const folder = t.testdir({
  'alice.pem': alice.certificate,
  'bob.pem': bob.certificate,
  'ca.pem': authority.certificate,
  'sum.wasm': 'the program',
  'model.bin': 'the model',
  manager: 'the manager',
  pcr0: `${PCR0.toUpperCase()}\n`,
  'measurements.json': JSON.stringify({ Measurements: { HashAlgorithm: 'Sha384', PCR0, PCR1: 'cd'.repeat(48) } }),
  'good.json': JSON.stringify(goodPolicy(), null, 2),
  'bad.json': changed((policy) => {
    delete policy.debug;
    policy.ciphersuite = 'none';
  }),
  'latin1.json': Buffer.from(JSON.stringify({ ...goodPolicy(), note: 'é' }), 'latin1'),
});

function run(args: string[], input = ''): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'policy', ...args], { cwd: folder, encoding: 'utf8', input });
  return { status, stdout, stderr };
}

const SERVERS = ['-s', '127.0.0.1:3011', '-t', '127.0.0.1:3010', '--proxy-attestation-server-cert', 'ca.pem'];
const EXPIRY = ['-x', 'Thu, 31 Jan 2030 12:00:00 GMT'];
const ALICE = ['-c', 'alice.pem', '-p', '/input/:w'];

void t.test('create, with the flags of generate-policy', async (t) => {
  const { status, stdout, stderr } = run([
    ...['create', '-c', 'alice.pem', '-p', '/program/ : wx, stdin : w', '-c', 'bob.pem', '-p', '/output/:r'],
    ...['-w', '/program/sum.wasm=./sum.wasm,/program/two.wasm=sum.wasm', '-p', '/input/:r,/output/:rw', '-p', ''],
    ...['--pipeline', '/program/sum.wasm ; /program/two.wasm', '-p', ' / : r ', '--hashes', '/input/model=model.bin'],
    ...[...SERVERS, ...EXPIRY, '-b', 'manager', '-l', 'pcr0', '-d', '-e', 'Interpretation', '-n', '-m', '512', '-o', 'made.json'],
  ]);
  t.match({ status, stdout }, { status: 0, stdout: '' });
  const text = readFileSync(join(folder, 'made.json'), 'utf8');
  t.equal(stderr, `wrote made.json, policy hash ${policyHash(text)}\n`);
  const policy = readPolicy(text);
  t.same(
    policy.identities.map(({ certificate, file_rights }) => [certificate, file_rights.map(({ file_name }) => file_name)]),
    [
      [alice.policyCertificate, ['/program', 'stdin']],
      [bob.policyCertificate, ['/output']],
    ],
  );
  t.same(policy.file_hashes, [
    { file_path: '/program/sum.wasm', hash: sha256('the program') },
    { file_path: '/program/two.wasm', hash: sha256('the program') },
    { file_path: '/input/model', hash: sha256('the model') },
  ]);
  t.same(
    policy.programs.map(({ file_rights }) => file_rights.length),
    [2, 0],
    'an empty capability is none',
  );
  t.same(policy.pipelines[0]?.file_rights, [{ file_name: '/', rights: 24582 }]);
  t.match(policy, {
    veracruz_server_url: '127.0.0.1:3011',
    proxy_attestation_server_url: '127.0.0.1:3010',
    proxy_service_cert: authority.certificate,
    enclave_cert_expiry: { year: 2030, month: 1, day: 31, hour: 12, minute: 0 },
    runtime_manager_hash_linux: sha256('the manager'),
    runtime_manager_hash_nitro: PCR0.slice(0, 64),
    runtime_manager_hash_icecap: null,
    debug: true,
    execution_strategy: 'Interpretation',
    enable_clock: true,
    max_memory_mib: 512,
  });
  t.match(run(['check', 'made.json']), { status: 0, stdout: `made.json is a good policy; its hash is ${policyHash(text)}\n` });
});

void t.test('create with what programs are told when they start', async (t) => {
  const args = ['create', ...ALICE, '-w', '/program/sum.wasm=sum.wasm,/two=sum.wasm', '-p', '', '-p', '', ...SERVERS, ...EXPIRY];
  const good = [...args, '-b', 'manager', '-o', '-'];
  const start = [
    '--argument',
    '/program/sum.wasm=--fast',
    '--argument',
    '/program/sum.wasm=',
    '--environment',
    '/program/sum.wasm=LANG=C=x',
  ];
  const { status, stdout, stderr } = run([...good, ...start]);
  t.equal(status, 0, stderr);
  const [one, two] = readPolicy(stdout).programs;
  t.same([one?.arguments, one?.environment], [['--fast', ''], [{ name: 'LANG', value: 'C=x' }]]);
  t.same([two?.arguments, two?.environment], [[], []]);
  t.notMatch(JSON.parse(stdout).programs[1], { arguments: [] }, 'a key that says nothing is not there');
  for (const wrong of [
    ['--argument', '/none=x'],
    ['--argument', '/two'],
    ['--environment', '/two=LANG'],
    ['--environment', '/two==x'],
  ]) {
    t.match(run([...good, ...wrong]), { status: 2, stderr: new RegExp(`write ${wrong[0]}`) }, wrong.join(' '));
  }
});

void t.test('create with native modules, as head has them', async (t) => {
  const args = ['create', ...ALICE, ...SERVERS, ...EXPIRY, '-b', 'manager', '-o', '-', '--native-module-name', 'Counter'];
  const rest = ['--native-module-entry-point', '', '--native-module-special-file', 'services/counter.dat'];
  const more = ['--native-module-name', 'AES', '--native-module-entry-point', '/opt/aes', '--native-module-special-file', '/services/aes'];
  const { status, stdout, stderr } = run([...args, ...rest, ...more]);
  t.equal(status, 0, stderr);
  t.same(readPolicy(stdout).native_modules, [
    { name: 'Counter', type: { Static: { special_file: '/services/counter.dat' } } },
    { name: 'AES', type: { Dynamic: { special_file: '/services/aes', entry_point: '/opt/aes' } } },
  ]);
  t.match(run(args), { status: 2, stderr: /for each --native-module-name: 1, not 0 and 0/ });
  t.match(run([...args.slice(0, -2), ...rest]), { status: 2, stderr: /0, not 1 and 1/ });
});

void t.test('create to standard output, to output.json, and with what nitro-cli printed', async (t) => {
  const args = ['create', ...ALICE, ...SERVERS, ...EXPIRY, '--pcr-file', 'measurements.json'];
  const { status, stdout, stderr } = run([...args, '-o', '-', '--json']);
  t.equal(status, 0);
  t.match(readPolicy(stdout), { runtime_manager_hash_nitro: PCR0.slice(0, 64), execution_strategy: 'JIT', max_memory_mib: 256 });
  t.same(JSON.parse(stderr), { file: '-', hash: policyHash(stdout), bytes: Buffer.byteLength(stdout) });
  t.equal(run(args).status, 0);
  t.equal(readFileSync(join(folder, 'output.json'), 'utf8'), stdout);
  writeFileSync(join(folder, 'output.json'), 'somebody’s');
  t.match(run(args), { status: 2, stderr: /output\.json exists: choose another name, or say --force to replace it/ });
  t.equal(readFileSync(join(folder, 'output.json'), 'utf8'), 'somebody’s');
  t.equal(run([...args, '--force']).status, 0);
  t.equal(readFileSync(join(folder, 'output.json'), 'utf8'), stdout);
});

void t.test('create with the hash for Linux itself, in either case', async (t) => {
  for (const hash of ['ab'.repeat(32), 'AB'.repeat(32)]) {
    const { status, stdout } = run(['create', ...ALICE, ...SERVERS, ...EXPIRY, '--runtime-hash', hash, '-o', '-']);
    t.equal(status, 0);
    t.match(readPolicy(stdout), { runtime_manager_hash_linux: hash.toLowerCase(), runtime_manager_hash_nitro: null });
  }
});

void t.test('create says what is wrong, writes nothing, and exits with 2', async (t) => {
  const good = [...ALICE, ...SERVERS, ...EXPIRY, '-b', 'manager'];
  const without = (flag: string) => good.filter((_, index) => good[index] !== flag && good[index - 1] !== flag);
  const wrong: [string[], RegExp][] = [
    [[], /required option '-c, --certificate <file>'/],
    [without('-b'), /--css-file, --runtime-hash, --pcr-file or --sevsnp-hash/],
    [[...good, '--runtime-hash', 'ab'.repeat(32)], /--css-file and --runtime-hash both/],
    [[...without('-b'), '--runtime-hash', 'ab'.repeat(31)], /\/runtime_manager_hash_linux: /],
    [[...without('-b'), '--runtime-hash', 'xy'.repeat(32)], /\/runtime_manager_hash_linux: /],
    [[...good, '-p', '/output/:r'], /certificate \(1\), program \(0\) and pipeline \(0\), in this order: 1, not 2/],
    [[...good, '-w', 'missing.wasm', '-p', ''], /cannot read missing\.wasm: ENOENT/],
    [[...good, '-l', 'manager'], /manager has no PCR0/],
    [[...good, '-m', 'much'], /--max-memory-mib must be a whole number of 0 or more, got "much"/],
    [[...good, '-e', 'jit'], /Allowed choices are Interpretation, JIT/],
    [[...without('-s'), '-s', 'http://127.0.0.1'], /\/veracruz_server_url: must be host:port/],
    [[...without('-x'), '-x', '31 Feb 2030 12:00:00 GMT'], /write the expiry as/],
    [[...good, '-o', 'no/such/folder'], /cannot write no\/such\/folder/],
  ];
  for (const [args, message] of wrong) {
    const { status, stdout, stderr } = run(['create', '-o', 'never.json', ...args]);
    t.match({ status, stdout, stderr }, { status: 2, stdout: '', stderr: message }, message.source);
  }
  t.notOk(existsSync(join(folder, 'never.json')));
});

void t.test('check', async (t) => {
  const text = readFileSync(join(folder, 'bad.json'), 'utf8');
  const bad = run(['check', 'bad.json']);
  t.match({ status: bad.status, stderr: bad.stderr }, { status: 1, stderr: '' });
  const lines = bad.stdout.trimEnd().split('\n').sort();
  t.equal(lines.length, 2);
  t.match(lines[0], /^\/ciphersuite: must be a cipher suite of TLS 1\.3/);
  t.equal(lines[1], '/debug: is missing');
  const json = run(['check', '--json', '-'], text);
  t.equal(json.status, 1);
  t.match(JSON.parse(json.stdout), {
    good: false,
    hash: policyHash(text),
    faults: [{ key: '/ciphersuite' }, { key: '/debug', message: 'is missing' }],
  });
  const good = run(['check', '--json', 'good.json']);
  t.equal(good.status, 0);
  t.same(JSON.parse(good.stdout), { good: true, hash: policyHash(readFileSync(join(folder, 'good.json'))), faults: [], warnings: [] });
  t.match(run(['check', 'latin1.json']), { status: 1, stdout: 'the policy: is no UTF-8\n' });
  t.match(run(['check', '-'], '{'), { status: 1, stdout: /^the policy: is no JSON: / });
  t.match(run(['check', 'missing.json']), { status: 2, stdout: '', stderr: /cannot read missing\.json/ });
});

void t.test('check warns of what is no fault, and exits with 0', async (t) => {
  const { enclave_cert_expiry: expiry } = readPolicy(readFileSync(join(folder, 'good.json'), 'utf8'));
  const hashless = { runtime_manager_hash_linux: null, runtime_manager_hash_nitro: null, runtime_manager_hash_icecap: null };
  const text = changed((policy) => {
    Object.assign(policy, hashless, { runtime_manager_hash_sevsnp: null, enclave_cert_expiry: { ...expiry, year: 2022 } });
  });
  const { status, stdout } = run(['check', '-'], text);
  t.equal(status, 0);
  const [good, ...warnings] = stdout.trimEnd().split('\n');
  t.match(good, /^- is a good policy/);
  t.match(warnings, [/^warning: no runtime hash: .* clients refuse/, /^warning: \/enclave_cert_expiry: 2022-.* is past/]);
  t.match(JSON.parse(run(['check', '--json', '-'], text).stdout), { good: true, warnings: [/^no runtime hash/, /^\/enclave_cert_expiry/] });
});

void t.test('hash', async (t) => {
  const hash = createHash('sha256')
    .update(readFileSync(join(folder, 'latin1.json')))
    .digest('hex');
  t.match(run(['hash', 'latin1.json']), { status: 0, stdout: `${hash}\n`, stderr: '' }, 'of the bytes, whatever they are');
  t.equal(run(['hash', '-'], 'abc').stdout, `${sha256('abc')}\n`);
  t.same(JSON.parse(run(['hash', '--json', 'latin1.json']).stdout), { hash });
  t.match(run(['hash']), { status: 2, stderr: /missing required argument/ });
});

void t.test('schema, help, and wrong use', async (t) => {
  t.same(JSON.parse(run(['schema']).stdout), POLICY_SCHEMA);
  for (const command of ['create', 'check', 'hash', 'schema']) {
    t.match(run([command, '-h']), { status: 0, stdout: /Examples?:\n/ }, command);
  }
  const help = run(['create', '--help']).stdout.replace(/\s+/g, ' ');
  for (const said of [/host \(for the original; ignored here\)/, /run \(for the original; ignored here\)/, /\(nothing enforces it\)/])
    t.match(help, said);
  t.match(help, /memory of a program here, of the enclave in the original, MiB \(default: 256\)/);
  t.match(help, /the -h of generate-policy is --hashes here/);
  t.match(run([]), { status: 2, stderr: /Commands:/ });
  t.match(run(['check', 'good.json', '--loud']), { status: 2, stderr: /unknown option/ });
});

void t.test('points in time', async (t) => {
  const same: [string, string][] = [
    ['Thu, 31 Jan 2030 12:00:00 GMT', '2030-01-31T12:00:00Z'],
    ['31 Jan 2030 12:00 +0000', '2030-01-31T12:00:00Z'],
    ['1 Mar 2028 00:30:00 +0100', '2028-02-29T23:30:00Z'],
    ['1 Mar 2028 00:30:00 -0130', '2028-03-01T02:00:00Z'],
    ['2030-01-31', '2030-01-31T00:00:00Z'],
    ['2030-12-31T23:59:59.5Z', '2030-12-31T23:59:00Z'],
    ['2030-01-31T12:00+02:00', '2030-01-31T10:00:00Z'],
  ];
  for (const [text, iso] of same) t.equal(parseExpiry(text).toISOString(), new Date(iso).toISOString(), text);
  const none = ['', 'x', 'foo 1', '2030', '2030-02-29', '2030-13-01', '2030-00-01', '31 Foo 2030 12:00:00 GMT', '2030-01-31T24:00Z'];
  for (const text of [...none, '2030-01-31T12:60Z', '31 Jan 2030 12:00:00', '2030-01-31T12:00:00', '29 Feb 2030 12:00:00 GMT']) {
    t.throws(() => parseExpiry(text), InvalidArgumentError, text);
  }
});

void t.test('a policy that is too long is refused unread', async (t) => {
  writeFileSync(join(folder, 'long.json'), Buffer.alloc(1_048_577, ' '));
  t.match(run(['check', 'long.json']), { status: 1, stdout: '', stderr: /a policy of 1048577 bytes, the limit is 1048576/ });
});

void t.test('a runtime hash of zeros is warned of: an enclave in debug mode has it', async (t) => {
  writeFileSync(join(folder, 'zeros'), '0'.repeat(96));
  const made = run(['create', ...ALICE, ...SERVERS, ...EXPIRY, '-l', 'zeros', '-o', 'zeros.json']);
  const warning = 'warning: /runtime_manager_hash_nitro: all zeros, which any enclave in debug mode has\n';
  t.match(made, { status: 0, stdout: '' });
  t.equal(made.stderr.replace(/^wrote .*\n/m, ''), warning);
  const checked = run(['check', 'zeros.json']);
  t.match(checked, { status: 0, stderr: '' });
  t.ok(checked.stdout.endsWith(warning));
  t.match(JSON.parse(run(['check', '--json', 'zeros.json']).stdout), { warnings: [/all zeros/] });
});

import { spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { makeKey } from '../../lib/attestation/certificate.js';
import { makeRequest } from '../../lib/attestation/request.js';
import '../support/processes.js';

const MAIN = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url));
const VARIABLE = 'VERACRUZ_STREAMS_P12_PASSWORD';
const NO_OPENSSL = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';

function runner(folder: string) {
  return (args: string[], env: Record<string, string> = {}) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'identity', ...args], {
      cwd: folder,
      env: { ...process.env, [VARIABLE]: '', ...env },
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };
}

function openssl(folder: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
  return status === 0 ? stdout : `openssl ${args[0]} failed: ${stderr}`;
}

const mode = (path: string) => statSync(path).mode & 0o777;

/** The certificate and key of `base`, which belong together. */
function pair(t: Test, base: string): X509Certificate {
  const certificate = new X509Certificate(readFileSync(`${base}.pem`));
  t.ok(certificate.checkPrivateKey(createPrivateKey(readFileSync(`${base}.key`))));
  t.equal(mode(`${base}.key`), 0o600);
  return certificate;
}

for (const algorithm of ['ec', 'rsa'] as const) {
  void t.test(`an identity with ${algorithm}`, async (t) => {
    const folder = t.testdir();
    const run = runner(folder);
    const { status, stdout, stderr } = run(['alice', '--out', './one', '--algorithm', algorithm, '--days', '7', '--json']);
    t.match({ status, stderr }, { status: 0, stderr: '' });
    const certificate = pair(t, join(folder, 'one'));
    t.equal(certificate.publicKey.asymmetricKeyType, algorithm);
    t.notOk(certificate.ca);
    const report = JSON.parse(stdout);
    t.match(report, { kind: 'identity', subject: /CN=alice/, sha256: certificate.fingerprint256, files: ['./one.pem', './one.key'] });
    t.equal(Date.parse(report.notAfter) - Date.parse(report.notBefore), 7 * 86_400_000);
  });
}

void t.test('the name is the name of the files, and the report can be read by people', async (t) => {
  const folder = t.testdir();
  const { status, stdout } = runner(folder)(['bob']);
  t.equal(status, 0);
  const certificate = pair(t, join(folder, 'bob'));
  t.match(stdout, 'wrote    bob.key (0600)');
  t.match(stdout, certificate.fingerprint256);
  t.match(stdout, /^valid {4}\d{4}-.*Z to \d{4}-.*Z$/m);
});

void t.test('an authority, and what it issues', async (t) => {
  const folder = t.testdir();
  const run = runner(folder);
  const hash = 'ab'.repeat(32);
  t.equal(run(['--authority', 'Test authority', '--out', 'ca']).status, 0);
  t.ok(pair(t, join(folder, 'ca')).ca);
  const by = ['--ca', 'ca.pem', '--ca-key', 'ca.key'];
  t.equal(run(['--issue', 'manager', ...by, '--san', 'ComputeEnclave.dev', 'other.example', '--runtime-hash', hash]).status, 0);
  const manager = pair(t, join(folder, 'manager'));
  const authority = new X509Certificate(readFileSync(join(folder, 'ca.pem')));
  t.ok(manager.verify(authority.publicKey) && manager.checkIssued(authority));
  t.equal(manager.subjectAltName, 'DNS:ComputeEnclave.dev, DNS:other.example');
  t.ok(manager.raw.includes(Buffer.from(`30270603551e010420${hash}`, 'hex')), 'the runtime hash, raw');

  await t.test('for a request, in DER and PEM', async (t) => {
    const key = makeKey('ec');
    const der = makeRequest(key);
    writeFileSync(join(folder, 'a.csr'), der);
    writeFileSync(
      join(folder, 'b.csr'),
      `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`,
    );
    for (const name of ['a', 'b']) {
      const { status, stdout } = run(['--issue', name, ...by, '--csr', `${name}.csr`, '--json']);
      t.equal(status, 0);
      t.same(JSON.parse(stdout).files, [`${name}.pem`]);
      const certificate = new X509Certificate(readFileSync(join(folder, `${name}.pem`)));
      t.ok(certificate.checkPrivateKey(key));
      t.match(certificate.subject, 'OU=Compute Enclave', 'the subject is that of the request');
      t.notOk(existsSync(join(folder, `${name}.key`)));
    }
    der[der.length - 1] = (der.at(-1) as number) ^ 1;
    writeFileSync(join(folder, 'c.csr'), der);
    t.match(run(['--issue', 'c', ...by, '--csr', 'c.csr']), { status: 1, stderr: 'signing request' });
    t.notOk(existsSync(join(folder, 'c.pem')));
  });

  await t.test('openssl reads and verifies it', { skip: NO_OPENSSL }, async (t) => {
    t.match(openssl(folder, 'x509', '-in', 'ca.pem', '-noout', '-text'), /CA:TRUE[\s\S]*Certificate Sign/);
    const text = openssl(folder, 'x509', '-in', 'manager.pem', '-noout', '-text');
    t.match(text, /CN = manager[\s\S]*2\.5\.30\.1/);
    t.equal(openssl(folder, 'verify', '-x509_strict', '-CAfile', 'ca.pem', 'manager.pem'), 'manager.pem: OK\n');
    t.equal(openssl(folder, 'verify', '-CAfile', 'ca.pem', 'a.pem'), 'a.pem: OK\n');
    t.match(openssl(folder, 'pkey', '-in', 'manager.key', '-noout', '-check'), 'Key is valid');
  });
});

void t.test('PKCS#12', async (t) => {
  const folder = t.testdir({ password: 'pass wörd\nsecond line\n' });
  const run = runner(folder);
  for (const algorithm of ['ec', 'rsa']) {
    t.equal(run([algorithm, '--algorithm', algorithm, '--p12', '--password-file', 'password']).status, 0);
    const pfx = readFileSync(join(folder, `${algorithm}.p12`));
    t.equal(mode(join(folder, `${algorithm}.p12`)), 0o600);
    t.ok(createSecureContext({ pfx, passphrase: 'pass wörd' }), 'TLS takes it');
    t.throws(() => createSecureContext({ pfx, passphrase: 'pass word' }));
    const tampered = Buffer.from(pfx);
    const at = tampered.indexOf(Buffer.from(algorithm, 'latin1'), 100);
    tampered[at] = (tampered[at] as number) ^ 1;
    t.throws(() => createSecureContext({ pfx: tampered, passphrase: 'pass wörd' }), 'the MAC is over the certificates');
  }
  t.equal(run(['env', '--p12'], { [VARIABLE]: 'secret' }).status, 0);

  await t.test('openssl reads it', { skip: NO_OPENSSL }, async (t) => {
    for (const [name, password] of [
      ['rsa', 'file:password'],
      ['ec', 'file:password'],
      ['env', 'pass:secret'],
    ] as const) {
      const pem = openssl(folder, 'pkcs12', '-in', `${name}.p12`, '-passin', password, '-nodes');
      t.equal(new X509Certificate(pem).fingerprint256, new X509Certificate(readFileSync(join(folder, `${name}.pem`))).fingerprint256);
      t.ok(createPrivateKey(pem).equals(createPrivateKey(readFileSync(join(folder, `${name}.key`)))));
      t.match(openssl(folder, 'pkcs12', '-in', `${name}.p12`, '-passin', 'pass:wrong', '-nodes'), 'failed');
    }
    t.equal(run(['--authority', 'ca']).status, 0);
    t.equal(run(['--issue', 'leaf', '--ca', 'ca.pem', '--ca-key', 'ca.key', '--p12'], { [VARIABLE]: 'secret' }).status, 0);
    const chain = openssl(folder, 'pkcs12', '-in', 'leaf.p12', '-passin', 'pass:secret', '-nokeys', '-cacerts');
    t.equal(new X509Certificate(chain).fingerprint256, new X509Certificate(readFileSync(join(folder, 'ca.pem'))).fingerprint256);
  });
});

void t.test('nothing is overwritten without --force, and nothing is left half done', async (t) => {
  const folder = t.testdir();
  const run = runner(folder);
  writeFileSync(join(folder, 'alice.key'), 'mine');
  chmodSync(join(folder, 'alice.key'), 0o644);
  t.match(run(['alice']), { status: 2, stdout: '', stderr: /alice\.key exists.*--force/ });
  t.same(readdirSync(folder), ['alice.key']);
  t.equal(readFileSync(join(folder, 'alice.key'), 'utf8'), 'mine');
  t.equal(run(['alice', '--force']).status, 0);
  pair(t, join(folder, 'alice'));
  t.same(readdirSync(folder).sort(), ['alice.key', 'alice.pem']);

  symlinkSync('nowhere', join(folder, 'carol.key'));
  t.match(run(['carol']), { status: 2, stderr: 'exists' }, 'a dangling link is a file that exists');
  t.notOk(existsSync(join(folder, 'carol.pem')));
  t.match(run(['alice', '--out', 'no/such/folder/alice']), { status: 2, stderr: 'cannot write' });
});

void t.test('wrong use: 2, and what to do', async (t) => {
  const folder = t.testdir({ empty: '\n', 'x.pem': 'no certificate', 'x.key': 'no key' });
  const run = runner(folder);
  const wrong: Array<[string[], string | RegExp]> = [
    [[], 'name one thing'],
    [['alice', '--authority', 'ca'], 'name one thing'],
    [['alice', '--days', '0'], '--days'],
    [['alice', '--days', '36501'], '36500'],
    [['alice', '--days', 'x'], '--days'],
    [['alice', '--algorithm', 'dsa'], 'Allowed choices are ec, rsa'],
    [['a/b'], '--out'],
    [['x'.repeat(65)], '64'],
    [['alice', '--ca', 'x.pem'], '--ca belongs to --issue'],
    [['alice', '--runtime-hash', 'ab'], '--runtime-hash belongs to --issue'],
    [['--issue', 'm'], '--ca-key'],
    [['--issue', 'm', '--ca', 'x.pem', '--ca-key', 'x.key'], 'no certificate and private key'],
    [['--issue', 'm', '--ca', 'absent', '--ca-key', 'x.key'], 'cannot read absent'],
    [['--issue', 'm', '--ca', 'x.pem', '--ca-key', 'x.key', '--runtime-hash', 'abc'], '64 hex digits'],
    [['--issue', 'm', '--ca', 'x.pem', '--ca-key', 'x.key', '--san', 'a b'], 'DNS names'],
    [['--issue', 'm', '--ca', 'x.pem', '--ca-key', 'x.key', '--csr', 'x', '--p12'], 'leave out --p12'],
    [['alice', '--p12'], VARIABLE],
    [['alice', '--p12', '--password-file', 'empty'], 'first line'],
    [['alice', '--password-file', 'empty'], 'belongs to --p12'],
    [['alice', '--nope'], '--help'],
  ];
  for (const [args, says] of wrong) t.match(run(args), { status: 2, stdout: '', stderr: says }, args.join(' '));
  t.same(readdirSync(folder).sort(), ['empty', 'x.key', 'x.pem'], 'nothing was written');
  t.match(run(['--help']), { status: 0, stdout: 'Examples:' });
});

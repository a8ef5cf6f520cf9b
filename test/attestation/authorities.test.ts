/** Certificates issued under authorities that others made: openssl and node:crypto accept them, as a Runtime Manager does. */
import { spawnSync } from 'node:child_process';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { issue, issueEnclaveCertificate, readAuthority } from '../../lib/attestation/authority.js';
import { makeKey, pemOf } from '../../lib/attestation/certificate.js';
import { makeRequest } from '../../lib/attestation/request.js';
import { subjectBytes, subjectKeyIdentifier } from '../../lib/layers/formats/x509.js';
import { checkChain } from '../../lib/roles/runtime-manager/certificate-chain.js';
import '../support/processes.js';

const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'no openssl program on this machine';
const HASH = Buffer.alloc(32, 0xa5);

const folder = mkdtempSync(join(tmpdir(), 'vc-authorities-'));
t.teardown(() => rmSync(folder, { recursive: true }));

function openssl(...parameters: string[]): string {
  const { status, stdout, stderr } = spawnSync('openssl', parameters, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl ${parameters.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

/** An authority as `openssl req -x509` is told to make it. */
interface Made {
  readonly name: string;
  /** Parameters of `openssl genpkey`. */
  readonly key?: readonly string[];
  /** Lines of its extensions. */
  readonly extensions?: readonly string[];
  /** Parameters of `openssl req`. */
  readonly request?: readonly string[];
  /** Lines before the sections of the configuration. */
  readonly settings?: readonly string[];
}

const RSA = ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'];
const PSS = ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'];
const curve = (name: string) => ['-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${name}`];
const HASHED = 'subjectKeyIdentifier=hash';
const CA = 'basicConstraints=critical,CA:TRUE';

const AUTHORITIES: readonly Made[] = [
  { name: 'rsa, as openssl makes it' },
  { name: 'no subject key identifier', extensions: [CA, 'subjectKeyIdentifier=none'] },
  { name: 'a subject key identifier of its own kind', extensions: [CA, 'subjectKeyIdentifier=01:02:03'] },
  { name: 'a long subject key identifier', extensions: [CA, `subjectKeyIdentifier=${'ab:'.repeat(63)}ab`] },
  { name: 'key usage', extensions: [CA, HASHED, 'keyUsage=critical,keyCertSign,cRLSign'] },
  { name: 'key usage without lists', extensions: [CA, HASHED, 'keyUsage=keyCertSign'] },
  { name: 'P-256', key: curve('P-256') },
  { name: 'P-384', key: curve('P-384') },
  { name: 'P-521', key: curve('P-521') },
  { name: 'Ed25519', key: ['-algorithm', 'ED25519'] },
  { name: 'Ed448', key: ['-algorithm', 'ED448'] },
  { name: 'an RSA key that signed its own certificate by PSS', request: ['-sigopt', 'rsa_padding_mode:pss'] },
  { name: 'RSA-PSS', key: PSS },
  { name: 'RSA-PSS bound to SHA-384', key: [...PSS, '-pkeyopt', 'rsa_pss_keygen_md:sha384', '-pkeyopt', 'rsa_pss_keygen_mgf1_md:sha384'] },
  {
    name: 'RSA-PSS bound to 48 bytes of salt',
    key: [...PSS, '-pkeyopt', 'rsa_pss_keygen_md:sha256', '-pkeyopt', 'rsa_pss_keygen_saltlen:48'],
  },
  { name: 'RSA-PSS with two hashes', key: [...PSS, '-pkeyopt', 'rsa_pss_keygen_md:sha512', '-pkeyopt', 'rsa_pss_keygen_mgf1_md:sha256'] },
  { name: 'a name in PrintableString', settings: ['string_mask=default'] },
  { name: 'a name in UTF8String', settings: ['string_mask=utf8only'] },
  { name: 'a name in T61String', settings: ['string_mask=MASK:0x4'] },
  { name: 'a name in BMPString', settings: ['string_mask=MASK:0x800'] },
  { name: 'a name of two attributes in one part', request: ['-multivalue-rdn', '-subj', '/C=GB/O=Strangers+OU=One/CN=Authority'] },
];

/** Names of the files of an authority. */
interface Files {
  readonly key: string;
  readonly certificate: string;
}

let made = 0;

/** Makes a key and a self-signed certificate; gives the names of their files. */
function makeAuthorityFiles({ key = RSA, extensions = [CA, HASHED], request = [], settings = [] }: Made): Files {
  const files = { key: `ca${++made}.key`, certificate: `ca${made}.pem` };
  const text = ['[req]', 'distinguished_name=name', 'prompt=no', 'x509_extensions=own', ...settings];
  const name = ['[name]', 'C=GB', 'O=Strangers, Inc', 'CN=Their authority'];
  writeFileSync(join(folder, 'made.cnf'), [...text, ...name, '[own]', ...extensions, ''].join('\n'));
  openssl('genpkey', ...key, '-out', files.key);
  openssl('req', '-new', '-x509', '-config', 'made.cnf', '-key', files.key, '-out', files.certificate, '-days', '9', ...request);
  return files;
}

const read = (name: string) => readFileSync(join(folder, name), 'utf8');

/** What is issued under an authority is taken by a Runtime Manager and by openssl. */
function checkIssued(t: Test, files: Files): void {
  const authority = readAuthority(read(files.certificate), read(files.key));
  const ca = new X509Certificate(authority.certificateDer);
  const key = makeKey('ec');
  const der = issueEnclaveCertificate(authority, { request: makeRequest(key), runtimeHash: HASH });
  const leaf = new X509Certificate(der);
  t.doesNotThrow(() => checkChain([leaf, ca], key), 'a Runtime Manager takes it');
  t.ok(der.includes(subjectBytes(ca)), 'the name of the issuer is the very bytes of its own');
  writeFileSync(join(folder, 'leaf.pem'), pemOf(der));
  t.match(openssl('verify', '-purpose', 'sslserver', '-CAfile', files.certificate, 'leaf.pem'), /: OK/);
  const identifier = subjectKeyIdentifier(ca);
  const told = openssl('x509', '-in', 'leaf.pem', '-noout', '-ext', 'authorityKeyIdentifier').replace(/^.*\n/, '').replace(/[\s:]/g, '');
  if (identifier !== undefined) t.equal(told, identifier.toString('hex').toUpperCase(), 'its identifier is copied');
  else t.equal(told.length, 40, 'one that has none gets one that is made of its key (RFC 5280 §4.2.1.1)');
}

for (const authorityMade of AUTHORITIES) {
  void t.test(authorityMade.name, { skip }, async (t) => checkIssued(t, makeAuthorityFiles(authorityMade)));
}

/** Parameters of `certtool` of GnuTLS for a key. */
const GNUTLS_KEYS = [
  '--key-type=rsa --bits=2048',
  '--key-type=rsa-pss --bits=2048',
  '--key-type=ecdsa --curve=secp384r1',
  '--key-type=ed25519',
];
const noCerttool = skip || (spawnSync('certtool', ['--version']).status === 0 ? false : 'no certtool (apt install gnutls-bin)');

for (const kind of GNUTLS_KEYS) {
  void t.test(`made by GnuTLS: ${kind}`, { skip: noCerttool }, async (t) => {
    const files = { key: `gnutls${++made}.key`, certificate: `gnutls${made}.pem` };
    writeFileSync(
      join(folder, 'template'),
      'organization = "Strangers, Inc"\ncn = "Their authority"\nexpiration_days = 9\nca\ncert_signing_key\n',
    );
    const certtool = (...parameters: string[]) => spawnSync('certtool', parameters, { cwd: folder, encoding: 'utf8' });
    t.match(certtool('--generate-privkey', ...kind.split(' '), '--outfile', files.key), { status: 0 });
    const signed = ['--generate-self-signed', '--load-privkey', files.key, '--template', 'template', '--outfile', files.certificate];
    t.match(certtool(...signed), { status: 0 });
    checkIssued(t, files);
  });
}

void t.test('an intermediate authority, made by openssl under a root of openssl', { skip }, async (t) => {
  const root = makeAuthorityFiles({ name: 'root', key: curve('P-384'), extensions: [CA, HASHED, 'keyUsage=critical,keyCertSign'] });
  writeFileSync(
    join(folder, 'inner.cnf'),
    `${CA},pathlen:0\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nkeyUsage=keyCertSign\n`,
  );
  openssl('req', '-new', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=inner', '-keyout', 'inner.key', '-out', 'inner.csr');
  openssl(
    ...['x509', '-req', '-in', 'inner.csr', '-CA', root.certificate, '-CAkey', root.key, '-days', '9', '-extfile', 'inner.cnf'],
    ...['-set_serial', '7', '-out', 'inner.pem'],
  );
  const authority = readAuthority(read('inner.pem'), read('inner.key'));
  const key = makeKey('ec');
  const leaf = issue(authority, { subject: 'leaf', publicKey: createPublicKey(key) });
  writeFileSync(join(folder, 'below.pem'), pemOf(leaf));
  t.match(openssl('verify', '-x509_strict', '-CAfile', root.certificate, '-untrusted', 'inner.pem', 'below.pem'), /: OK/);
  const chain = [leaf, authority.certificateDer, new X509Certificate(read(root.certificate)).raw].map((der) => new X509Certificate(der));
  t.doesNotThrow(() => checkChain(chain, key), 'a Runtime Manager takes it');
});

void t.test('a certificate that may not sign others is no authority', { skip }, async (t) => {
  for (const extensions of [[CA, 'keyUsage=digitalSignature'], ['basicConstraints=CA:FALSE'], ['subjectKeyIdentifier=hash']]) {
    const files = makeAuthorityFiles({ name: 'none', key: curve('P-256'), extensions });
    t.throws(() => readAuthority(read(files.certificate), read(files.key)), { code: 'ERR_VC_INVALID_ARGUMENT' }, extensions.join(' '));
  }
});

void t.test('a key that signs nothing', { skip }, async (t) => {
  const { key } = makeAuthorityFiles({ name: 'other', key: curve('P-256') });
  const authority = {
    key: openssl('genpkey', '-algorithm', 'X25519'),
    certificate: '',
    certificateDer: new X509Certificate(read('ca1.pem')).raw,
  };
  const asked = { subject: 'leaf', publicKey: createPublicKey(read(key)) };
  t.throws(() => issue(authority, asked), { code: 'ERR_VC_INVALID_ARGUMENT', got: 'x25519' });
});

import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { type Authority, issue, makeAuthority, readAuthority } from '../attestation/authority.js';
import { type KeyAlgorithm, makeKey, pemOf, privateKeyOf, type Usage } from '../attestation/certificate.js';
import { makeIdentity } from '../attestation/identity.js';
import { integerInRange } from '../core/check.js';
import { InvalidArgumentError } from '../core/errors.js';
import { cannotRead } from '../core/file-faults.js';
import { readKey, wholeNumber } from './flags.js';
import { type NewFile, writeNewFiles } from './new-files.js';
import { makePkcs12 } from './pkcs12.js';
import { print } from './standard-output.js';

/** Holds the password of a PKCS#12 file when no file does. */
const PASSWORD_VARIABLE = 'VERACRUZ_STREAMS_P12_PASSWORD';
/** Characters of a common name (RFC 5280 §A.1, ub-common-name). */
const MAX_NAME_CHARS = 64;
const MAX_DAYS = 36_500;
const RUNTIME_HASH_HEX = /^[0-9a-f]{64}$/i;
const DNS_NAME = /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i;
const REQUEST_PEM = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END (?:NEW )?CERTIFICATE REQUEST-----/;

interface IdentityFlags {
  authority?: string;
  issue?: string;
  out?: string;
  algorithm?: KeyAlgorithm;
  days?: number;
  ca?: string;
  caKey?: string;
  csr?: string;
  runtimeHash?: string;
  san?: string[];
  usage?: Usage;
  p12?: boolean;
  passwordFile?: string;
  force?: boolean;
  json?: boolean;
}

/** A certificate, and the key if it was made here. */
interface Made {
  readonly kind: 'identity' | 'authority' | 'certificate';
  readonly certificate: Buffer;
  readonly key: KeyObject | undefined;
  /** Certificates above it, for PKCS#12. */
  readonly chain: readonly Buffer[];
}

/** `veracruz-streams identity` */
export function identityCommand(): Command {
  return new Command('identity')
    .description('Make keys and certificates: client identities, authorities, and certificates that an authority issues.')
    .argument('[name]', 'make a client identity of this name, self-signed, as policies list them')
    .option('--authority <name>', 'make a certificate authority instead')
    .option('--issue <name>', 'issue a certificate by an authority instead (--ca, --ca-key)')
    .option('--out <path>', 'files are written to <path>.pem, <path>.key, <path>.p12; default: the name')
    .addOption(new Option('--algorithm <kind>', 'P-256 or RSA-2048; default: ec').choices(['ec', 'rsa']))
    .option('--days <n>', 'days that the certificate holds; default: 3650, with --issue 1', wholeNumber('--days'))
    .option('--ca <file>', 'certificate of the authority, PEM')
    .option('--ca-key <file>', 'private key of the authority, PEM')
    .option('--csr <file>', 'signing request, PEM or DER: gives subject and key, and no key is made')
    .option('--runtime-hash <hex>', 'SHA-256 of the Runtime Manager, for the extension 2.5.30.1')
    .option('--san <name...>', 'DNS names in the certificate')
    .addOption(
      new Option('--usage <end>', 'which end of TLS the certificate is for, as on a link: client or server; default: server').choices([
        'client',
        'server',
      ]),
    )
    .option('--p12', `also write PKCS#12; its password: --password-file, or ${PASSWORD_VARIABLE}`)
    .option('--password-file <file>', 'its first line is the password of the PKCS#12 file')
    .option('--force', 'replace files that exist')
    .option('--json', 'print the result as one line of JSON')
    .addHelpText('after', HELP)
    .action(async (name: string | undefined, flags: IdentityFlags) => {
      await print(identity(name, flags));
    });
}

const HELP = `
Examples:
  veracruz-streams identity alice --out ./alice
  veracruz-streams identity bob --algorithm rsa --p12 --password-file ./bob.password
  veracruz-streams identity --authority "Test authority" --out ./ca
  veracruz-streams identity --issue ComputeEnclave --ca ca.pem --ca-key ca.key --san ComputeEnclave.dev --out ./manager
  veracruz-streams identity --issue "our Server" --ca links.pem --ca-key links.key --usage client --out ./server-link
  veracruz-streams identity --issue enclave --ca ca.pem --ca-key ca.key --csr enclave.csr --runtime-hash <64 hex digits>

Private keys are PKCS#8 PEM and only their owner can read them (0600). Nothing is overwritten without --force.

Exit status: 0 done, 1 failed, 2 wrong use.`;

/** Makes what is asked for, writes it, and gives what is to be printed. */
function identity(name: string | undefined, flags: IdentityFlags): string {
  const names = [name, flags.authority, flags.issue].filter((each) => each !== undefined);
  const [subject] = names;
  if (subject === undefined || names.length > 1) {
    throw new InvalidArgumentError('name one thing to make: a name for an identity, --authority <name>, or --issue <name>');
  }
  if (subject.trim() === '' || subject.length > MAX_NAME_CHARS) {
    throw new InvalidArgumentError(`a name has 1 to ${MAX_NAME_CHARS} characters, got ${subject.length}`);
  }
  checkFlags(flags);
  const password = flags.p12 === true ? passwordOf(flags) : undefined;
  const base = baseOf(subject, flags);
  const made = make(subject, flags);
  const files = filesOf(base, made, password);
  writeNewFiles(files, flags.force === true);
  return reportOf(made, files, flags.json === true);
}

function checkFlags(flags: IdentityFlags): void {
  const issuing = flags.issue !== undefined;
  const only = (['ca', 'caKey', 'csr', 'runtimeHash', 'san', 'usage'] as const).find((flag) => flags[flag] !== undefined);
  if (!issuing && only !== undefined) {
    const flag = `--${only.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new InvalidArgumentError(`${flag} belongs to --issue <name>: add that, or leave ${flag} out`);
  }
  if (issuing && (flags.ca === undefined || flags.caKey === undefined)) {
    throw new InvalidArgumentError('--issue needs --ca <file> and --ca-key <file>; `identity --authority <name>` makes both');
  }
  if (flags.csr !== undefined && (flags.p12 === true || flags.algorithm !== undefined)) {
    throw new InvalidArgumentError('with --csr the key is elsewhere: leave out --p12 and --algorithm');
  }
  if (flags.passwordFile !== undefined && flags.p12 !== true) throw new InvalidArgumentError('--password-file belongs to --p12: add that');
  if (flags.runtimeHash !== undefined && !RUNTIME_HASH_HEX.test(flags.runtimeHash)) {
    throw new InvalidArgumentError(`--runtime-hash is 64 hex digits, got ${flags.runtimeHash.length} characters`);
  }
  const wrong = flags.san?.find((san) => !DNS_NAME.test(san));
  if (wrong !== undefined) throw new InvalidArgumentError(`--san takes DNS names, got ${JSON.stringify(wrong)}`);
}

function make(name: string, flags: IdentityFlags): Made {
  const days = flags.days === undefined ? {} : { days: integerInRange('--days', flags.days, 1, MAX_DAYS) };
  const algorithm = flags.algorithm ?? 'ec';
  if (flags.issue !== undefined) return issued(name, flags, algorithm, days);
  if (flags.authority !== undefined) {
    const { certificateDer, key } = makeAuthority({ commonName: name, algorithm, ...days });
    return { kind: 'authority', certificate: certificateDer, key: privateKeyOf(key), chain: [] };
  }
  const { certificateDer, key } = makeIdentity({ commonName: name, algorithm, ...days });
  return { kind: 'identity', certificate: certificateDer, key: privateKeyOf(key), chain: [] };
}

function issued(name: string, flags: IdentityFlags, algorithm: KeyAlgorithm, days: { days?: number }): Made {
  const authority: Authority = readAuthority(read(flags.ca as string).toString(), readKey(flags.caKey as string));
  const key = flags.csr === undefined ? makeKey(algorithm) : undefined;
  const certificate = issue(authority, {
    ...days,
    ...(key === undefined ? { request: requestOf(read(flags.csr as string)) } : { subject: name, publicKey: createPublicKey(key) }),
    ...(flags.san && { san: flags.san }),
    ...(flags.usage && { usages: [flags.usage] }),
    ...(flags.runtimeHash !== undefined && { runtimeHash: Buffer.from(flags.runtimeHash, 'hex') }),
  });
  return { kind: 'certificate', certificate, key, chain: [authority.certificateDer] };
}

/** The request's DER, of PEM or DER. */
function requestOf(file: Buffer): Buffer {
  const pem = REQUEST_PEM.exec(file.toString('latin1'));
  return pem === null ? file : Buffer.from(pem[1] as string, 'base64');
}

/** What all file names begin with. */
function baseOf(name: string, { out }: IdentityFlags): string {
  if (out !== undefined) return out;
  if (/[/\\\0]/.test(name) || name.startsWith('.')) throw new InvalidArgumentError('this name is no name of a file: say --out <path>');
  return name;
}

function filesOf(base: string, { certificate, key, chain }: Made, password: string | undefined): NewFile[] {
  const files: NewFile[] = [{ path: `${base}.pem`, content: pemOf(certificate), secret: false }];
  if (key === undefined) return files;
  files.push({ path: `${base}.key`, content: key.export({ type: 'pkcs8', format: 'pem' }), secret: true });
  if (password !== undefined)
    files.push({ path: `${base}.p12`, content: makePkcs12(key, [certificate, ...chain], password), secret: true });
  return files;
}

function passwordOf({ passwordFile }: IdentityFlags): string {
  const given = passwordFile === undefined ? process.env[PASSWORD_VARIABLE] : read(passwordFile).toString('utf8').split(/\r?\n/, 1)[0];
  if (given) return given;
  throw new InvalidArgumentError(
    passwordFile === undefined
      ? `--p12 needs a password: --password-file <file>, or the environment variable ${PASSWORD_VARIABLE}`
      : `the first line of ${passwordFile} is empty: it must be the password`,
  );
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw cannotRead(path, cause);
  }
}

function reportOf({ kind, certificate }: Made, files: readonly NewFile[], json: boolean): string {
  const x509 = new X509Certificate(certificate);
  const report = {
    kind,
    subject: x509.subject.replaceAll('\n', ', '),
    issuer: x509.issuer.replaceAll('\n', ', '),
    sha256: x509.fingerprint256,
    notBefore: new Date(x509.validFrom).toISOString(),
    notAfter: new Date(x509.validTo).toISOString(),
    files: files.map(({ path }) => path),
  };
  if (json) return `${JSON.stringify(report)}\n`;
  const wrote = files.map(({ path, secret }) => `wrote    ${path}${secret ? ' (0600)' : ''}`);
  return [
    ...wrote,
    `subject  ${report.subject}`,
    `issuer   ${report.issuer}`,
    `sha256   ${report.sha256}`,
    `valid    ${report.notBefore} to ${report.notAfter}`,
    '',
  ].join('\n');
}

/** The policy's JSON as a table: wire spec §E, the keys of both dialects. */
import type { X509Certificate } from 'node:crypto';
import { PolicyError } from '../../core/errors.js';
import { certificatesOf } from '../../layers/formats/certificates.js';
import { cipherSuite } from '../../layers/formats/cipher-suite.js';
import { parsePipeline } from '../compute/pipeline/parse.js';
import { normaliseName, normaliseTop } from '../store/file-name.js';
import type { Faults } from './faults.js';
import {
  absentAs,
  boolean,
  choice,
  distinct,
  integer,
  type JsonSchema,
  list,
  object,
  optional,
  type Read,
  type Shape,
  text,
  variant,
} from './shape.js';

/** A number from 0 to this is what the original calls u32. */
export const MAX_U32 = 0xffff_ffff;
export const END_OF_CERTIFICATE = '-----END CERTIFICATE-----';

const u32 = (description: string) => integer(description, 0, MAX_U32);

function identityCertificate(pem: string): string {
  // The original refuses anything after it, a newline too; and generate-policy never writes one.
  if (!pem.endsWith(END_OF_CERTIFICATE)) {
    throw new PolicyError(`the text must end exactly with ${END_OF_CERTIFICATE}, without a newline`);
  }
  const { length } = certificatesOf('the text', pem);
  if (length > 1) throw new PolicyError(`the text has ${length} certificates, of which the first alone would count`);
  return pem;
}

function fingerprintOf(pem: string): string {
  return (certificatesOf('the text', pem)[0] as X509Certificate).fingerprint256;
}

function authorityCertificate(pem: string): string {
  certificatesOf('the text', pem);
  return pem;
}

function suiteName(name: string): string {
  cipherSuite(name);
  return name;
}

function pipelineScript(script: string): string {
  parsePipeline(script);
  return script;
}

function endpoint(hostAndPort: string): string {
  const port = Number(hostAndPort.slice(hostAndPort.lastIndexOf(':') + 1));
  if (port < 1 || port > 65_535) throw new PolicyError(`the port must be from 1 to 65535`, { expected: '1..65535', got: port });
  return hostAndPort;
}

const PEM = /-----BEGIN CERTIFICATE-----/;
const HOST_AND_PORT = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$/;

const url = (description: string) => text({ description, what: 'host:port', pattern: HOST_AND_PORT, parse: endpoint });
const fileName = (description: string) => text({ description, what: 'a file name', pattern: /./, parse: normaliseName });

/** The hash is compared as bytes (wire spec §B), so either case does. */
const runtimeHash = (platform: string, note: string): Shape<string | null> =>
  optional(
    text({
      description: `Hash of the Runtime Manager on ${platform}, which its certificate must carry: ${note}.`,
      what: '64 hex digits, or null',
      pattern: /^[0-9A-Fa-f]{64}$/,
    }),
  );

const fileRights = list(
  'What may be done under which directory. The longest listed ancestor of a file counts, alone.',
  object('Rights on a directory (or a file, or a stream).', {
    file_name: text({
      description: 'An absolute path, or stdin, stdout or stderr.',
      what: 'a path or the name of a stream',
      pattern: /./,
      parse: normaliseTop,
    }),
    rights: u32('WASI rights and FD_EXECUTE, one bit each: r is 24582, w 534084, rw 550470, x 536879104, rx 536895494, rwx 537421382.'),
  }),
  distinct('file_name'),
);

/** Two pins of one file must agree. */
function agreeing(items: readonly (Partial<{ file_path: string; hash: string }> | undefined)[], at: string, faults: Faults): void {
  const first = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    if (item?.file_path === undefined || item.hash === undefined) continue;
    const before = first.get(item.file_path);
    if (before === undefined) first.set(item.file_path, index);
    else if (items[before]?.hash !== item.hash) faults.add(`${at}/${index}/hash`, `is not the one that ${at}/${before} has for the file`);
  }
}

/** Whether the month has that day. The calendar repeats itself every 400 years. */
function onCalendar({ year, month, day }: Partial<Record<'year' | 'month' | 'day', number | undefined>>, at: string, faults: Faults): void {
  if (year === undefined || month === undefined || day === undefined) return;
  const last = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  if (day > last) faults.add(`${at}/day`, `must be a day of the month, which has ${last}, got ${day}`);
}

/** NUL ends a text of WASI. */
const NO_NUL = /^[^\0]*$/;
const VARIABLE_NAME = /^[^=\0]+$/;
const NO_TEXTS: readonly string[] = Object.freeze([]);
const NO_VARIABLES: readonly { readonly name: string; readonly value: string }[] = Object.freeze([]);

const special = text({ description: 'The file that the module is called through.', what: 'a path', pattern: /./ });
const entryPoint = text({ description: "Path of the module's program.", what: 'a path', pattern: /./ });

export const policyShape = object('A policy of Veracruz: who may do what in one computation, and where.', {
  identities: list(
    'The participants. A client is one when its certificate is, byte for byte, the one listed here.',
    object('A participant.', {
      certificate: text({
        description: `Its certificate, PEM, ending exactly with ${END_OF_CERTIFICATE} (no newline).`,
        what: 'the PEM text of a certificate',
        pattern: PEM,
        parse: identityCertificate,
      }),
      id: u32('Number of the participant; each may stand once.'),
      file_rights: fileRights,
    }),
    distinct('id'),
    // A client that is two participants would have the rights of the first alone.
    distinct('certificate', fingerprintOf),
  ),
  programs: list(
    'The programs, with the rights that each has while it runs.',
    object('A program.', {
      program_file_name: fileName('Its path; also the principal that it is.'),
      id: u32('Number of the program.'),
      file_rights: fileRights,
      // The original ignores these two, as it ignores every key that it does not know.
      arguments: absentAs(
        list(
          'What the program is told when it starts, after its own name (an extension: the original tells it nothing).',
          text({ description: 'An argument.', what: 'a text without NUL', pattern: NO_NUL }),
        ),
        NO_TEXTS,
      ),
      environment: absentAs(
        list(
          'The environment of the program (an extension: in the original it has none).',
          object('A variable.', {
            name: text({ description: 'Its name.', what: 'a name without = and NUL', pattern: VARIABLE_NAME }),
            value: text({ description: 'Its value.', what: 'a text without NUL', pattern: NO_NUL }),
          }),
          distinct('name'),
        ),
        NO_VARIABLES,
      ),
    }),
    distinct('program_file_name'),
  ),
  file_hashes: list(
    'Files that must have exactly these contents: they can be written, with these bytes only, and never be appended to.',
    object('A pin.', {
      file_path: fileName('Path of the file.'),
      hash: text({ description: 'SHA-256 of the contents.', what: '64 lowercase hex digits', pattern: /^[0-9a-f]{64}$/ }),
    }),
    agreeing,
  ),
  veracruz_server_url: url('Where the Server listens: host:port.'),
  proxy_attestation_server_url: url('Where the Proxy Attestation Server listens: host:port.'),
  enclave_cert_expiry: object(
    "When the manager's certificate is to expire (nothing enforces it).",
    {
      year: u32('Year.'),
      month: integer('Month.', 1, 12),
      day: integer('Day of the month.', 1, 31),
      hour: integer('Hour.', 0, 23),
      minute: integer('Minute.', 0, 59),
    },
    onCalendar,
  ),
  ciphersuite: text({
    description: 'The one cipher suite of TLS 1.3, e.g. TLS1_3_CHACHA20_POLY1305_SHA256.',
    what: 'a cipher suite of TLS 1.3',
    parse: suiteName,
  }),
  runtime_manager_hash_linux: runtimeHash('Linux', 'SHA-256 of its binary'),
  runtime_manager_hash_nitro: runtimeHash('AWS Nitro', 'the first 64 hex digits of PCR0'),
  runtime_manager_hash_icecap: runtimeHash('IceCap', 'a fixed value (release 2207 only)'),
  runtime_manager_hash_sevsnp: runtimeHash('AMD SEV-SNP', 'its measurement (newer than 2207)'),
  proxy_service_cert: text({
    description: "Certificate of the authority that issues the manager's, PEM.",
    what: 'the PEM text of a certificate',
    pattern: PEM,
    parse: authorityCertificate,
  }),
  debug: boolean('Lets programs write to the standard output of the host.'),
  execution_strategy: choice('How programs are run.', ['Interpretation', 'JIT']),
  enable_clock: boolean('Lets programs read the clock.'),
  max_memory_mib: u32('Memory of the enclave, MiB. Enforced on Nitro only.'),
  // The original requires these two since it has them, and ignores them before: a policy for both carries them.
  native_modules: absentAs(
    list(
      'Native modules (newer than 2207).',
      object('A native module.', {
        name: text({ description: 'Its name.', what: 'a name', pattern: /./ }),
        type: variant('How it comes into the enclave.', {
          Static: object('Built in.', { special_file: special }),
          Dynamic: object('Loaded from the host.', { special_file: special, entry_point: entryPoint }),
          Provisioned: object('Provisioned by a participant.', { entry_point: entryPoint }),
        }),
      }),
      distinct('name'),
    ),
    Object.freeze([]),
  ),
  pipelines: absentAs(
    list(
      'Pipelines of programs (newer than 2207).',
      object('A pipeline.', {
        name: text({ description: 'Its name; also the principal that it is.', what: 'a name', pattern: /./ }),
        pipeline: text({
          description: 'The script: paths, { … } and if path { … } else { … }, with ; between them. It may be empty.',
          what: 'a script',
          parse: pipelineScript,
        }),
        id: u32('Number of the pipeline.'),
        file_rights: fileRights,
      }),
      distinct('name'),
    ),
    Object.freeze([]),
  ),
});

/**
 * A policy that was found good. Its keys are those of the JSON; the names of files in it are in their normal form
 * (`normaliseName`, and `/` for the root); absent keys are null or empty. All of it is frozen.
 */
export type Policy = Read<typeof policyShape>;
/** Rights on what is under one name. */
export type FileRights = Policy['programs'][number]['file_rights'][number];
/** A native module of a policy. None is run here. */
export type NativeModule = Policy['native_modules'][number];

/** The JSON Schema (draft 7) of a policy, for editors. `proto/policy.schema.json` is this. */
export const POLICY_SCHEMA: JsonSchema = Object.freeze({
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Veracruz policy',
  ...policyShape.schema,
});

import { Command, Option } from 'commander';
import { InvalidArgumentError } from '../../core/errors.js';
import { CREATE_POLICY_DEFAULTS, createPolicy, type Policy, policyHash, readPolicy } from '../../enclave/policy/index.js';
import { parseTransfers } from '../client/transfers.js';
import { readText, wholeNumber } from '../flags.js';
import { writeNewFiles } from '../new-files.js';
import { print } from '../standard-output.js';
import { parseExpiry } from './expiry.js';
import { fileHash, pcrHash } from './hashes.js';
import { addNativeModuleOptions, type NativeModuleFlags, nativeModulesOf } from './native-modules.js';
import { addProgramStartOptions, type ProgramStartFlags, programStartsOf } from './program-start.js';
import { warningsOf } from './warnings.js';

interface CreateFlags extends NativeModuleFlags, ProgramStartFlags {
  certificate: string[];
  capability: string[];
  binary?: string[];
  programBinary?: string[];
  pipeline?: string[];
  hashes?: string[];
  veracruzServerIp: string;
  proxyAttestationServerIp: string;
  proxyAttestationServerCert: string;
  cssFile?: string;
  runtimeHash?: string;
  pcrFile?: string;
  sevsnpHash?: string;
  certificateExpiry: string;
  cipherSuite: string;
  outputPolicyFile: string;
  enclaveDebugMode?: boolean;
  executionStrategy: Policy['execution_strategy'];
  enableClock?: boolean;
  maxMemoryMib: number;
  force?: boolean;
  json?: boolean;
}

const collect = (value: string, before: string[] = []) => [...before, value];

/** `veracruz-streams policy create` */
export function createCommand(): Command {
  const command = new Command('create')
    .description('Write a policy. The flags are those of generate-policy.')
    .requiredOption('-c, --certificate <file>', 'the certificate of a participant, PEM; once for each', collect)
    .requiredOption('-p, --capability <name:rights,…>', 'what a participant or program may do, e.g. /input/:rw,/output/:r', collect)
    .option('-w, --binary <[name=]path,…>', 'programs; their SHA-256 is added to the policy', collect)
    .addOption(new Option('--program-binary <…>').argParser(collect).hideHelp())
    .option('--hashes <[name=]path,…>', 'other files that must have the contents they have now', collect)
    .option('--pipeline <script>', 'a pipeline of programs', collect);
  return addNativeModuleOptions(addProgramStartOptions(command))
    .requiredOption('-s, --veracruz-server-ip <host:port>', 'where the Server listens')
    .requiredOption('-t, --proxy-attestation-server-ip <host:port>', 'where the Proxy Attestation Server listens')
    .requiredOption('--proxy-attestation-server-cert <file>', 'the certificate of the authority it issues with, PEM')
    .option('-b, --css-file <file>', 'the program of the Runtime Manager: its hash is the one for Linux')
    .option('--runtime-hash <hex>', 'the hash for Linux itself, 64 hex digits: what `veracruz-streams measure` prints')
    .option('-l, --pcr-file <file>', 'PCR0 of the Runtime Manager for AWS Nitro, or what nitro-cli build-enclave printed')
    .option('--sevsnp-hash <hex>', 'its measurement for AMD SEV-SNP')
    .requiredOption('-x, --certificate-expiry <time>', 'when its certificate is to expire: RFC 2822 or ISO 8601 (nothing enforces it)')
    .option('--cipher-suite <name>', 'the one suite of TLS 1.3', CREATE_POLICY_DEFAULTS.cipherSuite)
    .option('-o, --output-policy-file <file>', 'where to write; - is standard output', 'output.json')
    .option('-d, --enclave-debug-mode', 'let programs write to the standard output of the host (for the original; ignored here)')
    .addOption(
      new Option('-e, --execution-strategy <how>', 'how programs are run (for the original; ignored here)')
        .choices(['Interpretation', 'JIT'])
        .default(CREATE_POLICY_DEFAULTS.executionStrategy),
    )
    .option('-n, --enable-clock', 'let programs read the clock')
    .option(
      '-m, --max-memory-mib <n>',
      'memory of a program here, of the enclave in the original, MiB',
      wholeNumber('--max-memory-mib'),
      CREATE_POLICY_DEFAULTS.maxMemoryMib,
    )
    .option('--force', 'replace the file if it exists')
    .option('--json', 'print what was written as one line of JSON on standard error')
    .addHelpText(
      'after',
      `
The capabilities belong, in order, to the certificates, then to the programs, then to the pipelines: one for each; "" is none.
Rights are letters out of r, w and x, or the number that the policy is to have. A name without name= is the path itself.
-h is help; the -h of generate-policy is --hashes here. One of -b, --runtime-hash, -l and --sevsnp-hash is
needed; -b and --runtime-hash say the same thing, so not both.

Examples:
  veracruz-streams policy create -c alice.pem -p /program/:wx,/input/:w,/output/:r \\
    -w /program/sum.wasm=./sum.wasm -p /input/:r,/output/:rw \\
    -s 127.0.0.1:3011 -t 127.0.0.1:3010 --proxy-attestation-server-cert ca.pem \\
    -b ./runtime_manager -x 'Thu, 31 Jan 2030 12:00:00 GMT' -o policy.json`,
    )
    .action(create);
}

async function create(flags: CreateFlags): Promise<void> {
  const programs = await pinned([...(flags.binary ?? []), ...(flags.programBinary ?? [])]);
  const scripts = flags.pipeline ?? [];
  const all = flags.certificate.length + programs.length + scripts.length;
  if (flags.capability.length !== all) {
    throw new InvalidArgumentError(
      `give one --capability for each certificate (${flags.certificate.length}), program (${programs.length}) and pipeline (${scripts.length}), in this order: ${all}, not ${flags.capability.length}`,
      { expected: all, got: flags.capability.length },
    );
  }
  checkHashes(flags);
  const startOf = programStartsOf(
    flags,
    programs.map(({ name }) => name),
  );
  const capabilities = flags.capability.values();
  const withCapabilities = <T extends object>(item: T) => ({ ...item, capabilities: capabilities.next().value as string });
  const text = createPolicy({
    // In the order in which the capabilities stand.
    identities: flags.certificate.map((path) => withCapabilities({ certificate: readText(path) })),
    programs: programs.map((program) => ({ ...withCapabilities(program), ...startOf(program.name) })),
    pipelines: scripts.map((script) => withCapabilities({ script })),
    hashes: await pinned(flags.hashes ?? []),
    nativeModules: nativeModulesOf(flags),
    serverUrl: flags.veracruzServerIp,
    attestationUrl: flags.proxyAttestationServerIp,
    authority: readText(flags.proxyAttestationServerCert),
    certificateExpiry: parseExpiry(flags.certificateExpiry),
    runtimeHashes: {
      ...(flags.cssFile !== undefined && { linux: await fileHash(flags.cssFile) }),
      ...(flags.runtimeHash !== undefined && { linux: flags.runtimeHash.toLowerCase() }),
      ...(flags.pcrFile !== undefined && { nitro: pcrHash(flags.pcrFile) }),
      ...(flags.sevsnpHash !== undefined && { sevsnp: flags.sevsnpHash }),
    },
    cipherSuite: flags.cipherSuite,
    executionStrategy: flags.executionStrategy,
    maxMemoryMib: flags.maxMemoryMib,
    enableClock: flags.enableClock === true,
    debug: flags.enclaveDebugMode === true,
  });
  if (flags.outputPolicyFile === '-') await print(text);
  else writeNewFiles([{ path: flags.outputPolicyFile, content: text, secret: false }], flags.force === true);
  if (flags.json !== true) for (const warning of warningsOf(readPolicy(text))) await print(`warning: ${warning}\n`, 'stderr');
  const [file, hash] = [flags.outputPolicyFile, policyHash(text)];
  const line = flags.json === true ? JSON.stringify({ file, hash, bytes: Buffer.byteLength(text) }) : `wrote ${file}, policy hash ${hash}`;
  await print(`${line}\n`, 'stderr');
}

function checkHashes({ cssFile, runtimeHash, pcrFile, sevsnpHash }: CreateFlags): void {
  if (cssFile !== undefined && runtimeHash !== undefined) {
    throw new InvalidArgumentError('--css-file and --runtime-hash both say the hash for Linux: leave one out');
  }
  if (cssFile === undefined && runtimeHash === undefined && pcrFile === undefined && sevsnpHash === undefined) {
    throw new InvalidArgumentError('say what the Runtime Manager is: --css-file, --runtime-hash, --pcr-file or --sevsnp-hash');
  }
}

/** Files and their hashes, by their names in the enclave. */
async function pinned(texts: readonly string[]): Promise<{ name: string; sha256: string }[]> {
  const pins = [];
  for (const { remote, local } of parseTransfers(texts, 'stdin')) {
    if (local === '-') throw new InvalidArgumentError('a file to be hashed cannot be standard input');
    pins.push({ name: remote, sha256: await fileHash(local) });
  }
  return pins;
}

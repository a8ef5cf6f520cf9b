/** The limits of the library: options that bound something, with their docstrings and defaults. */
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT, sourceProgram } from './exports.js';

/** The options of one part of the library, and where they are said. */
export interface OptionSet {
  /** Heading in docs/limits.md. */
  readonly title: string;
  /** The interface of the options, and its file in lib/. */
  readonly options: string;
  readonly file: string;
  /** The exported constant that has their defaults. */
  readonly defaults?: string;
  /** The command whose flags they are, as words. */
  readonly command?: readonly string[];
  /** Flags with other names than those of their options. */
  readonly flags?: Readonly<Record<string, string>>;
}

const set = (title: string, options: string, file: string, defaults?: string, ...command: string[]): OptionSet => ({
  title,
  options,
  file,
  ...(defaults !== undefined && { defaults }),
  ...(command.length > 0 && { command }),
});

export const OPTION_SETS: readonly OptionSet[] = [
  set('Veracruz Client', 'ClientOptions', 'roles/client/options.ts', 'CLIENT_DEFAULTS', 'client'),
  set('Veracruz Server', 'ServerOptions', 'roles/server/options.ts', 'SERVER_DEFAULTS', 'server'),
  set('An address of Runtime Managers at a Server', 'ManagerOptions', 'roles/server/upstream.ts', undefined, 'server'),
  set('Runtime Manager', 'RuntimeManagerOptions', 'roles/runtime-manager/options.ts', 'RUNTIME_MANAGER_DEFAULTS', 'runtime'),
  set('Programs at a Runtime Manager', 'WasiEngineOptions', 'enclave/compute/options.ts', 'WASI_ENGINE_DEFAULTS', 'runtime'),
  {
    ...set('The store of files', 'DirectoryStoreOptions', 'enclave/store/file-store.ts', 'DIRECTORY_STORE_DEFAULTS', 'runtime'),
    flags: { maxOwnerBytes: '--quota-per-principal-bytes' },
  },
  set(
    'Proxy Attestation Server',
    'AttestationServerOptions',
    'roles/attestation-server/options.ts',
    'ATTESTATION_SERVER_DEFAULTS',
    'attest',
    'serve',
  ),
  {
    ...set('The device registry', 'RegistryOptions', 'attestation/registry/options.ts', 'REGISTRY_DEFAULTS', 'attest', 'serve'),
    flags: { timeoutMs: '--database-timeout-ms' },
  },
  set('protobuf()', 'ProtobufLimits', 'layers/protobuf/options.ts', 'PROTOBUF_DEFAULTS'),
  set('lengthPrefix()', 'LengthPrefixOptions', 'layers/frame/length-prefix.ts', 'LENGTH_PREFIX_DEFAULTS'),
  set('tls()', 'TlsLimits', 'layers/tls/options.ts', 'TLS_DEFAULTS'),
  set('records()', 'RecordsOptions', 'layers/records/index.ts', 'RECORDS_DEFAULTS'),
  set('session()', 'SessionOptions', 'layers/session/index.ts', 'SESSION_DEFAULTS'),
  set('bincode()', 'BincodeOptions', 'layers/bincode/options.ts', 'BINCODE_DEFAULTS'),
  set('frame()', 'FrameOptions', 'layers/frame/frame.ts', 'FRAME_DEFAULTS'),
  set('Evidence', 'VerifyNitroOptions', 'attestation/evidence/nitro.ts', 'NITRO_DEFAULTS'),
  set('Policies', 'PolicyOptions', 'enclave/policy/read.ts', 'POLICY_DEFAULTS'),
  set('HTTP of a client', 'HttpExchangeOptions', 'transports/http-exchange-options.ts', 'HTTP_EXCHANGE_DEFAULTS'),
  set('Pipes that listen over HTTP', 'HttpListenOptions', 'transports/http.ts', 'HTTP_LISTEN_DEFAULTS'),
  set('A single POST', 'HttpPostOptions', 'transports/http-post.ts', 'HTTP_POST_DEFAULTS'),
  set('Console', 'ConsoleOptions', 'transports/console/virtio-console.ts', 'CONSOLE_DEFAULTS'),
  set('The hello of a console', 'HelloOptions', 'transports/console/hello.ts', 'HELLO_DEFAULTS'),
];

export interface LimitOption {
  readonly name: string;
  /** Its docstring, on one line. */
  readonly says: string;
}

/** What bounds something, by its name: a count, a size or a time. */
const IS_LIMIT = /^max[A-Z]|Ms$|Bytes$|Mib$/;

/** The limits of each set, in the order of the code. */
export function limitOptions(): Map<OptionSet, LimitOption[]> {
  const program = sourceProgram(OPTION_SETS.map(({ file }) => join(ROOT, 'lib', file)));
  return new Map(OPTION_SETS.map((one) => [one, limitsOf(program, one)]));
}

function limitsOf(program: ts.Program, { options, file }: OptionSet): LimitOption[] {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(join(ROOT, 'lib', file));
  const declaration = source?.statements.find((node) => ts.isInterfaceDeclaration(node) && node.name.text === options);
  if (declaration === undefined) throw new Error(`lib/${file} declares no interface ${options}`);
  return checker
    .getTypeAtLocation(declaration)
    .getProperties()
    .filter(({ name }) => IS_LIMIT.test(name))
    .map((property) => ({
      name: property.name,
      says: ts.displayPartsToString(property.getDocumentationComment(checker)).replace(/\s+/g, ' ').trim(),
    }));
}

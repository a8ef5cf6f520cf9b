/** A request that the schema, or the bincode messages, get in addition does not compile until whoever answers it knows it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { PROJECT_ROOT } from './support/golden.js';
import './support/long.js';

/** The files that must know every request. */
const ANSWERERS = [
  'lib/roles/runtime-manager/requests.ts',
  'lib/roles/runtime-manager/runtime-manager.ts',
  'lib/roles/attestation-server/services.ts',
  'lib/layers/bincode/request.ts',
];

const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(join(PROJECT_ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path)).config,
  ts.sys,
  PROJECT_ROOT,
);
const host = ts.createCompilerHost(options);
/** Files that no change concerns are read once. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** The answerers that do not compile when `before` is followed by `added` in `file`. */
function broken(file?: string, before = '', added = ''): string[] {
  const changed = file === undefined ? undefined : join(PROJECT_ROOT, file);
  const program = ts.createProgram({
    rootNames: ANSWERERS.map((name) => join(PROJECT_ROOT, name)),
    options: { ...options, noEmit: true },
    host: {
      ...host,
      getSourceFile: (name, version) => {
        if (name !== changed) {
          if (!parsed.has(name)) parsed.set(name, host.getSourceFile(name, version));
          return parsed.get(name);
        }
        const text = readFileSync(name, 'utf8');
        if (text.split(before).length !== 2) throw new Error(`${file} does not have ${before} once`);
        return ts.createSourceFile(name, text.replace(before, before + added), version, true);
      },
    },
  });
  return ANSWERERS.filter((name) => program.getSemanticDiagnostics(program.getSourceFile(join(PROJECT_ROOT, name))).length > 0);
}

void t.test('as it is, all compile', async (t) => {
  t.same(broken(), []);
});

void t.test('a new request to a Runtime Manager', async (t) => {
  const schema = 'lib/layers/protobuf/descriptor.generated.d.ts';
  const arm = "\n    list_files: { number: 13, type: 'Read', oneof: 'message_oneof' },";
  t.same(broken(schema, '  RuntimeManagerRequest: {', arm), ['lib/roles/runtime-manager/requests.ts']);
});

void t.test('a new request to an attestation server', async (t) => {
  const schema = 'lib/layers/protobuf/descriptor.generated.d.ts';
  const arm = "\n    sgx_quote: { number: 8, type: 'Read', oneof: 'message_oneof' },";
  t.same(broken(schema, '  ProxyAttestationServerRequest: {', arm), ['lib/roles/attestation-server/services.ts']);
});

void t.test('a new bincode request', async (t) => {
  const kind = "\n  | { readonly kind: 'ListSessions' }";
  t.same(broken('lib/layers/bincode/messages.ts', 'export type Request<B = Slices> =', kind), [
    'lib/roles/runtime-manager/runtime-manager.ts',
    'lib/layers/bincode/request.ts',
  ]);
});

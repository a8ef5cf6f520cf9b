/** Which page of docs/reference describes what: each exported name goes to the page of the file that declares it. */

export interface ReferencePage {
  /** Its file in docs/reference, without `.md`. */
  readonly name: string;
  readonly title: string;
  /** What it is about, as the index says it. */
  readonly about: string;
  /** The files and folders of lib/ whose exports it describes. Where several pages fit, the longest path counts. */
  readonly paths: readonly string[];
}

interface Group {
  readonly title: string;
  readonly pages: readonly ReferencePage[];
}

const page = (name: string, title: string, about: string, ...paths: string[]): ReferencePage => ({ name, title, about, paths });

/** The index of the reference, in its order. */
export const GROUPS: readonly Group[] = [
  {
    title: 'Layers, top to wire',
    pages: [
      page('protobuf', 'protobuf()', 'messages, with files as streams', 'layers/protobuf/'),
      page(
        'length-prefix',
        'lengthPrefix()',
        'the 8-byte length before each message',
        'layers/frame/length-prefix.ts',
        'layers/frame/whole-decoder.ts',
      ),
      page(
        'tls',
        'tls()',
        'TLS 1.3 with certificates on both sides',
        'layers/tls/',
        'layers/formats/cipher-suite.ts',
        'layers/formats/certificates.ts',
      ),
      page('records', 'records()', 'units of whole TLS records', 'layers/records/'),
      page('base64', 'base64()', 'base64 texts', 'layers/base64/'),
      page('session', 'session()', "HTTP bodies with the session's id", 'layers/session/'),
      page(
        'bincode',
        'bincode()',
        'requests and responses between Server and Runtime Manager',
        'layers/bincode/',
        'layers/formats/dialect.ts',
      ),
      page('frame', 'frame()', 'the frames on the link between these two', 'layers/frame/'),
    ],
  },
  {
    title: 'Roles',
    pages: [
      page('client', 'VeracruzClient', 'sends files, reads files, asks for computations', 'roles/client/'),
      page('server', 'VeracruzServer', 'relays ciphertext, and has Runtime Managers attested', 'roles/server/'),
      page('runtime-manager', 'RuntimeManager', 'ends the TLS sessions and answers the requests', 'roles/runtime-manager/'),
      page('attestation-server', 'AttestationServer', 'gives challenges, judges evidence, certifies keys', 'roles/attestation-server/'),
      page('stacks', 'The stacks of the roles', 'the eight stacks, arrangements, TLS of the link', 'roles/'),
    ],
  },
  {
    title: 'What stacks are made of',
    pages: [
      page('pipeline', 'stack() and Channel', 'layers become a running stack', 'pipeline/'),
      page('core', 'Layers, codecs and chunks', 'what a layer of your own is made of', 'core/'),
      page('errors', 'Errors', 'the classes of errors', 'core/errors.ts'),
      page('transports', 'Transports', 'an address becomes a byte pipe: TCP, Unix sockets, consoles, HTTP, memory', 'transports/'),
    ],
  },
  {
    title: 'The wire',
    pages: [page('wire', 'Golden vectors and the schema', 'for whoever checks an implementation', 'wire/')],
  },
  {
    title: 'What a Runtime Manager guards',
    pages: [
      page('policy', 'Policies', 'policies, read, checked and made', 'enclave/policy/'),
      page('store', 'Files', 'where files are kept', 'enclave/store/'),
      page('compute', 'Programs', 'what runs programs', 'enclave/compute/'),
    ],
  },
  {
    title: 'Attestation',
    pages: [
      page('keys', 'Keys and certificates', 'identities, authorities, certificates', 'attestation/'),
      page('evidence', 'Evidence', 'PSA tokens and Nitro documents, made and verified', 'attestation/evidence/'),
      page('registry', 'The device registry', 'known devices and allowed runtime hashes', 'attestation/registry/'),
    ],
  },
];

export const PAGES = GROUPS.flatMap(({ pages }) => pages);

/** The page of a file of lib/, by its path in lib/. */
export function pageOf(file: string): ReferencePage {
  const fitting = PAGES.flatMap((one) => one.paths.filter((path) => file.startsWith(path)).map((path) => ({ one, length: path.length })));
  const [best] = fitting.sort((a, b) => b.length - a.length);
  if (best === undefined) throw new Error(`docs/tools/pages.ts has no page for lib/${file}`);
  return best.one;
}

/** Broken Runtime Managers: a proxy before ours, or one that is made of parts of the kit. */

import { makeAuthority } from '../../../lib/attestation/authority.js';
import { conform, managerCredentials } from '../../../lib/conformance/index.js';
import { decodeRequest } from '../../../lib/layers/bincode/index.js';
import type { Dialect } from '../../../lib/layers/formats/dialect.js';
import { CIPHER_SUITES } from '../../../lib/layers/tls/index.js';
import { framed, tell } from '../../support/foreign.js';
import { managerTarget, material } from '../support.js';
import type { Break, More } from './breaks.js';
import { brokenEnclave, die, type EnclaveFlaws } from './enclave.js';
import { changed, type Flaws, frameProxy } from './frames.js';

/** @param dialect of the manager. Default 2207 */
const link = (
  what: string,
  found: readonly string[],
  flawsOf: () => Flaws,
  { dialect = '2207', ...more }: More & { readonly dialect?: Dialect } = {},
): Break => ({
  role: 'manager',
  what,
  found,
  ...more,
  report: async (t, trying) => {
    const target = await managerTarget(t, dialect, false);
    const port = await frameProxy(t, Number(target.address.split(':').at(-1)), flawsOf());
    return conform({ ...target, address: `tcp://127.0.0.1:${port}` }, trying);
  },
});

const u64be = (length: number) => {
  const bytes = Buffer.alloc(9);
  bytes.writeBigUInt64BE(BigInt(length));
  return bytes;
};
const isRequest = (message: Buffer, dialect: Dialect) => {
  try {
    return decodeRequest([message], dialect).kind.length > 0;
  } catch {
    return false;
  }
};

/** Keeps the kind of each request, so that answers can be changed by it: they come in their order. */
function answering(change: (kind: number, answer: Buffer, request: Buffer) => Buffer): Flaws {
  const requests: Buffer[] = [];
  return {
    up: (request) => {
      requests.push(request);
      return undefined;
    },
    down: (answer) => {
      const request = requests.shift() as Buffer;
      return [framed(change(request.readUInt32LE(), answer, request))];
    },
  };
}

/** What is broken in head and would be a request in 2207, and cut UUIDs. */
const BROKEN_IN_HEAD = [
  ...['2207-attestation-as-head', '2207-newsession-as-head', '2207-senddata-as-head', 'tag-6'],
  ...['Attestation-cut-at-21', 'Attestation-cut-at-24', 'Attestation-cut-at-25', 'Attestation-cut-at-40', 'Initialize-cut-at-44'],
  ...['uuid-len-0', 'uuid-len-15', 'uuid-len-17'],
].map((name) => `bincode.${name}`);

/** A handshake has two flights of its client, so a session that was fed once is in the middle of it. */
function endsInHandshakes(): Flaws {
  let fed = 0;
  return {
    up: (message) => {
      const kind = message.readUInt32LE();
      if (kind === 5) fed = 0;
      if (kind === 7) fed++;
      return undefined;
    },
    dies: () => fed === 1,
  };
}

const LINKS: readonly Break[] = [
  link('writes lengths in big-endian', ['link.exact-bytes', 'link.session', 'link.coalesced'], () => ({
    down: (message) => [u64be(message.length), message],
  })),
  link('writes 1 as the ninth byte', ['link.exact-bytes'], () => ({
    down: (message) => [changed(framed(message), (bytes) => bytes.writeUInt8(1, 8))],
  })),
  link('reads one chunk as one request', ['link.split', 'link.every-cut'], () => ({
    piece: (piece) => (piece.length < 9 || piece.length < 9 + piece.readUInt32LE() ? Buffer.alloc(0) : piece),
  })),
  link('drops what comes behind the first request of a chunk', ['link.coalesced'], () => ({
    piece: (piece) => (piece.length < 9 ? piece : piece.subarray(0, 9 + piece.readUInt32LE())),
  })),
  link('looks at the ninth byte', ['link.ninth-byte'], () => ({
    piece: (piece) => (piece.length > 8 && piece[8] !== 0 ? Buffer.alloc(0) : piece),
  })),
  link('gives all sessions one id', ['link.session'], () =>
    answering((kind, answer) => (kind === 5 ? changed(answer, (bytes) => bytes.writeUInt32LE(1, 4)) : answer)),
  ),
  link('has Success for sessions that are not there', ['session.unknown-send', 'session.closed', 'session.of-another-link'], () =>
    answering((kind, answer) => (kind === 7 ? tell.success : answer)),
  ),
  link('has output for sessions that are not there', ['session.unknown-get', 'session.nothing-to-get'], () =>
    answering((kind, answer) => (kind === 2 && answer.equals(tell.fail) ? tell.data(Buffer.alloc(0)) : answer)),
  ),
  link('always has more output', ['session.unknown-needed', 'session.nothing-needed'], () =>
    answering((kind, answer) => (kind === 3 ? tell.needed(true) : answer)),
  ),
  link('refuses to close what is not there', ['session.unknown-close'], () =>
    answering((kind, answer) => (kind === 1 ? tell.fail : answer)),
  ),
  link('has another number for Unimplemented', ['session.reset', 'enrolment.not-attested'], () =>
    answering((_, answer) => (answer.equals(tell.unimplemented) ? tell.fail : answer)),
  ),
  ...(['2207', 'head'] as const).map((dialect) =>
    link(
      'answers what is no request',
      dialect === '2207' ? ['bincode.'] : BROKEN_IN_HEAD,
      () => ({
        up: (message, back) => {
          if (isRequest(message, dialect)) return undefined;
          back(framed(tell.success));
          return [];
        },
        down: (message) => [framed(message)],
      }),
      { dialect },
    ),
  ),
  link(
    'takes the bytes behind a request for another',
    ['bincode.CloseTlsSession-trailing-00', 'bincode.CloseTlsSession-trailing-self'],
    () => ({
      up: (message, back) => {
        if (message.readUInt32LE() !== 1 || message.length === 8) return undefined;
        back(framed(tell.unimplemented));
        return [];
      },
    }),
    { spares: ['session.unknown-close', 'session.closed'] },
  ),
  link(
    'waits for all of a frame, however long',
    ['link.huge-length'],
    () => ({ piece: (piece) => (piece.equals(Buffer.alloc(9, 0xff)) ? Buffer.alloc(0) : piece) }),
    { as: 'weaker', spares: ['link.split'] },
  ),
  link('ends when a client is gone in the middle of its handshake', ['tls.cut-handshake'], endsInHandshakes, {
    spares: ['link.closed', 'tls.version-1.3'],
  }),
  link('does not notice the end of a link', ['link.closed', 'link.truncated-frame'], () => ({ keeps: true })),
  link('ends with its first link', ['link.closed', 'link.truncated-frame'], () => ({ dies: () => true })),
  link('loses the last byte of ciphertext', ['tls.version-1.3', 'tls.split-records', 'request.large'], () => ({
    up: (message) =>
      message.readUInt32LE() === 7 ? [framed(changed(message, (bytes) => bytes.writeUInt8(0, bytes.length - 1)))] : undefined,
  })),
];

export const enclave = (what: string, found: readonly string[], flaws: EnclaveFlaws, more: More = {}): Break => ({
  role: 'manager',
  what,
  found,
  ...more,
  report: async (t, trying) => conform(await brokenEnclave(t, flaws), trying),
});

const hex = (digits: string) => Buffer.from(digits, 'hex');
const shows = ({ certificate: cert, key }: { certificate: string; key: string }) => ({ cert, key });
const stranger = { authority: makeAuthority({ commonName: 'somebody else' }), runtimeHash: material.runtimeHash };

const ENCLAVES: readonly Break[] = [
  enclave('takes TLS 1.2', ['tls.version-1.2'], {
    tls: { minVersion: 'TLSv1.2', ciphers: `${CIPHER_SUITES[0]}:ECDHE-ECDSA-AES256-GCM-SHA384` },
  }),
  enclave('takes every suite', ['tls.other-suites'], { tls: { ciphers: CIPHER_SUITES.slice(0, 3).join(':') } }),
  enclave('resumes sessions', ['tls.no-resumption'], {
    tls: { ticketKeys: Buffer.alloc(48, 9), sessionIdContext: 'one for all' },
  }),
  enclave('lets everybody in', ['tls.no-client-certificate', 'tls.stranger', 'tls.same-name'], { open: true }),
  enclave('lets in whom a principal vouches for', ['tls.issued-by-principal'], { open: true }, { as: 'weaker' }),
  enclave('has another authority', ['tls.chain'], { tls: shows(managerCredentials(stranger)) }),
  enclave('has no runtime hash', ['tls.runtime-hash'], { tls: shows(managerCredentials({ authority: material.authority })) }),
  enclave('says its policy’s hash in capital letters', ['request.policy-hash'], {
    answer: (message, told) =>
      message.oneof === 'request_policy_hash' && told.oneof === 'policy_hash'
        ? { ...told, fields: { data: Buffer.from(Buffer.from(told.fields.data).toString().toUpperCase()) } }
        : told,
  }),
  enclave('writes the arm before the status', ['request.exact-bytes'], {
    answer: (message, told) => (message.oneof === 'read_file' ? hex('000000000000000d' + '22070a0568656c6c6f' + '08014000') : told),
  }),
  enclave('appends by replacing', ['request.append'], {
    answer: (message, told) =>
      message.oneof === 'read_file' && told.oneof === 'result' ? { ...told, fields: { data: Buffer.from('two') } } : told,
  }),
  enclave('loses a byte of a file', ['request.write-read', 'request.large', 'request.append'], {
    answer: (_, told) => (told.oneof === 'result' ? { ...told, fields: { data: Buffer.from(told.fields.data).subarray(1) } } : told),
  }),
  enclave('has SUCCESS for what it does not know', ['prefix.empty-message', 'request.pipeline', 'vectors.'], {
    answer: (message, told) => (message.oneof === null || message.oneof === 'request_pipeline' ? { status: 'SUCCESS', oneof: null } : told),
  }),
  enclave('has SUCCESS for what is no message', ['protobuf.'], { malformed: { status: 'SUCCESS', oneof: null } }),
  enclave('has SUCCESS for what is not there', ['request.missing-file', 'request.missing-program'], {
    answer: (_, told) => (told.status === 'FAILED_GENERIC' ? { status: 'SUCCESS', oneof: null } : told),
  }),
  enclave('has no rights', ['rights.no-read', 'rights.no-write', 'rights.no-append', 'rights.pin'], {}),
  enclave('runs what nobody may run', ['rights.no-compute'], {
    answer: (message, told) => (message.oneof === 'request_result' ? { status: 'SUCCESS', oneof: null } : told),
  }),
  enclave('says no goodbye', ['tls.close-notify'], {}, { as: 'weaker' }),
  enclave('refuses those who may', ['rights.own'], {
    answer: (message, told) =>
      message.oneof === 'write_file' && message.fields.file_name.startsWith('/bob/')
        ? { status: 'FAILED_INVALID_ROLE', oneof: null }
        : told,
  }),
  enclave('writes its prefix in little-endian', ['request.policy-hash', 'prefix.every-cut'], {
    cut: (plaintext) => [Buffer.concat([Buffer.from(plaintext.subarray(0, 8)).reverse(), plaintext.subarray(8)])],
  }),
  enclave(
    'makes no result of an empty file',
    ['request.empty-file'],
    {
      answer: (_, told) => (told.oneof === 'result' && told.fields.data.length === 0 ? { status: 'SUCCESS', oneof: null } : told),
    },
    { as: 'weaker' },
  ),
  enclave('dies of bytes that are no TLS', ['tls.garbage'], { feed: (bytes) => (bytes[0] === 0x47 ? die() : bytes) }),
  enclave('reads only records that come whole', ['tls.split-bytes', 'tls.split-odd'], {
    feed: (bytes) => (bytes.length < 5 || bytes.length < 5 + bytes.readUInt16BE(3) ? Buffer.alloc(0) : bytes),
  }),
];

export const MANAGER_BREAKS: readonly Break[] = [...LINKS, ...ENCLAVES];

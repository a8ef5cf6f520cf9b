/** Broken Runtime Managers: a proxy before ours, or one that is made of parts of the kit. */

import { makeAuthority } from '../../../lib/attestation/authority.js';
import { conform, managerCredentials } from '../../../lib/conformance/index.js';
import { decodeRequest } from '../../../lib/layers/bincode/index.js';
import { CIPHER_SUITES } from '../../../lib/layers/tls/index.js';
import { framed, tell } from '../../support/foreign.js';
import { managerTarget, material } from '../support.js';
import { type Break, SOON } from './breaks.js';
import { brokenEnclave, type EnclaveFlaws } from './enclave.js';
import { changed, type Flaws, frameProxy } from './frames.js';

const link = (what: string, found: readonly string[], flawsOf: () => Flaws): Break => ({
  role: 'manager',
  what,
  found,
  report: async (t, only) => {
    const target = await managerTarget(t, '2207', false);
    const port = await frameProxy(t, Number(target.address.split(':').at(-1)), flawsOf());
    return conform({ ...target, address: `tcp://127.0.0.1:${port}` }, { ...SOON, only });
  },
});

const u64be = (length: number) => {
  const bytes = Buffer.alloc(9);
  bytes.writeBigUInt64BE(BigInt(length));
  return bytes;
};
const isRequest = (message: Buffer) => {
  try {
    return decodeRequest([message], '2207').kind.length > 0;
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
  link('answers what is no request', ['bincode.'], () => ({
    up: (message, back) => {
      if (isRequest(message)) return undefined;
      back(framed(tell.success));
      return [];
    },
    down: (message) => [framed(message)],
  })),
  link('does not notice the end of a link', ['link.closed', 'link.truncated-frame'], () => ({ keeps: true })),
  link('ends with its first link', ['link.closed', 'link.truncated-frame'], () => ({ dies: true })),
  link('loses the last byte of ciphertext', ['tls.version-1.3', 'tls.split-records', 'request.large'], () => ({
    up: (message) =>
      message.readUInt32LE() === 7 ? [framed(changed(message, (bytes) => bytes.writeUInt8(0, bytes.length - 1)))] : undefined,
  })),
];

const enclave = (what: string, found: readonly string[], flaws: EnclaveFlaws, as?: Break['as']): Break => ({
  role: 'manager',
  what,
  found,
  ...(as !== undefined && { as }),
  report: async (t, only) => conform(await brokenEnclave(t, flaws), { ...SOON, only }),
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
  enclave('lets in whom a principal vouches for', ['tls.issued-by-principal'], { open: true }, 'weaker'),
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
  enclave('says no goodbye', ['tls.close-notify'], {}, 'weaker'),
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
    'weaker',
  ),
  enclave('dies of bytes that are no TLS', ['tls.garbage'], { feed: (bytes) => (bytes[0] === 0x47 ? die() : bytes) }),
  enclave('reads only records that come whole', ['tls.split-bytes', 'tls.split-odd'], {
    feed: (bytes) => (bytes.length < 5 || bytes.length < 5 + bytes.readUInt16BE(3) ? Buffer.alloc(0) : bytes),
  }),
];

function die(): never {
  throw new Error('a manager that is gone');
}

export const MANAGER_BREAKS: readonly Break[] = [...LINKS, ...ENCLAVES];

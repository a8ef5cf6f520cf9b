/** Runtime Managers that break at one kind of bytes inside TLS: odd protobuf, prefixes, single requests, enrolment. */
import { makeKey } from '../../../lib/attestation/certificate.js';
import { makeRequest } from '../../../lib/attestation/request.js';
import type { Asked, Told } from '../../../lib/conformance/client/enclave.js';
import type { Request, Response } from '../../../lib/conformance/peers/played-manager.js';
import { encodeMessage, type Sent } from '../../../lib/layers/protobuf/index.js';
import type { Break } from './breaks.js';
import type { EnclaveFlaws, Hearing } from './enclave.js';
import { enclave } from './managers.js';

const protobuf = (...names: string[]) => names.map((name) => `protobuf.${name}`);

/** Ends the link at a message whose bytes, in hexadecimal digits, are such. */
const diesOf = (what: RegExp): EnclaveFlaws => ({
  hearing: (die) => (record) => {
    if (what.test(record.toString('hex', 8))) die();
    return record;
  },
});

/**
 * A parser that is gone at one kind of odd bytes. Each must be found by the cases of that kind, and by no other.
 *
 *     08 context   12 write_file   42 request_shutdown   52 request_policy_hash   5a read_file   62 request_pipeline
 */
const PARSERS: readonly (readonly [what: string, bytes: RegExp, found: readonly string[], spares: readonly string[]])[] = [
  [
    'ends at a field that it does not know',
    /^(7801|fa01|7d01|7901|7b08)/,
    protobuf('unknown-varint-field', 'unknown-bytes-field', 'unknown-fixed32-field', 'unknown-fixed64-field', 'unknown-group'),
    protobuf('context-twice', 'two-arms-last-wins'),
  ],
  ['ends at an arm that it does not know', /^62/, protobuf('head-pipeline-as-2207'), protobuf('unknown-bytes-field')],
  [
    'ends at a context of more than 32 bits',
    /^08(8080808010|8580808010|f{18}01)/,
    protobuf('context-33-bits', 'context-2pow32-plus-5', 'context-64-bits'),
    protobuf('overlong-context', 'context-twice'),
  ],
  [
    'ends at a number that is longer than it need be',
    /^(0885808000|d2800000|528000)/,
    protobuf('overlong-context', 'overlong-varint-tag', 'overlong-varint-length'),
    protobuf('context-33-bits', 'explicit-zero-context'),
  ],
  ['ends at a field with its default', /^0800/, protobuf('explicit-zero-context'), protobuf('context-twice', 'context-after-arm')],
  ['ends at a context behind its arm', /^5200080./, protobuf('context-after-arm'), protobuf('explicit-zero-context')],
  ['ends at a field that comes twice', /^08050807/, protobuf('context-twice'), protobuf('same-arm-twice', 'inner-field-twice')],
  ['ends at a second arm', /^42005200|^12050a036162631204/, protobuf('two-arms-last-wins', 'same-arm-twice'), protobuf('context-twice')],
  ['ends at a name that comes twice', /^120a0a036162630a03/, protobuf('inner-field-twice'), protobuf('same-arm-twice')],
  ['ends at data before its name', /^12091202/, protobuf('inner-order-swapped'), protobuf('inner-field-twice')],
  ['ends at a byte order mark in a name', /efbbbf/, protobuf('name-bom'), ['request.write-read']],
  [
    'ends at a message that ends inside its arm',
    /^127f|^08ac02120d/,
    protobuf('submessage-too-long', 'write_file-cut-at-5', 'write_file-cut-at-13'),
    protobuf('write_file-cut-at-3', 'context-twice'),
  ],
  [
    'ends at a context that is not 0',
    /^(08ac02|0801)5200/,
    protobuf('write_file-cut-at-3', 'request-as-response-status'),
    protobuf('empty-input', 'explicit-zero-context'),
  ],
  ['ends at a policy’s hash that is asked for twice', /^5200$/, protobuf('empty-input', 'write_file-cut-at-0'), []],
];

/** The bytes of a request are not those that its message would have. */
const isOdd = (message: Asked, { bytes }: Hearing) =>
  !encodeMessage('RuntimeManagerRequest', message as Sent<'RuntimeManagerRequest', Uint8Array>, { dialect: '2207' }).equals(bytes);

const REFUSED: Told = { status: 'FAILED_INVALID_REQUEST', oneof: null };

const STRICT: readonly Break[] = [
  enclave(
    'refuses all bytes that are not canonical',
    protobuf(
      ...['explicit-zero-context', 'context-after-arm', 'context-twice', 'two-arms-last-wins', 'inner-field-twice', 'overlong-varint-tag'],
      ...['overlong-varint-length', 'overlong-context', 'context-33-bits', 'inner-order-swapped'],
    ),
    { answer: (message, told, hearing) => (isOdd(message, hearing) ? REFUSED : told) },
    { as: 'stricter', spares: ['request.write-read', ...protobuf('empty-input')] },
  ),
];

/** Bytes of a message that are still to come, and whether one is whole; for hearing that is hard of it. */
function lengths() {
  let owed = 0;
  return {
    /** A record with the beginning of a message, or of several. */
    begins: () => owed === 0,
    heard: (record: Buffer) => {
      for (let at = 0; at < record.length; ) {
        if (owed === 0 && record.length - at < 8) return;
        if (owed === 0) {
          owed = Number(record.readBigUInt64BE(at));
          at += 8;
        }
        const taken = Math.min(owed, record.length - at);
        owed -= taken;
        at += taken;
      }
    },
  };
}

const NOTHING = Buffer.alloc(0);
const firstOf = (record: Buffer) => record.subarray(0, 8 + Number(record.readBigUInt64BE()));

const PREFIXES: readonly Break[] = [
  enclave(
    'forgets a prefix that does not come whole',
    ['prefix.in-pieces', 'prefix.byte-by-byte'],
    {
      hearing: () => {
        const { begins, heard } = lengths();
        return (record) => {
          if (begins() && record.length < 8) return NOTHING;
          heard(record);
          return record;
        };
      },
    },
    { as: 'weaker', spares: ['prefix.every-cut', 'prefix.two-in-one'] },
  ),
  enclave(
    'loses both of two requests in one record',
    ['prefix.two-in-one'],
    { hearing: () => (record) => (record.length > 8 && firstOf(record).length < record.length ? NOTHING : record) },
    { as: 'weaker', spares: ['prefix.empty-message', 'tls.version-1.3'] },
  ),
  enclave(
    'loses the second of two requests in one record',
    ['prefix.two-in-one'],
    { hearing: () => (record) => (record.length > 8 ? firstOf(record) : record) },
    { spares: ['prefix.empty-message', 'tls.version-1.3'] },
  ),
  enclave(
    'waits for all of a message, however long',
    ['prefix.huge-length'],
    {
      hearing: () => {
        let lost = false;
        return (record) => {
          lost ||= record.length >= 8 && record[0] === 0xff;
          return lost ? NOTHING : record;
        };
      },
    },
    { as: 'weaker', spares: ['prefix.every-cut'] },
  ),
  enclave('keeps half a file when its client ends', ['prefix.truncated'], { halves: true }, { spares: ['request.write-read'] }),
];

const ARMS = ['write_file', 'append_file', 'read_file', 'request_result', 'request_pi_hash', 'psa_attestation_init'];
const HASH_ONLY = (message: Asked) => message.oneof === 'request_policy_hash';

const REQUESTS: readonly Break[] = [
  ...(['2207', 'head'] as const).map((dialect) =>
    enclave(
      `has no answer to what is no question about its policy (${dialect})`,
      [...ARMS, 'request_proxy_psa_attestation_token', ...(dialect === 'head' ? ['request_pipeline'] : [])].map((arm) => `vectors.${arm}`),
      { dialect, answer: (message, told) => (HASH_ONLY(message) ? told : null) },
      { spares: ['request.policy-hash', 'vectors.request_policy_hash'], waitMs: 400 },
    ),
  ),
  enclave(
    'has no answer to questions about its policy',
    ['vectors.request_policy_hash', 'request.policy-hash'],
    { answer: (message, told) => (HASH_ONLY(message) ? null : told) },
    { spares: ['request.write-read'], waitMs: 400 },
  ),
  enclave(
    'ends a session by its refusal',
    ['request.goes-on'],
    {
      answer: (_, told, { end }) => {
        if (told.status !== 'SUCCESS') end();
        return told;
      },
    },
    { as: 'weaker', spares: ['request.missing-file', 'request.write-read'] },
  ),
  enclave(
    'runs pipelines that the policy does not have',
    ['request.unknown-pipeline'],
    { dialect: 'head', answer: (message, told) => (message.oneof === 'request_pipeline' ? { status: 'SUCCESS', oneof: null } : told) },
    { spares: ['request.missing-program'] },
  ),
  enclave('resolves `..` in names', ['rights.dot-dot'], { resolves: true }, { as: 'weaker', spares: ['rights.own'] }),
  enclave('is active behind its end', ['end.shutdown'], { endless: true }, { spares: ['request.policy-hash'] }),
  enclave(
    'knows no RSA',
    ['tls.rsa-principal'],
    { tls: { sigalgs: 'ecdsa_secp256r1_sha256' } },
    { spares: ['tls.version-1.3', 'tls.chain'] },
  ),
  enclave('has one TLS session for all clients', ['tls.two-clients'], { mixes: true }, { spares: ['tls.version-1.3', 'request.large'] }),
];

const KEY = makeKey('ec');
const evidence = (csr: Buffer): Response => ({ kind: 'AttestationData', token: Buffer.from('evidence'), csr });
const FAIL: Response = { kind: 'Status', status: 'Fail' };

/** Answers Attestation and Initialize in its own way. */
const attested = (link: (request: Request) => Response | undefined): EnclaveFlaws => ({ attested: true, link });

const ENROLMENT: readonly Break[] = [
  enclave(
    'has a request that its key did not sign',
    ['enrolment.request'],
    attested(({ kind }) => {
      if (kind !== 'Attestation') return undefined;
      const csr = makeRequest(makeKey('ec'));
      csr.writeUInt8((csr.at(-1) as number) ^ 1, csr.length - 1);
      return evidence(csr);
    }),
  ),
  enclave(
    'has one key for ever',
    ['enrolment.fresh-key'],
    attested(({ kind }) => (kind === 'Attestation' ? evidence(makeRequest(KEY)) : undefined)),
    { spares: ['enrolment.request', 'enrolment.again'] },
  ),
  enclave(
    'takes every policy',
    ['enrolment.no-policy'],
    attested(() => undefined),
    { spares: ['enrolment.again', 'enrolment.request'] },
  ),
  enclave(
    'takes another policy and every chain',
    ['enrolment.other-policy', 'enrolment.foreign-chain'],
    attested(() => undefined),
    { as: 'weaker', spares: ['enrolment.again'] },
  ),
  enclave('is initialized once', ['enrolment.again'], initializedOnce()),
];

function initializedOnce(): EnclaveFlaws {
  let before = 0;
  return attested(({ kind }) => (kind === 'Initialize' && before++ > 0 ? FAIL : undefined));
}

export const MESSAGE_BREAKS: readonly Break[] = [
  ...PARSERS.map(([what, bytes, found, spares]) => enclave(what, found, diesOf(bytes), { spares })),
  ...STRICT,
  ...PREFIXES,
  ...REQUESTS,
  ...ENROLMENT,
];

/** Broken Proxy Attestation Servers: a proxy before ours, or the one that the kit plays, which certifies everything. */
import { conform, type Target } from '../../../lib/conformance/index.js';
import { PlayedAttestation } from '../../../lib/conformance/peers/played-attestation.js';
import { prefixed } from '../../../lib/conformance/peers/visitor.js';
import { decodeMessage, encodeMessage } from '../../../lib/layers/protobuf/index.js';
import { attestationTarget, material } from '../support.js';
import type { Break, More } from './breaks.js';
import { type HttpFlaws, httpProxy } from './http.js';

const proxied = (what: string, found: readonly string[], flaws: HttpFlaws, more: More = {}): Break => ({
  role: 'attestation',
  what,
  found,
  ...more,
  report: async (t, trying) => {
    const target = await attestationTarget(t, '2207');
    return conform({ ...target, address: await httpProxy(t, target.address, flaws) }, trying);
  },
});

/** The bytes of an answer, changed. */
const bytes = (change: (bytes: Buffer) => Buffer): HttpFlaws => ({
  down: (exchange) => {
    if (exchange.status === 200)
      exchange.answer = Buffer.from(change(Buffer.from(exchange.answer.toString(), 'base64')).toString('base64'));
    return undefined;
  },
});

const certifiesAll = (what: string, found: readonly string[]): Break => ({
  role: 'attestation',
  what,
  found,
  report: async (t, trying) => {
    const end = new AbortController();
    t.teardown(() => end.abort());
    const { authority } = material;
    // Every certificate says the same runtime hash, and that is not the one of the evidence.
    const vouching = { dialect: '2207' as const, authority, runtimeHash: Buffer.alloc(32, 1), csr: () => undefined };
    const played = await PlayedAttestation.start('tcp-listen://127.0.0.1:0', vouching, end.signal);
    const { port } = played.addressOf('tcp-listen://127.0.0.1:0') as { port: number };
    const target: Target = { role: 'attestation', address: `http://127.0.0.1:${port}`, dialect: '2207', material };
    return conform(target, trying);
  },
});

const status = (from: number, to: number): HttpFlaws => ({
  down: (exchange) => {
    if (exchange.status === from) exchange.status = to;
    return undefined;
  },
});

let first: Buffer | undefined;

export const ATTESTATION_BREAKS: readonly Break[] = [
  proxied('says OK in another way', ['start.psa', 'start.nitro', 'certificate.issued'], {
    down: (exchange) => {
      exchange.reason = 'Fine';
      return undefined;
    },
  }),
  proxied('writes no padding', ['start.psa'], {
    down: (exchange) => {
      exchange.answer = Buffer.from(exchange.answer.toString().replace(/=+$/, ''));
      return undefined;
    },
  }),
  proxied(
    'writes its prefix in little-endian',
    ['start.psa', 'start.nitro', 'body.split-bytes', 'vectors.requests'],
    bytes((all) => Buffer.concat([Buffer.from(all.subarray(0, 8)).reverse(), all.subarray(8)])),
  ),
  proxied(
    'counts its prefix',
    ['start.psa'],
    bytes((all) => {
      all.writeBigUInt64BE(BigInt(all.length));
      return all;
    }),
  ),
  proxied('gives the same answer twice', ['start.fresh'], {
    down: (exchange) => {
      first ??= exchange.answer;
      exchange.answer = first;
      return undefined;
    },
  }),
  proxied('has 400 for a protocol that it does not know', ['start.unknown-protocol'], status(501, 400)),
  proxied('takes what is malformed', ['broken.', 'protobuf.protocol-latin1'], {
    down: (exchange) => {
      if (exchange.status >= 400) exchange.status = 200;
      return undefined;
    },
  }),
  proxied('takes bodies of any size', ['http.large-body'], {
    up: (exchange) => {
      if (exchange.request.length > 2 ** 20) exchange.request = Buffer.from('AAAAAAAAAA4SDAoDcHNhEgUwLjMuMA==');
    },
  }),
  proxied('serves every path by every method', ['http.unknown-path', 'http.get'], {
    up: (exchange) => {
      exchange.path = '/Start';
      exchange.method = 'POST';
    },
    down: (exchange) => {
      exchange.status = 200;
      return undefined;
    },
  }),
  proxied('hangs on what is malformed', ['broken.empty', 'broken.no-base64', 'broken.two-messages'], {
    down: ({ status: code }) => code < 400,
  }),
  certifiesAll('certifies every request', [
    'evidence.other-challenge',
    'evidence.bad-signature',
    'evidence.other-request',
    'evidence.no-cbor',
    'evidence.truncated',
    'evidence.empty',
    'evidence.unknown-device',
    'challenge.unknown',
    'challenge.used',
    'challenge.tried',
    'certificate.runtime-hash',
  ]),
  { ...certifiesAll('certifies every runtime', ['evidence.runtime-hash', 'start.device-ids']), as: 'weaker' },
  proxied('takes a forged request', ['evidence.forged-request', 'verify.other-key'], status(403, 200)),
  proxied('gives the chain in the other order', ['certificate.issued', 'certificate.key', 'certificate.name'], bytes(swapped)),
  proxied('has no payload for a token', ['verify.pat'], {
    down: (exchange) => {
      if (exchange.path === '/VerifyPAT') exchange.answer = Buffer.from('AAAA');
      return undefined;
    },
  }),
];

/** cert_chain with its two certificates exchanged. Other messages as they are. */
function swapped(all: Buffer): Buffer {
  const message = decodeMessage('ProxyAttestationServerResponse', all.subarray(8));
  if (message.oneof !== 'cert_chain') return all;
  const { root_cert, enclave_cert } = message.fields;
  const fields = { root_cert: enclave_cert, enclave_cert: root_cert };
  return prefixed(encodeMessage('ProxyAttestationServerResponse', { oneof: 'cert_chain', fields }));
}

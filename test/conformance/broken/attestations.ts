/** Broken Proxy Attestation Servers: a proxy before ours, or the one that the kit plays, which certifies everything. */
import { X509Certificate } from 'node:crypto';
import root from 'tap';
import { issue } from '../../../lib/attestation/authority.js';
import { conform, type Target } from '../../../lib/conformance/index.js';
import { PlayedAttestation } from '../../../lib/conformance/peers/played-attestation.js';
import { prefixed } from '../../../lib/conformance/peers/visitor.js';
import { decodeMessage, encodeMessage } from '../../../lib/layers/protobuf/index.js';
import { attestationTarget, material } from '../support.js';
import type { Break, More } from './breaks.js';
import { type Flaws, frameProxy } from './frames.js';
import { type Exchange, type HttpFlaws, httpProxy } from './http.js';
import { endsInsideRequests, readsBodiesWithHeads } from './pieces.js';

/** Ours, behind all the proxies: its registry takes seconds to start. */
let started: ReturnType<typeof attestationTarget> | undefined;

function ours(): ReturnType<typeof attestationTarget> {
  started ??= attestationTarget(root, '2207');
  return started;
}

/** A break of one of ours, by what `proxy` puts before it: it gives its own address. */
const before = (
  what: string,
  found: readonly string[],
  more: More,
  proxy: (t: Parameters<Break['report']>[0], address: string) => Promise<string>,
): Break => ({
  role: 'attestation',
  what,
  found,
  ...more,
  report: async (t, trying) => {
    const target = await ours();
    return conform({ ...target, address: await proxy(t, target.address) }, trying);
  },
});

const proxied = (what: string, found: readonly string[], flaws: HttpFlaws, more: More = {}): Break =>
  before(what, found, more, (t, address) => httpProxy(t, address, flaws));

/** The same, of the bytes before HTTP. */
const piecemeal = (what: string, found: readonly string[], flaws: () => Flaws, more: More = {}): Break =>
  before(what, found, more, async (t, address) => {
    const port = await frameProxy(t, Number(address.split(':').at(-1)), flaws());
    return `http://127.0.0.1:${port}`;
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
  proxied('gives one certificate to all', ['certificate.serial'], alwaysTheSame(), { as: 'weaker', spares: ['certificate.time'] }),
  proxied('issues certificates that are over', ['certificate.time'], bytes(expired), {
    spares: ['certificate.serial', 'certificate.key', 'certificate.name'],
  }),
  proxied(
    'ends each connection behind its answer',
    ['body.keep-alive'],
    {
      down: (exchange) => {
        exchange.headers.connection = 'close';
        return undefined;
      },
    },
    { spares: ['start.psa', 'body.split-head'] },
  ),
  proxied(
    'has 200 for what it cannot read, and nothing more',
    ['body.no-padding'],
    {
      down: (exchange) => {
        if (exchange.request.length % 4 === 0) return undefined;
        exchange.status = 200;
        exchange.answer = Buffer.alloc(0);
        return undefined;
      },
    },
    { spares: ['start.psa'] },
  ),
  proxied(
    'refuses a field that it does not know',
    ['protobuf.unknown-field'],
    {
      down: (exchange) => {
        if (Buffer.from(exchange.request.toString(), 'base64')[8] === 0x78) exchange.status = 400;
        return undefined;
      },
    },
    { spares: ['start.psa', 'vectors.requests'] },
  ),
  piecemeal('reads a body that comes with its head', ['body.split-head'], readsBodiesWithHeads, { spares: ['body.split-bytes'] }),
  piecemeal('ends when a connection ends inside a body', ['http.truncated'], endsInsideRequests, { spares: ['start.psa'] }),
  proxied('has no payload for a token', ['verify.pat'], {
    down: (exchange) => {
      if (exchange.path === '/VerifyPAT') exchange.answer = Buffer.from('AAAA');
      return undefined;
    },
  }),
];

/** A POST of a token that was certified. */
const isCertified = ({ path, status: code }: Exchange) => path === '/PSA/AttestationToken' && code === 200;

/** One certificate for all. */
function alwaysTheSame(): HttpFlaws {
  let certified: Buffer | undefined;
  return {
    down: (exchange) => {
      if (!isCertified(exchange)) return undefined;
      certified ??= exchange.answer;
      exchange.answer = certified;
      return undefined;
    },
  };
}

/** cert_chain with a certificate whose time is over. */
function expired(all: Buffer): Buffer {
  const message = decodeMessage('ProxyAttestationServerResponse', all.subarray(8));
  if (message.oneof !== 'cert_chain') return all;
  const { publicKey } = new X509Certificate(message.fields.enclave_cert);
  const time = { notBefore: new Date(Date.UTC(2020, 0)), notAfter: new Date(Date.UTC(2021, 0)) };
  const enclave_cert = issue(material.authority, { subject: 'VeracruzCompute', publicKey, san: ['ComputeEnclave.dev'], ...time });
  return prefixed(encodeMessage('ProxyAttestationServerResponse', { oneof: 'cert_chain', fields: { ...message.fields, enclave_cert } }));
}

/** cert_chain with its two certificates exchanged. Other messages as they are. */
function swapped(all: Buffer): Buffer {
  const message = decodeMessage('ProxyAttestationServerResponse', all.subarray(8));
  if (message.oneof !== 'cert_chain') return all;
  const { root_cert, enclave_cert } = message.fields;
  const fields = { root_cert: enclave_cert, enclave_cert: root_cert };
  return prefixed(encodeMessage('ProxyAttestationServerResponse', { oneof: 'cert_chain', fields }));
}

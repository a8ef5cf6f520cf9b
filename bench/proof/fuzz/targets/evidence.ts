/** What attestation reads: CBOR, PSA tokens, Nitro documents, certificate signing requests, certificates, DER. */
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { makeAuthority } from 'veracruz-streams';
import { issueCertificate } from 'veracruz-streams/attestation';
import { readCbor } from '../../../../lib/attestation/evidence/cbor.js';
import {
  makeNitroDocument,
  makePsaToken,
  psaPoint,
  readCoseSign1,
  readPsaClaims,
  verifyNitroDocument,
  verifyPsaToken,
} from '../../../../lib/attestation/evidence/index.js';
import { makeRequest, readRequest } from '../../../../lib/attestation/request.js';
import { derItems } from '../../../../lib/layers/formats/asn1.js';
import { certificatesOf } from '../../../../lib/layers/formats/certificates.js';
import { subjectBytes } from '../../../../lib/layers/formats/x509.js';
import { runtimeHashOf } from '../../../../lib/layers/tls/runtime-hash.js';
import { readChain } from '../../../../lib/roles/runtime-manager/certificate-chain.js';
import { cborItem, derValue, ofParts } from '../make.js';
import { readWhole, type Target } from '../target.js';

const challenge = randomBytes(32);
const request = randomBytes(280);

function psaTargets(): Target[] {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const publicKey = psaPoint(key);
  const requestHash = createHash('sha256').update(request).digest();
  const corpus = (['2207', 'head'] as const).map((shape) =>
    makePsaToken({ key, challenge, runtimeHash: randomBytes(32), requestHash, shape }),
  );
  return [
    evidence('psa-claims', corpus, readPsaClaims),
    { ...evidence('psa-token', corpus, (token) => verifyPsaToken(token, { publicKey, challenge, request })), check: unforged(corpus) },
  ];
}

function nitroTarget(): Target {
  const root = makeAuthority({ commonName: 'root', algorithm: 'ec' });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const certificate = issueCertificate(root, { subject: 'enclave', publicKey: createPublicKey(privateKey), usages: [] });
  const corpus = [
    makeNitroDocument({
      key: privateKey,
      certificate,
      cabundle: [root.certificateDer],
      pcrs: new Map([[0, randomBytes(48)]]),
      nonce: challenge,
      userData: request,
    }),
  ];
  const verify = (document: Buffer) => verifyNitroDocument(document, { root: root.certificateDer, challenge, request });
  return { ...evidence('nitro-document', corpus, verify), check: unforged(corpus) };
}

function requestTarget(): Target {
  const corpus = ['P-256', 'P-256'].map((namedCurve) => makeRequest(generateKeyPairSync('ec', { namedCurve }).privateKey));
  return {
    ...evidence('csr', corpus, (der) => readRequest(der).publicKey.export({ format: 'jwk' })),
    make: derValue,
    check: unforged(corpus),
  };
}

/** What reads certificates that others made: the chain of `Initialize`, PEM and DER in options, the fields in them. */
function certificateTargets(): Target[] {
  const authority = makeAuthority({ commonName: 'authority' });
  const key = createPublicKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
  const leaf = issueCertificate(authority, { subject: 'leaf', publicKey: key, san: ['ComputeEnclave.dev'], runtimeHash: randomBytes(32) });
  const pem = Buffer.from(authority.certificate);
  const corpus = [leaf, authority.certificateDer, pem, Buffer.concat([leaf, authority.certificateDer])];
  const pemParts = ['-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----', '\n', 'MIIB', '=', leaf.toString('base64'), ' '];
  return [
    { ...evidence('certificate-chain', corpus, (bytes) => readChain([bytes], 65_536).map(String)), make: derValue },
    { ...evidence('certificates', corpus, (bytes) => certificatesOf('fuzz', bytes).map(String)), make: ofParts(pemParts) },
    { ...evidence('certificate-fields', [leaf, authority.certificateDer], fieldsOf), make: derValue },
  ];
}

/** Only what OpenSSL takes for a certificate comes to these readers. */
function fieldsOf(der: Buffer): unknown {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
  } catch {
    return undefined;
  }
  subjectBytes(certificate);
  return runtimeHashOf(certificate);
}

function evidence(name: string, corpus: readonly Buffer[], read: (bytes: Buffer) => unknown): Target {
  return { name, corpus, make: cborItem, whole: true, read: ([input]) => readWhole(() => read(input as Buffer)) };
}

/** An input that differs from all of `genuine` must not be taken. */
function unforged(genuine: readonly Buffer[]): NonNullable<Target['check']> {
  return (input, { error }) =>
    error === undefined && !genuine.some((bytes) => bytes.equals(input)) ? 'altered, and taken for genuine' : undefined;
}

export function evidenceTargets(): Target[] {
  const psa = psaTargets();
  const tokens = psa.flatMap(({ corpus }) => corpus);
  return [
    evidence('cbor', tokens, (bytes) => readCbor(bytes, 'fuzz', { maxDepth: 16 })),
    evidence('cose-sign1', tokens, (bytes) => readCoseSign1(bytes, { tagged: 'either' })),
    ...psa,
    nitroTarget(),
    requestTarget(),
    ...certificateTargets(),
    {
      // Its callers wrap the RangeError that it throws for lengths that do not fit.
      ...evidence('der-items', [makeAuthority().certificateDer], (bytes) => {
        try {
          return derItems(bytes);
        } catch (error) {
          if (error instanceof RangeError) return undefined;
          throw error;
        }
      }),
      make: derValue,
    },
  ];
}

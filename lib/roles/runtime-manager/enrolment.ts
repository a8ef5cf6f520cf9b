import type { KeyObject, X509Certificate } from 'node:crypto';
import { makeKey } from '../../attestation/certificate.js';
import { checkPeriod, periodOf } from '../../attestation/certificate-time.js';
import type { AttestationProtocol, Attester } from '../../attestation/evidence/attester.js';
import { makeRequest } from '../../attestation/request.js';
import { LimitError, NotReadyError } from '../../core/errors.js';
import type { Response } from '../../layers/bincode/index.js';
import type { Dialect } from '../../layers/formats/dialect.js';
import { checkChain, readChain } from './certificate-chain.js';

const LAYER = 'runtime-manager';

/** A certificate chain and the private key of its first certificate, PEM. */
export interface ManagerIdentity {
  readonly certificate: string;
  readonly key: string;
}

/** An identity that Initialize brought. It serves only under a policy that trusts its chain (`checkRoot`). */
export interface IssuedIdentity extends ManagerIdentity {
  /** The chain once more, read. */
  readonly chain: readonly X509Certificate[];
}

export interface EnrolmentOptions {
  readonly attester: Attester;
  readonly dialect: Dialect;
  readonly maxChainBytes: number;
  readonly maxChallengeBytes: number;
  /** Milliseconds by which the manager's clock may differ from that of whoever issues its certificates. */
  readonly maxClockSkewMs: number;
}

/**
 * How a manager gets its identity, over one link (wire spec §D, steps 3 and 5 of the attestation handshake): it makes a key
 * that never leaves its memory, asks the platform for evidence over a challenge and that key, and later takes a certificate
 * of that key.
 */
export class Enrolment {
  readonly #options: EnrolmentOptions;
  /** Of the last evidence that was given; a certificate for it is to come. */
  #key: KeyObject | undefined;
  #attesting = false;
  /** This link has initialised the manager, or has brought it a certificate of its own since. */
  initialised = false;
  /** The link has closed: nothing that it brought is taken any more. */
  closed = false;

  constructor(options: EnrolmentOptions) {
    this.#options = options;
  }

  get protocol(): AttestationProtocol {
    return this.#options.attester.protocol;
  }

  /**
   * Attestation: a new key and the evidence for it. The key before it, if any, is forgotten.
   *
   * @throws LimitError, NotReadyError while the one before it is still being answered, and what the attester throws
   */
  async attest(challenge: Buffer): Promise<Response> {
    const { attester, dialect, maxChallengeBytes: limit } = this.#options;
    const got = challenge.length;
    if (got === 0 || got > limit)
      throw new LimitError(`a challenge of ${got} bytes, 1 to ${limit} are taken`, { layer: LAYER, got, limit });
    if (this.#attesting) throw new NotReadyError('another attestation is under way on this link', { layer: LAYER });
    this.#attesting = true;
    this.#key = undefined;
    try {
      const key = makeKey('ec');
      const request = makeRequest(key);
      const token = await attester.attest(challenge, request);
      this.#key = key;
      // A Nitro document has the request in it.
      return { kind: 'AttestationData', token: [token], ...(dialect !== '2207-nitro' && { csr: [request] }) };
    } finally {
      this.#attesting = false;
    }
  }

  /**
   * The chain that Initialize brings, checked against the key that was attested. Whatever comes of it the key is used up:
   * the next chain needs an attestation of its own. Whether the policy trusts the chain is not known here.
   *
   * @throws NotReadyError when nothing was attested over this link; LimitError; CertificateError, also for a chain that is
   * expired or not yet valid
   */
  accept(chain: readonly Buffer[]): IssuedIdentity {
    const key = this.#key;
    if (key === undefined) throw new NotReadyError('nothing was attested over this link', { layer: LAYER, expected: 'Attestation' });
    this.#key = undefined;
    const certificates = readChain(chain, this.#options.maxChainBytes);
    checkChain(certificates, key);
    checkPeriod(periodOf(certificates), this.#options.maxClockSkewMs, LAYER);
    return {
      certificate: certificates.map((certificate) => certificate.toString()).join(''),
      key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
      chain: certificates,
    };
  }
}

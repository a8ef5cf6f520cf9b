/** Makes Nitro documents under a test root, in place of AWS. */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { given, hashBytes, oneOf } from '../../core/check.js';
import { InvalidOptionError } from '../../core/errors.js';
import { encryptedKey } from '../../layers/formats/private-key.js';
import { makeCertificate, pemOf } from '../certificate.js';
import type { Attester } from './attester.js';
import { checkLength, HASH_BYTES, sha256 } from './binding.js';
import { keptSecret } from './key-file.js';
import { measureRuntime } from './measure.js';
import type { NitroUserData } from './nitro.js';
import { makeNitroDocument } from './nitro-document.js';

/** Options of an `InsecureNitroAttester`. */
export interface InsecureNitroOptions {
  /** File with the private key and the certificate of the test root, PEM. Created with mode 0600 if it is missing. */
  keyFile: string;
  /** 32 bytes, or 64 hex digits, the beginning of PCR0. Default: `measureRuntime()`. */
  runtimeHash?: Uint8Array | string | undefined;
  /** Contents of user_data. Default `request`, as in the 2207 dialect. */
  userData?: Exclude<NitroUserData, 'either'> | undefined;
  /** Whether tag 18 stands before the document, as in the head dialect. Default false. */
  tagged?: boolean | undefined;
}

/** Number of platform configuration registers (PCRs), and the bytes of each (SHA-384). */
const PCRS = 16;
const PCR_BYTES = 48;
const ROOT_NAME = { organization: 'Veracruz', commonName: 'INSECURE Nitro test root' };
const CA_NAME = { organization: 'Veracruz', commonName: 'INSECURE Nitro test CA' };
const LEAF_NAME = { organization: 'Veracruz', commonName: 'INSECURE Nitro test enclave' };

/** Validity of the leaf: three hours, as with AWS. A document is verified within seconds. */
const LEAF_DAYS = 1 / 8;

/**
 * INSECURE. Makes Nitro documents under a root whose key is in a file. Whoever can read that file can make false evidence
 * for any Runtime Manager. It is for tests, and for trying the Nitro arrangement without an enclave. An attestation server
 * accepts these documents only if it pins `root`.
 */
export class InsecureNitroAttester implements Attester {
  readonly protocol = 'nitro';
  readonly #key: KeyObject;
  readonly #root: X509Certificate;
  readonly #runtimeHash: Buffer;
  readonly #userData: NitroUserData;
  readonly #tagged: boolean;

  /** Whether `open` has made the key file, because there was none. */
  readonly keyMade: boolean;

  private constructor(
    key: KeyObject,
    root: X509Certificate,
    runtimeHash: Buffer,
    userData: NitroUserData,
    tagged: boolean,
    keyMade: boolean,
  ) {
    this.#key = key;
    this.#root = root;
    this.#runtimeHash = runtimeHash;
    this.#userData = userData;
    this.#tagged = tagged;
    this.keyMade = keyMade;
  }

  /**
   * Reads the root, or creates it. Throws `InvalidOptionError`, and `InvalidArgumentError` when the runtime cannot be
   * measured or `runtimeHash` is not 32 bytes.
   */
  static async open(options: InsecureNitroOptions): Promise<InsecureNitroAttester> {
    const { keyFile, userData = 'request', tagged = false } = given('options', options);
    oneOf('userData', userData, ['request', 'hash']);
    const runtimeHash = hashBytes('runtimeHash', options.runtimeHash ?? (await measureRuntime()));
    checkLength('a runtime hash', runtimeHash, HASH_BYTES);
    const { secret, made } = await keptSecret(keyFile, newRoot);
    const { key, root } = readRoot(secret);
    return new InsecureNitroAttester(key, root, Buffer.from(runtimeHash), userData, tagged, made);
  }

  /** The runtime hash in the documents, 32 bytes. */
  get runtimeHash(): Buffer {
    return Buffer.from(this.#runtimeHash);
  }

  /** The certificate of the test root, PEM. An attestation server must pin it in place of the root of AWS. */
  get root(): string {
    return pemOf(this.#root.raw);
  }

  /** Makes a document. Each has a new leaf and a new intermediate CA, so that none has expired. */
  async attest(challenge: Buffer, request: Buffer): Promise<Buffer> {
    const [ca, leaf] = await Promise.all([newKey(), newKey()]);
    const above = { issuer: ROOT_NAME, issuerKey: this.#root.publicKey };
    const intermediate = makeCertificate(
      { subject: CA_NAME, ...above, publicKey: createPublicKey(ca), isCa: true, pathLength: 0, days: 1 },
      this.#key,
    );
    const certificate = makeCertificate(
      {
        subject: LEAF_NAME,
        issuer: CA_NAME,
        issuerKey: createPublicKey(ca),
        publicKey: createPublicKey(leaf),
        isCa: false,
        days: LEAF_DAYS,
      },
      ca,
    );
    return makeNitroDocument({
      key: leaf,
      certificate,
      cabundle: [this.#root.raw, intermediate],
      pcrs: this.#pcrs(),
      nonce: challenge,
      userData: this.#userData === 'hash' ? sha256(request) : request,
      tagged: this.#tagged,
    });
  }

  #pcrs(): Map<number, Buffer> {
    const pcrs = new Map(Array.from({ length: PCRS }, (_, i) => [i, Buffer.alloc(PCR_BYTES)]));
    this.#runtimeHash.copy(pcrs.get(0) as Buffer);
    return pcrs;
  }
}

async function newKey(): Promise<KeyObject> {
  return (await promisify(generateKeyPair)('ec', { namedCurve: 'P-384' })).privateKey;
}

/** A new key and its certificate, PEM. They are kept in one file, so that neither can exist without the other. */
async function newRoot(): Promise<string> {
  const key = await newKey();
  const publicKey = createPublicKey(key);
  const certificate = makeCertificate({ subject: ROOT_NAME, issuer: ROOT_NAME, publicKey, isCa: true, days: 3650 }, key);
  return `${key.export({ type: 'pkcs8', format: 'pem' }).toString()}${pemOf(certificate)}`;
}

function readRoot(pem: string): { key: KeyObject; root: X509Certificate } {
  try {
    const [key, root] = [createPrivateKey(pem), new X509Certificate(pem)];
    if (root.ca && root.checkPrivateKey(key)) return { key, root };
  } catch (cause) {
    throw new InvalidOptionError(encryptedKey('the key file', pem) ?? 'the key file has no private key and certificate in PEM', {
      cause,
    });
  }
  throw new InvalidOptionError('the key file has a private key and the certificate of another, or of no CA');
}

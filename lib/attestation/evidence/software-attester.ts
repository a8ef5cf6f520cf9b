/** Makes PSA tokens with a device key in a file, in place of a device. */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { given, hashBytes, oneOf } from '../../core/check.js';
import { InvalidOptionError } from '../../core/errors.js';
import { encryptedKey } from '../../layers/formats/private-key.js';
import type { Attester } from './attester.js';
import { checkLength, HASH_BYTES, sha256 } from './binding.js';
import { keptSecret } from './key-file.js';
import { psaPoint } from './keys.js';
import { measureRuntime } from './measure.js';
import { PSA_SHAPES, type PsaShape } from './psa-claims.js';
import { makePsaToken } from './psa-token.js';

/** Options of an `InsecureSoftwareAttester`. */
export interface InsecureSoftwareOptions {
  /** File with the device's private key, PEM (P-256). Created with mode 0600 if it is missing. */
  keyFile: string;
  /** 32 bytes, or 64 hex digits. Default: `measureRuntime()`. */
  runtimeHash?: Uint8Array | string | undefined;
  /** Default `2207`. */
  shape?: PsaShape | undefined;
  /** Name of the enclave in the token, 2207 only. Default empty. */
  name?: string | undefined;
}

/**
 * INSECURE. Makes PSA tokens with a key that is in a file. Whoever can read that file, or runs as the same user, can make
 * false evidence for any Runtime Manager. It is for tests, and for Linux, where no hardware makes evidence.
 */
export class InsecureSoftwareAttester implements Attester {
  readonly protocol = 'psa';
  readonly #key: KeyObject;
  readonly #runtimeHash: Buffer;
  readonly #shape: PsaShape;
  readonly #name: string | undefined;

  /** Whether `open` has made the key file, because there was none. */
  readonly keyMade: boolean;

  private constructor(key: KeyObject, runtimeHash: Buffer, shape: PsaShape, name: string | undefined, keyMade: boolean) {
    this.#key = key;
    this.#runtimeHash = runtimeHash;
    this.#shape = shape;
    this.#name = name;
    this.keyMade = keyMade;
  }

  /**
   * Reads the key, or creates it. Throws `InvalidOptionError`, and `InvalidArgumentError` when the runtime cannot be
   * measured or `runtimeHash` is not 32 bytes.
   */
  static async open(options: InsecureSoftwareOptions): Promise<InsecureSoftwareAttester> {
    const { keyFile, shape = '2207', name } = given('options', options);
    oneOf('shape', shape, PSA_SHAPES);
    const runtimeHash = hashBytes('runtimeHash', options.runtimeHash ?? (await measureRuntime()));
    checkLength('a runtime hash', runtimeHash, HASH_BYTES);
    const { secret, made } = await keptSecret(keyFile, newKey);
    return new InsecureSoftwareAttester(deviceKey(secret), Buffer.from(runtimeHash), shape, name, made);
  }

  /** The runtime hash in the tokens, 32 bytes. */
  get runtimeHash(): Buffer {
    return Buffer.from(this.#runtimeHash);
  }

  /** The device's public key for enrolling: its uncompressed point, 65 bytes. */
  get publicKey(): Buffer {
    return psaPoint(this.#key);
  }

  /** The device's public key, PEM. */
  get publicKeyPem(): string {
    return createPublicKey(this.#key).export({ type: 'spki', format: 'pem' }).toString();
  }

  attest(challenge: Buffer, request: Buffer): Promise<Buffer> {
    const [runtimeHash, requestHash] = [this.#runtimeHash, sha256(request)];
    return new Promise((resolve) => {
      resolve(makePsaToken({ key: this.#key, challenge, runtimeHash, requestHash, shape: this.#shape, name: this.#name }));
    });
  }
}

async function newKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function deviceKey(pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    psaPoint(key);
    return key;
  } catch (cause) {
    throw new InvalidOptionError(encryptedKey('the key file', pem) ?? 'the key file has no private P-256 key in PEM', { cause });
  }
}

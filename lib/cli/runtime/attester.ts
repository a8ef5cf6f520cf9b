import {
  type Attester,
  InsecureNitroAttester,
  InsecureSoftwareAttester,
  type InsecureSoftwareOptions,
} from '../../attestation/evidence/index.js';
import { InvalidArgumentError } from '../../core/errors.js';
import type { Dialect } from '../../layers/formats/dialect.js';
import type { Log } from '../../roles/options.js';

export interface AttesterFlags {
  attester?: 'software';
  deviceKey?: string;
  measurement?: string;
}

/** The attester that flags ask for, before its key is read or made. */
export interface AskedAttester {
  /** In its place where options are checked. It attests nothing. */
  readonly stand: Attester;
  open(): Promise<Attester>;
}

/**
 * The attester that the flags ask for; undefined for none. On Nitro it stands in for the platform with a root of its own,
 * elsewhere for a PSA device.
 *
 * @throws InvalidArgumentError for flags that do not go together
 */
export function attesterOf(flags: AttesterFlags, dialect: Dialect, log: Log): AskedAttester | undefined {
  const { attester, deviceKey: keyFile, measurement } = flags;
  if (attester === undefined) {
    if (keyFile !== undefined || measurement !== undefined) {
      throw new InvalidArgumentError('--device-key and --measurement belong to --attester software: add that');
    }
    return undefined;
  }
  if (keyFile === undefined) throw new InvalidArgumentError('--attester software needs --device-key <file>');
  if (measurement !== undefined && !/^[0-9a-f]{64}$/i.test(measurement)) {
    throw new InvalidArgumentError(`--measurement is 64 hex digits, got ${measurement.length} characters`, {
      expected: 64,
      got: measurement.length,
    });
  }
  const options = { keyFile, ...(measurement !== undefined && { runtimeHash: Buffer.from(measurement, 'hex') }) };
  const protocol = dialect === '2207-nitro' ? 'nitro' : 'psa';
  const attest = () => Promise.reject(new InvalidArgumentError('the attester is not open'));
  return { stand: { protocol, attest }, open: () => open(options, dialect, log) };
}

async function open(options: InsecureSoftwareOptions, dialect: Dialect, log: Log): Promise<Attester> {
  const made = await (dialect === '2207-nitro'
    ? InsecureNitroAttester.open(options)
    : InsecureSoftwareAttester.open({ ...options, shape: dialect === 'head' ? 'head' : '2207' }));
  if (made.keyMade) log('info', 'device key made', { file: options.keyFile });
  log('warn', 'INSECURE: a key in a file attests this manager', {
    protocol: made.protocol,
    runtimeHash: made.runtimeHash.toString('hex'),
    // What the attestation server must know of it; neither is a secret.
    ...('publicKey' in made ? { publicKey: made.publicKey.toString('hex') } : { root: made.root }),
  });
  return made;
}

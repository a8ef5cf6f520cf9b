import { given, integerInRange, optionsOf } from '../../core/check.js';
import { InvalidOptionError } from '../../core/errors.js';

/** Where a registry is. Exactly one of these must be set. */
export interface RegistryPlace {
  /**
   * An embedded PostgreSQL in this folder, for one process at a time. The folder is created with mode 0700 if it is missing.
   */
  folder?: string | undefined;
  /** A PostgreSQL server: `postgres://user:password@host:port/database`. */
  url?: string | undefined;
  /** An embedded PostgreSQL in memory, which is lost when the process ends. For tests. */
  memory?: boolean | undefined;
}

export interface RegistryOptions extends RegistryPlace {
  /** Most attestations that are kept in all. One more is refused until some are removed. Default 100,000. */
  maxDevices?: number | undefined;
  /**
   * Most attestations of one device that are kept; the newest ones stay. A device is a key or, where the platform's maker
   * signs, an enclave's name. Default 64.
   */
  maxPerDevice?: number | undefined;
  /** Most device keys, including revoked ones. Default 10,000. */
  maxKeys?: number | undefined;
  /** Most runtime hashes, including revoked ones. Default 10,000. */
  maxRuntimes?: number | undefined;
  /** Milliseconds to connect to a PostgreSQL server, and for each statement on it. Default 10,000. */
  timeoutMs?: number | undefined;
}

/** Defaults of `RegistryOptions`. */
export const REGISTRY_DEFAULTS = Object.freeze({
  maxDevices: 100_000,
  maxPerDevice: 64,
  maxKeys: 10_000,
  maxRuntimes: 10_000,
  timeoutMs: 10_000,
});
type RegistryLimits = Readonly<Record<keyof typeof REGISTRY_DEFAULTS, number>>;

/** The limits with their defaults. @throws InvalidOptionError */
export function completeOptions(options: RegistryOptions): RegistryLimits {
  return optionsOf('registry', () => checked(options));
}

function checked(options: RegistryOptions): RegistryLimits {
  const { folder, url, memory } = given('options', options);
  const places = [folder !== undefined, url !== undefined, memory === true].filter(Boolean).length;
  if (places !== 1) {
    throw new InvalidOptionError(`a registry is in a folder, at a url, or in memory: one of them, got ${places}`, {
      expected: 1,
      got: places,
    });
  }
  const limit = (name: keyof RegistryLimits) => integerInRange(name, options[name] ?? REGISTRY_DEFAULTS[name], 1, 2 ** 31 - 1);
  return {
    maxDevices: limit('maxDevices'),
    maxPerDevice: limit('maxPerDevice'),
    maxKeys: limit('maxKeys'),
    maxRuntimes: limit('maxRuntimes'),
    timeoutMs: limit('timeoutMs'),
  };
}

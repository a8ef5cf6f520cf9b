import type { KeyObject } from 'node:crypto';
import { ClosedError } from '../../core/errors.js';
import type { RegistryAdmin } from './admin.js';
import type { Database, Query } from './database.js';
import { DeviceTable } from './device-table.js';
import { loadPglite, openEmbedded } from './embedded.js';
import { KeyTable } from './key-table.js';
import { migrate } from './migrations.js';
import { completeOptions, type RegistryOptions } from './options.js';
import { loadPostgres, openPostgres } from './postgres.js';
import { type Admission, type AllowedRuntime, type Device, type DeviceKey, type NewDevice, PLATFORMS, type Platform } from './records.js';
import { RuntimeTable } from './runtime-table.js';

/** Default `limit` of `listDevices`. */
const LIST_DEVICES = 1000;

/**
 * The device registry of a Proxy Attestation Server. It keeps the keys whose tokens are accepted, the Runtime Managers that
 * may get a certificate, and the devices that were attested. It uses a PostgreSQL database, in this process or on a server
 * (`RegistryPlace`), with the same SQL.
 *
 * Every method rejects with `RegistryError` when the database fails, and with `ClosedError` after `close()`.
 *
 * @example
 * const registry = await DeviceRegistry.open({ folder: './registry' });
 * await registry.allowRuntime('linux', hash, { label: 'release 1.4' });
 */
export class DeviceRegistry implements RegistryAdmin {
  readonly #database: Database;
  readonly #query: Query;
  readonly #keys: KeyTable;
  readonly #runtimes: RuntimeTable;
  readonly #devices: DeviceTable;
  #closing: Promise<void> | undefined;

  private constructor(database: Database, limits: ReturnType<typeof completeOptions>) {
    this.#database = database;
    const query: Query = (sql, parameters) => {
      if (this.#closing === undefined) return database.query(sql, parameters);
      return Promise.reject(new ClosedError('the registry is closed', { layer: 'registry' }));
    };
    this.#query = query;
    this.#keys = new KeyTable(query, limits.maxKeys);
    this.#runtimes = new RuntimeTable(query, limits.maxRuntimes);
    this.#devices = new DeviceTable(query, limits.maxDevices, limits.maxPerDevice);
  }

  /**
   * Opens the database and brings its schema up to date.
   * @throws InvalidOptionError; MissingPackageError; RegistryError when the database cannot be opened, or another process has
   * it open
   */
  static async open(options: RegistryOptions): Promise<DeviceRegistry> {
    const limits = completeOptions(options);
    const database = await (options.url === undefined ? openEmbedded(options.folder) : openPostgres(options.url, limits.timeoutMs));
    try {
      await migrate(database);
    } catch (error) {
      await database.close();
      throw error;
    }
    return new DeviceRegistry(database, limits);
  }

  /**
   * Checks the options of `open`, and that the package is installed which the database needs. Makes nothing, and connects to
   * nobody: for who has something else to make before it opens the registry.
   * @throws InvalidOptionError; MissingPackageError
   */
  static async check(options: RegistryOptions): Promise<void> {
    completeOptions(options);
    await (options.url === undefined ? loadPglite() : loadPostgres(options.url));
  }

  /** The folder, or the server's host and database, without a password. */
  get where(): string {
    return this.#database.where;
  }

  /** Settles when the database answers. */
  async ping(): Promise<void> {
    await this.#query('SELECT 1 AS n');
  }

  /** Closes the database, and the state folder with it. Calls under way end first. */
  close(): Promise<void> {
    this.#closing ??= this.#database.close();
    return this.#closing;
  }

  /** As `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Enrols a P-256 public key: PEM, key object, or 65-byte point. @throws InvalidArgumentError; LimitError */
  enrollKey(key: string | Buffer | KeyObject, admission: Admission = {}): Promise<DeviceKey> {
    return this.#keys.enroll(key, admission);
  }

  /** The key with this id (32 bytes, or hex), even if it is revoked. */
  findKey(id: Buffer | string): Promise<DeviceKey | undefined> {
    return this.#keys.find(id);
  }

  /** Keys that are not revoked, newest first, at most `limit`. */
  liveKeys(limit: number): Promise<DeviceKey[]> {
    return this.#keys.live(limit);
  }

  revokeKey(id: Buffer | string): Promise<boolean> {
    return this.#keys.revoke(id);
  }

  listKeys(): Promise<DeviceKey[]> {
    return this.#keys.list();
  }

  /** `hash` is 32 bytes, or hex. @throws InvalidArgumentError; LimitError */
  allowRuntime(platform: Platform, hash: Buffer | string, admission: Admission = {}): Promise<AllowedRuntime> {
    return this.#runtimes.allow(platform, hash, admission);
  }

  /**
   * The unrevoked entry of `hash` on one of `platforms` (default: any). The platform must be checked, because evidence of one
   * platform must not pass with a runtime hash of another.
   */
  findRuntime(hash: Buffer | string, platforms: readonly Platform[] = PLATFORMS): Promise<AllowedRuntime | undefined> {
    return this.#runtimes.find(hash, platforms);
  }

  /** Whether a runtime hash is listed and not revoked, for one of `platforms` if they are given. */
  async isAllowed(hash: Buffer | string, platforms?: readonly Platform[]): Promise<boolean> {
    return (await this.findRuntime(hash, platforms)) !== undefined;
  }

  revokeRuntime(hash: Buffer | string, platform?: Platform): Promise<boolean> {
    return this.#runtimes.revoke(hash, platform);
  }

  listRuntimes(): Promise<AllowedRuntime[]> {
    return this.#runtimes.list();
  }

  /**
   * Records a device that was attested. Once this settles, the record survives the process, except in memory. Of one device
   * the newest `maxPerDevice` attestations are kept, so that a device which attests itself again and again does not fill the
   * table.
   * @throws InvalidArgumentError for a device id that is taken; LimitError when there are `maxDevices` already
   */
  recordAttestation(device: NewDevice): Promise<Device> {
    return this.#devices.record(device);
  }

  /** The device of a number, or undefined when there is none. */
  findDevice(deviceId: number): Promise<Device | undefined> {
    return this.#devices.find(deviceId);
  }

  listDevices(limit = LIST_DEVICES): Promise<Device[]> {
    return this.#devices.list(limit);
  }

  forgetDevices(before: Date | string): Promise<number> {
    return this.#devices.forget(before);
  }
}

import { InvalidArgumentError } from '../../core/errors.js';
import { checkDeviceId, checkHash, checkLimit, checkText } from './checks.js';
import type { Query } from './database.js';
import { full } from './faults.js';
import type { Device, NewDevice } from './records.js';

const COLUMNS = `device_id AS "deviceId", pubkey_hash AS "pubkeyHash", enclave_name AS "enclaveName",
  runtime_hash AS "runtimeHash", platform, firmware_version AS "firmwareVersion", attested_at AS "attestedAt"`;

/** The statements on `devices`: who has attested himself. */
export class DeviceTable {
  readonly #query: Query;
  readonly #maxDevices: number;
  readonly #maxPerDevice: number;

  constructor(query: Query, maxDevices: number, maxPerDevice: number) {
    this.#query = query;
    this.#maxDevices = maxDevices;
    this.#maxPerDevice = maxPerDevice;
  }

  /** An attestation beyond `maxPerDevice` takes the place of the oldest ones of its device, in the same statement. */
  async record(device: NewDevice): Promise<Device> {
    const deviceId = checkDeviceId(device.deviceId);
    const [recorded] = await this.#query<Device>(
      `WITH older AS (
         DELETE FROM devices WHERE id IN (
           SELECT id FROM devices WHERE pubkey_hash = $2::text AND (pubkey_hash <> '' OR enclave_name = $3::text)
           ORDER BY id DESC OFFSET $8::int4 - 1
         ) AND NOT EXISTS (SELECT 1 FROM devices WHERE device_id = $1::int4)
         RETURNING 1
       )
       INSERT INTO devices (device_id, pubkey_hash, enclave_name, runtime_hash, platform, firmware_version)
         SELECT $1::int4, $2::text, $3::text, $4::text, $5::text, $6::text
         WHERE (SELECT count(*) FROM devices) - (SELECT count(*) FROM older) < $7::int4
       ON CONFLICT (device_id) DO NOTHING
       RETURNING ${COLUMNS}`,
      [
        deviceId,
        device.pubkeyHash === '' ? '' : checkHash('the hash of a public key', device.pubkeyHash),
        checkText('the name of an enclave', device.enclaveName),
        checkHash('a runtime hash', device.runtimeHash),
        checkText('a platform', device.platform),
        checkText('a firmware version', device.firmwareVersion ?? ''),
        this.#maxDevices,
        this.#maxPerDevice,
      ],
    );
    if (recorded !== undefined) return recorded;
    if ((await this.find(deviceId)) === undefined) throw full('devices', this.#maxDevices);
    throw new InvalidArgumentError('the device id is taken', { layer: 'registry', got: deviceId });
  }

  async find(deviceId: number): Promise<Device | undefined> {
    const [device] = await this.#query<Device>(`SELECT ${COLUMNS} FROM devices WHERE device_id = $1`, [checkDeviceId(deviceId)]);
    return device;
  }

  async list(limit: number): Promise<Device[]> {
    const rows = checkLimit(limit);
    return this.#query<Device>(`SELECT ${COLUMNS} FROM devices ORDER BY attested_at DESC, id DESC LIMIT $1::int4`, [rows]);
  }

  async forget(before: Date | string): Promise<number> {
    const date = new Date(before);
    if (Number.isNaN(date.getTime())) throw new InvalidArgumentError('no date to forget devices before', { layer: 'registry' });
    const rows = await this.#query('DELETE FROM devices WHERE attested_at < $1::timestamptz RETURNING 1 AS n', [date.toISOString()]);
    return rows.length;
  }
}

import { createHash, type KeyObject } from 'node:crypto';
import { checkHash, checkPoint, checkText } from './checks.js';
import type { Query } from './database.js';
import { full, revoked } from './faults.js';
import type { Admission, DeviceKey } from './records.js';

const COLUMNS = 'key_id AS id, point, label, enrolled_at AS "enrolledAt", revoked_at AS "revokedAt"';

/** SQL statements on `device_keys`, the keys whose tokens are accepted. */
export class KeyTable {
  readonly #query: Query;
  readonly #maxKeys: number;

  constructor(query: Query, maxKeys: number) {
    this.#query = query;
    this.#maxKeys = maxKeys;
  }

  async enroll(key: string | Buffer | KeyObject, { label = '', restore = false }: Admission): Promise<DeviceKey> {
    const point = checkPoint(key);
    const id = createHash('sha256').update(point).digest('hex');
    const [enrolled] = await this.#query<DeviceKey>(
      `INSERT INTO device_keys (key_id, point, label)
         SELECT $1::text, $2::text, $3::text
          WHERE (SELECT count(*) FROM device_keys) < $4::int4 OR EXISTS (SELECT 1 FROM device_keys WHERE key_id = $1::text)
       ON CONFLICT (key_id) DO UPDATE SET label = excluded.label, revoked_at = NULL
          WHERE device_keys.revoked_at IS NULL OR $5::int4 = 1
       RETURNING ${COLUMNS}`,
      [id, point.toString('hex'), checkText('a label', label), this.#maxKeys, restore ? 1 : 0],
    );
    if (enrolled !== undefined) return enrolled;
    throw (await this.find(id)) === undefined ? full('keys', this.#maxKeys) : revoked('the key');
  }

  async find(id: Buffer | string): Promise<DeviceKey | undefined> {
    const [key] = await this.#query<DeviceKey>(`SELECT ${COLUMNS} FROM device_keys WHERE key_id = $1`, [checkHash('a key id', id)]);
    return key;
  }

  live(limit: number): Promise<DeviceKey[]> {
    return this.#query<DeviceKey>(
      `SELECT ${COLUMNS} FROM device_keys WHERE revoked_at IS NULL ORDER BY enrolled_at DESC, key_id LIMIT $1::int4`,
      [limit],
    );
  }

  async revoke(id: Buffer | string): Promise<boolean> {
    const rows = await this.#query('UPDATE device_keys SET revoked_at = now() WHERE key_id = $1 AND revoked_at IS NULL RETURNING 1 AS n', [
      checkHash('a key id', id),
    ]);
    return rows.length > 0;
  }

  list(): Promise<DeviceKey[]> {
    return this.#query<DeviceKey>(`SELECT ${COLUMNS} FROM device_keys ORDER BY enrolled_at DESC, key_id`);
  }
}

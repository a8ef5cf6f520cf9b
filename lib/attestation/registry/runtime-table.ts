import { checkHash, checkPlatform, checkText } from './checks.js';
import type { Query } from './database.js';
import { full, revoked } from './faults.js';
import type { Admission, AllowedRuntime, Platform } from './records.js';

const COLUMNS = 'platform, hash, label, allowed_at AS "allowedAt", revoked_at AS "revokedAt"';

/** SQL statements on `runtime_hashes`, the Runtime Managers that may get a certificate. */
export class RuntimeTable {
  readonly #query: Query;
  readonly #maxRuntimes: number;

  constructor(query: Query, maxRuntimes: number) {
    this.#query = query;
    this.#maxRuntimes = maxRuntimes;
  }

  async allow(platform: Platform, hash: Buffer | string, { label = '', restore = false }: Admission): Promise<AllowedRuntime> {
    const hex = checkHash('a runtime hash', hash);
    const [allowed] = await this.#query<AllowedRuntime>(
      `INSERT INTO runtime_hashes (platform, hash, label)
         SELECT $1::text, $2::text, $3::text
          WHERE (SELECT count(*) FROM runtime_hashes) < $4::int4
             OR EXISTS (SELECT 1 FROM runtime_hashes WHERE platform = $1::text AND hash = $2::text)
       ON CONFLICT (platform, hash) DO UPDATE SET label = excluded.label, revoked_at = NULL
          WHERE runtime_hashes.revoked_at IS NULL OR $5::int4 = 1
       RETURNING ${COLUMNS}`,
      [checkPlatform(platform), hex, checkText('a label', label), this.#maxRuntimes, restore ? 1 : 0],
    );
    if (allowed !== undefined) return allowed;
    const listed = await this.#query('SELECT 1 AS n FROM runtime_hashes WHERE platform = $1 AND hash = $2', [platform, hex]);
    throw listed.length > 0 ? revoked('the runtime hash') : full('runtime hashes', this.#maxRuntimes);
  }

  async find(hash: Buffer | string, platforms: readonly Platform[]): Promise<AllowedRuntime | undefined> {
    const rows = await this.#query<AllowedRuntime>(
      `SELECT ${COLUMNS} FROM runtime_hashes WHERE hash = $1 AND revoked_at IS NULL ORDER BY allowed_at, platform`,
      [checkHash('a runtime hash', hash)],
    );
    return rows.find(({ platform }) => platforms.includes(platform));
  }

  async revoke(hash: Buffer | string, platform: Platform | undefined): Promise<boolean> {
    const rows = await this.#query(
      `UPDATE runtime_hashes SET revoked_at = now()
        WHERE hash = $1 AND revoked_at IS NULL AND ($2::text IS NULL OR platform = $2::text) RETURNING 1 AS n`,
      [checkHash('a runtime hash', hash), platform === undefined ? null : checkPlatform(platform)],
    );
    return rows.length > 0;
  }

  list(): Promise<AllowedRuntime[]> {
    return this.#query<AllowedRuntime>(`SELECT ${COLUMNS} FROM runtime_hashes ORDER BY allowed_at DESC, platform, hash`);
  }
}

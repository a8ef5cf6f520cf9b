import type { FileStore } from '../../../lib/enclave/store/store-contract.js';
import { type Credentials, makeCredentials } from '../../simulate/credentials.js';
import { BYTE_DEEDS, type Case, nameOf, ROADS, type Road, UNIT_DEEDS, unitsOf, WAYS, type Way } from './cases.js';
import { Meter, tamper } from './relay.js';
import { type Ending, runSession } from './session.js';

/** Virtual time begins that many milliseconds before the machine's, since OpenSSL looks at the machine's clock. */
const BEFORE_MS = 6 * 3_600_000;

/** Which cases are tried. */
export interface Extent {
  /** Bytes from one place to the next, and the first place. */
  readonly every: number;
  readonly offset: number;
  /** Units from one place to the next. */
  readonly everyUnit: number;
  /** Only cases whose names it matches. */
  readonly only?: string;
  /** Of all cases, one in `shares`, from number `share` on. Default all. */
  readonly share?: number;
  readonly shares?: number;
}

/** What the sessions need. */
interface Setting {
  readonly credentials: Credentials;
  readonly epoch: number;
  readonly wrap?: (store: FileStore) => FileStore;
}

/** What a sweep found. */
export interface Swept {
  readonly cases: number;
  /** By road and way, how often each ending came. */
  readonly endings: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly violations: readonly string[];
}

/**
 * Tries the cases.
 *
 * @param wrap put between the manager and its store, for tests
 */
export async function sweep(extent: Extent, wrap?: Setting['wrap']): Promise<Swept> {
  const epoch = Date.now() - BEFORE_MS;
  const setting: Setting = { credentials: makeCredentials(epoch), epoch, ...(wrap && { wrap }) };
  const { share = 0, shares = 1 } = extent;
  const only = new RegExp(extent.only ?? '');
  const endings = new Map<string, Map<string, number>>();
  const violations: string[] = [];
  let cases = 0;
  for (const road of ROADS) {
    const all = (await casesOf(road, extent, setting)).filter((planned) => only.test(nameOf(planned)));
    for (const planned of all.filter((_, i) => i % shares === share)) {
      cases++;
      const { end, wrong } = await tried(planned, setting);
      const kind = `${road}, ${planned.way}`;
      const ends = endings.get(kind) ?? new Map<string, number>();
      endings.set(kind, ends.set(end, (ends.get(end) ?? 0) + 1));
      if (wrong !== undefined) violations.push(`${nameOf(planned)}: ${wrong}`);
    }
  }
  return { cases, endings, violations };
}

function tried(planned: Case, setting: Setting): Promise<Ending> {
  return runSession({
    ...setting,
    road: planned.road,
    seed: planned.at,
    onWay: (way, direction, connection) => {
      if (way === planned.way) tamper(connection, direction, planned);
    },
  });
}

async function casesOf(road: Road, { every, offset, everyUnit }: Extent, setting: Setting): Promise<Case[]> {
  const cases: Case[] = [];
  for (const way of WAYS) {
    for (const unit of unitsOf(road, way)) {
      const { units } = await metered(road, way, unit, setting);
      for (let at = 0; at < units; at += everyUnit) for (const deed of UNIT_DEEDS) cases.push({ road, way, unit, deed, at });
    }
    const { bytes } = await metered(road, way, 'byte', setting);
    for (let at = offset; at < bytes; at += every) for (const deed of BYTE_DEEDS) cases.push({ road, way, unit: 'byte', deed, at });
  }
  return cases;
}

/** Bytes and units of a way when nothing goes wrong. Throws when that session is not right. */
async function metered(road: Road, metered: Way, unit: Case['unit'], { credentials, epoch }: Setting): Promise<Meter> {
  const meter = new Meter(unit);
  const { end, wrong } = await runSession({
    road,
    credentials,
    epoch,
    seed: 0,
    onWay: (way, direction) => {
      if (way === metered) meter.watch(direction);
    },
  });
  if (end !== 'right') throw new Error(`the session is not right when nothing goes wrong: ${wrong ?? end}`);
  return meter;
}

/** Checks of the registry's inputs. They also convert each input to the form in which it is stored. */
import type { KeyObject } from 'node:crypto';
import { InvalidArgumentError } from '../../core/errors.js';
import { psaPoint } from '../evidence/index.js';
import { PLATFORMS, type Platform } from './records.js';

/** Most characters of a label, an enclave's name, or a firmware version. */
const MAX_TEXT_CHARS = 128;
/** Largest PostgreSQL `integer`, which is also the largest int32 on the wire. */
const MAX_DEVICE_ID = 2 ** 31 - 1;
/** Devices of one list. */
const MAX_ROWS = 100_000;
const HEX_32 = /^[0-9a-f]{64}$/;
/** Control characters, and lone surrogates, which have no UTF-8 form. */
const UNFIT = /[\p{Cc}\p{Cs}]/u;
const ALL_UNFIT = /[\p{Cc}\p{Cs}]/gu;

/** The platform, unchanged. @throws InvalidArgumentError for an unknown one */
export function checkPlatform(platform: string): Platform {
  const found = PLATFORMS.find((known) => known === platform);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`the platform is one of ${PLATFORMS.join(', ')}`, { expected: PLATFORMS.join('|') });
}

/** A hash as lowercase hex. Takes 32 bytes, or 64 hex digits of either case. @throws InvalidArgumentError */
export function checkHash(what: string, hash: Buffer | string): string {
  const hex = typeof hash === 'string' ? hash.toLowerCase() : hash.toString('hex');
  if (HEX_32.test(hex)) return hex;
  const unit = typeof hash === 'string' ? 'characters' : 'bytes';
  throw new InvalidArgumentError(`${what} has 32 bytes (64 hex digits), got ${hash.length} ${unit}`, { expected: 32, got: hash.length });
}

/** The 65-byte point of a P-256 key. Takes PEM, a key object, or a point. @throws InvalidArgumentError */
export function checkPoint(key: string | Buffer | KeyObject): Buffer {
  try {
    return psaPoint(key);
  } catch (cause) {
    throw new InvalidArgumentError('a device key is a P-256 public key: PEM, or its uncompressed point of 65 bytes', { cause });
  }
}

/** Checks that a text is safe to print and to store. @throws InvalidArgumentError @see tameText */
export function checkText(what: string, text: string): string {
  if (text.length > MAX_TEXT_CHARS) {
    const figures = { limit: MAX_TEXT_CHARS, got: text.length };
    throw new InvalidArgumentError(`${what} has at most ${MAX_TEXT_CHARS} characters, got ${text.length}`, figures);
  }
  if (UNFIT.test(text)) throw new InvalidArgumentError(`${what} must not have control characters`);
  return text;
}

/** Shortens and cleans a text from the wire, so that `checkText` accepts it. */
export function tameText(text: string): string {
  return text.slice(0, MAX_TEXT_CHARS).replace(ALL_UNFIT, '\ufffd');
}

/** The number of devices that a list is to have at most. @throws InvalidArgumentError */
export function checkLimit(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_ROWS) return limit;
  throw new InvalidArgumentError(`a list has 1 to ${MAX_ROWS} devices, asked for ${limit}`, { expected: `1..${MAX_ROWS}`, got: limit });
}

/** @throws InvalidArgumentError */
export function checkDeviceId(deviceId: number): number {
  if (Number.isInteger(deviceId) && deviceId > 0 && deviceId <= MAX_DEVICE_ID) return deviceId;
  throw new InvalidArgumentError(`a device id is from 1 to ${MAX_DEVICE_ID}, got ${deviceId}`, {
    expected: `1..${MAX_DEVICE_ID}`,
    got: deviceId,
  });
}

import { InvalidArgumentError } from '../../core/errors.js';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** `[Thu, ]31 Jan 2030 12:00[:00] +0000`, also with GMT, UT, UTC or Z. */
const RFC_2822 =
  /^(?:[A-Z][a-z]{2}, *)?(?<day>\d{1,2}) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<hour>\d\d):(?<minute>\d\d)(?::\d\d)? (?<zone>[+-]\d{4}|GMT|UTC?|Z)$/;
/** `2030-01-31[T12:00[:00[.000]]Z]`, also with an offset. */
const ISO_8601 =
  /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)(?:T(?<hour>\d\d):(?<minute>\d\d)(?::\d\d(?:\.\d+)?)?(?<zone>Z|[+-]\d\d:?\d\d))?$/;

/**
 * Reads a point in time: RFC 2822, as generate-policy has it, or ISO 8601; a date alone is its midnight in UTC. Unlike
 * `Date.parse` it takes no date that is none (31 February) and no time without a zone.
 */
export function parseExpiry(text: string): Date {
  const { year, month, day, hour = '0', minute = '0', zone = 'Z' } = (RFC_2822.exec(text) ?? ISO_8601.exec(text))?.groups ?? {};
  const monthNumber = MONTHS.includes(month as string) ? MONTHS.indexOf(month as string) : Number(month) - 1;
  const local = new Date(Date.UTC(Number(year), monthNumber, Number(day), Number(hour), Number(minute)));
  const offset = /^([+-])(\d\d):?(\d\d)$/.exec(zone);
  const exists = local.getUTCMonth() === monthNumber && local.getUTCDate() === Number(day) && local.getUTCHours() === Number(hour);
  if (!exists || local.getUTCMinutes() !== Number(minute)) {
    throw new InvalidArgumentError(
      `write the expiry as "Thu, 31 Jan 2030 12:00:00 GMT" or 2030-01-31T12:00:00Z, not ${JSON.stringify(text)}`,
    );
  }
  const minutes = offset === null ? 0 : (Number(offset[2]) * 60 + Number(offset[3])) * (offset[1] === '-' ? -1 : 1);
  return new Date(local.getTime() - minutes * 60_000);
}

import { timeOf } from './clocks.js';
import { type Host, opened } from './host.js';
import { ERRNO, RIGHT } from './preview1.js';

const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
/** Where a subscription says what it waits for. An event begins with the same. */
const TAG_AT = 8;
const FD_AT = 16;
const CLOCK = { ID_AT: 16, TIMEOUT_AT: 24, FLAGS_AT: 40 };
const TAG_CLOCK = 0;
/** The time that is waited for is one on the clock, not one from now. */
const FLAG_ABSOLUTE = 1;
/** Where an event says what happened, and whether it failed. */
const EVENT_TAG_AT = 10;
const EVENT_ERROR_AT = 8;

/** What one subscription waits for. */
interface Wait {
  /** The subscriber's own number, and what it waits for. Copied: the answers may be written over the questions. */
  readonly head: Buffer;
  readonly isClock: boolean;
  /** Nanoseconds until it is due; now when 0 or less. */
  readonly due: bigint;
  readonly errno: number;
}

/**
 * `poll_oneoff`. To wait for a time is to have a clock; to wait for a descriptor is a right of its own. All descriptors are
 * files, which are always ready: where there is one, no time is waited for.
 */
export function poll(host: Host, subscriptions: number, events: number, count: number, happened: number): number {
  const asked = slices(host, subscriptions, count, SUBSCRIPTION_BYTES);
  const answers = slices(host, events, count, EVENT_BYTES);
  const sum = host.memory.bytes(happened, 4);
  if (asked === undefined || answers === undefined || sum === undefined) return ERRNO.FAULT;
  if (asked.length === 0) return ERRNO.INVAL;
  const waits: Wait[] = [];
  for (const one of asked) {
    const wait = one.readUInt8(TAG_AT) === TAG_CLOCK ? clockWait(host, one) : fileWait(host, one);
    if (typeof wait === 'number') return wait;
    waits.push(wait);
  }
  const over = firstOf(waits);
  for (const [index, { head, errno }] of over.entries()) tell(answers[index] as Buffer, head, errno);
  sum.writeUInt32LE(over.length);
  return ERRNO.SUCCESS;
}

/** Those that are due first, once they are. */
function firstOf(waits: readonly Wait[]): readonly Wait[] {
  const files = waits.filter(({ isClock }) => !isClock);
  if (files.length > 0) return files;
  let least = 2n ** 64n;
  for (const { due } of waits) if (due < least) least = due;
  sleep(least);
  return waits.filter(({ due }) => due <= least || due <= 0n);
}

function fileWait(host: Host, one: Buffer): Wait | number {
  const open = opened(host, one.readUInt32LE(FD_AT), RIGHT.POLL_FD_READWRITE);
  return typeof open === 'number' ? open : { head: headOf(one), isClock: false, due: 0n, errno: ERRNO.SUCCESS };
}

function clockWait({ clock }: Host, one: Buffer): Wait | number {
  if (!clock) return ERRNO.ACCES;
  const now = timeOf(one.readUInt32LE(CLOCK.ID_AT));
  if (now === undefined) return { head: headOf(one), isClock: true, due: 0n, errno: ERRNO.INVAL };
  const timeout = one.readBigUInt64LE(CLOCK.TIMEOUT_AT);
  const isAbsolute = (one.readUInt16LE(CLOCK.FLAGS_AT) & FLAG_ABSOLUTE) !== 0;
  return { head: headOf(one), isClock: true, due: isAbsolute ? timeout - now : timeout, errno: ERRNO.SUCCESS };
}

function headOf(subscription: Buffer): Buffer {
  return Buffer.from(subscription.subarray(0, TAG_AT + 1));
}

/** The thread does nothing else, and nobody wakes it. */
function sleep(nanoseconds: bigint): void {
  if (nanoseconds > 0n) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(nanoseconds) / 1e6);
}

function tell(event: Buffer, head: Buffer, errno: number): void {
  event.fill(0);
  head.copy(event, 0, 0, TAG_AT);
  event.writeUInt16LE(errno, EVENT_ERROR_AT);
  event.writeUInt8(head.readUInt8(TAG_AT), EVENT_TAG_AT);
}

/** `count` pieces of the memory, one behind the other. */
function slices({ memory }: Host, pointer: number, count: number, bytes: number): Buffer[] | undefined {
  const all = count >>> 0 < 2 ** 26 ? memory.bytes(pointer, (count >>> 0) * bytes) : undefined;
  return all && Array.from({ length: count >>> 0 }, (_, i) => all.subarray(i * bytes, (i + 1) * bytes));
}

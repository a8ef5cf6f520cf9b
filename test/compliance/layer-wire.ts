/** What goes between two layers, as the compliance suite cuts and compares it. */
import type { VeracruzError } from '../../lib/core/errors.js';
import { Announce } from '../../lib/core/unit.js';

/** What a direction gave until it ended or failed. */
export interface Heard {
  readonly items: readonly unknown[];
  readonly error: VeracruzError | undefined;
  /** The same in a form that compares, in which the cuts of bytes do not show. */
  readonly shown: readonly string[];
}

/** Items as lines: marks by name, neighbouring Buffers joined. */
export function shown(items: readonly unknown[]): string[] {
  return joined(items)
    .filter((item) => !(Buffer.isBuffer(item) && item.length === 0))
    .map((item) => {
      if (Buffer.isBuffer(item)) return item.toString('hex');
      if (item instanceof Announce) return `announce ${item.length}`;
      return typeof item === 'symbol' ? String(item) : JSON.stringify(item);
    });
}

/** The same items with neighbouring Buffers joined. */
export function joined(items: readonly unknown[]): unknown[] {
  const runs: unknown[] = [];
  for (const item of items) {
    const last = runs.at(-1);
    if (Buffer.isBuffer(item) && Buffer.isBuffer(last)) runs[runs.length - 1] = Buffer.concat([last, item]);
    else runs.push(item);
  }
  return runs;
}

export function byteLength(items: readonly unknown[]): number {
  return items.reduce<number>((sum, item) => sum + (Buffer.isBuffer(item) ? item.length : 0), 0);
}

/** The bytes cut at the offsets, which count from the first byte of all; the marks stay where they are. */
export function cutItems(items: readonly unknown[], offsets: readonly number[]): unknown[] {
  const cuts = [...new Set(offsets)].sort((a, b) => a - b);
  let start = 0;
  return joined(items).flatMap((item) => {
    if (!Buffer.isBuffer(item)) return [item];
    const inside = cuts.map((cut) => cut - start).filter((cut) => cut > 0 && cut < item.length);
    start += item.length;
    return [0, ...inside].map((from, i) => item.subarray(from, inside[i] ?? item.length));
  });
}

/** Every byte a chunk of its own. */
export function byteByByte(items: readonly unknown[]): unknown[] {
  return cutItems(
    items,
    Array.from({ length: byteLength(items) }, (_, i) => i),
  );
}

/** What is left when the bytes end at `offset`. A mark that stands exactly there is kept, or is not. */
export function truncated(items: readonly unknown[], offset: number, { markKept }: { markKept: boolean }): unknown[] {
  const kept: unknown[] = [];
  let start = 0;
  for (const item of joined(items)) {
    if (Buffer.isBuffer(item)) {
      if (start < offset) kept.push(item.subarray(0, offset - start));
      start += item.length;
    } else if (start < offset || (start === offset && markKept)) kept.push(item);
  }
  return kept;
}

/** Bytes that differ from place to place. */
export function pattern(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff;
  return bytes;
}

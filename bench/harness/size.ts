import { InvalidArgumentError as CommanderError } from 'commander';
import { parseSize } from '../../lib/cli/demo/generated.js';

/** Reads `100M`, `8G` or a number of bytes, for a flag. */
export function sizeFlag(text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined || bytes < 1) throw new CommanderError('takes bytes, like 1000000, 100M or 8G');
  return bytes;
}

/** Reads a whole number from 1, for a flag. */
export function countFlag(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw new CommanderError('takes a whole number from 1');
  return count;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `64 KiB`, `1.5 GiB`, `100 MB`: in powers of 1024 where that is even, else of 1000. */
export function sizeText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && value % 1 === 0 && unit + 1 < UNITS.length && (value / 1024) % 0.25 === 0) {
    value /= 1024;
    unit++;
  }
  if (value < 1024) return `${value} ${UNITS[unit]}`;
  return bytes >= 1e9 ? `${Number((bytes / 1e9).toFixed(2))} GB` : `${Number((bytes / 1e6).toFixed(2))} MB`;
}

import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { isNormal } from './file-name.js';

/** An entry of the folder that is longer than this is cut, and told apart by a hash (NAME_MAX is 255). */
const MAX_ENTRY_CHARS = 200;
const CUT_ENTRY_CHARS = 128;

/**
 * The name of a file on disk: one flat entry, so that no name can leave the folder, no folder on the way can be a link,
 * and `/a` and `/a/b` do not meet. Injective, also where the file system folds case or Unicode forms.
 *
 *     /input/a.dat  ──▶  +input+a.dat          /Été  ──▶  +%c3%89t%c3%a9
 *     (longer than 200)  ──▶  <first 128>~<SHA-256 of the name, hex>
 */
export function entryOf(name: string): string {
  const escaped = Buffer.from(name)
    .toString('latin1')
    .replace(/[^a-z0-9._/-]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
    .replaceAll('/', '+');
  if (escaped.length <= MAX_ENTRY_CHARS) return escaped;
  return `${escaped.slice(0, CUT_ENTRY_CHARS)}~${createHash('sha256').update(name).digest('hex')}`;
}

/** Whether the entry is too short for its name, which `StoreFolder` then keeps beside it. */
export function isCut(entry: string): boolean {
  return entry.includes('~');
}

/** The name whose entry this is; undefined for a cut one, and for what is no entry of the store. */
export function nameOfEntry(entry: string): string | undefined {
  const bytes = Buffer.from(
    entry.replaceAll('+', '/').replace(/%([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
  if (!isUtf8(bytes)) return undefined;
  const name = bytes.toString();
  return entryOf(name) === entry && isNormal(name) ? name : undefined;
}

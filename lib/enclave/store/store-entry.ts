import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { isNormal } from './file-name.js';

/** A longer entry of the folder is cut, and a hash is added so that entries stay different (NAME_MAX is 255). */
const MAX_ENTRY_CHARS = 200;
const CUT_ENTRY_CHARS = 128;

/**
 * The entry on disk for a file name. All entries are in one flat folder. So no name can lead out of the folder or through a
 * symbolic link, and `/a` and `/a/b` can both be files. Different names have different entries, also on file systems that
 * ignore case or Unicode forms.
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

/** Whether the entry was cut. The name of such a file is kept separately (see `keepName`). */
export function isCut(entry: string): boolean {
  return entry.includes('~');
}

/** The file name of an entry; undefined for a cut entry, and for a name that is no entry of the store. */
export function nameOfEntry(entry: string): string | undefined {
  const bytes = Buffer.from(
    entry.replaceAll('+', '/').replace(/%([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
  if (!isUtf8(bytes)) return undefined;
  const name = bytes.toString();
  return entryOf(name) === entry && isNormal(name) ? name : undefined;
}

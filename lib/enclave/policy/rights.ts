/** Rights: WASI's bits and the one that Veracruz adds (wire spec §E). */
import { textOf } from '../../core/check.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { type FileRights, MAX_U32 } from './document.js';

/** Each right has the bit that its place in this list is. */
const RIGHT_NAMES = [
  'FD_DATASYNC',
  'FD_READ',
  'FD_SEEK',
  'FD_FDSTAT_SET_FLAGS',
  'FD_SYNC',
  'FD_TELL',
  'FD_WRITE',
  'FD_ADVISE',
  'FD_ALLOCATE',
  'PATH_CREATE_DIRECTORY',
  'PATH_CREATE_FILE',
  'PATH_LINK_SOURCE',
  'PATH_LINK_TARGET',
  'PATH_OPEN',
  'FD_READDIR',
  'PATH_READLINK',
  'PATH_RENAME_SOURCE',
  'PATH_RENAME_TARGET',
  'PATH_FILESTAT_GET',
  'PATH_FILESTAT_SET_SIZE',
  'PATH_FILESTAT_SET_TIMES',
  'FD_FILESTAT_GET',
  'FD_FILESTAT_SET_SIZE',
  'FD_FILESTAT_SET_TIMES',
  'PATH_SYMLINK',
  'PATH_REMOVE_DIRECTORY',
  'PATH_UNLINK_FILE',
  'POLL_FD_READWRITE',
  'SOCK_SHUTDOWN',
  'FD_EXECUTE',
] as const;

/** The name of a right of WASI, such as `FD_READ`. */
export type RightName = (typeof RIGHT_NAMES)[number];

/** The bit of each right, to be joined with `|`. */
export const RIGHTS = Object.freeze(Object.fromEntries(RIGHT_NAMES.map((name, bit) => [name, 2 ** bit])) as Record<RightName, number>);

/** What the letters stand for: r is 24582, w is 534084, x is 536879104. */
export const RIGHT_LETTERS = Object.freeze({
  r: RIGHTS.PATH_OPEN | RIGHTS.FD_READ | RIGHTS.FD_SEEK | RIGHTS.FD_READDIR,
  w:
    RIGHTS.PATH_OPEN |
    RIGHTS.PATH_CREATE_FILE |
    RIGHTS.PATH_CREATE_DIRECTORY |
    RIGHTS.PATH_FILESTAT_SET_SIZE |
    RIGHTS.FD_WRITE |
    RIGHTS.FD_SEEK,
  x: RIGHTS.PATH_OPEN | RIGHTS.FD_EXECUTE,
});

/** Every combination of letters, and its rights. */
const COMBINATIONS: ReadonlyMap<string, number> = new Map(
  ['r', 'w', 'x', 'rw', 'rx', 'wx', 'rwx'].map((letters) => [letters, joined(letters)]),
);

function joined(letters: string): number {
  return [...letters].reduce((rights, letter) => rights | RIGHT_LETTERS[letter as keyof typeof RIGHT_LETTERS], 0);
}

/**
 * Reads rights as generate-policy takes them: letters out of r, w and x, each at most once, or the number itself.
 *
 * @throws InvalidArgumentError for anything else.
 */
export function parseRights(text: string): number {
  if (/^[rwx]{1,3}$/.test(text) && new Set(text).size === text.length) return joined(text);
  const number = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (number <= MAX_U32) return number;
  throw new InvalidArgumentError(`rights are letters out of r, w and x, or a number from 0 to ${MAX_U32}, not ${JSON.stringify(text)}`, {
    expected: 'rwx',
    got: text,
  });
}

/** The letters that stand for exactly these rights, or else the number: `parseRights` reads it back. */
export function formatRights(rights: number): string {
  for (const [letters, value] of COMBINATIONS) if (value === rights) return letters;
  return String(rights);
}

/** Names of the rights whose bits are set; bits without a name are left out. */
export function rightNames(rights: number): RightName[] {
  return RIGHT_NAMES.filter((name) => includes(rights, RIGHTS[name]));
}

/** True when all bits of `wanted` are in `rights`. */
export function includes(rights: number, wanted: number): boolean {
  return (rights & wanted) === wanted;
}

/**
 * Reads a list of capabilities as generate-policy takes it: `/input/:rw,/output/:r`. Blanks around a name and around
 * its rights are dropped, so `/input/ : rw, /output/ : r` is the same list. The empty text is the empty list.
 *
 * @throws InvalidArgumentError
 */
export function parseCapabilities(text: string): FileRights[] {
  if (textOf('capabilities', text) === '') return [];
  return text.split(',').map((entry) => {
    const at = entry.lastIndexOf(':');
    const name = entry.slice(0, Math.max(at, 0)).trim();
    if (name === '') throw new InvalidArgumentError(`write name:rights, like /input/:rw, not ${JSON.stringify(entry)}`, { got: entry });
    return { file_name: name, rights: parseRights(entry.slice(at + 1).trim()) };
  });
}

import { RIGHT, WRITE_RIGHTS } from './preview1.js';

/** Rights by the normal names of what they are on: directories, files, and the streams. Each name stands once. */
export type RightsList = ReadonlyArray<readonly [name: string, rights: number]>;

/**
 * The bits that are a right: WASI's, and FD_EXECUTE. A policy may have others (its numbers are u32), which mean nothing;
 * the highest would make a negative number of all of them.
 */
const KNOWN_RIGHTS = 0x3fff_ffff;

/** What changes a file. All of it is worth nothing where the whole file may not be written, see `RightsTable`. */
const CHANGE_RIGHTS =
  RIGHT.FD_WRITE |
  RIGHT.FD_ALLOCATE |
  RIGHT.PATH_CREATE_FILE |
  RIGHT.PATH_RENAME_TARGET |
  RIGHT.PATH_FILESTAT_SET_SIZE |
  RIGHT.PATH_FILESTAT_SET_TIMES |
  RIGHT.FD_FILESTAT_SET_SIZE |
  RIGHT.FD_FILESTAT_SET_TIMES;

/**
 * `rightsOf` of the policy for one principal, quick enough to be asked at every call. What a run leaves in a file replaces
 * that file in the store; so where the rights do not suffice to write it from outside (`may`), they suffice for no change
 * inside either, and the program is told so at once instead of losing all its work in the end.
 */
export class RightsTable {
  readonly #rights: ReadonlyMap<string, number>;

  constructor(list: RightsList) {
    this.#rights = new Map(list.map(([name, rights]) => [name, usable(rights)]));
  }

  /** The rights on a name: those of the longest listed ancestor, which the name itself counts as; 0 without one. */
  of(name: string): number {
    for (let at = name; ; at = at.slice(0, at.lastIndexOf('/')) || '/') {
      const rights = this.#rights.get(at);
      if (rights !== undefined) return rights;
      if (at === '/' || !at.startsWith('/')) return 0;
    }
  }

  isListed(name: string): boolean {
    return this.#rights.has(name);
  }

  /** Whether all that is below a directory has the directory's own rights. */
  isUniform(directory: string): boolean {
    const below = directory === '/' ? '/' : `${directory}/`;
    return ![...this.#rights.keys()].some((name) => name.startsWith(below) && name !== directory);
  }
}

function usable(listed: number): number {
  const rights = listed & KNOWN_RIGHTS;
  return (rights & WRITE_RIGHTS) === WRITE_RIGHTS ? rights : rights & ~CHANGE_RIGHTS;
}

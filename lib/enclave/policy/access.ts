/** Who may do what (wire spec §D, "VFS semantics"). Pure functions of a policy that `readPolicy` gave. */
import { givenList, givenRecord, oneOf } from '../../core/check.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { isAtOrBelow, normaliseName } from '../store/file-name.js';
import type { FileRights, Policy } from './document.js';
import { includes, RIGHTS } from './rights.js';

/** Somebody who has rights: a participant, a program while it runs, a pipeline while it runs. */
export type Principal =
  | { readonly kind: 'identity'; readonly id: number }
  | { readonly kind: 'program'; readonly path: string }
  | { readonly kind: 'pipeline'; readonly name: string };

/** What a principal may do with a file. */
export type FileOperation = 'write' | 'append' | 'read' | 'execute';

/** What each needs of a file that is there. */
const NEEDED: Readonly<Record<FileOperation, number>> = Object.freeze({
  write: RIGHTS.PATH_OPEN | RIGHTS.PATH_FILESTAT_SET_SIZE | RIGHTS.FD_WRITE | RIGHTS.FD_SEEK,
  append: RIGHTS.PATH_OPEN | RIGHTS.FD_WRITE | RIGHTS.FD_SEEK,
  read: RIGHTS.PATH_OPEN | RIGHTS.FD_READ | RIGHTS.FD_SEEK,
  execute: RIGHTS.PATH_OPEN | RIGHTS.FD_EXECUTE,
});

const OPERATIONS = Object.keys(NEEDED) as FileOperation[];

/** The list of rights of a principal; empty for one that the policy does not know. */
export function fileRightsOf(policy: Policy, principal: Principal): readonly FileRights[] {
  givenRecord('policy', policy);
  givenRecord('principal', principal);
  switch (principal.kind) {
    case 'identity':
      return givenList('policy.identities', policy.identities).find(({ id }) => id === principal.id)?.file_rights ?? [];
    case 'program': {
      const path = normaliseName(principal.path);
      return givenList('policy.programs', policy.programs).find(({ program_file_name }) => program_file_name === path)?.file_rights ?? [];
    }
    case 'pipeline':
      return givenList('policy.pipelines', policy.pipelines).find(({ name }) => name === principal.name)?.file_rights ?? [];
    default:
      // From JavaScript it may be anything.
      throw new InvalidArgumentError('the kind of a principal is identity, program or pipeline', { layer: 'policy' });
  }
}

/**
 * The rights of `principal` on `name`: those of the longest listed ancestor, which the name itself counts as; 0 when none
 * is listed. The rights of shorter ancestors do not add to them.
 *
 *     listed  /input/ r   /input/raw/ rw   stdin w
 *     asked   /input/a → r   /input/raw → rw   /input/raw/b → rw   /inputs → 0   stdin → w   /stdin → 0
 *
 * @throws FileNameError when `name` (or a program's path) is none.
 */
export function rightsOf(policy: Policy, principal: Principal, name: string): number {
  const normal = normaliseName(name);
  let longest: FileRights | undefined;
  for (const entry of fileRightsOf(policy, principal)) {
    if (isAtOrBelow(normal, entry.file_name) && entry.file_name.length > (longest?.file_name.length ?? 0)) longest = entry;
  }
  return longest?.rights ?? 0;
}

/**
 * Whether `principal` may do it. `exists` says if the file is there: a missing one must be made first, which needs
 * PATH_CREATE_FILE to write or append; streams are always there. What is appended to must be neither pinned nor stdin.
 *
 * @throws FileNameError when `name` is none.
 */
export function may(policy: Policy, principal: Principal, operation: FileOperation, name: string, exists: boolean): boolean {
  const normal = normaliseName(name);
  oneOf('operation', operation, OPERATIONS);
  if (operation === 'append' && (normal === 'stdin' || pinOf(policy, normal) !== undefined)) return false;
  const creates = (operation === 'write' || operation === 'append') && !exists && normal.startsWith('/');
  return includes(rightsOf(policy, principal, normal), NEEDED[operation] | (creates ? RIGHTS.PATH_CREATE_FILE : 0));
}

/**
 * SHA-256, 64 lowercase hex digits, that the contents of this file must have; undefined when any contents will do.
 *
 * @throws FileNameError when `name` is none.
 */
export function pinOf(policy: Policy, name: string): string | undefined {
  const normal = normaliseName(name);
  return givenList('policy.file_hashes', givenRecord('policy', policy).file_hashes).find(({ file_path }) => file_path === normal)?.hash;
}

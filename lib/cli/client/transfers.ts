import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { InvalidArgumentError, VeracruzError } from '../../core/errors.js';
import { cannotRead } from '../../core/file-faults.js';
import { targetOf } from '../../roles/client/target.js';
import { cannotWrite } from '../../roles/client/transfer.js';
import { isSameFile } from '../same-file.js';

/** A file at the manager, and where it is on this side: a path, or `-` for standard input or output. */
export interface Transfer {
  /** Name at the manager. */
  readonly remote: string;
  readonly local: string;
}

/** Other names of standard output. It is open, and may be a socket, which cannot be opened by a name. */
const STDOUT_NAMES: ReadonlySet<string> = new Set(['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1']);

/**
 * Reads `[name=]path[,[name=]path…]`, as the original's flags have it (wire spec §G). Without a name, the path is the
 * name; `-` alone is the stream of that side: `stdin` for what goes up, `stdout` for what comes down.
 */
export function parseTransfers(texts: readonly string[], stream: 'stdin' | 'stdout'): Transfer[] {
  return texts
    .flatMap((text) => text.split(','))
    .map((text) => {
      const at = text.indexOf('=');
      const local = text.slice(at + 1);
      const remote = at === -1 ? (local === '-' ? stream : local) : text.slice(0, at);
      if (local === '' || remote === '') throw new InvalidArgumentError(`write [name=]path, not ${JSON.stringify(text)}`);
      return { remote, local: stream === 'stdout' && STDOUT_NAMES.has(local) ? '-' : local };
    });
}

/** At most one of them may be a stream of this process: there is one of each. */
export function checkStreams(transfers: readonly Transfer[], name: string): void {
  if (transfers.filter(({ local }) => local === '-').length > 1) {
    throw new InvalidArgumentError(`only one file can be ${name}`);
  }
}

/** That sources can be read: files, or pipes, which are not opened before their turn. Throws `InvalidArgumentError`. */
export function checkSources(transfers: readonly Transfer[]): void {
  for (const { local } of transfers) {
    if (local === '-') continue;
    try {
      accessSync(local, constants.R_OK);
    } catch (cause) {
      throw cannotRead(local, cause);
    }
    if (statSync(local).isDirectory()) throw new InvalidArgumentError(`cannot read ${local}: it is a folder`);
  }
}

/**
 * That targets can be written: a file needs a folder that can be written, and what it would replace is a file; a FIFO or
 * a device can be written itself. No two go to one file: the second would replace the first. Throws `InvalidArgumentError`.
 */
export function checkTargets(transfers: readonly Transfer[]): void {
  for (const { local } of transfers) {
    if (local === '-') continue;
    try {
      const target = targetOf(local);
      // Below a folder, so that a file in its place is refused, too.
      accessSync(target.kind === 'file' ? `${dirname(target.path)}/.` : target.path, constants.W_OK);
    } catch (cause) {
      throw cause instanceof VeracruzError ? cause : cannotWrite(local, cause);
    }
  }
  for (const [i, { local }] of transfers.entries()) {
    const other = transfers.slice(0, i).find((before) => before.local !== '-' && local !== '-' && isSameFile(before.local, local));
    if (other !== undefined) throw new InvalidArgumentError(`${other.remote} and ${transfers[i]?.remote} go to the same file ${local}`);
  }
}

import { InvalidArgumentError } from '../../core/errors.js';

/** A file at the manager, and where it is on this side: a path, or `-` for standard input or output. */
export interface Transfer {
  /** Name at the manager. */
  readonly remote: string;
  readonly local: string;
}

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
      return { remote, local };
    });
}

/** At most one of them may be a stream of this process: there is one of each. */
export function checkStreams(transfers: readonly Transfer[], name: string): void {
  if (transfers.filter(({ local }) => local === '-').length > 1) {
    throw new InvalidArgumentError(`only one file can be ${name}`);
  }
}

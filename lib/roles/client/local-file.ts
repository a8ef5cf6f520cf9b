import { fileURLToPath } from 'node:url';
import { InvalidArgumentError } from '../../core/errors.js';

/** A file on this side: `{ path }`, or a `file:` URL. Text alone never means a path: it could be contents. */
export type LocalFile = { readonly path: string } | URL;

/**
 * The path of a file on this side; undefined for a value that is neither `{ path }` nor a URL.
 *
 * @throws InvalidArgumentError for a URL that is not `file:`, and for a path that is no text
 */
export function pathOf(file: unknown): string | undefined {
  if (file instanceof URL) {
    if (file.protocol === 'file:') return fileURLToPath(file);
    throw new InvalidArgumentError(`a file on this side has a file: URL, not ${file.protocol}`, {
      layer: 'client',
      expected: 'file:',
      got: file.protocol,
    });
  }
  if (typeof file !== 'object' || file === null || !('path' in file)) return undefined;
  if (typeof file.path === 'string') return file.path;
  throw new InvalidArgumentError(`path is a text, got ${typeof file.path}`, { layer: 'client', expected: 'string', got: typeof file.path });
}

/**
 * The path of `to`.
 *
 * @throws InvalidArgumentError when it is none
 */
export function targetPath(to: unknown): string {
  const path = pathOf(to);
  if (path !== undefined) return path;
  throw new InvalidArgumentError(`to is { path: … } or a file: URL, not ${to === null ? 'null' : typeof to}`, {
    layer: 'client',
    expected: '{ path } or URL',
    got: typeof to,
  });
}

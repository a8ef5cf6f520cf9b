import { InvalidOptionError } from '../core/errors.js';
import { HTTP_LAYER } from './http-faults.js';

/**
 * Reads the URL that POSTs go to.
 *
 * @throws InvalidOptionError for any but `http://host:port/path`; one with credentials is none, for it stands in messages.
 */
export function parseHttpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const secret = url !== undefined && url.username + url.password !== '';
  if (url?.protocol === 'http:' && !secret) return url;
  const got = secret ? 'one with credentials' : JSON.stringify(text);
  throw new InvalidOptionError(`a POST goes to http://host:port/path, not to ${got}`, { layer: HTTP_LAYER, expected: 'http://', got });
}

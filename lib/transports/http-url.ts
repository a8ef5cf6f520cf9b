import { InvalidOptionError } from '../core/errors.js';
import { HTTP_LAYER } from './http-faults.js';

/**
 * Reads the URL that POSTs go to.
 *
 * @throws InvalidOptionError unless it is `http://host:port/path`. Credentials are refused, because messages show the URL.
 */
export function parseHttpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const secret = url !== undefined && url.username + url.password !== '';
  if (url?.protocol === 'http:' && !secret) return url;
  const got = secret ? 'one with credentials' : JSON.stringify(text);
  throw new InvalidOptionError(`a POST goes to http://host:port/path, not to ${got}`, { layer: HTTP_LAYER, expected: 'http://', got });
}

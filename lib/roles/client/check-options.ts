import { optionsOf } from '../../core/check.js';
import { type ClientOptions, clientLimits } from './options.js';
import { checkConnection } from './server-connection.js';
import { connectionOf } from './session.js';
import { checkIdentity, trustOf } from './trust.js';

/**
 * Checks what `VeracruzClient.connect` checks before it connects: for who has something else to begin before that.
 *
 * @throws InvalidOptionError, PolicyError
 */
export function checkOptions(options: ClientOptions): void {
  optionsOf('client', () => {
    clientLimits(options);
    const key = checkIdentity(options.identity);
    checkConnection({ ...connectionOf(options, key, trustOf(options)), awaiting: () => false });
  });
}

/** All cases for a Veracruz Client. The kit is the Server and the Runtime Manager that it connects to. */
import type { Case } from '../case.js';
import type { ClientContext } from './context.js';
import { HEARS_CASES } from './hears.js';
import { SAYS_CASES } from './says.js';
import { TRUST_CASES } from './trust.js';

export { ClientContext, type ClientTarget, type Ended, type StartClient } from './context.js';

export const CLIENT_CASES: readonly Case<ClientContext>[] = [...SAYS_CASES, ...TRUST_CASES, ...HEARS_CASES];

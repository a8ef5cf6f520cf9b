/** All cases for a Veracruz Server. The kit is its clients, its Runtime Manager and its Proxy Attestation Server. */
import type { Case } from '../case.js';
import { HANDSHAKE_CASES } from './attestation.js';
import type { ServerContext } from './context.js';
import { HTTP_CASES } from './http.js';
import { LINK_CASES } from './link.js';
import { RELAY_CASES } from './relay.js';

export { ServerContext, type ServerTarget } from './context.js';

export const SERVER_CASES: readonly Case<ServerContext>[] = [...HANDSHAKE_CASES, ...RELAY_CASES, ...HTTP_CASES, ...LINK_CASES];

/** `veracruz-streams/roles/server`: the Veracruz Server. */
export type { ManagerStatus } from './managers.js';
export { SERVER_DEFAULTS, type ServerOptions, VeracruzServer } from './server.js';
export type { ManagerOptions } from './upstream.js';

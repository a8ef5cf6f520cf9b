/** `veracruz-streams/roles/server`: the Veracruz Server. */

export type { LinkCertificates, LinkPsk, LinkTlsOptions } from '../link-tls.js';
export type { Log } from '../options.js';
export type { ManagerStatus } from './managers.js';
export type { RuntimeInput } from './options.js';
export { SERVER_DEFAULTS, type ServerOptions, VeracruzServer } from './server.js';
export type { SessionBinding } from './session-ids.js';
export type { ManagerOptions } from './upstream.js';

/** `veracruz-streams/roles/attestation-server`: the Proxy Attestation Server. */

export type { Log } from '../options.js';
export { ATTESTATION_SERVER_DEFAULTS, AttestationServer, type AttestationServerOptions } from './server.js';

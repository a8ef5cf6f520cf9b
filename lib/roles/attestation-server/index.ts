/** `veracruz-streams/roles/attestation-server`: the Proxy Attestation Server. */
export { ATTESTATION_SERVER_DEFAULTS, AttestationServer, type AttestationServerOptions } from './server.js';

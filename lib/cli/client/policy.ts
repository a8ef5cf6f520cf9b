import { policyHash, readPolicy } from '../../enclave/policy/index.js';

/** What a client needs of a policy (wire spec §E). */
export interface ClientPolicy {
  /** `host:port` of the Server. */
  readonly serverUrl: string;
  /** Whose certificate the manager must have, PEM. */
  readonly authority: string;
  readonly cipherSuite: string;
  /** SHA-256 of the exact text. */
  readonly hash: string;
}

/** @throws PolicyError with a line for each fault */
export function clientPolicy(text: string): ClientPolicy {
  const policy = readPolicy(text);
  return {
    serverUrl: policy.veracruz_server_url,
    authority: policy.proxy_service_cert,
    cipherSuite: policy.ciphersuite,
    hash: policyHash(text),
  };
}

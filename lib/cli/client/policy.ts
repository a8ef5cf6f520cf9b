import { policyHashOf } from '../../roles/runtime-manager/requests.js';

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

export function clientPolicy(text: string): ClientPolicy {
  const policy = JSON.parse(text) as Record<string, string>;
  return {
    serverUrl: policy.veracruz_server_url as string,
    authority: policy.proxy_service_cert as string,
    cipherSuite: policy.ciphersuite as string,
    hash: policyHashOf(text),
  };
}

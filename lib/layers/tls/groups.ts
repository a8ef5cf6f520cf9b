/** The groups of the key exchange that a server takes part in. */
import { createSecureContext } from 'node:tls';

/**
 * Cheap for the server, best first. A stranger chooses the group by his ClientHello, so that each group here is one that he
 * may make us compute: X25519 and P-256 take a fraction of a millisecond, P-384 and P-521 some milliseconds, and ffdhe8192,
 * which OpenSSL has among its defaults, blocks the event loop for a tenth of a second and more. Every TLS 1.3 client has
 * P-256 (RFC 8446 §9.1); one that begins with another group is asked to begin again (HelloRetryRequest).
 */
const GROUPS = ['X25519MLKEM768', 'X25519', 'P-256'] as const;

let known: string | undefined;

/** The list for the option `ecdhCurve` of node:tls: those of the groups that this OpenSSL has. */
export function serverGroups(): string {
  known ??= GROUPS.filter(isKnown).join(':');
  return known;
}

function isKnown(group: string): boolean {
  try {
    createSecureContext({ ecdhCurve: group });
    return true;
  } catch {
    return false;
  }
}

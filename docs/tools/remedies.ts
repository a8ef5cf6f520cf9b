/** Where each error comes from, and what to do about it, by its code. */
export const REMEDIES: Readonly<Record<string, { readonly where: string; readonly remedy: string }>> = {
  ERR_VC_INVALID_OPTION: {
    where: 'every layer, transport and role',
    remedy: 'Mend the option that the message names; it is thrown where the option is given.',
  },
  ERR_VC_INVALID_ARGUMENT: { where: 'every layer and role', remedy: 'Mend the call. Nothing of the value was sent.' },
  ERR_VC_LENGTH_MISMATCH: {
    where: 'protobuf, length-prefix, frame, bincode',
    remedy: 'Say the right `size`, or leave it out: then the file goes out in pieces.',
  },
  ERR_VC_TRUNCATED: {
    where: 'protobuf, length-prefix, records, bincode, frame',
    remedy: 'The peer or the connection broke off. Connect again; use nothing of the last unit.',
  },
  ERR_VC_LIMIT: { where: 'every layer and role', remedy: 'Send less, or raise the limit that the message names ([limits](limits.md)).' },
  ERR_VC_PROTOBUF: { where: 'protobuf', remedy: 'Look whether both ends speak the same dialect; `inspect` shows the first bad byte.' },
  ERR_VC_RECORD: { where: 'records', remedy: 'Whoever sent it does not speak TLS there. Look at the address and the port.' },
  ERR_VC_BASE64: { where: 'base64', remedy: 'Something on the way changes bodies, or is no Veracruz Server.' },
  ERR_VC_SESSION_TEXT: { where: 'session', remedy: 'Look at the URL: what answers is no Veracruz Server.' },
  ERR_VC_SESSION_MISMATCH: { where: 'session', remedy: 'Connect again. A proxy mixes answers up: let a session keep one connection.' },
  ERR_VC_BINCODE: { where: 'bincode', remedy: 'Set the same dialect and the same frame at Server and Runtime Manager.' },
  ERR_VC_TLS: { where: 'tls', remedy: 'Connect again. When it comes again, something on the way changes bytes.' },
  ERR_VC_TLS_HANDSHAKE: { where: 'tls, link', remedy: 'Read `cause`: often the cipher suite, or a certificate that the peer refuses.' },
  ERR_VC_TLS_HANDSHAKE_TIMEOUT: {
    where: 'tls, link',
    remedy: 'Look whether the peer is there and not overloaded; raise `handshakeTimeoutMs` for a slow line.',
  },
  ERR_VC_TLS_TRUNCATED: {
    where: 'tls',
    remedy: "Take the last answer for incomplete. For peers that never say close_notify: `truncation: 'report'`.",
  },
  ERR_VC_CERTIFICATE: {
    where: 'tls, client, server, attestation',
    remedy: 'Do not go on: it may be another manager, other code or another policy. `expected` and `got` say which.',
  },
  ERR_VC_PRINCIPAL_UNKNOWN: {
    where: 'tls, at a Runtime Manager',
    remedy: 'Put the certificate into the policy, byte for byte, or use the one that is there.',
  },
  ERR_VC_PEER_REJECTED: { where: 'client, tls', remedy: 'Look whether your certificate is one of the policy that the manager runs.' },
  ERR_VC_TRANSPORT: {
    where: 'transport, http, console',
    remedy: 'Read `cause`: ECONNREFUSED, ENOENT and the like. Nothing was processed when it comes while connecting.',
  },
  ERR_VC_CLOSED: { where: 'every stack and role', remedy: 'Connect again; do not use a client after its `close`.' },
  ERR_VC_HTTP_STATUS: { where: 'http', remedy: '`got` is the status: 503 and 429 may be tried again later, with a pause.' },
  ERR_VC_SESSION_UNKNOWN: { where: 'http, server', remedy: 'Connect again: the session is over, by idle time or a restart.' },
  ERR_VC_SESSION_BUSY: { where: 'http, server', remedy: 'Use one client object a session, and no second connection for it.' },
  ERR_VC_OUTCOME_UNKNOWN: {
    where: 'client, http, file-store',
    remedy: 'Look at the file, or write it again as a whole. An append may not simply be repeated.',
  },
  ERR_VC_LINK: { where: 'server, client', remedy: 'The Server makes its links anew by itself: connect again after a moment.' },
  ERR_VC_REQUEST_FAILED: { where: 'client', remedy: 'The session goes on. `got` is the status: [what each means](roles.md#statuses).' },
  ERR_VC_TIMEOUT: {
    where: 'every role and transport',
    remedy: 'Look whether the other end works; raise the option whose value is in `limit`.',
  },
  ERR_VC_ABORTED: { where: 'every role and stack', remedy: 'You have asked for it.' },
  ERR_VC_FILE_NAME: { where: 'file-store', remedy: 'Use a name without `..` and NUL, of at most 4,096 bytes.' },
  ERR_VC_FILE_STORE: {
    where: 'file-store',
    remedy: 'Read `got`: ENOENT is a file that is not there, ENOSPC a full disk. Otherwise look at the disk.',
  },
  ERR_VC_LOCAL_FILE: {
    where: 'client, pipeline, `veracruz-streams`',
    remedy: 'Read `got`: ENOSPC is a full disk, EPIPE a reader that has left. The call was right: repeat it when there is room.',
  },
  ERR_VC_POLICY: { where: 'policy', remedy: '`veracruz-streams policy check` names every fault with its key.' },
  ERR_VC_ACCESS_DENIED: {
    where: 'runtime-manager',
    remedy: 'Ask for less, or change the policy, which is then another policy for everybody.',
  },
  ERR_VC_NOT_READY: { where: 'runtime-manager', remedy: 'Provision the program first, or wait until the manager is initialised.' },
  ERR_VC_BUSY: { where: 'runtime-manager, compute', remedy: 'Try again later: nothing was done.' },
  ERR_VC_COMPUTE: { where: 'compute', remedy: 'Read `stderr` in the store, which has the last words of the program, and the reason.' },
  ERR_VC_EVIDENCE: { where: 'evidence, psa, nitro, cbor', remedy: 'Look whether the attester is of the kind that the dialect has.' },
  ERR_VC_EVIDENCE_SIGNATURE: { where: 'psa, nitro', remedy: 'Enrol the key that the device really has; otherwise the evidence is forged.' },
  ERR_VC_EVIDENCE_CHAIN: {
    where: 'nitro',
    remedy: 'Look at the clocks, and at `--nitro-root` if it is set; otherwise the evidence is forged.',
  },
  ERR_VC_CHALLENGE: { where: 'attestation-server', remedy: 'Begin with a new challenge; one serves once.' },
  ERR_VC_CHALLENGE_EXPIRED: { where: 'attestation-server', remedy: 'Begin with a new challenge, and answer it sooner.' },
  ERR_VC_CERTIFICATE_REQUEST: { where: 'csr', remedy: 'Let the manager make its request and its evidence in one go.' },
  ERR_VC_DEVICE_UNKNOWN: {
    where: 'attestation-server, registry',
    remedy: '`veracruz-streams attest enroll` with the public key of the device.',
  },
  ERR_VC_RUNTIME_HASH: {
    where: 'attestation-server',
    remedy: 'Compare `got` with `veracruz-streams measure` on the manager, then `attest allow`.',
  },
  ERR_VC_REGISTRY: { where: 'registry', remedy: 'Read `cause`: look whether PostgreSQL is there, or who else has the state folder open.' },
  ERR_VC_MISSING_PACKAGE: { where: 'registry, console', remedy: '`npm install` the package that `expected` names.' },
};

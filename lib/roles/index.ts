/** `veracruz-streams/roles`: the four roles, and their stacks. */
export { ARRANGEMENTS, type Arrangement, type ArrangementName } from './arrangements.js';
export { ATTESTATION_SERVER_DEFAULTS, AttestationServer, type AttestationServerOptions } from './attestation-server/server.js';
export {
  CLIENT_DEFAULTS,
  type ClientOptions,
  type Progress,
  type SaveOptions,
  type TransferOptions,
  VeracruzClient,
  type WriteOptions,
} from './client/client.js';
export type { LocalFile } from './client/local-file.js';
export type { FileSource } from './client/source.js';
export type { LinkCertificates, LinkPsk, LinkTlsOptions } from './link-tls.js';
export type { Log } from './options.js';
export {
  RUNTIME_MANAGER_DEFAULTS,
  RuntimeManager,
  type RuntimeManagerOptions,
  type TrustOptions,
} from './runtime-manager/runtime-manager.js';
export type { ManagerStatus } from './server/managers.js';
export type { RuntimeInput } from './server/options.js';
export { SERVER_DEFAULTS, type ServerOptions, VeracruzServer } from './server/server.js';
export type { SessionBinding } from './server/session-ids.js';
export type { ManagerOptions } from './server/upstream.js';
export {
  attestationClientStack,
  attestationServerStack,
  type ClientStackOptions,
  clientStack,
  directClientStack,
  type LinkOptions,
  type MessageOptions as StackMessageOptions,
  managerClientStack,
  managerServerStack,
  serverClientStack,
  serverManagerStack,
} from './stacks.js';

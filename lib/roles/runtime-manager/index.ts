/** `veracruz-streams/roles/runtime-manager`: the Runtime Manager. */

export type { LinkCertificates, LinkPsk, LinkTlsOptions } from '../link-tls.js';
export type { Log } from '../options.js';
export {
  RUNTIME_MANAGER_DEFAULTS,
  RuntimeManager,
  type RuntimeManagerOptions,
  type TrustOptions,
} from './runtime-manager.js';

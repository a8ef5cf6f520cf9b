/** `veracruz-streams/roles/runtime-manager`: the Runtime Manager. */
export {
  RUNTIME_MANAGER_DEFAULTS,
  RuntimeManager,
  type RuntimeManagerOptions,
  type TrustOptions,
} from './runtime-manager.js';

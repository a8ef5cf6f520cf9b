/** The device registry of the Proxy Attestation Server (wire spec §F). */
export type { RegistryAdmin } from './admin.js';
export { RegistryClient } from './admin-client.js';
export { listenAdmin } from './admin-socket.js';
export { checkHash, checkLimit, checkPlatform, checkPoint, checkText, tameText } from './checks.js';
export { REGISTRY_DEFAULTS, type RegistryOptions, type RegistryPlace } from './options.js';
export { type Admission, type AllowedRuntime, type Device, type DeviceKey, type NewDevice, PLATFORMS, type Platform } from './records.js';
export { DeviceRegistry } from './registry.js';

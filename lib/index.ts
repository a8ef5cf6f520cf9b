/**
 * What a newcomer needs: the roles, stacks and their layers, and every class of error. The rest is in the subpaths that
 * package.json lists, one a folder (`veracruz-streams/core`, `/layers`, `/layers/base64`, …); nothing else is public.
 */
// ── Attestation: keys and certificates ────────────────────────────────────────────────────────────────────────────────
export { type Authority, type AuthorityOptions, makeAuthority } from './attestation/authority.js';
export {
  type Attester,
  AWS_NITRO_ROOT,
  InsecureNitroAttester,
  type InsecureNitroOptions,
  InsecureSoftwareAttester,
  type InsecureSoftwareOptions,
} from './attestation/evidence/index.js';
export {
  type Identity,
  type IdentityOptions,
  makeIdentity,
  makeServerIdentity,
  type ServerIdentity,
  type ServerIdentityOptions,
} from './attestation/identity.js';
export { DeviceRegistry, REGISTRY_DEFAULTS, type RegistryOptions, type RegistryPlace } from './attestation/registry/index.js';
// ── Core: bytes, units, codecs, layers, errors ────────────────────────────────────────────────────────────────────────
export type { Codec } from './core/codec.js';
export * from './core/errors.js';
export { type Layer, layerOf } from './core/layer.js';
// ── Enclave: what runs programs ───────────────────────────────────────────────────────────────────────────────────────
export { type ComputeEngine, WASI_ENGINE_DEFAULTS, WasiEngine, type WasiEngineOptions } from './enclave/compute/index.js';
export {
  createPolicy,
  type NewPolicy,
  POLICY_SCHEMA,
  type Policy,
  type PolicyFault,
  type PolicyOptions,
  type PolicySettings,
  policyFaults,
  policyHash,
  readPolicy,
} from './enclave/policy/index.js';
// ── Enclave: where a Runtime Manager keeps files ──────────────────────────────────────────────────────────────────────
export { DIRECTORY_STORE_DEFAULTS, DirectoryStore, type DirectoryStoreOptions, type FileStore } from './enclave/store/file-store.js';
export { type Base64Options, base64 } from './layers/base64/index.js';
export { type BincodeOptions, bincode } from './layers/bincode/index.js';
export { DIALECTS, type Dialect } from './layers/formats/dialect.js';
export {
  type FrameKind,
  type FrameOptions,
  frame,
  LENGTH_PREFIX_DEFAULTS,
  type LengthPrefixOptions,
  lengthPrefix,
} from './layers/frame/index.js';
// ── Layers, top to wire ───────────────────────────────────────────────────────────────────────────────────────────────
export { type ProtobufOptions, protobuf, type Received as ProtobufReceived, type Sent as ProtobufSent } from './layers/protobuf/index.js';
export { type RecordsOptions, records } from './layers/records/index.js';
export { type SessionOptions, session } from './layers/session/index.js';
export { type TlsClientOptions, type TlsOptions, type TlsServerOptions, tls } from './layers/tls/index.js';
// ── Pipeline: layers on each other, over a byte pipe ──────────────────────────────────────────────────────────────────
export { Channel, type ChannelOptions } from './pipeline/channel.js';
export { DIAGNOSTICS, type LayerTraffic, type StackEvent } from './pipeline/diagnostics.js';
export { type AnyLayer, type Stack, stack } from './pipeline/stack.js';
// ── Roles ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
export { ATTESTATION_SERVER_DEFAULTS, AttestationServer, type AttestationServerOptions } from './roles/attestation-server/server.js';
export {
  CLIENT_DEFAULTS,
  type ClientOptions,
  type Progress,
  type SaveOptions,
  type TransferOptions,
  VeracruzClient,
  type WriteOptions,
} from './roles/client/client.js';
export type { LocalFile } from './roles/client/local-file.js';
export type { FileSource } from './roles/client/source.js';
export type { LinkTlsOptions } from './roles/link-tls.js';
export type { Log } from './roles/options.js';
export { RUNTIME_MANAGER_DEFAULTS, RuntimeManager, type RuntimeManagerOptions } from './roles/runtime-manager/runtime-manager.js';
export { SERVER_DEFAULTS, type ServerOptions, VeracruzServer } from './roles/server/server.js';
export type { ManagerOptions } from './roles/server/upstream.js';
export {
  attestationClientStack,
  attestationServerStack,
  clientStack,
  directClientStack,
  managerClientStack,
  managerServerStack,
  serverClientStack,
  serverManagerStack,
} from './roles/stacks.js';
// ── Transports: a place becomes a byte pipe ───────────────────────────────────────────────────────────────────────────
export { type Address, type AddressInput, formatAddress, parseAddress } from './transports/address.js';
export { type MemoryPipeOptions, memoryPipe } from './transports/memory.js';
export { type ConnectPipeOptions, type ListenPipeOptions, listenPipe, openPipe, type PipeOptions } from './transports/pipe.js';
export { type ConnectOptions, connectSocket, type Listener, listenSocket } from './transports/socket.js';

/**
 * The public surface of veracruz-streams; nothing else is public. Where two layers use one word for things of their
 * own (`Sent`, `Received`, `WholeMessage`, …) the layer's name stands before it.
 */

// ── Attestation: keys and certificates ────────────────────────────────────────────────────────────────────────────────
export {
  type Authority,
  type AuthorityOptions,
  type EnclaveCertificateOptions,
  type IssueOptions,
  issue as issueCertificate,
  issueEnclaveCertificate,
  makeAuthority,
  readAuthority,
} from './attestation/authority.js';
export {
  type DistinguishedName,
  type KeyAlgorithm,
  makeKey,
  pemOf,
  policyPemOf,
  RUNTIME_HASH_OID,
  type Usage,
  type Validity,
} from './attestation/certificate.js';
export {
  type AttestationProtocol,
  type Attester,
  AWS_NITRO_ROOT,
  AWS_NITRO_ROOT_FINGERPRINT,
  authenticateNitro,
  type CoseSign1,
  EVIDENCE_DEFAULTS,
  type EvidenceLimits,
  InsecureNitroAttester,
  type InsecureNitroOptions,
  InsecureSoftwareAttester,
  type InsecureSoftwareOptions,
  makeNitroDocument,
  makePsaToken,
  measureRuntime,
  type NewNitroDocument,
  type NewPsaToken,
  NITRO_DEFAULTS,
  type NitroEvidence,
  type NitroPayload,
  type NitroTrustOptions,
  type NitroUserData,
  type PsaClaims,
  type PsaShape,
  psaKeyId,
  psaPoint,
  readCoseSign1,
  readPsaClaims,
  type Tagging,
  type VerifyNitroOptions,
  type VerifyPsaOptions,
  verifyDeviceToken,
  verifyNitroDocument,
  verifyPsaToken,
} from './attestation/evidence/index.js';
export { type Identity, type IdentityOptions, makeIdentity } from './attestation/identity.js';
export {
  type Admission,
  type AllowedRuntime,
  type Device,
  type DeviceKey,
  DeviceRegistry,
  type NewDevice,
  PLATFORMS as RUNTIME_PLATFORMS,
  type Platform as RuntimePlatform,
  REGISTRY_DEFAULTS,
  type RegistryOptions,
  type RegistryPlace,
} from './attestation/registry/index.js';
export { makeRequest } from './attestation/request.js';
// ── Core: bytes, units, codecs, layers, errors ────────────────────────────────────────────────────────────────────────
export { ByteQueue } from './core/byte-queue.js';
export type { Codec } from './core/codec.js';
export { CodecStream } from './core/codec-stream.js';
export { Connection } from './core/connection.js';
export { DeferredBytes } from './core/deferred-bytes.js';
export * from './core/errors.js';
export { type Layer, layerOf } from './core/layer.js';
export { LayerStream } from './core/layer-stream.js';
export type { Traffic } from './core/traffic.js';
export {
  Announce,
  type AnnouncedChunk,
  type Base64Chunk,
  type BincodeChunk,
  BODY_END,
  BOUNDARY,
  type BodyChunk,
  type BodyEnd,
  type Boundary,
  type BoundedChunk,
  type ByteChunk,
  type CipherChunk,
  END_OF_MESSAGE,
  FLUSH,
  type FrameChunk,
  type ItemChunk,
  isMark,
  type Mark,
  type MarkedPipe,
  type MessageChunk,
  type RecordChunk,
} from './core/unit.js';
// ── Enclave: what runs programs ───────────────────────────────────────────────────────────────────────────────────────
export {
  type Computation,
  type ComputeEngine,
  MAX_PIPELINE_BYTES,
  MAX_PIPELINE_DEPTH,
  type Pipeline,
  type PipelineRun,
  parsePipeline,
  runPipeline,
  WASI_ENGINE_DEFAULTS,
  WasiEngine,
  type WasiEngineOptions,
} from './enclave/compute/index.js';
export {
  CREATE_POLICY_DEFAULTS,
  createPolicy,
  type FileOperation,
  type FileRights,
  fileRightsOf,
  formatFault,
  formatRights,
  MAX_FAULTS,
  may,
  type NativeModule,
  type NewPolicy,
  POLICY_DEFAULTS,
  POLICY_SCHEMA,
  type Policy,
  type PolicyFault,
  type PolicyOptions,
  type PolicySettings,
  type Principal,
  parseCapabilities,
  parseRights,
  pinOf,
  policyFaults,
  policyHash,
  RIGHT_LETTERS,
  RIGHTS,
  type RightName,
  readPolicy,
  rightNames,
  rightsOf,
} from './enclave/policy/index.js';
// ── Enclave: where a Runtime Manager keeps files ──────────────────────────────────────────────────────────────────────
export { MAX_FILE_NAME_BYTES, normaliseName } from './enclave/store/file-name.js';
export {
  DIRECTORY_STORE_DEFAULTS,
  DirectoryStore,
  type DirectoryStoreOptions,
  type FileSink,
  type FileStat,
  type FileStore,
  type ListedFile,
  type SinkOptions,
  type StoredFile,
} from './enclave/store/file-store.js';
export { Base64Decoder, Base64Encoder, type Base64Options, base64, decodeBase64, encodeBase64 } from './layers/base64/index.js';
export {
  BINCODE_DEFAULTS,
  BincodeDecoder,
  BincodeEncoder,
  type BincodeOptions,
  type Bytes as BincodeBytes,
  bincode,
  type DecodeOptions as BincodeDecodeOptions,
  decodeRequest as decodeBincodeRequest,
  decodeResponse as decodeBincodeResponse,
  decodeStatus as decodeBincodeStatus,
  encodeRequest as encodeBincodeRequest,
  encodeResponse as encodeBincodeResponse,
  encodeStatus as encodeBincodeStatus,
  joined as joinSlices,
  type Message as BincodeMessage,
  REQUEST_KINDS as BINCODE_REQUEST_KINDS,
  RESPONSE_KINDS as BINCODE_RESPONSE_KINDS,
  type Received as BincodeReceived,
  type Request as BincodeRequest,
  type RequestKind as BincodeRequestKind,
  type Response as BincodeResponse,
  type ResponseKind as BincodeResponseKind,
  type Sent as BincodeSent,
  type Side as BincodeSide,
  type Slices,
  STATUSES as BINCODE_STATUSES,
  type Status as BincodeStatus,
  sliceBytes,
} from './layers/bincode/index.js';
export { DIALECTS, type Dialect } from './layers/formats/dialect.js';
export {
  encodeHeader,
  encodePrefix,
  FRAME_DEFAULTS,
  FRAME_HEADERS,
  FRAME_KINDS,
  FrameDecoder,
  FrameEncoder,
  type FrameHeader,
  type FrameKind,
  type FrameOptions,
  frame,
  type HeaderKind,
  LENGTH_PREFIX_DEFAULTS,
  type LengthPrefixOptions,
  lengthPrefix,
  PREFIX_BYTES,
  readPrefix,
  WholeFrameDecoder,
  type WholeMessage as LengthPrefixWholeMessage,
} from './layers/frame/index.js';
// ── Layers, top to wire ───────────────────────────────────────────────────────────────────────────────────────────────
export {
  type ArmName,
  type BodySource,
  decodeMessage as decodeProtobuf,
  ENVELOPES,
  type EnvelopeName,
  encodeMessage as encodeProtobuf,
  IncomingBody,
  type MessageOptions as ProtobufMessageOptions,
  type Messages as ProtobufMessages,
  type OnMalformed,
  type OutgoingBody,
  PROTOBUF_DEFAULTS,
  type ProtobufLimits,
  type ProtobufOptions,
  protobuf,
  type Received as ProtobufReceived,
  type ResponseStatusName,
  type Sent as ProtobufSent,
  type WholeMessage as ProtobufWholeMessage,
  type WholeMessages as ProtobufWholeMessages,
} from './layers/protobuf/index.js';
export { RECORDS_DEFAULTS, RecordDecoder, RecordEncoder, type RecordsOptions, records } from './layers/records/index.js';
export {
  MAX_SESSION_ID,
  NEW_SESSION_ID,
  SESSION_DEFAULTS,
  type SessionLayer,
  type SessionOptions,
  SessionRequestDecoder,
  type SessionRequestOptions,
  SessionResponseDecoder,
  type SessionResponseOptions,
  type SessionState,
  session,
  sessionHead,
  splitBody,
} from './layers/session/index.js';
export {
  type CertificateInput,
  CIPHER_SUITES,
  type CipherSuite,
  cipherSuite,
  expectRuntimeHash,
  type Phase as TlsPhase,
  RUNTIME_HASH_BYTES,
  runtimeHashOf,
  TLS_DEFAULTS,
  type TlsClientOptions,
  type TlsLimits,
  type TlsOptions,
  type TlsServerOptions,
  type TlsState,
  tls,
  tlsState,
} from './layers/tls/index.js';
// ── Pipeline: layers on each other, over a byte pipe ──────────────────────────────────────────────────────────────────
export { Channel, type ChannelOptions } from './pipeline/channel.js';
export { DIAGNOSTICS, type LayerTraffic, type StackEvent } from './pipeline/diagnostics.js';
export { type AnyLayer, type Chained, type Stack, stack } from './pipeline/stack.js';
// ── Roles ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
export { ARRANGEMENTS, type Arrangement, type ArrangementName } from './roles/arrangements.js';
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
export type { FileSource } from './roles/client/source.js';
export type { LinkCertificates, LinkPsk, LinkTlsOptions } from './roles/link-tls.js';
export type { Log } from './roles/options.js';
export {
  RUNTIME_MANAGER_DEFAULTS,
  RuntimeManager,
  type RuntimeManagerOptions,
  type TrustOptions,
} from './roles/runtime-manager/runtime-manager.js';
export type { ManagerStatus } from './roles/server/managers.js';
export { SERVER_DEFAULTS, type ServerOptions, VeracruzServer } from './roles/server/server.js';
export type { ManagerOptions } from './roles/server/upstream.js';
export {
  attestationClientStack,
  attestationServerStack,
  clientStack,
  directClientStack,
  type LinkOptions,
  type MessageOptions as StackMessageOptions,
  managerClientStack,
  managerServerStack,
  serverClientStack,
  serverManagerStack,
} from './roles/stacks.js';
// ── Transports: a place becomes a byte pipe ───────────────────────────────────────────────────────────────────────────
export {
  type Address,
  type ConnectAddress,
  formatAddress,
  type ListenAddress,
  parseAddress,
  type SerialAddress,
} from './transports/address.js';
export { HELLO, HELLO_DEFAULTS, type HelloOptions } from './transports/console/hello.js';
export { CONSOLE_DEFAULTS, type ConsoleOptions, VirtioConsole } from './transports/console/virtio-console.js';
export { type HttpAddress, type HttpDialOptions, type HttpListenOptions, http as httpTransport } from './transports/http.js';
export { HTTP_EXCHANGE_DEFAULTS, HttpExchange, type HttpExchangeOptions } from './transports/http-client.js';
export { HTTP_POST_DEFAULTS, HttpPost, type HttpPostOptions } from './transports/http-post.js';
export { type MemoryAddress, type MemoryPipeOptions, memory as memoryTransport, memoryPipe } from './transports/memory.js';
export { type ConnectPipeOptions, type ListenPipeOptions, listenPipe, openPipe, type PipeOptions } from './transports/pipe.js';
export { type SerialListenOptions, serial as serialTransport } from './transports/serial.js';
export {
  type ConnectOptions,
  connectSocket,
  type Listener,
  listenSocket,
  RETRY_ICECAP,
  RETRY_NITRO,
  type RetryOptions,
} from './transports/socket.js';
export { type TcpAddress, tcp as tcpTransport } from './transports/tcp.js';
export type { AnyAddress, DialOptions, ListenerAt, ListenOptions, Transport } from './transports/transport.js';
export { BYTE_TRANSPORTS, TRANSPORTS } from './transports/transports.js';
export { type UnixAddress, unix as unixTransport } from './transports/unix.js';

/** The values of the golden vectors as messages of ours, and messages in a form that compares well. */
import {
  type Bytes,
  type DecodeOptions,
  decodeRequest,
  decodeResponse,
  decodeStatus,
  encodeRequest,
  encodeResponse,
  encodeStatus,
  joined,
  type Request,
  type Response,
  type Slices,
  type Status,
} from '../../../lib/layers/bincode/index.js';
import type { Dialect } from '../../../lib/layers/formats/dialect.js';
import { type GoldenBytes, type GoldenDialect, goldenBytes, goldenText } from '../../support/golden.js';

export type Message<B> = Request<B> | Response<B> | Status;
type Target = 'RuntimeManagerRequest' | 'RuntimeManagerResponse' | 'Status';

export function dialectOf(golden: GoldenDialect): Dialect {
  return golden.replace('veracruz-', '') as Dialect;
}

export function targetOf(value: any): Target {
  return typeof value === 'string' ? 'Status' : value.type;
}

const FIELDS: Record<string, (...args: any[]) => object> = {
  Attestation: (challenge, id) => ({ challenge: goldenBytes(challenge), deviceId: typeof id === 'number' ? id : id.uuid }),
  CloseTlsSession: (session) => ({ session }),
  GetTlsData: (session) => ({ session }),
  GetTlsDataNeeded: (session) => ({ session }),
  Initialize: (policy, chain: GoldenBytes | GoldenBytes[]) => ({ policy: goldenText(policy), chain: [chain].flat().map(goldenBytes) }),
  NewTlsSession: () => ({}),
  ResetEnclave: () => ({}),
  SendTlsData: (session, data) => ({ session, data: goldenBytes(data) }),
  AttestationData: (token, csr) => ({ token: goldenBytes(token), ...(csr && { csr: goldenBytes(csr) }) }),
  Status: (status) => ({ status }),
  TlsData: (data, active) => ({ data: goldenBytes(data), active }),
  TlsDataNeeded: (needed) => ({ needed }),
  TlsSession: (session) => ({ session }),
};

export function messageOf(value: any): Message<Bytes> {
  if (typeof value === 'string') return value as Status;
  const fields = FIELDS[value.variant];
  if (fields === undefined) throw new Error(`unknown variant ${value.variant}`);
  return { kind: value.variant, ...fields(...value.args) };
}

export function encodeAs(target: Target, message: Message<Bytes>, dialect: Dialect): Slices {
  if (target === 'Status') return encodeStatus(message as Status);
  if (target === 'RuntimeManagerRequest') return encodeRequest(message as Request<Bytes>, dialect);
  return encodeResponse(message as Response<Bytes>, dialect);
}

export function decodeAs(target: string, bytes: Bytes, dialect: Dialect, options?: DecodeOptions): Message<Slices> {
  if (target === 'Status') return decodeStatus(bytes, options);
  if (target === 'RuntimeManagerRequest') return decodeRequest(bytes, dialect, options);
  if (target === 'RuntimeManagerResponse') return decodeResponse(bytes, dialect, options);
  throw new Error(`unknown target ${target}`);
}

/** The message with every byte vector as hex, however it was cut. */
export function plain(message: Message<Bytes>): unknown {
  if (typeof message === 'string') return message;
  const hex = (bytes: Bytes) => joined(bytes).toString('hex');
  return Object.fromEntries(
    Object.entries(message).map(([name, value]: [string, any]) => {
      if (name === 'chain') return [name, value.map(hex)];
      return [name, Buffer.isBuffer(value) || Array.isArray(value) ? hex(value) : value];
    }),
  );
}

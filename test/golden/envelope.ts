/** A second, tiny protobuf writer and checker, so that the vectors of the prefix can be tested without the protobuf layer. */
import { goldenBytes } from '../support/golden.js';

const STATUS = [
  'UNSET',
  'SUCCESS',
  'FAILED_INVALID_ROLE',
  'FAILED_NOT_READY',
  'FAILED_GENERIC',
  'FAILED_VM_ERROR',
  'FAILED_ERROR_CODE_RETURNED',
  'FAILED_INVALID_REQUEST',
];

/** Field numbers of the arms (wire spec §A); `context` is field 1, in RuntimeManagerResponse 8. */
const ARMS: Record<string, Record<string, number>> = {
  ProxyAttestationServerRequest: {
    start_msg: 2,
    native_psa_attestation_token: 3,
    proxy_psa_attestation_token: 4,
    nitro_attestation_doc: 7,
  },
  ProxyAttestationServerResponse: { psa_attestation_init: 2, cert_chain: 5 },
  RuntimeManagerRequest: {
    write_file: 2,
    append_file: 3,
    request_pi_hash: 4,
    request_result: 5,
    request_proxy_psa_attestation_token: 6,
    request_shutdown: 8,
    psa_attestation_init: 9,
    request_policy_hash: 10,
    read_file: 11,
    request_pipeline: 12,
  },
  RuntimeManagerResponse: { result: 4, pi_hash: 5, error: 6, state: 10, policy_hash: 11, cert: 12 },
};

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

const delimited = (field: number, bytes: Buffer) => Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
const number = (field: number, value: number) => (value === 0 ? Buffer.alloc(0) : Buffer.concat([varint(field * 8), varint(value)]));

function scalar(field: number, value: any): Buffer {
  if (typeof value === 'number') return number(field, value);
  const repeated = typeof value === 'object' && 'repeat' in value;
  const text = repeated ? (value.repeat as string).repeat(value.times) : value;
  const bytes = typeof text === 'string' ? Buffer.from(text) : goldenBytes(text);
  return bytes.length === 0 ? bytes : delimited(field, bytes);
}

/** The canonical bytes of an envelope, in the order that rust-protobuf writes. */
export function writeEnvelope(value: any): Buffer {
  const answer = value.type === 'RuntimeManagerResponse';
  const status = answer ? number(1, STATUS.indexOf(value.status)) : Buffer.alloc(0);
  const parts = [status, number(answer ? 8 : 1, value.context)];
  if (value.oneof !== null) {
    const arm = ARMS[value.type as string]?.[value.oneof as string];
    if (arm === undefined) throw new Error(`no field number for ${value.type}.${value.oneof}`);
    // `fields` lists the fields of the arm in declaration order, defaults too: their numbers count up from 1.
    parts.push(delimited(arm, Buffer.concat(Object.values(value.fields ?? {}).map((field, i) => scalar(i + 1, field)))));
  }
  return Buffer.concat(parts);
}

/** Whether `bytes` has the form of a protobuf message whose length-delimited fields are messages, `depth` levels down. */
export function isWellFormed(bytes: Buffer, depth = 1): boolean {
  let at = 0;
  const read = (): number | undefined => {
    let value = 0n;
    for (let shift = 0n; at < bytes.length && shift < 70n; shift += 7n) {
      const byte = bytes[at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(value);
    }
    return undefined;
  };
  while (at < bytes.length) {
    const tag = read();
    if (tag === undefined || tag < 8) return false;
    const kind = tag % 8;
    const size = kind === 0 ? (read() === undefined ? undefined : 0) : kind === 1 ? 8 : kind === 5 ? 4 : kind === 2 ? read() : undefined;
    if (size === undefined || at + size > bytes.length) return false;
    if (kind === 2 && depth > 0 && !isWellFormed(bytes.subarray(at, at + size), depth - 1)) return false;
    at += size;
  }
  return true;
}

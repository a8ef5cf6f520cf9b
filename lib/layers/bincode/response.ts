/** Answers of the Runtime Manager: to bytes and back, without a stream (wire spec §D). */
import { given } from '../../core/check.js';
import { InvalidArgumentError } from '../../core/errors.js';
import type { Dialect } from '../formats/dialect.js';
import { kindsOf, RESPONSE_KINDS, type Response, STATUSES, type Status, variantOf } from './messages.js';
import type { DecodeOptions } from './options.js';
import { inDialect } from './other-dialects.js';
import { SliceReader } from './reader.js';
import { type Bytes, type Slices, slicesOf } from './slices.js';
import { SliceWriter } from './writer.js';

/**
 * The bytes of an answer. Its byte vectors are not copied.
 *
 *     TlsData:  02000000  length u64 │ data │ active u8
 *
 * Throws `InvalidArgumentError` for a kind that the dialect lacks and for values that do not fit their fields.
 *
 * @see decodeBincodeResponse, which is `decodeResponse` in `veracruz-streams/layers/bincode`
 */
export function encodeResponse(message: Response<Bytes>, dialect: Dialect): Slices {
  const variant = variantOf(RESPONSE_KINDS, dialect, message?.kind);
  switch (message.kind) {
    case 'TlsData':
      return new SliceWriter(12).u32(variant).bytes('data', message.data).bool('active', message.active).finish();
    case 'TlsDataNeeded':
      return new SliceWriter(5).u32(variant).bool('needed', message.needed).finish();
    case 'Status':
      return new SliceWriter(8).u32(variant).u32(statusIndex(message.status)).finish();
    case 'TlsSession':
      return new SliceWriter(8).u32(variant).session(message.session).finish();
    case 'AttestationData': {
      const { token, csr } = message;
      if ((csr === undefined) !== (dialect === '2207-nitro')) {
        throw new InvalidArgumentError(`AttestationData ${csr ? 'with' : 'without'} csr in dialect ${dialect}`, { layer: 'bincode' });
      }
      const writer = new SliceWriter(12).u32(variant).bytes('token', token);
      return (csr === undefined ? writer : writer.bytes('csr', csr)).finish();
    }
  }
}

/**
 * The answer in `bytes`, which must be one whole message. The byte vectors of the answer are views of `bytes`.
 * Throws `BincodeError`, with offset and figures, for anything else.
 *
 * @see encodeBincodeResponse, which is `encodeResponse` in `veracruz-streams/layers/bincode`
 */
export function decodeResponse(bytes: Bytes, dialect: Dialect, options: DecodeOptions = {}): Response {
  const slices = slicesOf(bytes);
  return inDialect(dialect, (tried) => {
    const reader = new SliceReader(slices);
    const message = readResponse(reader, tried);
    reader.finish(options.allowTrailing ?? false);
    return message;
  });
}

/** The four bytes of a `Status` outside of a message. @see decodeBincodeStatus */
export function encodeStatus(status: Status): Slices {
  return new SliceWriter(4).u32(statusIndex(status)).finish();
}

/** The `Status` in `bytes`, outside of a message. Throws `BincodeError`. @see encodeBincodeStatus */
export function decodeStatus(bytes: Bytes, options: DecodeOptions = {}): Status {
  const reader = new SliceReader(slicesOf(bytes));
  const status = reader.variant('the status', STATUSES);
  reader.finish(options.allowTrailing ?? false);
  return status;
}

/** Reads the fields of one answer. The bytes after it are left to the caller. Throws `BincodeError`. */
export function readResponse(reader: SliceReader, dialect: Dialect): Response {
  const kind = given('reader', reader).variant('the response', kindsOf(RESPONSE_KINDS, dialect));
  switch (kind) {
    case 'TlsData':
      return { kind, data: reader.bytes('data'), active: reader.bool('active') };
    case 'TlsDataNeeded':
      return { kind, needed: reader.bool('needed') };
    case 'Status':
      return { kind, status: reader.variant('the status', STATUSES) };
    case 'TlsSession':
      return { kind, session: reader.u32('session') };
    case 'AttestationData': {
      const token = reader.bytes('token');
      return dialect === '2207-nitro' ? { kind, token } : { kind, token, csr: reader.bytes('csr') };
    }
  }
}

function statusIndex(status: Status): number {
  const index = STATUSES.indexOf(status);
  if (index >= 0) return index;
  throw new InvalidArgumentError(`no status ${String(status)}`, { layer: 'bincode', expected: STATUSES.join('|'), got: String(status) });
}

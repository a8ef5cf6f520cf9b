/** Requests of the Server to the Runtime Manager: to bytes and back, without a stream (wire spec §D). */
import { given } from '../../core/check.js';
import { InvalidArgumentError } from '../../core/errors.js';
import type { Dialect } from '../formats/dialect.js';
import { kindsOf, REQUEST_KINDS, type Request, variantOf } from './messages.js';
import type { DecodeOptions } from './options.js';
import { inDialect } from './other-dialects.js';
import { SliceReader } from './reader.js';
import { type Bytes, type Slices, slicesOf } from './slices.js';
import { SliceWriter } from './writer.js';

/**
 * The bytes of a request. Its byte vectors are not copied.
 *
 *     SendTlsData, 2207:  07000000  session u32  length u64 │ data
 *
 * Throws `InvalidArgumentError` for a kind that the dialect lacks and for values that do not fit their fields.
 *
 * @see decodeBincodeRequest, which is `decodeRequest` in `veracruz-streams/layers/bincode`
 */
export function encodeRequest(message: Request<Bytes>, dialect: Dialect): Slices {
  const variant = variantOf(REQUEST_KINDS, dialect, message?.kind);
  switch (message.kind) {
    case 'SendTlsData':
      return new SliceWriter(16).u32(variant).session(message.session).bytes('data', message.data).finish();
    case 'GetTlsData':
    case 'GetTlsDataNeeded':
    case 'CloseTlsSession':
      return new SliceWriter(8).u32(variant).session(message.session).finish();
    case 'NewTlsSession':
    case 'ResetEnclave':
      return new SliceWriter(4).u32(variant).finish();
    case 'Attestation': {
      const writer = new SliceWriter(12).u32(variant).bytes('challenge', message.challenge);
      return (dialect === 'head' ? writer.uuid('deviceId', message.deviceId) : writer.i32('deviceId', message.deviceId)).finish();
    }
    case 'Initialize':
      return encodeChain(new SliceWriter(12).u32(variant).text('policy', message.policy), message.chain, dialect).finish();
  }
}

/**
 * The request in `bytes`, which must be one whole message. The byte vectors of the request are views of `bytes`.
 * Throws `BincodeError`, with offset and figures, for anything else.
 *
 * @see encodeBincodeRequest, which is `encodeRequest` in `veracruz-streams/layers/bincode`
 */
export function decodeRequest(bytes: Bytes, dialect: Dialect, options: DecodeOptions = {}): Request {
  const slices = slicesOf(bytes);
  return inDialect(dialect, (tried) => {
    const reader = new SliceReader(slices);
    const message = readRequest(reader, tried);
    reader.finish(options.allowTrailing ?? false);
    return message;
  });
}

/** Reads the fields of one request. The bytes after it are left to the caller. Throws `BincodeError`. */
export function readRequest(reader: SliceReader, dialect: Dialect): Request {
  const kind = given('reader', reader).variant('the request', kindsOf(REQUEST_KINDS, dialect));
  switch (kind) {
    case 'SendTlsData':
      return { kind, session: reader.u32('session'), data: reader.bytes('data') };
    case 'GetTlsData':
    case 'GetTlsDataNeeded':
    case 'CloseTlsSession':
      return { kind, session: reader.u32('session') };
    case 'NewTlsSession':
    case 'ResetEnclave':
      return { kind };
    case 'Attestation': {
      const challenge = reader.bytes('challenge');
      return { kind, challenge, deviceId: dialect === 'head' ? reader.uuid('deviceId') : reader.i32('deviceId') };
    }
    case 'Initialize': {
      const policy = reader.text('policy');
      return { kind, policy, chain: dialect === 'head' ? [reader.bytes('chain')] : reader.list('chain') };
    }
  }
}

function encodeChain(writer: SliceWriter, chain: readonly Bytes[], dialect: Dialect): SliceWriter {
  if (!Array.isArray(chain)) throw new InvalidArgumentError('chain must be an array', { layer: 'bincode', expected: 'array' });
  if (dialect !== 'head') writer.u64(chain.length);
  else if (chain.length !== 1) {
    throw new InvalidArgumentError(`chain has ${chain.length} items; dialect head has one, the whole chain`, {
      layer: 'bincode',
      expected: 1,
      got: chain.length,
    });
  }
  for (const item of chain as readonly Bytes[]) writer.bytes('chain', item);
  return writer;
}

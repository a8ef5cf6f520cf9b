/** Encodes and decodes whole messages without a stream: for HTTP bodies, tests and callers that have all bytes. */

import { ByteQueue } from '../../core/byte-queue.js';
import { givenBytes } from '../../core/check.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { layOut } from './layout.js';
import type { Sent, WholeMessage } from './messages.js';
import { completeOptions, type MessageOptions, type ProtobufLimits } from './options.js';
import { checkMessageLength, MessageParser, type PlainMessage } from './parser.js';
import { readPlain } from './plain.js';
import { type EnvelopeName, envelopeTable, type MessageTable, PROTOBUF } from './schema.js';

/**
 * The bytes of one message, the same bytes that the original writes (wire spec §A).
 *
 * Throws `InvalidArgumentError` for a value that the schema or dialect does not have, `LimitError` for a limit exceeded.
 * @see decodeProtobuf, which is `decodeMessage` in `veracruz-streams/layers/protobuf`
 */
export function encodeMessage<E extends EnvelopeName>(type: E, message: Sent<E, Uint8Array>, options?: MessageOptions): Buffer {
  const { dialect, limits } = completeOptions(options);
  const { head, body } = layOut(envelopeTable(type, dialect), message, limits, Number.POSITIVE_INFINITY);
  if (body !== undefined)
    throw new InvalidArgumentError('only the layer can send a body from a source', { layer: PROTOBUF, expected: 'bytes' });
  return head;
}

/**
 * Reads one message of exactly `bytes`. Fields of type `bytes` are views of `bytes` where possible.
 *
 * Throws `ProtobufError` (with the offset) for bytes that are no message, `LimitError` for a limit exceeded. It refuses the
 * same input as the layer, for the same reason.
 * @see encodeProtobuf, which is `encodeMessage` in `veracruz-streams/layers/protobuf`
 */
export function decodeMessage<E extends EnvelopeName>(type: E, bytes: Uint8Array, options?: MessageOptions): WholeMessage<E> {
  const { dialect, limits } = completeOptions(options);
  const table = envelopeTable(type, dialect);
  const whole = givenBytes('bytes', bytes);
  checkMessageLength(whole.length, limits);
  return readWhole(table, whole, limits) as unknown as WholeMessage<E>;
}

/** Reads a message whose length has been checked. Errors as `decodeMessage`. */
export function readWhole(table: MessageTable, bytes: Buffer, limits: Readonly<Required<ProtobufLimits>>): PlainMessage | undefined {
  return readPlain(table, bytes, limits) ?? parse(table, bytes, limits);
}

function parse(table: MessageTable, bytes: Buffer, limits: Readonly<Required<ProtobufLimits>>): PlainMessage | undefined {
  const queue = new ByteQueue();
  queue.push(bytes);
  const parser = new MessageParser(table, bytes.length, limits);
  const message = parser.step(queue);
  if (message?.fields !== undefined && parser.bodyLeft > 0) {
    message.fields[parser.bulkName as string] = parser.takeBody(queue);
    parser.step(queue);
  }
  return message;
}

/** What both decoders say of input that is no message. */
import type { Connection } from '../../core/connection.js';
import { LimitError, ProtobufError, TruncatedError } from '../../core/errors.js';
import type { Received } from './messages.js';
import { type EnvelopeName, type MessageTable, PROTOBUF } from './schema.js';

/** What becomes of a message that is no message: the end of the stream, or an item that says so. */
export type OnMalformed = 'fail' | 'give';

/** Whose errors they are. */
export interface Label {
  readonly layer: string;
  readonly connection: Connection | undefined;
}

/** `got` bytes came where only `due` are left of the announced message. */
export function tooLong(due: number, got: number): ProtobufError {
  return new ProtobufError(`${got} bytes where ${due} are left of the announced message`, { layer: PROTOBUF, expected: due, got });
}

/** `what` happened when `got` of the `length` bytes of a message were there. */
export function cutOff(what: string, length: number, got: number): TruncatedError {
  return new TruncatedError(`${what} after ${got} of the ${length} bytes of a message`, { layer: PROTOBUF, expected: length, got });
}

/** The fault of one message only, which then carries the names of its layer and session; undefined for any other. */
export function faultOfMessage(thrown: unknown, { layer, connection }: Label): ProtobufError | LimitError | undefined {
  if (!(thrown instanceof ProtobufError || thrown instanceof LimitError)) return undefined;
  thrown.layer ??= layer;
  thrown.session ??= connection?.session;
  return thrown;
}

/** Stands where a message was that is none. */
export function malformedMessage<E extends EnvelopeName>(table: MessageTable, malformed: ProtobufError | LimitError): Received<E, never> {
  const status = table.byName.has('status') ? { status: 'UNSET' } : {};
  return { context: 0, ...status, oneof: null, malformed } as unknown as Received<E, never>;
}

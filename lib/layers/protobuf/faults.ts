/** The errors of both decoders. */
import type { Connection } from '../../core/connection.js';
import { LimitError, ProtobufError, TruncatedError } from '../../core/errors.js';
import type { Received } from './messages.js';
import { type EnvelopeName, type MessageTable, PROTOBUF } from './schema.js';

/** What a malformed message causes: the end of the stream (`fail`), or an item that carries the error (`give`). */
export type OnMalformed = 'fail' | 'give';

/** The names that errors carry: that of the layer, and of the session on the connection. */
export interface Label {
  readonly layer: string;
  readonly connection: Connection | undefined;
}

/** The error when `got` bytes come although only `due` bytes of the announced message are left. */
export function tooLong(due: number, got: number): ProtobufError {
  return new ProtobufError(`${got} bytes where ${due} are left of the announced message`, { layer: PROTOBUF, expected: due, got });
}

/** The error when `what` happened after `got` of the `length` bytes of a message. */
export function cutOff(what: string, length: number, got: number): TruncatedError {
  return new TruncatedError(`${what} after ${got} of the ${length} bytes of a message`, { layer: PROTOBUF, expected: length, got });
}

/** Returns `thrown` with layer and session if it concerns one message only. Undefined for any other error. */
export function faultOfMessage(thrown: unknown, { layer, connection }: Label): ProtobufError | LimitError | undefined {
  if (!(thrown instanceof ProtobufError || thrown instanceof LimitError)) return undefined;
  thrown.layer ??= layer;
  thrown.session ??= connection?.session;
  return thrown;
}

/** The item that is given in place of a malformed message. */
export function malformedMessage<E extends EnvelopeName>(table: MessageTable, malformed: ProtobufError | LimitError): Received<E, never> {
  const status = table.byName.has('status') ? { status: 'UNSET' } : {};
  return { context: 0, ...status, oneof: null, malformed } as unknown as Received<E, never>;
}

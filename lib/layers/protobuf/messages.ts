/** The shapes of messages, derived from the schema: names are those of the .proto (wire spec §A). */
import type { Readable } from 'node:stream';
import type { LimitError, ProtobufError } from '../../core/errors.js';
import type { enums, messages } from './descriptor.generated.js';
import type { IncomingBody } from './incoming-body.js';
import type { BULK_FIELDS, EnvelopeName, ONLY_IN } from './schema.js';

type Descriptor = typeof messages;
type MessageName = keyof Descriptor;

/** `UNSET`, `SUCCESS`, `FAILED_INVALID_ROLE`, … */
export type ResponseStatusName = keyof typeof enums.ResponseStatus;

/** A bulk field that is sent from a source: exactly `length` bytes (0 to 2^53 - 1) of it. */
export interface BodySource {
  readonly length: number;
  readonly source: Readable | AsyncIterable<Uint8Array>;
}

/** What a bulk field may be when it is sent. A received body can be passed on as it is. */
export type OutgoingBody = Uint8Array | BodySource | IncomingBody;

/** Names of the arms of an envelope's oneof. */
export type ArmName<E extends EnvelopeName> = {
  [F in keyof Descriptor[E]]: Descriptor[E][F] extends { oneof: string } ? F : never;
}[keyof Descriptor[E]];

type MessageOf<E extends EnvelopeName, A extends ArmName<E>> = Descriptor[E][A] extends { type: infer M extends MessageName } ? M : never;

type Bulk<M extends MessageName> = M extends keyof typeof BULK_FIELDS ? (typeof BULK_FIELDS)[M] : never;
type Dialectal<M extends MessageName> = {
  [F in keyof Descriptor[M]]: `${M}.${F & string}` extends keyof typeof ONLY_IN ? F : never;
}[keyof Descriptor[M]];
type Value<Field, Bytes> = Field extends { type: 'string' } ? string : Field extends { type: 'bytes' } ? Bytes : number;

type Fields<M extends MessageName, Bytes, Body> = {
  [F in Exclude<keyof Descriptor[M], Dialectal<M>>]: F extends Bulk<M> ? Body : Value<Descriptor[M][F], Bytes>;
} & { [F in Dialectal<M>]?: Value<Descriptor[M][F], Bytes> };

type Arms<E extends EnvelopeName, Bytes, Body> = {
  [A in ArmName<E>]: { oneof: A; fields: Fields<MessageOf<E, A>, Bytes, Body> };
}[ArmName<E>];

/** A message to send. What is left out is the default of its type: 0, `UNSET`, empty. */
export type Sent<E extends EnvelopeName, Body = OutgoingBody> = {
  /** uint32, never used by the original. */
  context?: number;
} & (E extends 'RuntimeManagerResponse' ? { status?: ResponseStatusName } : { status?: undefined }) &
  (Arms<E, Uint8Array, Body> | { oneof: null; fields?: undefined });

/**
 * A message that came in; every field that the dialect knows is there. While a body is still arriving, `context` and
 * `status` are as they stood before it: envelope fields after the arm are set by the time the body ends.
 */
export type Received<E extends EnvelopeName, Body = IncomingBody> = {
  context: number;
} & (E extends 'RuntimeManagerResponse' ? { status: ResponseStatusName } : { status?: undefined }) &
  (
    | (Arms<E, Buffer, Body> & { malformed?: undefined })
    /** Set only with `onMalformed: 'give'`: why the message that stood here was skipped. */
    | { oneof: null; fields?: undefined; malformed?: ProtobufError | LimitError }
  );

/** A message whose bulk field is in memory: what `decodeMessage` gives and `encodeMessage` takes. */
export type WholeMessage<E extends EnvelopeName> = Received<E, Buffer>;

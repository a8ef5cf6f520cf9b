/** The types of messages, derived from the schema. The names are those of the .proto (wire spec §A). */
import type { Readable } from 'node:stream';
import type { LimitError, ProtobufError } from '../../core/errors.js';
import type { enums, messages } from './descriptor.generated.js';
import type { IncomingBody } from './incoming-body.js';
import type { BULK_FIELDS, EnvelopeName, ONLY_IN } from './schema.js';

type Descriptor = typeof messages;
type MessageName = keyof Descriptor;

/** `UNSET`, `SUCCESS`, `FAILED_INVALID_ROLE`, … */
export type ResponseStatusName = keyof typeof enums.ResponseStatus;

/** A bulk field that is sent from a source, which must give exactly `length` bytes (0 to 2^53 - 1). */
export interface BodySource {
  readonly length: number;
  readonly source: Readable | AsyncIterable<Uint8Array>;
}

/** The values that a bulk field may have when it is sent. A received body can be passed on unchanged. */
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

/** A message to send. A field that is left out has the default of its type: 0, `UNSET`, empty. */
export type Sent<E extends EnvelopeName, Body = OutgoingBody> = {
  /** A uint32. The original never uses it. */
  context?: number;
} & (E extends 'RuntimeManagerResponse' ? { status?: ResponseStatusName } : { status?: undefined }) &
  (Arms<E, Uint8Array, Body> | { oneof: null; fields?: undefined });

/**
 * A received message, with every field that the dialect knows. While its body is still arriving, `context` and `status` have
 * the values that stood before the arm. Values that stand after the arm are set when the body ends.
 */
export type Received<E extends EnvelopeName, Body = IncomingBody> = {
  context: number;
} & (E extends 'RuntimeManagerResponse' ? { status: ResponseStatusName } : { status?: undefined }) &
  (
    | (Arms<E, Buffer, Body> & { malformed?: undefined })
    /** Set only with `onMalformed: 'give'`: the reason why the message in this place was skipped. */
    | { oneof: null; fields?: undefined; malformed?: ProtobufError | LimitError }
  );

/** A message with its bulk field in memory. `decodeProtobuf` returns it, and `encodeProtobuf` takes it. */
export type WholeMessage<E extends EnvelopeName> = Received<E, Buffer>;

/**
 * What travels between layers besides bytes: the *bounds* of units, and *marks*.
 *
 * A *unit* is one thing to one side of a layer: a protobuf message, a bincode message, a base64 text, the body of a POST.
 * The bytes of a unit travel in as many chunks as they arrive in, so that no layer holds a whole file. A *bound* says where
 * a unit begins or ends:
 *
 *     Announce(11) <4 bytes> <7 bytes> Announce(0) Announce(2) <2 bytes>     length known before
 *     <16406 bytes> <16406 bytes> BOUNDARY <900 bytes> BOUNDARY              length known after
 */

/** The bound before a unit of exactly `length` bytes. The unit is over after those bytes. */
export class Announce {
  /** Bytes, 0 to 2^53 - 1. */
  readonly length: number;
  constructor(length: number) {
    this.length = length;
  }
}

/** The bound after a unit: everything since the BOUNDARY before it (or since the start) is one unit. */
export const BOUNDARY = Symbol('veracruz-streams.boundary');
/** The type of `BOUNDARY`. */
export type Boundary = typeof BOUNDARY;

/** The bound after the last unit of a body that holds several units. Only the answers of the session layer have it. */
export const BODY_END = Symbol('veracruz-streams.body-end');
/** The type of `BODY_END`. */
export type BodyEnd = typeof BODY_END;

/** Units, each with its length before it. */
export type AnnouncedChunk = Announce | Buffer;
/** Units, each with a BOUNDARY after it. */
export type BoundedChunk = Buffer | Boundary;
/** Units, and bodies that hold several units. */
export type ItemChunk = BoundedChunk | BodyEnd;

/**
 * A *mark* says that all that its writer has given so far is complete: no layer need wait for more. A mark travels from layer
 * to layer, behind the last byte that was given before it. The types of the layers do not name marks. A layer that has nothing
 * to do at a mark passes it on. The records layer consumes the mark and closes its unit with BOUNDARY instead.
 *
 *     END_OF_MESSAGE     a Channel writes it behind each message of its top layer
 *     FLUSH              TLS writes it behind a flight of its handshake; a role may put one into its stack, above or below
 */
export const END_OF_MESSAGE = Symbol('veracruz-streams.end-of-message');
/** The mark that lets out what waits, in the middle of a message or outside of one. See `END_OF_MESSAGE`. */
export const FLUSH = Symbol('veracruz-streams.flush');
/** Either mark. */
export type Mark = typeof END_OF_MESSAGE | typeof FLUSH;

/** True for a mark. A codec never gets a mark as a chunk. */
export function isMark(chunk: unknown): chunk is Mark {
  return chunk === END_OF_MESSAGE || chunk === FLUSH;
}

/** A pipe below a stack that gets the marks of the stack. Any other pipe gets only what the types say. */
export interface MarkedPipe {
  readonly takesMarks: true;
}

declare const brand: unique symbol;
interface Branded<Name extends string> {
  /** Exists only for the compiler: a stack in the wrong order does not compile. */
  readonly [brand]?: { readonly [name in Name]: true };
}

/** Messages of one protobuf envelope, each with an Announce (protobuf ↔ length prefix). */
export type MessageChunk = AnnouncedChunk & Branded<'message'>;
/** A plain stream of bytes, without units (above TLS). */
export type ByteChunk = Buffer & Branded<'bytes'>;
/** Messages with their prefixes: a stream of bytes that may also serve as one single unit (length prefix ↔ TLS or base64). */
export type PrefixedChunk = Buffer & Branded<'bytes' | 'unit'>;
/** TLS ciphertext, cut anywhere (TLS ↔ records). */
export type CipherChunk = Buffer & Branded<'bytes' | 'cipher'>;
/** Whole TLS records. A unit holds the records that travel together (records ↔ base64). */
export type RecordChunk = BoundedChunk & Branded<'unit' | 'records'>;
/** Units, and bodies of several units, that base64 turns into texts. */
export type UnitChunk = ItemChunk & Branded<'unit'>;
/** base64 texts (base64 ↔ session, or base64 ↔ HTTP at the attestation server). */
export type Base64Chunk = ItemChunk & Branded<'text' | 'base64'>;
/** HTTP bodies (session ↔ HTTP). */
export type BodyChunk = BoundedChunk & Branded<'text' | 'body'>;
/** bincode messages, each with an Announce (bincode ↔ frame). */
export type BincodeChunk = AnnouncedChunk & Branded<'bincode'>;
/** Framed bytes (frame ↔ TCP, Unix socket or console). */
export type FrameChunk = Buffer & Branded<'bytes' | 'frames'>;

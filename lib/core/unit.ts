/**
 * What travels between layers besides bytes.
 *
 * A *unit* is what one side of a layer calls one thing: a protobuf message, a bincode message, a base64
 * text, the body of a POST. Its bytes travel as they come, in as many chunks as they come, so that no
 * layer holds a whole file; two marks say where a unit ends:
 *
 *     Announce(11) <4 bytes> <7 bytes> Announce(0) Announce(2) <2 bytes>     length known before
 *     <16406 bytes> <16406 bytes> BOUNDARY <900 bytes> BOUNDARY              length known after
 */

/** Stands before a unit of exactly `length` bytes, which is over when they are through. */
export class Announce {
  /** Bytes, 0 to 2^53 - 1. */
  readonly length: number;
  constructor(length: number) {
    this.length = length;
  }
}

/** Stands after a unit: everything since the mark before it (or since the start) is one unit. */
export const BOUNDARY = Symbol('veracruz-streams.boundary');
export type Boundary = typeof BOUNDARY;

/** Stands after the last unit of a body that holds several: the answer of the session layer, and nowhere else. */
export const BODY_END = Symbol('veracruz-streams.body-end');
export type BodyEnd = typeof BODY_END;

/** Bytes in units whose length stands before them. */
export type AnnouncedChunk = Announce | Buffer;
/** Bytes in units that a mark ends. */
export type BoundedChunk = Buffer | Boundary;
/** Bytes in units, and units in bodies. */
export type ItemChunk = BoundedChunk | BodyEnd;

/**
 * A *mark* is what a writer says of all that it has given so far: it is complete, nothing need wait for more. A mark travels
 * from layer to layer, behind the last byte that was given before it. No layer's type names marks. A layer that has nothing
 * to do at a mark passes it on; the records layer closes its unit instead, and BOUNDARY goes on from there.
 *
 *     END_OF_MESSAGE     a Channel writes it behind each message of its top layer
 *     FLUSH              a layer's own (behind a flight of the TLS handshake), or put in below and awaited above
 */
export const END_OF_MESSAGE = Symbol('veracruz-streams.end-of-message');
export const FLUSH = Symbol('veracruz-streams.flush');
export type Mark = typeof END_OF_MESSAGE | typeof FLUSH;

/** True for a mark, which no codec is given as a chunk. */
export function isMark(chunk: unknown): chunk is Mark {
  return chunk === END_OF_MESSAGE || chunk === FLUSH;
}

/** A pipe below a stack that is given the stack's marks. All others are given what the types say and nothing else. */
export interface MarkedPipe {
  readonly takesMarks: true;
}

declare const brand: unique symbol;
interface Branded<Name extends string> {
  /** Exists for the compiler alone: it keeps a mis-ordered stack from compiling. */
  readonly [brand]?: { readonly [name in Name]: true };
}

/** Messages of one protobuf envelope, each announced (protobuf ↔ length prefix). */
export type MessageChunk = AnnouncedChunk & Branded<'message'>;
/** A plain stream of bytes, without units (above TLS). */
export type ByteChunk = Buffer & Branded<'bytes'>;
/** Prefixed messages: a plain stream of bytes, which may also be one unit as a whole (length prefix ↔ TLS or base64). */
export type PrefixedChunk = Buffer & Branded<'bytes' | 'unit'>;
/** TLS ciphertext, cut anywhere (TLS ↔ records). */
export type CipherChunk = Buffer & Branded<'bytes' | 'cipher'>;
/** Whole TLS records, in units of as many as travel together (records ↔ base64). */
export type RecordChunk = BoundedChunk & Branded<'unit' | 'records'>;
/** Bytes in units, and units in bodies: what base64 makes texts of. */
export type UnitChunk = ItemChunk & Branded<'unit'>;
/** base64 texts (base64 ↔ session, or base64 ↔ HTTP at the attestation server). */
export type Base64Chunk = ItemChunk & Branded<'text' | 'base64'>;
/** HTTP bodies (session ↔ HTTP). */
export type BodyChunk = BoundedChunk & Branded<'text' | 'body'>;
/** bincode messages, each announced (bincode ↔ frame). */
export type BincodeChunk = AnnouncedChunk & Branded<'bincode'>;
/** Framed bytes (frame ↔ TCP, Unix socket or console). */
export type FrameChunk = Buffer & Branded<'bytes' | 'frames'>;

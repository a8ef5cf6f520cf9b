/** What is compared with what. */

/** One way to do the work of a contest. */
export interface Contender {
  /** `veracruz-streams`, or the peer's name. */
  readonly name: string;
  /** Does the work once: moves all messages; gives the bytes that came out. */
  readonly run: () => number | Promise<number>;
}

/** The same work for all contenders; the first one is ours. */
export interface Contest {
  /** e.g. `base64 outbound`. */
  readonly name: string;
  readonly messageBytes: number;
  /** Messages of one run. */
  readonly messages: number;
  readonly contenders: readonly Contender[];
  /** Frees what the contenders hold. */
  readonly close?: () => void;
}

/** The contests of one layer. */
export interface LayerBench {
  readonly layer: string;
  /** The largest message that makes a difference. Default: none. */
  readonly maxMessageBytes?: number;
  /** Contests with messages of that many bytes. */
  open(messageBytes: number): Contest[] | Promise<Contest[]>;
}

/** Bytes of a chunk, in and out, wherever a contender can choose. */
export const CHUNK_BYTES = 64 * 1024;

/** Messages of one run: enough for the making of a stream not to matter, and tiny ones not to take for ever. */
export function messagesOf(messageBytes: number): number {
  return Math.max(4, Math.floor((messageBytes <= 1024 ? 2 ** 20 : 4 * 2 ** 20) / messageBytes));
}

/** `times` times the items of `one`. */
export function repeated<T>(one: readonly T[], times: number): T[] {
  return Array.from({ length: times }, () => one).flat();
}

/**
 * A message comes in chunks of 64 KiB; who wants it whole must put it together. Gives `messages` messages put together,
 * anew each time that they are read.
 */
export function collected(message: Buffer, messages: number): Iterable<Buffer> {
  const chunks = chunksOf(message);
  return {
    *[Symbol.iterator]() {
      for (let i = 0; i < messages; i++) yield chunks.length === 1 ? message : Buffer.concat(chunks);
    },
  };
}

/** `bytes`, in chunks of 64 KiB. */
export function chunksOf(bytes: Buffer): Buffer[] {
  return cut(bytes, CHUNK_BYTES);
}

/** `bytes`, in pieces of `pieceBytes`. */
export function cut(bytes: Buffer, pieceBytes: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, i) => bytes.subarray(i * pieceBytes, (i + 1) * pieceBytes));
}

/** A message of any bytes. */
export function payloadOf(messageBytes: number): Buffer {
  return Buffer.alloc(messageBytes, 'veracruz');
}

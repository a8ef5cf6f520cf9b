/** How a source becomes messages: a write with the first piece, then appends with the others. */
import type { PieceReader } from './source.js';

/**
 * Most bytes of a piece of a source of unknown length. Such a piece is held in memory, because its length must be known
 * first.
 */
const UNSIZED_PIECE_BYTES = 8 * 1024 * 1024;

/** The data of one message. */
export type Piece = Buffer | { readonly length: number; readonly source: AsyncIterable<Buffer> };

/** Takes the pieces. */
export interface PieceTarget {
  /** Sends a piece; settles when the manager has acknowledged it. */
  readonly write: (data: Piece, first: boolean) => Promise<void>;
  /** Called with the number of bytes that were handed on. */
  readonly report: (bytes: number) => void;
  /** Rejects when the session has ended, so that a wait for a silent source ends too. */
  readonly broken: Promise<never>;
}

/** Sends a source in pieces of at most `maxPieceBytes`. Each waits until the one before it is acknowledged. */
export async function sendPieces(reader: PieceReader, maxPieceBytes: number, target: PieceTarget): Promise<void> {
  if (reader.whole !== undefined) await sendWhole(reader.whole, maxPieceBytes, target);
  else if (reader.size === undefined) await sendUnsized(reader, maxPieceBytes, target);
  else await sendSized(reader, reader.size, maxPieceBytes, target);
}

async function sendWhole(bytes: Buffer, maxPieceBytes: number, { write, report }: PieceTarget): Promise<void> {
  let offset = 0;
  do {
    const piece = bytes.subarray(offset, offset + maxPieceBytes);
    await write(piece, offset === 0);
    report(piece.length);
    offset += piece.length;
  } while (offset < bytes.length);
}

async function sendSized(reader: PieceReader, size: number, maxPieceBytes: number, { write, report }: PieceTarget): Promise<void> {
  // An empty message is complete with its head, so the end of the source must be checked before it is sent.
  if (size === 0) await reader.expectEnd();
  let offset = 0;
  do {
    const length = Math.min(size - offset, maxPieceBytes);
    const piece = offset + length < size ? reader.piece(length) : reader.lastPiece(length);
    await write({ length, source: reported(piece, report) }, offset === 0);
    offset += length;
  } while (offset < size);
}

async function sendUnsized(reader: PieceReader, maxPieceBytes: number, { write, report, broken }: PieceTarget): Promise<void> {
  for (let first = true; ; first = false) {
    const piece = await Promise.race([reader.collect(Math.min(UNSIZED_PIECE_BYTES, maxPieceBytes)), broken]);
    if (piece.length === 0 && !first) return;
    await write(piece, first);
    report(piece.length);
  }
}

async function* reported(chunks: AsyncIterable<Buffer>, report: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    yield chunk;
    report(chunk.length);
  }
}

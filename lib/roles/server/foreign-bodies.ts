import type { IncomingMessage } from 'node:http';
import { BusyError, LimitError, SessionTextError } from '../../core/errors.js';
import type { BegunBody } from '../../transports/http-bodies.js';
import { tooLong } from '../../transports/http-faults.js';
import { noteRead } from '../http-answers.js';

/** Bytes of one body, as of an original client. */
const MAX_BODY_BYTES = 262_144;
/** The part of all bytes that one address may have. */
const PART_OF_ADDRESS = 1 / 4;
/** Bytes that each piece of a body counts for, beside its own: pieces may be one byte long. */
const PIECE_BYTES = 128;

/**
 * Bodies that come from elsewhere than their session did, from clients that show no secret. Each is read to its end before
 * anybody gets any of it: so whoever sends it slowly holds up nobody, and a body that is cut off harms nobody. Meanwhile they
 * are in memory, so they are bounded in sum and by address.
 */
export class ForeignBodies {
  readonly #maxBytes: number;
  readonly #maxBodyBytes: number;
  readonly #byAddress = new Map<string, number>();
  #bytes = 0;

  /**
   * @param maxBytes bytes of all bodies that are awaited; a quarter of them of one address
   * @param maxBodyBytes bytes of one body; 262,144 at most
   */
  constructor(maxBytes: number, maxBodyBytes: number) {
    this.#maxBytes = maxBytes;
    this.#maxBodyBytes = Math.min(maxBodyBytes, MAX_BODY_BYTES);
  }

  /**
   * Reads the rest of a body that has begun.
   *
   * @param address what the client is counted by; see `networkOf`
   * @throws LimitError for a body that is too long; BusyError when too much is awaited already; SessionTextError when the
   * client goes away in the middle of it
   */
  async read(request: IncomingMessage, begun: BegunBody, address: string): Promise<BegunBody> {
    if (begun.whole) return begun;
    const pieces: Buffer[] = [];
    let bytes = 0;
    let counted = 0;
    const take = (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > this.#maxBodyBytes) throw tooLong('a body', bytes, this.#maxBodyBytes);
      const cost = piece.length + PIECE_BYTES;
      this.#enter(address, cost);
      counted += cost;
      pieces.push(piece);
    };
    try {
      for (const piece of begun.pieces) take(piece);
      for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        take(piece);
        noteRead(request, bytes);
      }
    } catch (error) {
      if (error instanceof LimitError || error instanceof BusyError) throw error;
      throw new SessionTextError('the client went away in the middle of its body', { layer: 'session', cause: error });
    } finally {
      this.#leave(address, counted);
    }
    return { pieces, whole: true };
  }

  #enter(address: string, bytes: number): void {
    const own = (this.#byAddress.get(address) ?? 0) + bytes;
    this.#check(this.#bytes + bytes, this.#maxBytes);
    this.#check(own, Math.floor(this.#maxBytes * PART_OF_ADDRESS));
    this.#bytes += bytes;
    this.#byAddress.set(address, own);
  }

  #check(got: number, limit: number): void {
    if (got > limit) throw new BusyError('too many bodies that are from elsewhere are awaited', { layer: 'server', limit, got });
  }

  #leave(address: string, bytes: number): void {
    this.#bytes -= bytes;
    const left = (this.#byAddress.get(address) ?? 0) - bytes;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
  }
}

/** The two Transforms of the layer, as the engine calls them. */
import type { VeracruzError } from '../../core/errors.js';

/** The calls of the engine to the outbound Transform. */
export interface CipherSide {
  /** True when the layer stands directly above a socket, with no layer in between. */
  readonly aboveSocket: boolean;
  /** Gives ciphertext to the neighbour below. False means: wait for `released()`. */
  giveCipher(chunk: Buffer): boolean;
  /** Gives a FLUSH to the neighbour below, behind the ciphertext. */
  giveFlush(): void;
  /** Destroys the Transform with `error`. False when it was destroyed before. */
  fail(error: VeracruzError): boolean;
  destroy(): void;
}

/** The calls of the engine to the inbound Transform. */
export interface PlainSide {
  /** Gives plaintext to the neighbour above. False means: wait for `thirsty()`. */
  givePlain(chunk: Buffer): boolean;
  endPlain(): void;
  /** Destroys the Transform with `error`. False when it was destroyed before. */
  fail(error: VeracruzError): boolean;
  destroy(): void;
}

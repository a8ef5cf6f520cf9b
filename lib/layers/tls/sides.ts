/** The two Transforms of the layer, as the engine sees them. */
import type { VeracruzError } from '../../core/errors.js';

/** What the engine does to the outbound Transform. */
export interface CipherSide {
  /** No layer is below, only a socket. */
  readonly aboveSocket: boolean;
  /** Ciphertext for the neighbour; false asks to wait for `released()`. */
  giveCipher(chunk: Buffer): boolean;
  /** Says to the neighbour that what was given is complete. */
  giveFlush(): void;
  /** False when the Transform is gone already. */
  fail(error: VeracruzError): boolean;
  destroy(): void;
}

/** What the engine does to the inbound Transform. */
export interface PlainSide {
  /** Plaintext for the neighbour; false asks to wait for `thirsty()`. */
  givePlain(chunk: Buffer): boolean;
  endPlain(): void;
  /** False when the Transform is gone already. */
  fail(error: VeracruzError): boolean;
  destroy(): void;
}

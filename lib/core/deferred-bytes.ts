/**
 * Bytes that are made later, at the place where they are needed: the receiver calls `copy` with a target that has room.
 * That saves one copy. A transport that collects whole bodies (`HttpExchange`) takes them; a byte pipe does not.
 */
export abstract class DeferredBytes {
  /** Number of bytes. */
  abstract readonly length: number;
  /** Writes all of the bytes into `target`, from `at` on. Called once. */
  abstract copy(target: Buffer, at: number): void;
}

/**
 * Bytes that are not made yet: they are written where they are wanted, by whoever has the room for them, and a copy is
 * spared. What a transport gathers its bodies from (`HttpExchange`), and no pipe of bytes takes.
 */
export abstract class DeferredBytes {
  /** How many they are. */
  abstract readonly length: number;
  /** Writes all of them into `target`, from `at` on. Called once. */
  abstract copy(target: Buffer, at: number): void;
}

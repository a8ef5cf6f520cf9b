/** What a program may still write. What it takes is never given back: to remove a file makes no room for another. */
export class Budget {
  #bytes: number;
  #files: number;

  constructor(maxBytes: number, maxFiles: number) {
    this.#bytes = maxBytes;
    this.#files = maxFiles;
  }

  /** False when that many bytes are not left; nothing is taken then. */
  takeBytes(bytes: number): boolean {
    if (bytes > this.#bytes) return false;
    this.#bytes -= bytes;
    return true;
  }

  /** Whether there is room for one more file or directory. */
  get hasFile(): boolean {
    return this.#files > 0;
  }

  takeFile(): void {
    this.#files--;
  }
}

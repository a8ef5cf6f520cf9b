/** Who may go next, key by key: first come, first served. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Resolves when all who came before have left; its value is the way to leave, which must be taken. */
  async enter(key: string): Promise<() => void> {
    const before = this.#last.get(key);
    let leave: () => void = () => {};
    const mine = new Promise<void>((resolve) => {
      leave = resolve;
    });
    this.#last.set(key, mine);
    void mine.then(() => {
      if (this.#last.get(key) === mine) this.#last.delete(key);
    });
    await before;
    return leave;
  }

  /** Runs `work` when it is the key's turn. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const leave = await this.enter(key);
    try {
      return await work();
    } finally {
      leave();
    }
  }
}

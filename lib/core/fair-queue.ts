import { Crowd } from './crowd.js';

/**
 * A queue that is shared fairly among the keys that its items belong to: the keys take turns, one item each, and of one key
 * the item that has waited longest comes first. So one key with many items makes its own wait, not those of others. All
 * methods take constant time.
 */
export class FairQueue<T> {
  readonly #items = new Crowd<T>();
  /** The keys that have items. The first one is next. */
  readonly #turns = new Set<string>();

  /** Number of items. */
  get size(): number {
    return this.#items.size;
  }

  /** Number of items of `key`. */
  count(key: string): number {
    return this.#items.count(key);
  }

  /** Adds an item; the same one cannot wait twice. */
  add(key: string, item: T): void {
    this.#items.add(key, item);
    this.#turns.add(key);
  }

  /** Takes an item out. False when it is not there. */
  delete(key: string, item: T): boolean {
    const found = this.#items.delete(key, item);
    if (this.#items.count(key) === 0) this.#turns.delete(key);
    return found;
  }

  /** Takes out the item whose turn it is. Undefined when there is none. */
  next(): T | undefined {
    for (const key of this.#turns) {
      this.#turns.delete(key);
      this.#turns.add(key);
      return this.#first(key);
    }
    return undefined;
  }

  /**
   * Takes out the oldest item of the key that has most, to make room for one more of `key`. Undefined when no key would have
   * more than `key` then.
   */
  outnumbering(key: string): T | undefined {
    for (const most of this.#items.crowded()) {
      return this.#items.count(most) > this.#items.count(key) + 1 ? this.#first(most) : undefined;
    }
    return undefined;
  }

  #first(key: string): T | undefined {
    for (const item of this.#items.of(key)) {
      this.delete(key, item);
      return item;
    }
    return undefined;
  }
}

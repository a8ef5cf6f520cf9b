import { Crowd } from './crowd.js';

/**
 * A queue that is shared fairly among the keys that its items belong to: the keys take turns, one item each, and of one key
 * the item that has waited longest comes first. So one key with many items makes its own wait, not those of others. All
 * methods take constant time, but for turns that `next` passes over.
 */
export class FairQueue<T, K = string> {
  readonly #items = new Crowd<T, K>();
  /** The keys that have items. The first one is next. */
  readonly #turns = new Set<K>();

  /** Number of items. */
  get size(): number {
    return this.#items.size;
  }

  /** Number of items of `key`. */
  count(key: K): number {
    return this.#items.count(key);
  }

  /** Adds an item; the same one cannot wait twice. */
  add(key: K, item: T): void {
    this.#items.add(key, item);
    this.#turns.add(key);
  }

  /** Takes an item out. False when it is not there. */
  delete(key: K, item: T): boolean {
    const found = this.#items.delete(key, item);
    if (this.#items.count(key) === 0) this.#turns.delete(key);
    return found;
  }

  /**
   * Takes out the item whose turn it is. Undefined when there is none.
   *
   * @param may whether a key may have its turn now; one that may not keeps it. Default: each
   */
  next(may: (key: K) => boolean = () => true): T | undefined {
    for (const key of this.#turns) {
      if (!may(key)) continue;
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
  outnumbering(key: K): T | undefined {
    for (const most of this.#items.crowded()) {
      return this.#items.count(most) > this.#items.count(key) + 1 ? this.#first(most) : undefined;
    }
    return undefined;
  }

  #first(key: K): T | undefined {
    for (const item of this.#items.of(key)) {
      this.delete(key, item);
      return item;
    }
    return undefined;
  }
}

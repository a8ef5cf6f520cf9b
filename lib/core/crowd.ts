/**
 * Members by address, and the addresses by how many members they have. Adding, deleting and counting take constant time, so a
 * crowd of strangers cannot make them slow. An address is any value that can be a key of a Map.
 */
export class Crowd<T, A = string> {
  readonly #groups = new Map<A, Set<T>>();
  /** At index n: the addresses with n members. */
  readonly #bySize: Set<A>[] = [];
  #size = 0;

  /** Number of members. */
  get size(): number {
    return this.#size;
  }

  /** Number of members of `address`. */
  count(address: A): number {
    return this.#groups.get(address)?.size ?? 0;
  }

  /** Adds a member. One that is there already becomes the newest of its address. */
  add(address: A, member: T): void {
    this.delete(address, member);
    const group = this.#groups.get(address) ?? new Set<T>();
    this.#groups.set(address, group.add(member));
    this.#size++;
    this.#moved(address, group.size - 1, group.size);
  }

  /** Removes a member. False when it is not there. */
  delete(address: A, member: T): boolean {
    const group = this.#groups.get(address);
    if (group?.delete(member) !== true) return false;
    this.#size--;
    this.#moved(address, group.size + 1, group.size);
    if (group.size === 0) this.#groups.delete(address);
    return true;
  }

  /** The members of `address`, oldest first. */
  of(address: A): Iterable<T> {
    return this.#groups.get(address) ?? [];
  }

  /** The addresses, those with the most members first. */
  *crowded(): Generator<A> {
    for (let size = this.#bySize.length - 1; size > 0; size--) yield* this.#bySize[size] ?? [];
  }

  #moved(address: A, before: number, now: number): void {
    this.#bySize[before]?.delete(address);
    if (now > 0) {
      const addresses = this.#bySize[now] ?? new Set<A>();
      this.#bySize[now] = addresses.add(address);
    }
    while (this.#bySize.length > 0 && (this.#bySize.at(-1)?.size ?? 0) === 0) this.#bySize.pop();
  }
}

import type { Result } from '../harness/result.js';

/** `results` by what `key` says of them, in the order in which they come. */
export function groupedBy<K>(results: readonly Result[], key: (result: Result) => K): Map<K, Result[]> {
  const groups = new Map<K, Result[]>();
  for (const result of results) {
    const group = groups.get(key(result));
    if (group === undefined) groups.set(key(result), [result]);
    else group.push(result);
  }
  return groups;
}

/** What a case does, without what does it: `upload`, `outbound, no stream`. */
export function taskOf({ name }: Result): string {
  return name.slice(name.indexOf(' ') + 1);
}

/** What does it: a layer or a fixture. */
export function subjectOf({ name }: Result): string {
  return name.slice(0, name.indexOf(' '));
}

import { type Faults, pointer } from './faults.js';

/** Objects and lists inside each other: serde_json, which the original reads policies with, takes no more. */
export const MAX_DEPTH = 127;

/** An object or list that is still open. */
interface Open {
  readonly at: string;
  /** Keys so far; undefined for a list. */
  readonly keys: Set<string> | undefined;
  /** The key or index that stands now. */
  now: string | number;
  /** The next text is a key. */
  beforeKey: boolean;
}

/**
 * Finds what `JSON.parse` lets pass and no two readers agree on: a key that stands twice in one object, and nesting
 * deeper than the original takes. `json` must be JSON.
 */
export function scan(json: string, faults: Faults): void {
  const open: Open[] = [];
  for (let i = 0; i < json.length; i++) {
    const top = open[open.length - 1];
    switch (json[i]) {
      case '{':
      case '[':
        if (open.length === MAX_DEPTH) {
          faults.add('', `is nested deeper than ${MAX_DEPTH}`);
          return;
        }
        open.push({
          at: top === undefined ? '' : pointer(top.at, top.now),
          keys: json[i] === '{' ? new Set() : undefined,
          now: 0,
          beforeKey: json[i] === '{',
        });
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case ',':
        if (top?.keys === undefined) (top as { now: number }).now++;
        else top.beforeKey = true;
        break;
      case '"': {
        const end = endOfText(json, i);
        if (top?.keys !== undefined && top.beforeKey) {
          const key = JSON.parse(json.slice(i, end + 1)) as string;
          if (top.keys.has(key)) faults.add(pointer(top.at, key), 'stands twice');
          top.keys.add(key);
          top.now = key;
          top.beforeKey = false;
        }
        i = end;
        break;
      }
    }
  }
}

/** Where the quote is that ends the text which begins at `start`. */
function endOfText(json: string, start: number): number {
  let i = start + 1;
  while (json[i] !== '"') i += json[i] === '\\' ? 2 : 1;
  return i;
}

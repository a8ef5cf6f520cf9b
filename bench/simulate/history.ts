/** What clients did to the files of one store, and whether what is read later can come of it. */
import { contentOf, piecesOf } from './contents.js';

/**
 * `done`: the manager has said that it is so. `unknown`: it may be so, or come to be so at any later time. `refused`: the
 * manager has said that it is not.
 */
export type Outcome = 'under way' | 'done' | 'unknown' | 'refused';

/** A write or an append. */
export interface Change {
  /** Later calls have greater numbers. */
  readonly id: number;
  /** The session that it was asked for in. Calls of one session are carried out in their order. */
  readonly session: number;
  readonly kind: 'write' | 'append';
  readonly bytes: number;
  /** Milliseconds of virtual time. */
  readonly start: number;
  end: number;
  outcome: Outcome;
}

/** The changes of one file, by the one client that makes them, one after the other. */
export class FileHistory {
  readonly #name: string;
  readonly #changes = new Map<number, Change>();

  constructor(name: string) {
    this.#name = name;
  }

  begin(change: Change): void {
    this.#changes.set(change.id, change);
  }

  /**
   * Says what is wrong with contents that were read; undefined when nothing is.
   *
   * @param contents undefined when there was no file
   * @param start when the reading began, virtual milliseconds
   * @param end when it was over
   */
  judge(contents: Buffer | undefined, start: number, end: number): string | undefined {
    const sure = [...this.#changes.values()].filter((change) => change.outcome === 'done' && change.end < start);
    if (contents === undefined) return sure.length === 0 ? undefined : `${this.#name} is missing, but ${told(sure.at(-1))} was done`;
    const ids = piecesOf(contents);
    if (typeof ids === 'string') return `${this.#name}: ${ids}`;
    const pieces: Change[] = [];
    for (const id of ids) {
      const change = this.#changes.get(id);
      if (change === undefined) return `${this.#name} has bytes of #${id}, which is of another file`;
      if (change.start > end) return `${this.#name} has ${told(change)} before it was asked for`;
      if (change.outcome === 'refused') return `${this.#name} has ${told(change)}, which was refused`;
      if (pieces.includes(change)) return `${this.#name} has ${told(change)} twice`;
      pieces.push(change);
    }
    return this.#wholeness(contents, pieces) ?? this.#order(pieces, sure);
  }

  #wholeness(contents: Buffer, pieces: readonly Change[]): string | undefined {
    let at = 0;
    for (const piece of pieces) {
      const expected = contentOf(piece.id, piece.bytes);
      if (!contents.subarray(at, at + piece.bytes).equals(expected)) return `${this.#name} has ${told(piece)} in part, or altered`;
      at += piece.bytes;
    }
    return at === contents.length ? undefined : `${this.#name} has ${contents.length - at} bytes more than its pieces`;
  }

  #order(pieces: readonly Change[], sure: readonly Change[]): string | undefined {
    const [first] = pieces;
    const write = first?.kind === 'write' ? first : undefined;
    const appends = write === undefined ? pieces : pieces.slice(1);
    for (const append of appends) {
      if (append.kind === 'write') return `${this.#name} has ${told(append)} behind other bytes`;
      if (write !== undefined && precedes(append, write)) return `${this.#name} has ${told(append)}, which ${told(write)} had replaced`;
    }
    for (const [i, later] of appends.entries()) {
      const earlier = appends.slice(i + 1).find((append) => precedes(append, later));
      if (earlier !== undefined) return `${this.#name} has ${told(later)} before ${told(earlier)}`;
    }
    for (const change of sure) {
      if (pieces.includes(change)) continue;
      // Only a write that can have come after it explains that it is not there.
      const replaced = write !== undefined && !precedes(write, change);
      const passed = change.kind === 'append' && appends.some((append) => precedes(append, change));
      if (!replaced || passed) return `${told(change)} was done, and ${this.#name} does not have it`;
    }
    return undefined;
  }
}

/** Whether `a` was over before `b` began. */
function precedes(a: Change, b: Change): boolean {
  return a.outcome === 'done' && (a.end <= b.start || (a.session === b.session && a.id < b.id));
}

function told(change: Change | undefined): string {
  return change === undefined ? 'nothing' : `${change.kind} #${change.id}`;
}

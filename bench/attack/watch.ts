/** Looks at the roles again and again: what they hold, at most, in a phase. */
import type { Part } from '../harness/part.js';

/** Milliseconds between two looks. */
const LOOK_MS = 200;

/** What a role holds. Undefined: the system or the role does not tell. */
export interface Held {
  /** Bytes of memory. */
  readonly rss: number | undefined;
  readonly descriptors: number | undefined;
  readonly sessions: number | undefined;
}

export type HeldBy = Readonly<Record<string, Held>>;

export class Watch {
  readonly #roles: readonly (readonly [string, Part])[];
  readonly #timer: NodeJS.Timeout;
  #most: Record<string, Held> = {};
  /** Roles that have been asked for their sessions and have not answered: they are busy. */
  readonly #asked = new Set<string>();

  constructor(roles: Readonly<Record<string, Part>>) {
    this.#roles = Object.entries(roles);
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** What each role held at most since the last time this was asked. */
  take(): HeldBy {
    this.#look();
    const most = this.#most;
    this.#most = {};
    return most;
  }

  /** What each role holds, garbage not counted, as soon as all have told of their sessions. */
  async now(): Promise<HeldBy> {
    const held = this.#roles.map(async ([role, part]) => {
      await part.ask('collect').catch(() => {});
      const sessions = await sessionsOf(part);
      return [role, { ...part.holds(), sessions }] as const;
    });
    return Object.fromEntries(await Promise.all(held));
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const [role, part] of this.#roles) {
      this.#note(role, { ...part.holds(), sessions: undefined });
      if (this.#asked.has(role)) continue;
      this.#asked.add(role);
      void sessionsOf(part).then((sessions) => {
        this.#asked.delete(role);
        this.#note(role, { rss: undefined, descriptors: undefined, sessions });
      });
    }
  }

  #note(role: string, held: Held): void {
    const before = this.#most[role];
    this.#most[role] = {
      rss: largest(before?.rss, held.rss),
      descriptors: largest(before?.descriptors, held.descriptors),
      sessions: largest(before?.sessions, held.sessions),
    };
  }
}

/** Undefined for a role that has none to tell of, or has gone. */
function sessionsOf(part: Part): Promise<number | undefined> {
  return part.ask<number>('sessions').catch(() => undefined);
}

function largest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

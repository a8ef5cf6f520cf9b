import type { Moved } from '../harness/contents.js';
import type { Usage } from '../harness/part.js';
import type { TransferResult, TransferTask } from '../parts/support/transfer.js';
import type { Fixture } from './fixtures.js';

export type Direction = 'upload' | 'download';

/** What one transfer took. */
export interface Transfer {
  readonly seconds: number;
  readonly moved: readonly Moved[];
  /** By role, in the order of the fixture. */
  readonly usage: Readonly<Record<string, Usage>>;
}

/** What a round of a fixture gave; what the plan does not ask for was not measured. */
export type Round = Partial<Record<Direction, Transfer>>;

/** Hooks around the transfer itself, when the sessions stand. */
export interface Around {
  before?(): Promise<unknown>;
  after?(): Promise<unknown>;
}

/** Lets the client of a fixture do some work on new sessions, and tells what each process used in it, handshakes excluded. */
export function watched<T>(
  fixture: Fixture,
  sessions: number,
  around: Around,
  work: () => Promise<T>,
): Promise<T & Pick<Transfer, 'usage'>> {
  return fixture.withSessions(sessions, async () => {
    await around.before?.();
    for (const part of fixture.parts) part.mark();
    const result = await work();
    const usage = Object.fromEntries(fixture.parts.map((part) => [part.role, part.usage()]));
    await around.after?.();
    return { ...result, usage };
  });
}

/** One transfer on new sessions: time counts from the first byte of a file. */
export async function transfer(
  fixture: Fixture,
  direction: Direction,
  sessions: number,
  task: TransferTask,
  around: Around = {},
): Promise<Transfer> {
  const done = await watched(fixture, sessions, around, () => fixture.client.ask<TransferResult>(direction, task));
  const bytes = done.moved.reduce((sum, share) => sum + share.bytes, 0);
  if (bytes !== task.bytes) throw new Error(`${direction}: ${bytes} bytes moved of ${task.bytes}`);
  return done;
}

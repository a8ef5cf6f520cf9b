import type { Moved } from '../harness/contents.js';
import type { Usage } from '../harness/part.js';
import type { TransferResult, TransferTask } from '../parts/support/transfer.js';
import type { Rig } from './rigs.js';

export type Direction = 'upload' | 'download';

/** What one transfer took. */
export interface Transfer {
  readonly seconds: number;
  readonly moved: readonly Moved[];
  /** By role, in the order of the rig. */
  readonly usage: Readonly<Record<string, Usage>>;
}

/** What a round of a rig gave; what the plan does not ask for was not measured. */
export type Round = Partial<Record<Direction, Transfer>>;

/** Hooks around the transfer itself, when the sessions stand. */
export interface Around {
  before?(): Promise<unknown>;
  after?(): Promise<unknown>;
}

/** One transfer on new sessions: time and usage count from the first byte of a file, not from the handshake. */
export function transfer(rig: Rig, direction: Direction, sessions: number, task: TransferTask, around: Around = {}): Promise<Transfer> {
  return rig.withSessions(sessions, async () => {
    await around.before?.();
    for (const part of rig.parts) part.mark();
    const { seconds, moved } = await rig.client.ask<TransferResult>(direction, task);
    const usage = Object.fromEntries(rig.parts.map((part) => [part.role, part.usage()]));
    await around.after?.();
    const bytes = moved.reduce((sum, share) => sum + share.bytes, 0);
    if (bytes !== task.bytes) throw new Error(`${direction}: ${bytes} bytes moved of ${task.bytes}`);
    return { seconds, moved, usage };
  });
}
